"""Going by another clock than this machine's."""

from datetime import UTC, datetime, timedelta

from counterfoil.kit.clock import Reading, following, utc_now
from counterfoil.kit.ids import new_id

THEN = datetime(2020, 2, 29, tzinfo=UTC)


def test_inside_the_block_time_goes_on_from_what_the_other_clock_said() -> None:
    with following(Reading(at=THEN)):
        first, made, second = utc_now(), new_id(), utc_now()
    assert THEN <= first < second < THEN + timedelta(minutes=1)
    unix_ms = made.int >> 80
    assert 0 <= unix_ms - THEN.timestamp() * 1000 < 60_000
    assert utc_now() > THEN + timedelta(days=365)
