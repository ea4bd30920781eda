"""What a superuser does to the log behind everybody's back, and that each kind is found and named."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from counterfoil.audit import anchors
from counterfoil.audit.sealer import Sealer
from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.kit.ids import new_id
from counterfoil.kit.signing import SealKey

from .conftest import Log

COPY = """
    INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome, transaction_id, epoch)
    SELECT tenant_id, $2, occurred_at, 'user', 'nobody', 'core.role.granted', 'ok', {transaction}, {epoch}
    FROM core.audit_events WHERE id = $1
"""


@pytest.fixture
async def chain(log: Log) -> Log:
    """Four seals over eight events, the newest anchored."""
    await log.write_sealed(3, 1, 2, 2)
    await log.sealer.anchor()
    report = await log.verify()
    assert (report.ok, report.seals, report.events, report.anchors) == (True, 4, 8, 1)
    return log


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'another'",
        "payload = '{\"amount\": 1}'",
        "occurred_at = occurred_at - interval '1 microsecond'",
        "actor_label = 'somebody else'",
        "outcome = 'denied'",
        "client_ip = '192.0.2.9'",
        "job_id = id",
        "correlation_id = id",
        "resource_id = NULL",
    ],
)
async def test_a_changed_event_is_found(chain: Log, change: str) -> None:
    [event] = (await chain.events())[3:4]
    await chain.admin.execute(f"UPDATE core.audit_events SET {change} WHERE id = $1", event["id"])  # noqa: S608  (above)
    report = await chain.verify()
    assert [(found.code, found.sequence) for found in report.findings] == [("event_changed", 2)]
    assert report.findings[0].event_ids == (str(event["id"]),)


async def test_a_deleted_event_is_found(chain: Log) -> None:
    await chain.admin.execute("DELETE FROM core.audit_events WHERE id = $1", (await chain.events())[0]["id"])
    assert await chain.findings() == [("event_deleted", 1)]


async def test_a_deleted_event_that_was_alone_in_its_seal_is_found(chain: Log) -> None:
    await chain.admin.execute("DELETE FROM core.audit_events WHERE id = $1", (await chain.events())[3]["id"])
    assert await chain.findings() == [("event_deleted", 2)]


async def test_an_event_inserted_into_a_seal_is_found_and_named(chain: Log) -> None:
    forged = new_id()
    await chain.admin.execute(
        COPY.format(transaction="transaction_id", epoch="epoch"), (await chain.events())[1]["id"], forged
    )
    report = await chain.verify()
    assert [(found.code, found.sequence) for found in report.findings] == [("event_inserted", 1)]
    assert report.findings[0].event_ids == (str(forged),)


async def test_an_event_inserted_between_two_windows_of_the_tenant_breaks_the_later_seal(chain: Log) -> None:
    """Where this tenant had nothing to seal, others did: its next seal claims that time too."""
    seals = await chain.seals()
    transaction = str(seals[2]["from_xid"])
    await chain.admin.execute(
        COPY.format(transaction=transaction, epoch="epoch"), (await chain.events())[1]["id"], new_id()
    )
    assert await chain.findings() == [("event_inserted", 3)]


async def test_an_event_inserted_after_the_newest_seal_where_the_sealer_has_passed_is_found_and_never_sealed(
    chain: Log, log_of: Callable[[UUID], Log], other_tenant: UUID
) -> None:
    await log_of(other_tenant).write_sealed(1)
    forged = new_id()
    newest = (await chain.seals())[-1]["to_xid"]
    await chain.admin.execute(COPY.format(transaction=newest, epoch="epoch"), (await chain.events())[1]["id"], forged)
    await chain.sealer.seal()
    report = await chain.verify()
    assert [(found.code, found.event_ids) for found in report.findings] == [("event_outside_seals", (str(forged),))]
    # Nor does the next seal make it good.
    await chain.write_sealed(1)
    assert ("event_inserted", 5) in await chain.findings()


async def test_an_event_of_an_epoch_that_never_was_is_found(chain: Log) -> None:
    await chain.admin.execute(
        COPY.format(transaction="transaction_id", epoch="7"), (await chain.events())[1]["id"], new_id()
    )
    await chain.sealer.seal()
    assert await chain.findings() == [("event_outside_seals", None)]


async def test_two_events_that_change_places_are_found(chain: Log) -> None:
    first, second, *_ = await chain.events()
    swap = "UPDATE core.audit_events SET id = $2 WHERE id = $1"
    parked = new_id()
    for old, new in ((first["id"], parked), (second["id"], first["id"]), (parked, second["id"])):
        await chain.admin.execute(swap, old, new)
    assert await chain.findings() == [("event_changed", 1)]


async def test_an_event_moved_to_another_seal_is_found(chain: Log) -> None:
    events = await chain.events()
    await chain.admin.execute(
        "UPDATE core.audit_events SET transaction_id = $2 WHERE id = $1", events[0]["id"], events[3]["transaction_id"]
    )
    assert await chain.findings() == [("event_deleted", 1), ("event_inserted", 2)]


async def test_an_event_moved_to_another_tenant_is_found_on_both_sides(
    chain: Log, log_of: Callable[[UUID], Log], other_tenant: UUID
) -> None:
    other = log_of(other_tenant)
    await other.write_sealed(1)
    await chain.admin.execute(
        "UPDATE core.audit_events SET tenant_id = $2 WHERE id = $1", (await chain.events())[0]["id"], other_tenant
    )
    assert await chain.findings() == [("event_deleted", 1)]
    assert await other.findings() == [("event_inserted", 1)]


@pytest.mark.parametrize(
    "change",
    ["event_count = 9", "sealed_at = sealed_at + interval '1 second'", r"root = '\x00'", "from_xid = from_xid - 1"],
)
async def test_a_changed_seal_is_found(chain: Log, change: str) -> None:
    await chain.admin.execute(
        f"UPDATE core.audit_seals SET {change} WHERE tenant_id = $1 AND sequence = 3",  # noqa: S608  (above)
        chain.tenant_id,
    )
    found = await chain.findings()
    assert ("seal_altered", 3) in found
    assert ("signature_invalid", 3) in found
    assert {sequence for _, sequence in found} == {3}


async def test_a_seal_rewritten_to_fit_a_changed_event_is_found(chain: Log) -> None:
    """Root, hash and all later links are right, as whoever knows the format can make them; the signatures are not."""
    await chain.admin.execute(
        "UPDATE core.audit_events SET reason = 'x' WHERE id = $1", (await chain.events())[3]["id"]
    )
    await _seal_anew(chain, chain.sealer.keys, keep_signatures=True)
    found = await chain.findings()
    assert [item for item in found if item[0] == "signature_invalid"] == [
        ("signature_invalid", n) for n in (1, 2, 3, 4)
    ]
    assert ("anchor_differs", 4) in found


async def test_a_chain_signed_with_another_key_is_found(chain: Log) -> None:
    stranger = SealKeys(SealKey.parse(base64.b64encode(secrets.token_bytes(32)).decode()))
    await _seal_anew(chain, stranger)
    found = await chain.findings()
    assert [item for item in found if item[0] == "key_unknown"] == [("key_unknown", n) for n in (1, 2, 3, 4)]


async def test_a_chain_made_anew_with_the_right_key_is_found_by_its_anchor(chain: Log) -> None:
    await chain.admin.execute(
        "UPDATE core.audit_events SET reason = 'x' WHERE id = $1", (await chain.events())[3]["id"]
    )
    await _seal_anew(chain, chain.sealer.keys)
    assert await chain.findings() == [("anchor_differs", 4)]


async def test_a_missing_seal_is_found(chain: Log) -> None:
    await chain.admin.execute("DELETE FROM core.audit_seals WHERE tenant_id = $1 AND sequence = 2", chain.tenant_id)
    assert await chain.findings() == [("seal_missing", 2)]


async def test_missing_first_seals_are_found(chain: Log) -> None:
    await chain.admin.execute("DELETE FROM core.audit_seals WHERE tenant_id = $1 AND sequence <= 2", chain.tenant_id)
    assert ("seal_missing", 1) in await chain.findings()


async def test_a_truncated_chain_is_found_though_what_is_left_is_sound(chain: Log) -> None:
    seal = (await chain.seals())[-1]
    await chain.admin.execute(
        "DELETE FROM core.audit_events WHERE tenant_id = $1 AND transaction_id >= $2", chain.tenant_id, seal["from_xid"]
    )
    await chain.admin.execute("DELETE FROM core.audit_seals WHERE tenant_id = $1 AND sequence = 4", chain.tenant_id)
    assert await chain.findings() == [("chain_truncated", 4)]


async def test_a_chain_that_is_gone_altogether_is_found(chain: Log) -> None:
    await chain.admin.execute("DELETE FROM core.audit_events WHERE tenant_id = $1", chain.tenant_id)
    await chain.admin.execute("DELETE FROM core.audit_seals WHERE tenant_id = $1", chain.tenant_id)
    assert await chain.findings() == [("chain_truncated", 1)]
    assert await chain.findings(max_seals=500) == [("chain_truncated", 1)]


async def test_a_lost_anchor_is_found(chain: Log) -> None:
    [anchor] = await anchors.listed(chain.sealer.store, chain.tenant_id)
    await chain.sealer.store.delete(anchor.key)
    assert await chain.findings() == [("anchor_missing", 4)]


async def test_a_former_key_stays_good(chain: Log, settings: Settings) -> None:
    rotated = settings.model_copy(
        update={
            "seal_key": type(settings.seal_key)(base64.b64encode(secrets.token_bytes(32)).decode()),
            "former_seal_keys": chain.sealer.keys.signing.public_key,
        }
    )
    keys = SealKeys.of(rotated)
    later = replace(chain, sealer=replace(chain.sealer, keys=keys))
    await later.write_sealed(1)
    assert (await later.verify()).ok
    assert [found.code for found in (await chain.verify()).findings] == ["key_unknown"]


async def test_only_a_part_can_be_checked_and_the_report_says_which(chain: Log) -> None:
    report = await chain.verify(max_seals=2)
    assert (report.ok, report.is_whole, report.seals, report.events) == (True, False, 2, 4)
    assert report.first is not None
    assert report.last is not None
    assert (report.first.sequence, report.last.sequence) == (3, 4)
    # Two events of the newest seal are more than one: it is checked nevertheless, and nothing else.
    assert (await chain.verify(max_events=1)).seals == 1
    second = (await chain.seals())[1]["sealed_at"]
    third = (await chain.seals())[2]["sealed_at"]
    report = await chain.verify(since=second, until=third)
    assert (report.seals, report.events) == (1, 1)
    await chain.admin.execute(
        "UPDATE core.audit_events SET reason = 'x' WHERE id = $1", (await chain.events())[0]["id"]
    )
    assert await chain.findings(max_seals=2) == []
    assert await chain.findings(max_seals=4) == [("event_changed", 1)]


async def _seal_anew(log: Log, keys: SealKeys, *, keep_signatures: bool = False) -> None:
    """As an attacker would: seals with the same windows over the events as they are now."""
    kept = await log.seals()
    await log.admin.execute("DELETE FROM core.audit_seals WHERE tenant_id = $1", log.tenant_id)
    sealer = Sealer(database=log.database, keys=keys, store=log.sealer.store)
    for seal in kept:
        await _seal_window(sealer, log.tenant_id, seal["epoch"], seal["from_xid"], seal["to_xid"])
        await log.admin.execute(
            "UPDATE core.audit_seals SET anchor_key = $3 WHERE tenant_id = $1 AND sequence = $2",
            log.tenant_id,
            seal["sequence"],
            seal["anchor_key"],
        )
        if keep_signatures:
            await log.admin.execute(
                "UPDATE core.audit_seals SET signature = $3 WHERE tenant_id = $1 AND sequence = $2 AND hash <> $4",
                log.tenant_id,
                seal["sequence"],
                seal["signature"],
                seal["hash"],
            )


async def _seal_window(sealer: Sealer, tenant_id: UUID, epoch: int, from_xid: int, to_xid: int) -> None:
    from counterfoil.audit.seal_repository import Window  # noqa: PLC0415  (an attacker's tool)

    window = Window(epoch=epoch, from_xid=from_xid, to_xid=to_xid, tenant_ids=[tenant_id])
    assert await sealer._seal_tenant(tenant_id, window) == 1  # noqa: SLF001  (same)
