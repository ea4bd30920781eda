"""``counterfoil evidence``: check a pack anywhere, and show the key to check it with."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from counterfoil.cli.errors import CommandError
from counterfoil.cli.home import Home
from counterfoil.cli.output import say
from counterfoil.cli.services import read_settings
from counterfoil.config import Settings
from counterfoil.evidence.inclusion import AuditReport
from counterfoil.evidence.verify import Report, verify_file
from counterfoil.kit.signing import SealKey, key_id_of, parse_public_key

_VERDICTS = {
    "intact": "INTACT: nothing was changed, and it was signed with the key you gave.",
    "changed": "CHANGED: this is not what was signed.",
    "unconfirmed": "UNCONFIRMED: it agrees with itself, but so does a forged one. Give --public-key to tell who signed it.",
    "unreadable": "UNREADABLE: there is nothing to check.",
}
_UNPROVEN = "UNCONFIRMED: nothing was changed since, but the audit log already held other events than were sealed, or no longer all."


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify",
        help="check a pack, without settings, network or database",
        description="Check a pack. Exit status: 0 intact, 1 changed, 2 no key given, an event unproven, or nothing to check.",
    )
    verify.add_argument("pack", type=Path, help="the zip")
    verify.add_argument(
        "--public-key",
        action="append",
        default=[],
        metavar="KEY",
        help="as `counterfoil evidence key` prints it, or a file that holds it; repeatable, for keys of other times",
    )
    verify.add_argument("--json", action="store_true", help="print the report as JSON")
    key = actions.add_parser("key", help="print the public key of this installation, and the former ones")
    key.add_argument("--pem", action="store_true", help="as PEM, for OpenSSL")


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "verify":
        return _verify(arguments.pack, arguments.public_key, as_json=arguments.json)
    return _key(as_pem=arguments.pem)


def _verify(pack: Path, given: list[str], *, as_json: bool) -> int:
    keys = [_public_key(text) for text in given]
    try:
        report = verify_file(pack, keys)
    except OSError as error:
        report = Report()
        report.add(pack.name, "unreadable", error.strerror or "it cannot be read")
    say(json.dumps(asdict(report), indent=2, sort_keys=True) if as_json else _in_words(report))
    return report.exit_code


def _in_words(report: Report) -> str:
    lines = [_UNPROVEN if report.verdict == "unconfirmed" and report.audit.unproven else _VERDICTS[report.verdict]]
    lines += [f"  {finding.file}: {finding.detail} ({finding.code})" for finding in report.findings]
    if report.verdict in ("intact", "unconfirmed"):
        manifest = report.manifest
        lines += [
            f"  {manifest['job']['title']}, job {manifest['job']['id']}, of {manifest['tenant']['name']}",
            f"  as of {manifest['as_of']}, signed with the key {report.key_id}, {report.files_checked} files",
            f"  {_audit_in_words(report.audit)}",
        ]
    return "\n".join(lines)


def _audit_in_words(audit: AuditReport) -> str:
    events = [f"{audit.sealed} in signed seals"]
    if audit.unsealed:
        events.append(f"{audit.unsealed} too young for one when the pack was made")
    if audit.unproven:
        events.append(f"{audit.unproven} that could not be proven to be in theirs any more")
    return f"audit events: {', '.join(events)}"


def _public_key(text: str) -> str:
    try:
        return parse_public_key(text)
    except ValueError as wrong:
        try:
            return parse_public_key(Path(text).read_text())
        except (OSError, ValueError):
            raise CommandError(f"--public-key {text}: {wrong}") from None


def _key(*, as_pem: bool) -> int:
    settings = read_settings()
    text = settings.seal_key.get_secret_value()
    if not text and settings.environment == "demo":
        text = Home(settings.home).secrets().seal_key
    try:
        key = SealKey.parse(text)
    except ValueError as error:
        raise CommandError(f"COUNTERFOIL_SEAL_KEY: {error}") from None
    if as_pem:
        say(key.public_key_pem.rstrip())
    else:
        say(f"{key.public_key}\nkey id {key.key_id}")
        for former in _former_keys(settings):
            say(f"{former}\nkey id {key_id_of(former)}, of earlier packs")
    return 0


def _former_keys(settings: Settings) -> list[str]:
    try:
        return [parse_public_key(key) for key in settings.former_seal_keys.split(",") if key.strip()]
    except ValueError as error:
        raise CommandError(f"COUNTERFOIL_FORMER_SEAL_KEYS: {error}") from None
