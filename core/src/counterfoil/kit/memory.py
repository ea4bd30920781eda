"""How Python looks for garbage in a process that runs for long."""

import gc

# A batch is a hundred thousand objects without a cycle: looking through them again and again took a third of a sync's time.
_THRESHOLDS = (50_000, 20, 50)


def settle() -> None:
    """Call once a process has started: what is there now stays, and what comes is looked through less often."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
