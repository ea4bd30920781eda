"""What stops a command."""


class CommandError(Exception):
    """The command cannot be done; the message says why and what to do about it."""
