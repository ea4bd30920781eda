"""Problems: errors with a stable code that any layer may raise and the edges turn into an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One wrong field: ``path`` is dotted, as in ``credentials.api_key``."""

    path: str
    message: str


class Problem(Exception):
    """An error a caller may see. Subclasses fix ``status``, ``code`` and ``title``; ``code`` never changes once published.

    One with ``is_refusal`` says no to somebody we know: it leaves an audit event wherever it is raised, with ``reason``, or
    else its code. ``job_id`` is the job that stands in the way.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    is_refusal: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
        job_id: UUID | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.reason = reason or self.code
        self.job_id = job_id


class InvalidInput(Problem):
    status, code, title = 422, "invalid_input", "Invalid input"


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "Log in first"


class PermissionDenied(Problem):
    status, code, title = 403, "permission_denied", "You do not have the permission for this"
    is_refusal = True


class EntitlementRequired(Problem):
    status, code, title = 403, "entitlement_required", "Your plan does not include this"
    is_refusal = True


class PluginDisabled(Problem):
    status, code, title = 403, "plugin_disabled", "This plugin is not enabled"
    is_refusal = True


class NotFound(Problem):
    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(Problem):
    status, code, title = 405, "method_not_allowed", "Method not allowed"


class Conflict(Problem):
    status, code, title = 409, "conflict", "Conflict"


class PayloadTooLarge(Problem):
    status, code, title = 413, "payload_too_large", "The request body is too large"


class TooManyRequests(Problem):
    status, code, title = 429, "rate_limited", "Too many requests"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "Temporarily unavailable"


def problem_catalogue() -> dict[str, type[Problem]]:
    """Every problem class by its code, for the reference and for the test that codes are unique."""
    found: dict[str, type[Problem]] = {}
    pending: list[type[Problem]] = [Problem]
    while pending:
        problem = pending.pop()
        found[problem.code] = problem
        pending.extend(problem.__subclasses__())
    return found
