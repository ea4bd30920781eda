from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from counterfoil.timeline.repository import Entry
from counterfoil.web import Page


class TimelineEntry(BaseModel):
    """Something that happened. ``source`` says what kind of trace it is, ``event`` what happened."""

    at: datetime
    source: str
    event: str
    title: str
    status: str | None
    subject_type: str | None
    subject_id: str | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls.model_validate({name: getattr(entry, name) for name in cls.model_fields})


class TimelinePage(Page[TimelineEntry]):
    """Oldest first. ``hidden`` names the sources you may not see."""

    hidden: list[str]
