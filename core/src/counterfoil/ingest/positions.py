"""Where a stream stands, and what to read next. Pure: positions are JSON, time comes in as an argument.

A position of time windows is ``{"high": instant or None, "window": {"since", "until", "resume"} or None}``: everything up
to ``high`` is in, and ``window`` is being read. A position of parents is ``{"after": [changed_at, id] or None,
"current": {"changed_at", "id", "resume"} or None}``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from counterfoil.plugins.connector import ParentCursor, TimeCursor, Window

Position = dict[str, Any]


def start_of(cursor: TimeCursor | ParentCursor) -> Position:
    if isinstance(cursor, TimeCursor):
        return {"high": None, "window": None}
    return {"after": None, "current": None}


def is_pending(position: Position) -> bool:
    """Whether something was begun and not finished."""
    return position.get("window") is not None or position.get("current") is not None


def next_window(position: Position, cursor: TimeCursor, now: datetime) -> Window | None:
    """The window to read next, or None when everything up to ``now`` is in.

    An unfinished window comes first, with the bounds it was begun with: a list that is served newest first has its hole
    at the old end, so its bounds must not move until it is whole.
    """
    begun = position["window"]
    if begun is not None:
        return Window(since=_instant(begun["since"]), until=_instant(begun["until"]), resume=begun["resume"])
    high = _instant(position["high"])
    if high is None:
        return Window(until=now)
    if high >= now:
        return None
    since = high - cursor.lookback_delta
    longest = cursor.max_window_delta
    until = now if longest is None else min(now, max(high, since) + longest)
    return Window(since=since, until=until)


def within(position: Position, window: Window, resume: Any) -> Position:
    """The position after a page inside a window."""
    return {**position, "window": {"since": _text(window.since), "until": _text(window.until), "resume": resume}}


def after_window(position: Position, window: Window) -> Position:
    return {**position, "high": _text(window.until), "window": None}


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A kept record of the parent stream, with what orders it."""

    id: str
    changed_at: datetime
    payload: dict[str, Any]


def within_parent(position: Position, parent: Parent, resume: Any) -> Position:
    return {**position, "current": {"changed_at": _text(parent.changed_at), "id": parent.id, "resume": resume}}


def after_parent(parent: Parent) -> Position:
    return {"after": [_text(parent.changed_at), parent.id], "current": None}


def parents_after(position: Position) -> tuple[datetime, str] | None:
    after = position["after"]
    if after is None:
        return None
    return datetime.fromisoformat(after[0]), after[1]


def resume_of_parent(position: Position, parent: Parent) -> Any:
    """Where to go on inside this parent, if it was begun and has not changed since."""
    current = position["current"]
    if current is None or (current["id"], current["changed_at"]) != (parent.id, _text(parent.changed_at)):
        return None
    return current["resume"]


def high_mark(position: Position) -> str | None:
    """The instant up to which a stream is complete, for people."""
    if "high" in position:
        high: str | None = position["high"]
        return high
    return position["after"][0] if position.get("after") else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
