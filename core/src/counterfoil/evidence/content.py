"""How much of what a run landed is in its pack."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

# Where a sync keeps what it counted, in its job's result.
_RESULT = "landed"


@dataclass(frozen=True, kw_only=True)
class Landed:
    """The raw records and canonical rows that carried a sync's runs when it ended, each once."""

    records: int
    rows: int

    @classmethod
    def of_result(cls, result: Mapping[str, Any] | None) -> Self | None:
        """As the job has it; None where the sync did not get as far as counting."""
        found = (result or {}).get(_RESULT)
        return cls(records=int(found["records"]), rows=int(found["rows"])) if found else None

    def in_result(self) -> dict[str, Any]:
        return {_RESULT: asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Tally:
    landed: int | None
    in_this_pack: int

    @property
    def sentence(self) -> str:
        if self.landed is None:
            return f"the sync was cut off before it counted what it landed; {self.in_this_pack} in this pack"
        missing = self.landed - self.in_this_pack
        moved = f"; {missing} were changed by later syncs and are theirs now" if missing > 0 else ""
        return f"{self.landed} landed, {self.in_this_pack} in this pack{moved}"


@dataclass(frozen=True, kw_only=True)
class Content:
    """Counted in the vendor's records, and in the canonical rows written from them."""

    records: Tally
    rows: Tally

    def public(self) -> dict[str, Any]:
        return asdict(self)
