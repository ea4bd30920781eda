"""The timeline of one correlation id, as far as somebody may see it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from counterfoil.db import UnitOfWork
from counterfoil.kit.errors import PermissionDenied
from counterfoil.timeline import repository
from counterfoil.timeline.repository import SOURCES, Entry, Position


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """``hidden`` names the sources that were left out for want of a permission."""

    entries: list[Entry]
    hidden: list[str]


async def read(
    uow: UnitOfWork, correlation_id: UUID, *, permissions: AbstractSet[str], after: Position | None, limit: int
) -> Timeline:
    """What happened under a correlation id, oldest first; nothing, where nothing of this tenant carries it.

    Raises:
        PermissionDenied: none of the sources may be seen.
    """
    visible = [source for source in SOURCES if source.permission in permissions]
    if not visible:
        needed = SOURCES[0].permission
        raise PermissionDenied(f"This needs the permission {needed}.", reason=needed)
    entries = await repository.entries(await uow.driver(), correlation_id, sources=visible, after=after, limit=limit)
    return Timeline(entries=entries, hidden=[source.name for source in SOURCES if source not in visible])
