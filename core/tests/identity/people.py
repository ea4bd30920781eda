"""What the fixtures hand out."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

PASSWORD = "a long enough password"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A client with the cookies of the owner it registered, and the answer it got."""

    client: httpx2.AsyncClient
    form: dict[str, str]
    session: dict[str, Any]

    @property
    def tenant_id(self) -> UUID:
        return UUID(self.session["tenant"]["id"])

    @property
    def user_id(self) -> UUID:
        return UUID(self.session["user"]["id"])

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.form["email"], "password": self.form["password"]}


MakeForm = Callable[..., dict[str, str]]
Register = Callable[..., Coroutine[Any, Any, Registered]]
AuditTrail = Callable[[UUID], Coroutine[Any, Any, list[asyncpg.Record]]]
Mailbox = Callable[[str], list[EmailMessage]]


def token_in(text: str) -> str:
    """The token of the one-time link in a text."""
    return text.partition("#token=")[2].split()[0]
