"""Whom an embedded server runs as: PostgreSQL refuses to run as root, so root starts servers as a service account."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from counterfoil.embedded.errors import EmbeddedError

SERVICE_USER = "counterfoil"
_USERADD_NAME_TAKEN = 9


class _Credentials(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account a server runs as; ``switches`` says whether that is another account than ours."""

    uid: int
    gid: int
    switches: bool

    @property
    def credentials(self) -> _Credentials:
        """Keyword arguments for ``subprocess``."""
        return _Credentials(user=self.uid, group=self.gid, extra_groups=[]) if self.switches else _Credentials()

    def own(self, path: Path) -> None:
        if self.switches:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Whether the account may pass through every folder down to this one."""
        return self._runs("test", "-x", str(folder)) if self.switches else os.access(folder, os.X_OK)

    def can_run(self, program: Path) -> bool:
        return self._runs(str(program), "--version")

    def _runs(self, *argv: str) -> bool:
        try:
            done = subprocess.run(  # noqa: S603  (`test` or a program of the wheels, no user input)
                argv, cwd="/", capture_output=True, check=False, **self.credentials
            )
        except PermissionError:
            return False
        return done.returncode == 0


def service_account() -> Account:
    """Ourselves, or for root the service account, created when it is not there yet."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), switches=False)
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _create_service_user()
        entry = pwd.getpwnam(SERVICE_USER)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, switches=True)


def _create_service_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (constant)
    except FileNotFoundError as error:
        raise EmbeddedError(
            f"PostgreSQL does not run as root and `useradd` is missing: create a system user {SERVICE_USER!r}, "
            "or run as a plain user"
        ) from error
    # Another process may have created it between our look-up and now.
    if done.returncode not in (0, _USERADD_NAME_TAKEN):
        raise EmbeddedError(f"could not create the system user {SERVICE_USER!r}: {done.stderr.strip()}")
