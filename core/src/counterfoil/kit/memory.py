"""How Python looks for garbage in a process that runs for long."""

import gc

# A batch is a hundred thousand objects without a cycle: looking through them again and again took a third of a sync's time.
_THRESHOLDS = (50_000, 20, 50)


def look_less_often() -> None:
    """Call first of all: modules are many objects without garbage, and a fifth of a start's time went into looking for it."""
    gc.set_threshold(*_THRESHOLDS)


def settle() -> None:
    """Call once a process has started: what is there now stays, and is looked through no more."""
    gc.freeze()
