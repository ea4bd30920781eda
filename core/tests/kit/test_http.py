"""The guarded client against real servers on loopback, and against the addresses attackers use."""

import asyncio
import gzip
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from counterfoil.kit.clock import utc_now
from counterfoil.kit.http import (
    BlockedDestination,
    BodyTooLarge,
    Bounds,
    ConnectFailed,
    CutBody,
    EgressPolicy,
    HttpClient,
    HttpError,
    NoAnswer,
    Reply,
    TooManyRedirects,
    Unsendable,
    UntrustedCertificate,
    query,
)

PRIVATE = EgressPolicy(allow_private=True)
OPEN = EgressPolicy(allow_plaintext=True, ports=frozenset(range(1, 65536)))

Serve = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that hands each request's head to ``serve``; yields its port and the heads it has seen."""
    seen: list[str] = []
    running: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            seen.append(head)
            await serve(head, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield listener.sockets[0].getsockname()[1], seen
    finally:
        listener.close()
        tasks = [task for task in running if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(body: bytes, *, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(reply: bytes) -> Serve:
    async def serve(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)

    return serve


async def fetch(url: str, *, policy: EgressPolicy = PRIVATE, bounds: Bounds | None = None, redirects: int = 0) -> Reply:
    async with HttpClient(policy, bounds=bounds) as client:
        return await client.request("GET", url, max_redirects=redirects)


HOSTILE = [
    "//127.0.0.1:{port}/",
    "//localhost:{port}/",
    "//[::1]:{port}/",
    "//0.0.0.0:{port}/",
    "//2130706433:{port}/",
    "//0x7f000001:{port}/",
    "//017700000001:{port}/",
    "//127.1:{port}/",
    "//[::ffff:127.0.0.1]:{port}/",
    "//[64:ff9b::7f00:1]:{port}/",
    "//[2002:7f00:1::]:{port}/",
    "//169.254.169.254/",
    "//[fd00:ec2::254]/",
    "//10.0.0.1/",
    "//100.100.100.200/",
    "//192.168.1.1/",
    "//[fe80::1]/",
    "//u:p@127.0.0.1:{port}/",
    "//localhost.:{port}/",
    "//ip6-localhost:{port}/",
    "//\u2460\u2461\u2466.0.0.1:{port}/",
    "//224.0.0.1/",
    "//255.255.255.255/",
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("rest", HOSTILE)
async def test_no_spelling_of_an_inner_address_is_reached(rest: str, scheme: str) -> None:
    async with server(saying(answer(b"secret"))) as (port, seen):
        with pytest.raises(HttpError) as caught:
            await fetch(scheme + ":" + rest.format(port=port), policy=OPEN, bounds=Bounds(connect_s=2))
        assert seen == []
    # A name this machine's resolver does not know is as good as blocked; everything else has to be the guard's doing.
    if not any(name in rest for name in ("ip6-localhost", "localhost.", "\u2460")):
        assert isinstance(caught.value, BlockedDestination), caught.value


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "//127.0.0.1/", "x"])
async def test_no_other_scheme_is_reached(url: str) -> None:
    with pytest.raises(BlockedDestination):
        await fetch(url, policy=OPEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
async def test_the_operator_may_allow_loopback(host: str) -> None:
    async with server(saying(answer(b"hello"))) as (port, _):
        assert (await fetch(f"http://{host}:{port}/")).body == b"hello"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
    ],
)
async def test_metadata_services_stay_out_of_reach_where_private_networks_are_allowed(url: str) -> None:
    with pytest.raises(BlockedDestination):
        await fetch(url)


async def test_the_transport_really_uses_the_guard_in_this_version_of_httpx2() -> None:
    async with server(saying(answer(b"secret"))) as (port, seen):
        with pytest.raises(BlockedDestination, match="does not lead to a public address"):
            await fetch(f"https://127.0.0.1:{port}/", policy=EgressPolicy())
        assert seen == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1", "93.184.216.34"], ["169.254.169.254"]]
)
async def test_every_address_of_a_name_has_to_be_public(addresses: list[str]) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return addresses

    async with HttpClient(OPEN, resolve=resolve) as client:
        with pytest.raises(BlockedDestination):
            await client.request("GET", "http://vendor.test/")


async def test_a_name_that_mixes_public_and_private_is_refused_even_where_private_is_allowed() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"]

    async with HttpClient(PRIVATE, resolve=resolve) as client:
        with pytest.raises(BlockedDestination):
            await client.request("GET", "http://vendor.test/")


async def test_a_name_is_resolved_once_so_that_rebinding_gains_nothing() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with server(saying(answer(b"first"))) as (port, seen), HttpClient(PRIVATE, resolve=rebinding) as client:
        reply = await client.request("GET", f"http://rebind.test:{port}/")
        assert reply.body == b"first"
        assert asked == ["rebind.test"]
        assert f"Host: rebind.test:{port}" in seen[0].title().replace("Rebind.Test", "rebind.test")
        with pytest.raises(BlockedDestination):
            await client.request("GET", f"http://rebind.test:{port}/")


