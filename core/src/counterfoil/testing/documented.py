"""Holds every answer that a test gets to the OpenAPI document: its status and, of a problem, its code have to be there."""

import json
from typing import Any

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from counterfoil.web.problems import MEDIA_TYPE

_FIRST_ERROR = 400
# Tests add routes of their own to the application, elsewhere.
_OURS = ("/api/", "/webhooks/", "/health/", "/metrics")


class UndocumentedAnswer(AssertionError):
    """The application answered what its document does not say it may."""


class Documented:
    """ASGI application around ours; what no route answered is not looked at, being in no document."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said: list[Message] = []

        async def overheard(message: Message) -> None:
            # Only of a problem the body is kept: other answers may be long.
            if not said or said[0]["status"] >= _FIRST_ERROR:
                said.append(message)
            await send(message)

        await self._app(scope, receive, overheard)
        if said:
            self._check(scope, said[0]["status"], b"".join(message.get("body", b"") for message in said[1:]))

    def _check(self, scope: Scope, status: int, body: bytes) -> None:
        path = getattr(scope.get("route"), "path_format", "")
        if not path.startswith(_OURS):
            return
        operation = self._app.openapi()["paths"].get(path, {}).get(scope["method"].lower())
        if operation is None:
            return
        answer = operation["responses"].get(str(status))
        if answer is None:
            raise UndocumentedAnswer(f"{operation['operationId']}: {status} {body.decode()}")
        content = answer.get("content", {}).get(MEDIA_TYPE)
        if content is not None and (code := json.loads(body)["code"]) not in codes_of(content["schema"]):
            raise UndocumentedAnswer(f"{operation['operationId']}: {status} {code}")


def codes_of(schema: dict[str, Any]) -> list[str]:
    """The codes an error answer's schema allows."""
    codes: list[str] = schema["allOf"][1]["properties"]["code"]["enum"]
    return codes
