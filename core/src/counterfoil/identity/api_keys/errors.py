"""Refusals about API keys."""

from counterfoil.kit.errors import Conflict, InvalidInput, NotFound, PermissionDenied


class ApiKeyNotFound(NotFound):
    code, title = "api_key_not_found", "There is no such API key"


class ApiKeyInvalid(InvalidInput):
    code, title = "api_key_invalid", "There can be no such API key"


class ApiKeyIsOver(Conflict):
    code, title = "api_key_is_over", "This API key has ended"


class NotYourApiKey(PermissionDenied):
    code, title = "not_your_api_key", "This API key is somebody else's"
