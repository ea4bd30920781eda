"""Mail: one message at a time, to an SMTP server or, where there is none, into a folder."""

import asyncio
import os
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import new_id

_TIMEOUT_S = 15.0
_PORTS = {"smtp": 587, "smtps": 465}


class MailFailed(Exception):
    """The message was not handed over. Never repeats it, nor the server's password."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """Plain text to one person. ``body`` may hold a one-time link, so it is never shown."""

    to: str
    subject: str
    body: str = field(repr=False)


class Mailer(Protocol):
    """Hands messages over."""

    async def send(self, message: Message) -> None:
        """Hand one message over; call it after the transaction it tells of.

        Raises:
            MailFailed: the server is away or refuses.
            ValueError: no address to send to.
        """


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where mail goes. ``tls`` is ``starttls`` (required), ``implicit`` or ``never``."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "never"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Read ``smtp://user:password@host:587`` or ``smtps://…``.

        Raises:
            ValueError: for any other form, and for a password that would travel in the clear. Never repeats it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError("the mail server's address is no URL") from error
        options = dict(parse_qsl(parts.query))
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or options.keys() - {"starttls"}:
            raise ValueError("a mail server is written smtp://user:password@host:587 or smtps://user:password@host:465")
        if options.get("starttls", "always") not in ("always", "never"):
            raise ValueError("starttls is always or never")
        tls: Literal["starttls", "implicit", "never"] = "implicit" if parts.scheme == "smtps" else "starttls"
        if options.get("starttls") == "never" and tls == "starttls":
            if parts.password:
                raise ValueError("a mail server's password may not travel in the clear")
            tls = "never"
        return cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpMailer:
    """Speaks SMTP, in a thread, with one connection per message."""

    def __init__(
        self, server: SmtpServer, *, sender: str, tls: ssl.SSLContext | None = None, timeout_s: float = _TIMEOUT_S
    ) -> None:
        """Check what can be checked without a connection.

        Args:
            server: where to.
            sender: the From address.
            tls: how the server's certificate is checked; by default as browsers do.
            timeout_s: for each step of the conversation.

        Raises:
            ValueError: the sender is no address.
        """
        self._server = server
        self._sender = checked_sender(sender)
        self._tls = tls or ssl.create_default_context()
        self._timeout_s = timeout_s

    async def send(self, message: Message) -> None:
        rendered = render(message, sender=self._sender)
        try:
            await asyncio.to_thread(self._send, rendered)
        except (smtplib.SMTPException, OSError) as error:
            # An SMTP error may quote the conversation.
            raise MailFailed(f"{self._server.host} did not take the message: {type(error).__name__}") from error

    def _send(self, rendered: EmailMessage) -> None:
        with self._connect() as connection:
            if self._server.tls == "starttls":
                connection.starttls(context=self._tls)
            if self._server.user is not None:
                connection.login(self._server.user, self._server.password or "")
            connection.send_message(rendered)

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.tls == "implicit":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=self._tls)
        return smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)


class FileMailer:
    """Writes each message into a folder only we can read, for a person to open: no server, no surprise."""

    def __init__(self, folder: Path, *, sender: str) -> None:
        self._folder = folder
        self._sender = checked_sender(sender)

    async def send(self, message: Message) -> None:
        rendered = render(message, sender=self._sender)
        try:
            await asyncio.to_thread(self._write, rendered.as_bytes())
        except OSError as error:
            raise MailFailed(f"{self._folder} could not be written: {type(error).__name__}") from error

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{new_id()}.eml"
        partial = self._folder / f".{name}"
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
        partial.replace(self._folder / name)


def make_mailer(smtp_url: str, *, sender: str, folder: Path) -> Mailer:
    """The mailer of this installation.

    Raises:
        ValueError: the address of server or sender cannot be one.
    """
    if smtp_url:
        return SmtpMailer(SmtpServer.parse(smtp_url), sender=sender)
    return FileMailer(folder, sender=sender)


def render(message: Message, *, sender: str) -> EmailMessage:
    """The message as it travels; lines are never folded, so that a link can be clicked and copied.

    Raises:
        ValueError: the recipient is not exactly one plain address.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = message.to
    recipients = mail["To"].addresses
    if len(recipients) != 1 or recipients[0].addr_spec != message.to or not recipients[0].domain:
        raise ValueError("a message goes to one plain address")
    # Names may hold exotic line breaks, which a header may not.
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(utc_now())
    mail["Message-ID"] = make_msgid(domain=mail["From"].addresses[0].domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body, cte="7bit" if message.body.isascii() else "8bit")
    return mail


def checked_sender(sender: str) -> str:
    """The sender itself.

    Raises:
        ValueError: it is no e-mail address.
    """
    _, address = parseaddr(sender)
    name, at, domain = address.rpartition("@")
    if not (name and at and domain) or any(character in sender for character in "\r\n"):
        raise ValueError(f"mail cannot be sent from {sender!r}: write books@example.com or Books <books@example.com>")
    return sender