async def test_a_name_that_turns_from_public_to_loopback_is_refused_when_it_turns() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    async def rebinding(_host: str, _port: int) -> list[str]:
        return answers.pop(0)

    async with server(saying(answer(b"secret"))) as (port, seen):
        assert await rebinding("vendor.test", port) == ["93.184.216.34"]  # a check before the fetch would be content
        async with HttpClient(OPEN, resolve=rebinding) as client:
            with pytest.raises(BlockedDestination):
                await client.request("GET", f"http://vendor.test:{port}/")
        assert seen == []


@pytest.mark.parametrize(
    ("policy", "url"),
    [
        (EgressPolicy(), "http://vendor.test/"),
        (EgressPolicy(allow_private=True), "http://vendor.test/"),
        (EgressPolicy(), "https://vendor.test:8443/"),
        (EgressPolicy(hosts=frozenset({"api.vendor.test"})), "https://vendor.test/"),
        (EgressPolicy(hosts=frozenset({"*.vendor.test"})), "https://vendor.test/"),
        (EgressPolicy(hosts=frozenset({"*.vendor.test"})), "https://evilvendor.test/"),
        (EgressPolicy(hosts=frozenset()), "https://vendor.test/"),
    ],
)
async def test_public_addresses_are_reached_by_https_on_the_usual_port_and_by_listed_names_only(
    policy: EgressPolicy, url: str
) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34"]

    async with HttpClient(policy, resolve=resolve) as client:
        with pytest.raises(BlockedDestination):
            await client.request("GET", url)


async def test_private_addresses_are_exempt_from_the_list_of_hosts_where_the_operator_allows_them() -> None:
    policy = EgressPolicy(allow_private=True, hosts=frozenset({"api.vendor.test"}))
    async with server(saying(answer(b"simulated"))) as (port, _):
        assert (await fetch(f"http://127.0.0.1:{port}/", policy=policy)).body == b"simulated"


def test_a_host_pattern_covers_names_below_it_in_any_case_and_with_a_final_dot() -> None:
    policy = EgressPolicy(hosts=frozenset({"*.Vendor.test", "api.other.test"}))
    assert policy.names("Shop.vendor.TEST.")
    assert policy.names("a.b.vendor.test")
    assert policy.names("api.other.test")
    assert not policy.names("other.test")


async def test_a_redirect_into_the_metadata_service_is_not_followed() -> None:
    for target in ("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://[::"):
        reply = answer(b"", status="302 Found", Location=target)
        async with server(saying(reply)) as (port, seen):
            with pytest.raises((BlockedDestination, Unsendable)):
                await fetch(f"http://127.0.0.1:{port}/", redirects=3)
            assert len(seen) == 1


async def test_a_redirect_is_an_answer_like_any_other_unless_following_was_asked_for() -> None:
    async with server(saying(answer(b"", status="302 Found", Location="/elsewhere"))) as (port, seen):
        assert (await fetch(f"http://127.0.0.1:{port}/")).status == 302
        assert len(seen) == 1


async def test_at_most_as_many_redirects_are_followed_as_allowed() -> None:
    async with server(saying(answer(b"", status="302 Found", Location="/again"))) as (port, seen):
        with pytest.raises(TooManyRedirects):
            await fetch(f"http://127.0.0.1:{port}/", redirects=3)
        assert len(seen) == 4


async def test_credentials_do_not_follow_a_redirect_to_another_origin() -> None:
    async with server(saying(answer(b"end"))) as (other, there):
        redirect = answer(b"", status="302 Found", Location=f"http://127.0.0.1:{other}/")
        async with server(saying(redirect)) as (port, here), HttpClient(PRIVATE) as client:
            reply = await client.request(
                "GET", f"http://127.0.0.1:{port}/", headers={"Authorization": "Bearer s3cret"}, max_redirects=1
            )
    assert reply.body == b"end"
    assert "s3cret" in here[0]
    assert "s3cret" not in there[0]


async def test_the_certificate_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path, "good.test")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=certificate)

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with (
        server(saying(answer(b"sealed")), tls=serving) as (port, _),
        HttpClient(PRIVATE, resolve=resolve, tls=trusting) as client,
    ):
        assert (await client.request("GET", f"https://good.test:{port}/")).body == b"sealed"
        with pytest.raises(UntrustedCertificate):
            await client.request("GET", f"https://evil.test:{port}/")


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / "c.pem", folder / "k.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  (fixed arguments)
    return certificate, key


async def test_an_answer_that_breaks_off_is_not_taken_for_a_complete_one() -> None:
    cut = answer(b'{"data": [1, 2, 3]}')[:-8]
    async with server(saying(cut)) as (port, _):
        with pytest.raises(CutBody):
            await fetch(f"http://127.0.0.1:{port}/")


async def test_a_server_that_closes_without_a_word_is_told_apart_from_one_that_cannot_be_reached() -> None:
    async with server(saying(b"")) as (port, _):
        with pytest.raises(NoAnswer):
            await fetch(f"http://127.0.0.1:{port}/")
    with pytest.raises(ConnectFailed):
        await fetch(f"http://127.0.0.1:{port}/")


