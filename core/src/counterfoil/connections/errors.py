"""Refusals about connections."""

from counterfoil.kit.errors import Conflict, InvalidInput, NotFound, Unavailable


class UnknownConnector(InvalidInput):
    code, title = "unknown_connector", "There is no such kind of connection"


class InvalidSettings(InvalidInput):
    code, title = "invalid_settings", "Some settings are not right"


class ConnectionNotFound(NotFound):
    code, title = "connection_not_found", "There is no such connection"


class LabelTaken(Conflict):
    code, title = "label_taken", "Another connection has this label"


class AccountChanged(Conflict):
    code, title = "account_changed", "These credentials belong to another account"


class ConnectionChanged(Conflict):
    code, title = "connection_changed", "The connection was changed meanwhile"


class CredentialsUnreadable(Unavailable):
    code, title = "credentials_unreadable", "The stored credentials cannot be opened"
