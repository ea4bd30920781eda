"""Every error leaves as problem details (RFC 9457): a stable code, a correlation id, never a trace or a database message."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from counterfoil.db.database import DatabaseUnavailable, is_passing
from counterfoil.kit import context
from counterfoil.kit.errors import (
    FieldError,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    Unavailable,
)
from counterfoil.observability import get_logger

MEDIA_TYPE = "application/problem+json"
_FROM_STATUS: dict[int, type[Problem]] = {
    400: InvalidInput,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    422: InvalidInput,
    503: Unavailable,
}
_LOCATIONS = {"body", "query", "path", "header", "cookie"}

_log = get_logger(__name__)


class MalformedRequest(Problem):
    status, code, title = 400, "malformed_request", "This is not HTTP as it has to be"


class RequestTimeout(Problem):
    status, code, title = 408, "request_timeout", "The head of the request took too long"


class HeadersTooLarge(Problem):
    status, code, title = 431, "headers_too_large", "The address and headers of the request are too long"


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported_media_type", "The request body is of a kind this route does not take"


class FieldErrorOut(BaseModel):
    path: str
    message: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details, with a stable machine-readable ``code``."""

    type: str = Field(examples=["urn:counterfoil:problem:not_found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not_found"])
    correlation_id: str | None
    reason: str | None = Field(
        default=None,
        description="Of a 403, where there is one to tell: what is missing, as the permission, feature, quota or plugin",
        examples=["connections.manage"],
    )
    job_id: UUID | None = Field(default=None, description="The job that stands in the way")
    errors: list[FieldErrorOut] = []


# What a status means where nothing more exact is declared.
_PLAIN: dict[int, str] = {
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    412: "precondition_failed",
    413: "payload_too_large",
    415: "unsupported_encoding",
    422: "invalid_input",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
CODES = "x-problem-codes"


def problem_responses(*answers: int | type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI entry.

    Args:
        answers: kinds of problems, or a status for the plain one of it. ``web.openapi`` adds what every route of its kind may
            answer, so that a route names only its own.
    """
    codes: dict[int | str, list[str]] = {}
    for each in answers:
        status, code = (each, _PLAIN[each]) if isinstance(each, int) else (each.status, each.code)
        codes.setdefault(status, []).append(code)
    return {status: {"description": "Problem", CODES: of_status} for status, of_status in codes.items()}


def problem_response(problem: Problem) -> Response:
    correlation_id = context.current_correlation_id.get()
    body = ProblemOut(
        type=f"urn:counterfoil:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail or problem.title,
        code=problem.code,
        correlation_id=str(correlation_id) if correlation_id else None,
        # Of other problems it is for the audit log: who holds an old link is not told what became of it.
        reason=problem.reason if problem.is_refusal and problem.reason != problem.code else None,
        job_id=problem.job_id,
        errors=[FieldErrorOut(path=error.path, message=error.message) for error in problem.errors],
    )
    return JSONResponse(
        body.model_dump(mode="json"), status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def install_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _answered)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


def answer(error: Exception) -> Response:
    """A problem as it is; of an error nobody foresaw the details go to the log only, found by the correlation id."""
    if isinstance(error, Problem):
        return problem_response(error)
    if is_passing(error):
        # It went away in the middle of the request: whatever that had done is rolled back.
        _log.warning("request.interrupted", error=str(error))
        return problem_response(DatabaseUnavailable("Try again in a moment.", headers={"Retry-After": "5"}))
    _log.error("request.failed", exc_info=error)
    return problem_response(Problem("Something went wrong on our side. Quote the correlation id when you report it."))


async def _answered(_request: Request, error: Exception) -> Response:
    return answer(error)


async def _on_validation(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        return answer(error)
    if error.body and isinstance(error.body, bytes):
        # Whatever was not sent as JSON has not been parsed.
        return problem_response(UnsupportedMediaType("Send it as application/json."))
    return problem_response(InvalidInput("Some fields are not right.", errors=field_errors(error.errors())))


async def _on_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return answer(error)
    known = _FROM_STATUS.get(error.status_code)
    return problem_response(known(headers=error.headers) if known else _HttpError.of(error))


class _HttpError(Problem):
    """An error the framework raised that has no code of ours."""

    code = "http_error"

    @classmethod
    def of(cls, error: HTTPException) -> Problem:
        problem = cls(str(error.detail), headers=error.headers)
        problem.__dict__.update(status=error.status_code, title=str(error.detail))
        return problem


def field_errors(errors: Sequence[Any], *, prefix: str = "") -> list[FieldError]:
    """Pydantic's errors as dotted paths, without the input values (they may be secrets)."""
    found = []
    for error in errors:
        location = [str(part) for part in error["loc"]]
        if location and location[0] in _LOCATIONS:
            location = location[1:]
        path = ".".join(([prefix] if prefix else []) + location)
        found.append(FieldError(path=path, message=_words(error)))
    return found


def _words(error: Any) -> str:
    """Pydantic's message without its own jargon: a secret's characters are "items" to it."""
    about = error.get("ctx", {})
    match error["type"], about.get("field_type"):
        case "too_short", "Value":
            return f"Use at least {about['min_length']} characters."
        case "too_long", "Value":
            return f"Use at most {about['max_length']} characters."
    return str(error["msg"]).removeprefix("Value error, ")
