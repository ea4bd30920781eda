"""Checking a pack: from its bytes and a public key alone, without settings, network or database."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, Literal

from counterfoil.evidence import inclusion, layout
from counterfoil.evidence.container import Container, Member, NotAPack, Tampered
from counterfoil.evidence.inclusion import AuditReport
from counterfoil.kit import signing

# intact: unchanged, and signed with a key that was given. changed: see the findings. unconfirmed: nothing speaks against
# it, but no key was given, and anybody can sign with one of their own; or it says itself that audit events in it could not
# be proven. unreadable: there is no archive to judge.
Verdict = Literal["intact", "changed", "unconfirmed", "unreadable"]
_EXIT = {"intact": 0, "changed": 1, "unconfirmed": 2, "unreadable": 2}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it was: which file, what kind of change, and in words."""

    file: str
    code: str
    detail: str


@dataclass(kw_only=True)
class Report:
    verdict: Verdict = "unreadable"
    key_id: str | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    files_checked: int = 0
    audit: AuditReport = field(default_factory=AuditReport)
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return _EXIT[self.verdict]

    def add(self, file: str, code: str, detail: str) -> None:
        self.findings.append(Finding(file=file, code=code, detail=detail))


def verify_file(path: Path, public_keys: Sequence[str] = ()) -> Report:
    """Check a pack on disk.

    Args:
        path: of the zip.
        public_keys: keys whose signature counts, as ``parse_public_key`` gives them.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return verify(file, public_keys)


def verify(file: BinaryIO, public_keys: Sequence[str] = ()) -> Report:
    """As ``verify_file``, for an open file."""
    report = Report()
    try:
        container = Container(file)
    except NotAPack as error:
        report.add("archive", "unreadable", str(error))
        return report
    except Tampered as found:
        report.verdict = "changed"
        report.add(found.file, found.code, found.detail)
        return report
    _verify(container, public_keys, report)
    if report.findings:
        report.verdict = "changed"
    else:
        report.verdict = "intact" if public_keys and not report.audit.unproven else "unconfirmed"
    return report


def _verify(container: Container, public_keys: Sequence[str], report: Report) -> None:
    read = _Contents(container, report)
    manifest, signature = read.small(layout.MANIFEST), read.small(layout.SIGNATURE)
    listed: dict[str, tuple[str, int]] = {}
    if manifest is not None:
        listed = _parse(manifest, report)
        if signature is not None:
            _check_signature(manifest, signature, public_keys, report)
    for member in container.members:
        if member.name not in layout.UNLISTED:
            _check_file(member, read, listed, report)
    for path in sorted(listed.keys() - {member.name for member in container.members}):
        report.add(path, "missing", "the manifest lists it, but it is not here")
    _check_audit(read, listed, public_keys, report)


def _check_audit(
    read: "_Contents", listed: dict[str, tuple[str, int]], public_keys: Sequence[str], report: Report
) -> None:
    """The events against their seals; what is not as it was signed, or not there, was found before."""
    files = (layout.AUDIT, layout.PROOFS)
    for name in files:
        if name not in listed and report.manifest:
            report.add(name, "missing", "no pack is without it")
    touched = {finding.file for finding in report.findings}
    if not report.manifest or touched & {*files, layout.MANIFEST}:
        return
    audit, proofs = (read.small(name, most=layout.LARGEST_AUDIT) for name in files)
    if audit is None or proofs is None:
        return
    report.audit = inclusion.check(
        audit,
        proofs,
        tenant_id=str(report.manifest["tenant"]["id"]),
        public_keys=public_keys,
        found=lambda file, detail: report.add(file, "audit", detail),
    )


def _check_file(member: Member, read: "_Contents", listed: dict[str, tuple[str, int]], report: Report) -> None:
    if member.name not in listed:
        report.add(member.name, "extra", "the manifest does not list it")
        return
    digest = read.digest(member)
    if digest is not None:
        report.files_checked += 1
        if (digest, member.size) != listed[member.name]:
            report.add(member.name, "changed", "its content is not what the manifest says")


class _Contents:
    """Reads files of the archive, and puts on the report what cannot be read."""

    def __init__(self, container: Container, report: Report) -> None:
        self._container = container
        self._report = report
        names = (member.name for member in container.members)
        self._following = dict(zip_longest(names, container.members[1:]))

    def small(self, name: str, *, most: int = layout.LARGEST_MANIFEST) -> bytes | None:
        member = next((member for member in self._container.members if member.name == name), None)
        if member is None:
            self._report.add(name, "missing", "no pack is without it")
        elif member.size > most:
            self._report.add(name, "too_big", "it is larger than any pack's")
        else:
            content = bytearray()
            if self._each(member, content.extend):
                return bytes(content)
        return None

    def digest(self, member: Member) -> str | None:
        digest = hashlib.sha256()
        return digest.hexdigest() if self._each(member, digest.update) else None

    def _each(self, member: Member, use: Any) -> bool:
        try:
            for chunk in self._container.read(member, following=self._following[member.name]):
                use(chunk)
        except Tampered as found:
            self._report.add(found.file, found.code, found.detail)
            return False
        return True


def _parse(manifest: bytes, report: Report) -> dict[str, tuple[str, int]]:
    """What the manifest lists: SHA-256 and size by path."""
    try:
        document = json.loads(manifest)
        listed = {str(entry["path"]): (str(entry["sha256"]), int(entry["size"])) for entry in document["files"]}
        key_id = str(document["signing"]["key_id"])
        sound = (
            document["format"] == layout.FORMAT
            and len(listed) == len(document["files"])
            and all(layout.is_member_name(path) for path in listed)
            and signing.key_id_of(document["signing"]["public_key"]) == key_id
            and isinstance(document["tenant"]["id"], str)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        report.add(layout.MANIFEST, "changed", "it is no manifest of a pack this program knows")
        return {}
    report.key_id = key_id
    report.manifest = document
    return listed


def _check_signature(manifest: bytes, signature: bytes, public_keys: Sequence[str], report: Report) -> None:
    if len(signature) != layout.SIGNATURE_BYTES:
        report.add(layout.SIGNATURE, "signature", "it is no Ed25519 signature")
        return
    if any(signing.verify(key, signature, manifest) for key in public_keys):
        return
    own = report.manifest.get("signing", {}).get("public_key")
    if own is None or not _verifies(own, signature, manifest):
        report.add(
            layout.MANIFEST, "signature", f"it and {layout.SIGNATURE} do not belong together: one of them was changed"
        )
    elif public_keys:
        report.add(layout.MANIFEST, "unknown_key", "it was signed with a key that is none of those given")


def _verifies(public_key: str, signature: bytes, manifest: bytes) -> bool:
    try:
        return signing.verify(signing.parse_public_key(public_key), signature, manifest)
    except ValueError:
        return False
