"""``counterfoil audit verify``: check the chain of every tenant, or of one, from its first seal to its newest."""

import argparse
import asyncio
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from counterfoil.audit import seal_repository
from counterfoil.audit.schemas import VerificationOut
from counterfoil.audit.seals import SealKeys
from counterfoil.audit.verification import Extent, verify
from counterfoil.cli.errors import CommandError
from counterfoil.cli.output import say
from counterfoil.cli.services import usable_settings
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.objects import open_store


@dataclass(frozen=True, kw_only=True)
class Verified:
    tenant: str
    outcome: VerificationOut


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verifying = actions.add_parser("verify", help="check seals, events, signatures and anchors")
    verifying.add_argument("--tenant", metavar="SLUG", help="only this tenant")
    verifying.add_argument("--archives", action="store_true", help="read archived events from the object store too")
    verifying.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    with usable_settings() as settings:
        verified = asyncio.run(verify_tenants(settings, slug=arguments.tenant, with_archives=arguments.archives))
    if arguments.json:
        say(json.dumps([_as_json(each) for each in verified], indent=2))
    else:
        for each in verified:
            _tell(each)
        if verified:
            _tell_keys(verified[0].outcome)
    return 0 if all(each.outcome.ok for each in verified) else 1


async def verify_tenants(settings: Settings, *, slug: str | None, with_archives: bool) -> list[Verified]:
    """Check one tenant after the other, each in a transaction of its own, as the application's role.

    Raises:
        CommandError: there is no such tenant.
    """
    keys, store = SealKeys.of(settings), open_store(settings)
    database = Database.connect(settings.database_url.get_secret_value(), pool_size=1)
    try:
        verified = []
        for name, tenant_id in (await _tenants(database, slug)).items():
            async with database.unit_of_work(tenant_id) as uow:
                report = await verify(uow, keys=keys, store=store, extent=Extent(with_archives=with_archives))
            verified.append(Verified(tenant=name, outcome=VerificationOut.of(report, keys)))
        return verified
    finally:
        await store.close()
        await database.close()


async def _tenants(database: Database, slug: str | None) -> dict[str, UUID]:
    async with database.unit_of_work(None) as uow:
        found = await seal_repository.audited_tenants(await uow.driver())
    if slug is None:
        return found
    if slug not in found:
        raise CommandError(f"there is no tenant {slug!r}")
    return {slug: found[slug]}


def _as_json(verified: Verified) -> dict[str, Any]:
    return {"tenant": verified.tenant} | verified.outcome.model_dump(mode="json")


def _tell(verified: Verified) -> None:
    outcome, checked = verified.outcome, verified.outcome.checked
    state = "ok    " if outcome.ok else "FAILED"
    parts = [f"{checked.seals} seals", f"{checked.events} events", f"{checked.anchors} anchors"]
    if checked.archives or checked.seals_archived:
        parts.append(f"{checked.archives} archives read, {checked.seals_archived} seals with archived events")
    say(f"  {state}  {verified.tenant}: {', '.join(parts)}; {outcome.unsealed.count} events wait for their seal")
    for finding in outcome.findings:
        say(f"          {finding.code}: {finding.detail}")
        if finding.event_ids:
            say(f"          events: {', '.join(finding.event_ids)}")
    if outcome.findings_left_out:
        say(f"          and {outcome.findings_left_out} more")
    if outcome.unsealed.is_late:
        say(
            f"          note: the oldest has waited for {outcome.unsealed.oldest_age_s} s. Does `counterfoil beat` run?"
        )


def _tell_keys(outcome: VerificationOut) -> None:
    for key in outcome.keys:
        say(f"  key {key.id}{'' if key.is_current else ' (former)'}: {key.public_key}")
