"""Stripe's error bodies, word for word where Stripe's own words are known."""

from __future__ import annotations

from typing import Any

HELP = "we can help at https://support.stripe.com/."


class StripeError(Exception):
    """An answer of the API other than 200."""

    def __init__(self, status: int, error: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        log_url = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": {**self.error, "request_log_url": log_url}}


def invalid_request(
    message: str,
    *,
    status: int = 400,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> StripeError:
    error: dict[str, Any] = {}
    if code:
        error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
    error["message"] = message
    if param:
        error["param"] = param
    return StripeError(status, {**error, "type": "invalid_request_error"}, headers)


def resource_missing(noun: str, value: str, *, param: str, status: int = 400) -> StripeError:
    return invalid_request(f"No such {noun}: '{value}'", status=status, code="resource_missing", param=param)


def aged_out(value: str, *, param: str, status: int = 400) -> StripeError:
    return invalid_request(
        f"The event '{value}' is no longer available because it's aged out of our retention policy.",
        status=status,
        code="resource_missing",
        param=param,
    )


def unknown_parameters(names: list[str]) -> StripeError:
    plural = "s" if len(names) > 1 else ""
    return invalid_request(
        f"Received unknown parameter{plural}: {', '.join(names)}", code="parameter_unknown", param=names[0]
    )


def unknown_url(method: str, path: str) -> StripeError:
    return invalid_request(
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. If you are "
        "trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see "
        f"https://stripe.com/docs or {HELP}",
        status=404,
    )


def unauthorized(message: str, *, code: str | None = None) -> StripeError:
    return invalid_request(message, status=401, code=code, headers={"WWW-Authenticate": 'Bearer realm="Stripe"'})


def forbidden(key: str, account: str, permission: str) -> StripeError:
    return invalid_request(
        f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on account '{account}'. "
        f"Having the '{permission}' permission would allow this request to continue.",
        status=403,
    )


def rate_limited(reason: str) -> StripeError:
    """429 by a limiter names it in a header; the 429 of an object lock has a code of its own and no such header."""
    if reason == "lock_timeout":
        return invalid_request(
            "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If "
            "you see this error intermittently, retry the request. If you see this error frequently and are making multiple "
            "concurrent requests to a single object, make your requests serially or at a lower rate.",
            status=429,
            code=reason,
        )
    return invalid_request(
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        status=429,
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason},
    )


def unavailable() -> StripeError:
    message = f"An unknown error occurred. {HELP.capitalize()}"
    return StripeError(500, {"message": message, "type": "api_error"})


def masked(key: str) -> str:
    """`sk_test_***1234`: what Stripe repeats of a key."""
    prefix_length = len("sk_test_")
    return key[:prefix_length] + "*" * max(len(key) - prefix_length - 4, 3) + key[-4:]
