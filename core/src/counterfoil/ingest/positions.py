"""Where a stream stands, and what to read next. Pure: positions are JSON, time comes in as an argument.

A position of time windows is ``{"high": instant or None, "window": {"since", "until", "resume", "read", "expected"} or
None}``: everything up to ``high`` is in, and ``window`` is being read. A back-fill that is read side by side has
``"slices"`` too: adjacent stretches of time, each with an ``until`` and a ``high`` and ``window`` of its own; when all are in,
the position is one again. A position of parents is ``{"after": change number, "current": {"change", "resume"} or None}``:
change numbers order the versions of kept records, whatever clocks do.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from counterfoil.plugins.connector import Page, ParentCursor, TimeCursor, Window

Position = dict[str, Any]

# Trade is not even over time: with more slices than readers, whoever is through early takes another.
SLICES_PER_READER = 3


def start_of(cursor: TimeCursor | ParentCursor) -> Position:
    if isinstance(cursor, TimeCursor):
        return {"high": None, "window": None}
    return {"after": 0, "current": None}


def at(cursor: TimeCursor | ParentCursor, instant: datetime) -> Position:
    """As if everything up to the instant were in. A stream of parents has no such place: it starts over."""
    return {**start_of(cursor), "high": _text(instant)} if isinstance(cursor, TimeCursor) else start_of(cursor)


def is_pending(position: Position) -> bool:
    """Whether something was begun and not finished."""
    return any(position.get(name) is not None for name in ("window", "current", "slices"))


def is_at_start(position: Position) -> bool:
    return position.get("high") is None and not is_pending(position)


def in_words(position: Position) -> str:
    """Where it stands, for people."""
    if slices := slices_of(position):
        return f"A back-fill is under way: {sum(map(is_finished, slices))} of {len(slices)} stretches of time are in"
    if "after" in position:
        return f"Read for every parent up to its change number {position['after']}"
    mark = reached(position)
    done = f"Everything up to {mark:%Y-%m-%d %H:%M} UTC" if mark else "Nothing yet"
    return f"{done}; a window is under way" if is_pending(position) else done


# --- windows ----------------------------------------------------------------------------------------------------------


def next_window(position: Position, cursor: TimeCursor, now: datetime) -> Window | None:
    """The window to read next, or None when everything up to now, less the cursor's lag, is in.

    An unfinished window comes first, with the bounds it was begun with: a list that is served newest first has its hole
    at the old end, so its bounds must not move until it is whole.
    """
    if (begun := _begun(position)) is not None:
        return begun
    end = now - cursor.lag_delta
    high = _instant(position["high"])
    if high is None:
        return Window(until=end)
    if high == end:
        return None
    # A clock that was set back leaves a mark in the future: go on from now, and the look-back covers the difference.
    reached = min(high, end)
    return Window(since=reached - cursor.lookback_delta, until=_reach(reached, end, cursor))


def within(position: Position, window: Window, resume: Any, tally: "Tally") -> Position:
    """The position after a page inside a window."""
    begun = {"since": _text(window.since), "until": _text(window.until), "resume": resume}
    return {**position, "window": {**begun, "read": tally.read, "expected": tally.expected}}


def after_window(position: Position, window: Window) -> Position:
    return {**position, "high": _text(window.until), "window": None}


def high_mark(position: Position) -> str | None:
    """The instant up to which a stream of windows is complete, for people."""
    high: str | None = position.get("high")
    return high


def reached(position: Position) -> datetime | None:
    return _instant(high_mark(position))


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


def frontier(position: Position) -> datetime | None:
    """The instant after which nothing was asked for yet: the high mark, or the end of a first window under way."""
    if slices := slices_of(position):
        return _instant(slices[-1]["until"])
    window = position.get("window") or {}
    return reached(position) or _instant(window.get("until"))


# --- slices -----------------------------------------------------------------------------------------------------------


def sliced(position: Position, cursor: TimeCursor, *, earliest: datetime, now: datetime) -> Position:
    """The position with everything from the earliest instant to now, less the cursor's lag, cut into adjacent slices."""
    end = now - cursor.lag_delta
    if earliest >= end:
        return position
    number = cursor.slices * SLICES_PER_READER if cursor.slices > 1 else 1
    bounds = [earliest + (end - earliest) * at / number for at in range(number)]
    pairs = zip(bounds, [*bounds[1:], end], strict=True)
    slices = [{"high": _text(since), "until": _text(until), "window": None} for since, until in pairs if since < until]
    return {**position, "slices": slices}


def slices_of(position: Position) -> list[Position]:
    """Those there are, finished ones included; each is a position for the functions on windows."""
    found: list[Position] = position.get("slices") or []
    return found


def is_finished(part: Position) -> bool:
    return bool(part["high"] == part["until"]) and part["window"] is None


def next_window_of_slice(part: Position, cursor: TimeCursor) -> Window | None:
    """As ``next_window``, up to the slice's own end. Slices touch, and nothing is late in the past: no look-back."""
    if (begun := _begun(part)) is not None:
        return begun
    if is_finished(part):
        return None
    since, end = datetime.fromisoformat(part["high"]), datetime.fromisoformat(part["until"])
    return Window(since=since, until=_reach(since, end, cursor))


def with_slice(position: Position, number: int, part: Position) -> Position:
    """The position with one slice further on; with the last of them finished, it is in one piece again."""
    slices = [part if at == number else other for at, other in enumerate(slices_of(position))]
    if all(map(is_finished, slices)):
        whole = {name: value for name, value in position.items() if name != "slices"}
        return {**whole, "high": slices[-1]["until"], "window": None}
    return {**position, "slices": slices}


# --- parents ----------------------------------------------------------------------------------------------------------


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


# ----------------------------------------------------------------------------------------------------------------------


def _begun(position: Position) -> Window | None:
    begun = position["window"]
    if begun is None:
        return None
    return Window(since=_instant(begun["since"]), until=_instant(begun["until"]), resume=begun["resume"])


def _reach(since: datetime, end: datetime, cursor: TimeCursor) -> datetime:
    longest = cursor.max_window_delta
    return end if longest is None else min(end, since + longest)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
