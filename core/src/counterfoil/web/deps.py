"""Dependencies that hand out what the composition root provided."""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import HTTPConnection

T = TypeVar("T")


def provided(as_type: type[T]) -> Callable[[HTTPConnection], T]:
    """``Annotated[Database, Depends(provided(Database))]``."""

    async def look_up(connection: HTTPConnection) -> T:
        # async, because FastAPI sends a plain function to the thread pool
        found: T = connection.app.state.provided[as_type]
        return found

    return look_up  # type: ignore[return-value]  # FastAPI awaits it; callers only see T
