"""What a sync lands counts towards the month's rows."""

from datetime import timedelta

from core.tests.ingest.scripted import T0, Bench, things

from counterfoil.entitlements import usage
from counterfoil.kit.clock import utc_now


async def landed(bench: Bench) -> list[tuple[str, int]]:
    today = utc_now().date()
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        return [(one.metric, one.value) for one in await usage.by_day(uow, since=today, until=today)]


async def test_new_and_changed_rows_are_counted_and_unchanged_ones_are_not(bench: Bench) -> None:
    bench.world.things = things(40)
    await bench.sync("things")
    assert await landed(bench) == [("rows_landed", 40)]
    await bench.sync("things", now=T0 + timedelta(days=1))
    assert await landed(bench) == [("rows_landed", 40)]
    bench.world.things["t0004"]["amount"] = "4.25"
    await bench.sync("things", now=T0 + timedelta(days=2))
    assert await landed(bench) == [("rows_landed", 41)]