async def test_a_name_nobody_knows_is_a_failed_connection() -> None:
    with pytest.raises(ConnectFailed):
        await fetch("https://nothing.invalid/")


async def test_a_body_above_the_limit_is_refused_whether_announced_or_not() -> None:
    bounds = Bounds(max_bytes=1000)
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 5
    for reply in (answer(b"x" * 1001), endless):
        async with server(saying(reply)) as (port, _):
            with pytest.raises(BodyTooLarge):
                await fetch(f"http://127.0.0.1:{port}/", bounds=bounds)


async def test_a_small_body_that_inflates_beyond_the_limit_is_refused() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    async with server(saying(answer(bomb, Content_Encoding="gzip"))) as (port, _):
        with pytest.raises(BodyTooLarge):
            await fetch(f"http://127.0.0.1:{port}/", bounds=Bounds(max_bytes=1_000_000))


async def test_a_body_compressed_twice_is_refused() -> None:
    twice = gzip.compress(gzip.compress(b"{}"))
    async with server(saying(answer(twice, Content_Encoding="gzip, gzip"))) as (port, _):
        with pytest.raises(CutBody):
            await fetch(f"http://127.0.0.1:{port}/")


async def test_a_body_that_is_not_the_gzip_it_claims_to_be_is_refused() -> None:
    async with server(saying(answer(b"{}", Content_Encoding="gzip"))) as (port, _):
        with pytest.raises(CutBody):
            await fetch(f"http://127.0.0.1:{port}/")


async def test_a_server_that_drips_is_given_up_after_the_total_time() -> None:
    async def drip(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(drip) as (port, _):
        with pytest.raises(NoAnswer):
            await fetch(f"http://127.0.0.1:{port}/", bounds=Bounds(read_s=5, total_s=0.2))


async def test_a_silent_server_is_given_up_after_the_read_time() -> None:
    async def silent(_head: str, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)

    async with server(silent) as (port, _):
        with pytest.raises(NoAnswer):
            await fetch(f"http://127.0.0.1:{port}/", bounds=Bounds(read_s=0.1))


async def test_cookies_are_not_kept_between_requests() -> None:
    async with server(saying(answer(b"", Set_Cookie="session=1; Path=/"))) as (port, seen):
        async with HttpClient(PRIVATE) as client:
            for _ in range(2):
                await client.request("GET", f"http://127.0.0.1:{port}/")
        assert "session" not in seen[1]


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(saying(answer(b"proxied"))) as (proxy, through), server(saying(answer(b"direct"))) as (port, _):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert (await fetch(f"http://127.0.0.1:{port}/")).body == b"direct"
        assert through == []


async def test_the_time_of_sending_lies_before_the_answer() -> None:
    async def slow(_head: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(answer(b"{}"))

    async with server(slow) as (port, _):
        before = utc_now()
        reply = await fetch(f"http://127.0.0.1:{port}/")
    assert (utc_now() - reply.sent_at).total_seconds() >= 0.1
    assert reply.sent_at >= before


@pytest.mark.parametrize("secret", ["sk_live_s3cret\n", "sk_live_s3cret\u00e9", "sk_live_s3cret\x00"])
async def test_a_header_that_cannot_be_sent_is_refused_without_quoting_it(
    secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with server(saying(answer(b"{}"))) as (port, _), HttpClient(PRIVATE) as client:
        with pytest.raises(Unsendable) as caught:
            await client.request("GET", f"http://127.0.0.1:{port}/", headers={"Authorization": f"Bearer {secret}"})
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in caplog.text


async def test_credentials_appear_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with server(saying(answer(b"{}"))) as (port, seen), HttpClient(PRIVATE) as client:
        await client.request("GET", f"http://127.0.0.1:{port}/", headers={"Authorization": "Bearer s3cret"})
    assert "s3cret" in seen[0]
    assert "s3cret" not in caplog.text


def test_a_query_is_written_the_way_vendors_read_it() -> None:
    at = utc_now().replace(2026, 11, 23, 9, 0, 0, 0)
    assert query({"since": at, "all": True, "limit": 100, "ids": ["a", "b"], "after": None}) == [
        ("since", "2026-11-23T09:00:00Z"),
        ("all", "true"),
        ("limit", "100"),
        ("ids", "a"),
        ("ids", "b"),
    ]
    assert query([("created[gte]", 5)]) == [("created[gte]", "5")]
    assert query(None) == []
    with pytest.raises(ValueError, match="zone"):
        query({"since": at.replace(tzinfo=None)})


async def test_parameters_join_those_the_address_has_already() -> None:
    async with server(saying(answer(b"{}"))) as (port, seen), HttpClient(PRIVATE) as client:
        await client.request("GET", f"http://127.0.0.1:{port}/list?schema=v1&schema=v2")
        await client.request("GET", f"http://127.0.0.1:{port}/list?schema=v1", params=[("page", "2"), ("page", "3")])
    assert [head.split(" HTTP")[0] for head in seen] == [
        "GET /list?schema=v1&schema=v2",
        "GET /list?schema=v1&page=2&page=3",
    ]


def test_the_client_is_of_the_version_the_guard_was_proved_on() -> None:
    assert httpx2.__version__.startswith("2.16.")
