"""Entity tags: whoever edits something that others may edit too says which version they saw."""

from typing import Annotated

from fastapi import Header
from starlette.responses import Response

from counterfoil.kit.errors import Problem

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="ETag of the version that is changed; 412 when there is a newer one. Without it the newest is changed",
    ),
]


class PreconditionFailed(Problem):
    status, code, title = 412, "precondition_failed", "Somebody changed this in the meantime"


def etag_of(version: object) -> str:
    """The strong entity tag of a version: a number or a hash, without quotes in it."""
    return f'"{version}"'


def tag(response: Response, version: object) -> None:
    response.headers["ETag"] = etag_of(version)


def require_match(given: str | None, version: object) -> None:
    """Compare ``If-Match`` with the version that is there, as strongly as RFC 9110 demands; absent it matches.

    Raises:
        PreconditionFailed: the caller saw another version.
    """
    if given is None or given.strip() == "*":
        return
    if etag_of(version) not in {item.strip() for item in given.split(",")}:
        raise PreconditionFailed("Load it again and repeat the change.")
