"""Mail, against a server that speaks SMTP: what it is told is what was said."""

import asyncio
import base64
import email
import email.policy
import ipaddress
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.clock import utc_now
from counterfoil.kit.mail import FileMailer, MailFailed, Message, SmtpMailer, SmtpServer, make_mailer, render

SENDER = "Counterfoil <no-reply@books.example>"
LINK = f"https://books.example/accept-invitation/#token={'x' * 43}&{'y' * 120}"
LINES = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\r\n\x85\u2028 :")), max_size=400)
HELLO = Message(to="ivy@example.com", subject="Olive invites you to Ærø & Co", body=f"Grüße\n\n{LINK}\n")


@dataclass(kw_only=True)
class Smtp:
    """A mail server: what it was told, and how it shall behave."""

    offers_tls: bool = True
    refuses: str = ""
    silent: bool = False
    port: int = 0
    said: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            await reader.read()
            writer.close()
            return
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            """The client hung up."""
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        encrypted = writer.get_extra_info("ssl_object") is not None
        writer.write(b"220 mail.example ESMTP\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            verb = line.split(":")[0].split(" ")[0].upper()
            self.said.append(f"{'tls ' if encrypted else ''}{verb}")
            if verb == self.refuses:
                writer.write(b"550 no, and your password was hunter2\r\n")
            elif verb == "EHLO":
                offers = ["mail.example", "8BITMIME", *(["STARTTLS"] if self.offers_tls and not encrypted else [])]
                offers += ["AUTH PLAIN"] if encrypted else []
                writer.write("".join(f"250-{offer}\r\n" for offer in offers).encode() + b"250 SIZE 1000000\r\n")
            elif verb == "STARTTLS":
                writer.write(b"220 go ahead\r\n")
                await writer.drain()
                assert self.tls is not None
                await writer.start_tls(self.tls)
                encrypted = True
            elif verb == "AUTH":
                self.logins.append(base64.b64decode(line.split(" ")[2]).decode())
                writer.write(b"235 welcome\r\n")
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mail.pem"
    unencrypted = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


Serving = Callable[..., AbstractAsyncContextManager[Smtp]]


@pytest.fixture
def serving(certificate: Path) -> Serving:
    @asynccontextmanager
    async def run(
        *, implicit: bool = False, offers_tls: bool = True, refuses: str = "", silent: bool = False
    ) -> AsyncIterator[Smtp]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        smtp = Smtp(offers_tls=offers_tls, refuses=refuses, silent=silent, tls=tls)
        server = await asyncio.start_server(smtp.serve, "127.0.0.1", 0, ssl=tls if implicit else None)
        smtp.port = server.sockets[0].getsockname()[1]
        async with server:
            yield smtp

    return run


def mailer(url: str, trusting: ssl.SSLContext | None = None, *, timeout_s: float = 5) -> SmtpMailer:
    return SmtpMailer(SmtpServer.parse(url), sender=SENDER, tls=trusting, timeout_s=timeout_s)


async def test_a_message_travels_encrypted_with_the_password_and_arrives_whole(
    serving: Serving, trusting: ssl.SSLContext
) -> None:
    async with serving() as smtp:
        await mailer(f"smtp://books:p%40ss%2Fword@127.0.0.1:{smtp.port}", trusting).send(HELLO)
    assert smtp.said[:2] == ["EHLO", "STARTTLS"]
    assert all(said.startswith("tls ") for said in smtp.said[2:])
    assert smtp.logins == ["\0books\0p@ss/word"]
    [raw] = smtp.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, HELLO.to, HELLO.subject)
    assert mail.get_content().split() == HELLO.body.split()
    # Whole on one line, for whoever reads the raw text.
    assert LINK.encode() in raw
    assert mail["Message-ID"].endswith("@books.example>")
    assert mail["Date"].datetime - utc_now() < timedelta(minutes=1)


async def test_a_server_may_speak_tls_from_the_start(serving: Serving, trusting: ssl.SSLContext) -> None:
    async with serving(implicit=True) as smtp:
        await mailer(f"smtps://books:secret@127.0.0.1:{smtp.port}", trusting).send(HELLO)
    assert smtp.logins == ["\0books\0secret"]
    assert len(smtp.mails) == 1


async def test_without_starttls_nothing_is_said_but_where_that_was_asked_for(
    serving: Serving, trusting: ssl.SSLContext
) -> None:
    async with serving(offers_tls=False) as smtp:
        with pytest.raises(MailFailed):
            await mailer(f"smtp://books:secret@127.0.0.1:{smtp.port}", trusting).send(HELLO)
        assert (smtp.logins, smtp.mails) == ([], [])
        await mailer(f"smtp://127.0.0.1:{smtp.port}?starttls=never").send(HELLO)
    assert len(smtp.mails) == 1


