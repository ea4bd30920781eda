"""Where a stream stands, and what to read next. Pure: positions are JSON, time comes in as an argument.

A position of time windows is ``{"high": instant or None, "window": {"since", "until", "resume", "read", "expected"} or
None}``: everything up to ``high`` is in, and ``window`` is being read. A position of parents is ``{"after": change number,
"current": {"change", "resume"} or None}``: change numbers order the versions of kept records, whatever clocks do.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from counterfoil.plugins.connector import Page, ParentCursor, TimeCursor, Window

Position = dict[str, Any]


def start_of(cursor: TimeCursor | ParentCursor) -> Position:
    if isinstance(cursor, TimeCursor):
        return {"high": None, "window": None}
    return {"after": 0, "current": None}


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
    if high == now:
        return None
    # A clock that was set back leaves a mark in the future: go on from now, and the look-back covers the difference.
    reached = min(high, now)
    longest = cursor.max_window_delta
    until = now if longest is None else min(now, reached + longest)
    return Window(since=reached - cursor.lookback_delta, until=until)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a window has shown so far, over all attempts: records read, and how many the source says there are."""

    read: int = 0
    expected: int | None = None

    @classmethod
    def of(cls, position: Position) -> Self:
        begun = position.get("window") or {}
        return cls(read=begun.get("read", 0), expected=begun.get("expected"))

    def after(self, page: Page) -> Self:
        known = [count for count in (self.expected, page.expected) if count is not None]
        return replace(self, read=self.read + len(page.records), expected=max(known, default=None))

    @property
    def short(self) -> int:
        return max(0, (self.expected or 0) - self.read)


def within(position: Position, window: Window, resume: Any, tally: Tally) -> Position:
    """The position after a page inside a window."""
    begun = {"since": _text(window.since), "until": _text(window.until), "resume": resume}
    return {**position, "window": {**begun, "read": tally.read, "expected": tally.expected}}


def after_window(position: Position, window: Window) -> Position:
    return {**position, "high": _text(window.until), "window": None}


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A kept record of the parent stream, and the number of its latest change."""

    change: int
    payload: dict[str, Any]


def within_parent(position: Position, parent: Parent, resume: Any) -> Position:
    return {**position, "current": {"change": parent.change, "resume": resume}}


def after_parent(position: Position, parent: Parent) -> Position:
    return {**position, "after": parent.change, "current": None}


def resume_of_parent(position: Position, parent: Parent) -> Any:
    """Where to go on inside this parent, if it was begun and has not changed since."""
    current = position["current"]
    return current["resume"] if current is not None and current["change"] == parent.change else None


def high_mark(position: Position) -> str | None:
    """The instant up to which a stream of windows is complete, for people."""
    high: str | None = position.get("high")
    return high


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
