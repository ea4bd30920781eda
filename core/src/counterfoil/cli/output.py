"""What the commands say to the person who runs them."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


def say(text: str = "") -> None:
    """One line on standard output, at once."""
    print(text, flush=True)  # noqa: T201  (a command line's own output)


def note(text: str) -> None:
    """As ``say``, by somebody who has to go on whether or not it can be said: the disk may be full, the terminal closed."""
    with suppress(OSError):
        say(text)


def warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  (same)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what was done and how long it took, once it is done."""
    began = time.monotonic()
    yield
    say(f"  {title} ({time.monotonic() - began:.1f} s)")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