async def test_a_server_with_somebody_elses_certificate_is_told_nothing(serving: Serving) -> None:
    async with serving() as smtp:
        with pytest.raises(MailFailed, match="SSLCertVerificationError"):
            await mailer(f"smtp://books:secret@127.0.0.1:{smtp.port}").send(HELLO)
    assert (smtp.logins, smtp.mails) == ([], [])


@pytest.mark.parametrize("verb", ["AUTH", "MAIL", "RCPT", "DATA"])
async def test_a_refusal_is_told_without_what_was_said(serving: Serving, trusting: ssl.SSLContext, verb: str) -> None:
    async with serving(refuses=verb) as smtp:
        with pytest.raises(MailFailed) as refused:
            await mailer(f"smtp://books:secret@127.0.0.1:{smtp.port}", trusting).send(HELLO)
    for secret in ("secret", "hunter2", HELLO.to, LINK):
        assert secret not in str(refused.value)


async def test_a_server_that_is_silent_or_away_is_given_up(serving: Serving) -> None:
    async with serving(silent=True) as smtp:
        url = f"smtp://127.0.0.1:{smtp.port}"
        started = time.monotonic()
        with pytest.raises(MailFailed):
            await mailer(url, timeout_s=0.2).send(HELLO)
        assert 0.2 <= time.monotonic() - started < 2
    with pytest.raises(MailFailed, match="ConnectionRefusedError"):
        await mailer(url).send(HELLO)


@pytest.mark.parametrize(
    "to",
    [
        "ivy@example.com\r\nBcc: eve@example.com",
        "ivy@example.com\nBcc: eve@example.com",
        "ivy@example.com, eve@example.com",
        "Ivy <ivy@example.com>",
        "ivy",
        "",
    ],
)
async def test_a_message_goes_to_one_plain_address(tmp_path: Path, to: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        await FileMailer(tmp_path, sender=SENDER).send(Message(to=to, subject="x", body="x"))
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


@given(subject=LINES, body=LINES)
def test_nothing_in_subject_or_body_becomes_a_header(subject: str, body: str) -> None:
    raw = render(Message(to="ivy@example.com", subject=subject, body=body), sender=SENDER).as_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert mail["To"] == "ivy@example.com"


async def test_without_a_server_mail_lies_in_a_folder_only_we_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "mail"
    sender = make_mailer("", sender=SENDER, folder=folder)
    assert isinstance(sender, FileMailer)
    await sender.send(HELLO)
    await sender.send(HELLO)
    assert folder.stat().st_mode & 0o777 == 0o700
    files = sorted(folder.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert LINK in files[0].read_text()


async def test_a_folder_that_cannot_be_written_is_a_failure_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "mail").touch()
    with pytest.raises(MailFailed):
        await FileMailer(tmp_path / "mail", sender=SENDER).send(HELLO)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 587, "starttls", None)),
        ("smtps://mail.example", ("mail.example", 465, "implicit", None)),
        ("smtp://a:b@mail.example:2525", ("mail.example", 2525, "starttls", "a")),
        ("smtp://localhost:1025/?starttls=never", ("localhost", 1025, "never", None)),
    ],
)
def test_addresses_of_servers(url: str, expected: tuple[object, ...]) -> None:
    server = SmtpServer.parse(url)
    assert (server.host, server.port, server.tls, server.user) == expected
    assert isinstance(make_mailer(url, sender=SENDER, folder=Path()), SmtpMailer)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example:25",
        "http://mail.example",
        "smtp://",
        "smtp://u:hunter2@mail.example:port",
        "smtp://u:hunter2@mail.example/path",
        "smtp://u:hunter2@mail.example?tls=off",
        "smtp://u:hunter2@mail.example?starttls=perhaps",
        "smtp://u:hunter2@mail.example?starttls=never",
    ],
)
def test_what_is_no_server_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"mail server|starttls") as refused:
        SmtpServer.parse(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("sender", ["", "books", "Books <books>", "books@example.com\r\nBcc: eve@example.com"])
def test_mail_comes_from_an_address(sender: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent from"):
        FileMailer(Path(), sender=sender)


def test_neither_body_nor_password_shows_when_printed() -> None:
    assert "token" not in repr(HELLO)
    assert "hunter2" not in repr(SmtpServer.parse("smtp://u:hunter2@mail.example"))
