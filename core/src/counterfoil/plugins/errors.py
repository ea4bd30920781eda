class Rejected(Exception):
    """A plugin breaks a rule. The message is for the operator who installed it."""


class BundledPluginBroken(Exception):
    """A plugin of our own cannot load. The product does not start without it."""
