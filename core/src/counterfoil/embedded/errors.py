"""What can go wrong with an embedded server."""


class EmbeddedError(RuntimeError):
    """An embedded server could not be prepared, started or stopped; the message says what a person can do."""
