"""The client of connectors against a vendor on loopback that misbehaves on purpose."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.connections.api_client import ApiClient
from counterfoil.connections.client import connector_context
from counterfoil.kit.http import Bounds, RetryPolicy
from counterfoil.plugins.connector import (
    Account,
    Bearer,
    Connector,
    ConnectorContext,
    HttpClient,
    RateLimit,
    Secret,
    Settings,
    SourceError,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
)

KEY = "sk_live_s3cret/+"
OK = b'{"ok": true}'


class VendorSettings(Settings):
    api_key: Secret
    base: str


class Vendor(Connector):
    kind = "vendor"
    title = "Vendor"
    base_url = "https://api.vendor.test"
    settings = VendorSettings
    limits = RateLimit(rps=1000, concurrency=4)
    headers: ClassVar[Mapping[str, str]] = {"Vendor-Version": "7"}

    def base_url_for(self, settings: VendorSettings) -> str:
        return settings.base

    async def authorize(self, http: HttpClient, settings: VendorSettings) -> Bearer:  # noqa: ARG002  (a key needs no exchange)
        return Bearer(settings.api_key.get_secret_value())

    async def check(self, ctx: ConnectorContext) -> Account:
        return Account(id=(await ctx.http.get("/account"))["id"])

    def classify(self, status: int, body: Any, headers: Mapping[str, str]) -> SourceError | None:
        if status == 400 and isinstance(body, dict) and body.get("code") == "busy":
            return SourceRateLimited(f"busy ({headers.get('Vendor-Request')})")
        if status == 400 and isinstance(body, dict) and "message" in body:
            return SourceInvalid(body["message"])
        return None


class TokenVendor(Vendor):
    kind = "token_vendor"
    ttl_s: ClassVar[float | None] = 3600

    async def authorize(self, http: HttpClient, settings: VendorSettings) -> Bearer:
        form = {"grant_type": "client_credentials"}
        token = await http.post("/token", form=form, basic=("me", settings.api_key.get_secret_value()))
        return Bearer(token["access_token"], ttl_s=self.ttl_s)


@dataclass(kw_only=True)
class Script:
    """What the vendor answers, one after the other; the last answer again and again."""

    answers: list[bytes]
    requests: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    port: int = 0
    delay_s: float = 0.0
    running: set[asyncio.Task[None] | None] = field(default_factory=set)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.running.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0
            )
            body = (await reader.readexactly(length)).decode()
            self.requests.append(head + body)
            await asyncio.sleep(self.delay_s)
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def says(body: bytes | Mapping[str, Any] | Sequence[Any], *, status: str = "200 OK", **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@asynccontextmanager
async def vendor(*answers: bytes, delay_s: float = 0.0) -> AsyncIterator[Script]:
    script = Script(answers=list(answers), delay_s=delay_s)
    listener = await asyncio.start_server(script.handle, "127.0.0.1", 0)
    script.port = listener.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        listener.close()
        tasks = [task for task in script.running if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def client(
    script: Script, connector: Connector | None = None, *, attempts: int = 4, **bounds: Any
) -> AsyncIterator[ApiClient]:
    async with connector_context(
        connector or Vendor(),
        VendorSettings.model_validate({"api_key": KEY, "base": script.base}),
        allow_private=True,
        hosts=("api.vendor.test",),
        retry=RetryPolicy(max_attempts=attempts, max_elapsed_s=300, sleep=script.wait),
        bounds=Bounds(**bounds),
    ) as context:
        yield context.http


async def test_a_request_carries_authorization_version_and_query() -> None:
    async with vendor(says(OK)) as script, client(script) as http:
        since = datetime(2026, 11, 1, tzinfo=UTC)
        assert await http.get("/v1/things?expand=all", params={"since": since, "limit": 100}) == {"ok": True}
    request = script.requests[0]
    assert request.startswith("GET /v1/things?expand=all&since=2026-11-01T00%3A00%3A00Z&limit=100 ")
    assert f"Authorization: Bearer {KEY}\r\n" in request
    assert "Vendor-Version: 7\r\n" in request


@pytest.mark.parametrize(
    "fault",
    [
        says(b"", status="500 Internal Server Error"),
        says(b"<html>", status="502 Bad Gateway"),
        says(b"", status="503 Service Unavailable"),
        says(b"", status="429 Too Many Requests"),
        says(b'{"ok": tr'),
        says(b"<html>maintenance</html>"),
        says([1, 2]),
        says(OK)[:-4],
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
    ids=["500", "502", "503", "429", "cut JSON", "HTML", "a list", "cut body", "hang-up", "bad gzip"],
)
async def test_a_passing_fault_is_outlasted(fault: bytes) -> None:
    async with vendor(fault, fault, says(OK)) as script, client(script) as http:
        assert await http.get("/v1/things") == {"ok": True}
    assert len(script.requests) == 3
    assert len(script.waits) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (says(b"", status="500 Internal Server Error"), SourceUnavailable),
        (says(b"", status="429 Too Many Requests"), SourceRateLimited),
        (says(OK)[:-4], SourceMalformed),
        (says(b'{"ok": tr'), SourceMalformed),
        (b"", SourceUnavailable),
    ],
)
async def test_a_lasting_fault_becomes_a_typed_error_after_the_last_attempt(
    fault: bytes, error: type[SourceError]
) -> None:
    async with vendor(fault) as script, client(script, attempts=3) as http:
        with pytest.raises(error):
            await http.get("/v1/things")
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(b"{}", status="401 Unauthorized"), SourceUnauthorized),
        (says(b"{}", status="403 Forbidden"), SourceForbidden),
        (says(b"{}", status="404 Not Found"), SourceInvalid),
        (says(b"{}", status="302 Found", Location="http://169.254.169.254/"), SourceInvalid),
        (says(b"x" * 2000), SourceMalformed),
    ],
)
async def test_what_cannot_change_is_not_repeated(answer: bytes, error: type[SourceError]) -> None:
    async with vendor(answer) as script, client(script, max_bytes=1000) as http:
        with pytest.raises(error) as caught:
            await http.get("/v1/things")
    assert type(caught.value) is error
    assert len(script.requests) == 1


async def test_nobody_listening_is_unavailable() -> None:
    async with vendor(says(OK)) as script:
        pass
    async with client(script, attempts=2) as http:
        with pytest.raises(SourceUnavailable, match="no connection"):
            await http.get("/v1/things")
    assert len(script.waits) == 1


async def test_a_silent_vendor_is_unavailable() -> None:
    async with vendor(says(OK), delay_s=0.5) as script, client(script, attempts=2, read_s=0.05) as http:
        with pytest.raises(SourceUnavailable, match="no answer"):
            await http.get("/v1/things")


async def test_the_vendor_says_how_long_to_wait() -> None:
    limited = says(b"", status="429 Too Many Requests", Retry_After="0.2")
    async with vendor(limited, says(OK)) as script, client(script) as http:
        began = asyncio.get_running_loop().time()
        await http.get("/v1/things")
        # The policy's wait is a note here; what still waits is the limiter, which holds back every request alike.
        assert asyncio.get_running_loop().time() - began >= 0.19
    assert 0.2 <= script.waits[0] <= 0.7


async def test_a_wait_longer_than_the_policy_allows_ends_the_attempts_and_is_passed_on() -> None:
    limited = says(b"", status="429 Too Many Requests", Retry_After="3600")
    async with vendor(limited) as script, client(script) as http:
        with pytest.raises(SourceRateLimited) as caught:
            await http.get("/v1/things")
        assert caught.value.retry_after_s == 3600
        assert len(script.requests) == 1
        # Another stream's next request neither waits for an hour nor bothers the vendor.
        async with asyncio.timeout(1):
            with pytest.raises(SourceRateLimited) as caught:
                await http.get("/v1/other_things")
    assert caught.value.retry_after_s is not None
    assert 3590 < caught.value.retry_after_s <= 3600
    assert len(script.requests) == 1


async def test_the_connector_is_asked_first_what_an_error_means() -> None:
    busy = says({"code": "busy"}, status="400 Bad Request", vendor_request="r-1")
    wrong = says({"message": "no such field"}, status="400 Bad Request")
    async with vendor(busy, wrong) as script, client(script) as http:
        with pytest.raises(SourceInvalid, match="no such field"):
            await http.get("/v1/things")
    assert len(script.requests) == 2


@pytest.mark.parametrize("quoted", [KEY, "sk_live_s3cret%2F%2B", "c2tfbGl2ZV9zM2NyZXQvKw=="])
async def test_a_secret_the_vendor_quotes_is_struck_out(quoted: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    refusal = says({"message": f"Invalid API key {quoted}!"}, status="400 Bad Request")
    async with vendor(refusal) as script, client(script) as http:
        with pytest.raises(SourceInvalid) as caught:
            await http.get("/v1/things")
    assert caught.value.detail == str(caught.value) == "Invalid API key ***!"
    assert "s3cret" not in caplog.text


async def test_a_post_is_repeated_only_where_the_vendor_surely_did_nothing() -> None:
    async with vendor(says(b"", status="500 Internal Server Error")) as script, client(script) as http:
        with pytest.raises(SourceUnavailable):
            await http.post("/v1/refunds", json={"amount": 5})
        assert len(script.requests) == 1
        with pytest.raises(SourceUnavailable):
            await http.post("/v1/search", json={"query": "x"}, idempotent=True)
        assert len(script.requests) == 5
    async with vendor(says(b"", status="429 Too Many Requests"), says(OK)) as script, client(script) as http:
        assert await http.post("/v1/refunds", json={"amount": 5}) == {"ok": True}
    assert script.requests[0].endswith('{"amount":5}')
    assert "Content-Type: application/json" in script.requests[0]


async def test_no_content_is_an_empty_object() -> None:
    async with vendor(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") as script, client(script) as http:
        assert await http.post("/v1/things", form={"a": "b c"}) == {}
    assert script.requests[0].endswith("a=b+c")


async def test_a_link_to_the_next_page_is_followed_on_the_same_origin_only() -> None:
    async with vendor(says(OK)) as script, client(script) as http:
        await http.get(f"{script.base}/v1/things?page=2")
        assert script.requests[0].startswith("GET /v1/things?page=2 ")
        for elsewhere in (
            "https://evil.test/v1",
            f"http://u:p@127.0.0.1:{script.port}/",
            "http://127.0.0.1:1/",
            "x://[",
        ):
            with pytest.raises(SourceInvalid):
                await http.get(elsewhere)
        await http.get("//evil.test/v1")
        assert "Host: 127.0.0.1" in script.requests[1]
    assert len(script.requests) == 2


async def test_a_destination_the_guard_refuses_is_not_repeated() -> None:
    for base in ("http://169.254.169.254", "http://93.184.216.34", "https://93.184.216.34"):
        script = Script(answers=[])
        settings = VendorSettings.model_validate({"api_key": KEY, "base": base})
        retry = RetryPolicy(sleep=script.wait)
        async with connector_context(
            Vendor(), settings, allow_private=True, hosts=("api.vendor.test",), retry=retry
        ) as context:
            with pytest.raises(SourceInvalid):
                await context.http.get("/latest/meta-data")
        assert script.waits == []


async def test_the_time_of_sending_is_that_of_the_answered_request() -> None:
    async with vendor(says(b"", status="500 Oops"), says(OK), delay_s=0.05) as script, client(script) as http:
        opened_at = http.sent_at
        await http.get("/v1/things")
        now = datetime.now(UTC)
    assert (http.sent_at - opened_at).total_seconds() >= 0.05
    assert (now - http.sent_at).total_seconds() >= 0.05


async def test_a_token_is_fetched_once_and_used_until_shortly_before_it_ends() -> None:
    async with vendor(says({"access_token": "tok-s3cret"}), says(OK)) as script, client(script, TokenVendor()) as http:
        for _ in range(3):
            await http.get("/v1/things")
    assert [request.split(" ")[1] for request in script.requests] == ["/token", *["/v1/things"] * 3]
    assert "Authorization: Basic bWU6" in script.requests[0]
    assert "Authorization: Bearer tok-s3cret" in script.requests[3]


async def test_a_token_that_ends_at_once_is_fetched_again() -> None:
    class Brief(TokenVendor):
        ttl_s = 0

    token = says({"access_token": "tok-s3cret"})
    async with vendor(token, says(OK), token, says(OK)) as script, client(script, Brief()) as http:
        for _ in range(2):
            await http.get("/v1/things")
    assert [request.split(" ")[1] for request in script.requests] == ["/token", "/v1/things"] * 2


async def test_a_refused_sign_in_is_the_error_of_the_request() -> None:
    async with vendor(says(b"{}", status="401 Unauthorized")) as script, client(script, TokenVendor()) as http:
        with pytest.raises(SourceUnauthorized):
            await http.get("/v1/things")
    assert len(script.requests) == 1


async def test_a_key_with_a_line_break_is_refused_without_being_quoted() -> None:
    async with vendor(says(OK)) as script:
        settings = VendorSettings.model_validate({"api_key": "sk_live_s3cret\n", "base": script.base})
        async with connector_context(Vendor(), settings, allow_private=True, hosts=None) as context:
            with pytest.raises(SourceInvalid) as caught:
                await context.http.get("/v1/things")
    assert "s3cret" not in str(caught.value)
    assert script.requests == []


@given(detail=st.text())
def test_no_error_of_a_source_holds_what_cannot_be_stored_or_shown(detail: str) -> None:
    error = SourceInvalid(f"a\0b {detail}")
    assert error.detail == str(error)
    assert error.detail.startswith("a b")
    assert error.detail.isprintable()
