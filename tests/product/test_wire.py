"""What arrives on the wire and should not: a clear refusal, and afterwards a product that has lost nothing."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.product.conftest import Product

LOGIN = "/api/v1/auth/login"
JSON = "Content-Type: application/json"
MOST = 1_000_000
LONGEST_HEAD = 64 * 1024


class Wire:
    """One connection, on which a client says whatever it likes."""

    def __init__(self, product: Product) -> None:
        host, _, port = product.url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, path: str, *headers: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
        lines += [f"Content-Length: {len(body)}"] if body is not None else []
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        return self.answer()

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status and problem; what is no problem of ours fails here."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        body = self.file.read(int(headers.get("content-length", 0)))
        if status < 400:
            return status, {}
        assert headers["content-type"] == "application/problem+json", (status, body)
        problem = json.loads(body)
        assert problem["status"] == status
        assert str(UUID(problem["correlation_id"])) == headers["x-correlation-id"]
        assert b"Traceback" not in body
        return status, problem

    def is_usable(self) -> bool:
        return self.request("GET", "/health/live")[0] == 200

    def is_closed(self) -> bool:
        try:
            return self.file.read(1) == b""
        except ConnectionError:
            return True


@pytest.fixture
def wire(product: Product) -> Iterator[Wire]:
    wire = Wire(product)
    yield wire
    wire.file.close()
    wire.socket.close()


def _text(value: str) -> bytes:
    return b'{"email": "%s"}' % value.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 200_000,
        b'{"email": 1e400}',
        b'{"email": ' + b"9" * 5000 + b"}",
        b'{"email": -' + b"9" * 900_000 + b"}",
        b'{"email": 1E' + b"9" * 5000 + b"}",
        b'{"email": NaN}',
        b"[Infinity, -Infinity]",
        b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}',
        b'{"email": "a@example.com", "password": {"a": 1, "\\u0061": 2}}',
        b'{"email": "a\\u0000b"}',
        b'{"email": "\\ud800"}',
        b'{"\\udc00": 1}',
        b'{"email": "\xff"}',
        b'{"email": "\xed\xa0\x80"}',
        b'{"email": "\xc0\xaf"}',
        b"\xef\xbb\xbf{}",
        '{"email": "a"}'.encode("utf-16"),
        '{"email": "a"}'.encode("utf-16-le"),
        "{}".encode("utf-32"),
        b'{"email": "a"} {"email": "b"}',
        b"{} // no",
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"text"',
        b"true",
    ],
)
def test_json_that_is_none_or_beyond_reason_is_refused(wire: Wire, body: bytes) -> None:
    status, problem = wire.request("POST", LOGIN, JSON, body=body)
    assert (status, problem["code"]) == (422, "invalid_input")
    assert wire.is_usable()


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "json",
        '\x80;;;="',
        "application/octet-stream",
        "text/json",
    ],
)
def test_another_kind_of_body_is_refused_as_such(wire: Wire, kind: str | None) -> None:
    headers = [f"Content-Type: {kind}"] if kind is not None else []
    status, problem = wire.request("POST", LOGIN, *headers, body=b'{"email": "a@example.com", "password": "x"}')
    assert (status, problem["code"]) == (415, "unsupported_media_type")
    assert wire.is_usable()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
def test_a_compressed_body_is_refused_before_anybody_opens_it(wire: Wire, encoding: str) -> None:
    bomb = gzip.compress(b"0" * 50_000_000) if encoding.startswith("gzip") else zlib.compress(b"0" * 50_000_000)
    status, problem = wire.request("POST", LOGIN, JSON, f"Content-Encoding: {encoding}", body=bomb)
    assert (status, problem["code"]) == (415, "unsupported_encoding")
    assert wire.is_usable()


@pytest.mark.parametrize(
    "path", [LOGIN, "/api/v1/connections", "/webhooks/stripe/0192f0c1-2345-7abc-8def-0123456789ab"]
)
def test_a_body_over_the_limit_is_refused_announced_or_not(wire: Wire, product: Product, path: str) -> None:
    status, problem = wire.request("POST", path, JSON, body=b"x" * (MOST + 1))
    assert (status, problem["code"]) == (413, "payload_too_large")
    assert wire.is_usable()
    chunked = Wire(product)
    chunked.send(f"POST {path} HTTP/1.1\r\nHost: x\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(40):
        chunked.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    chunked.send(b"0\r\n\r\n")
    status, problem = chunked.answer()
    assert (status, problem["code"]) == (413, "payload_too_large")
    assert chunked.is_usable()
    chunked.file.close()
    chunked.socket.close()


def test_an_announcement_nobody_could_keep_is_refused_at_once(wire: Wire) -> None:
    wire.send(f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\n{JSON}\r\nContent-Length: 99999999999999\r\n\r\n{{".encode())
    status, problem = wire.answer()
    assert (status, problem["code"]) == (413, "payload_too_large")


def test_who_leaves_in_the_middle_of_a_body_disturbs_nobody(wire: Wire, product: Product) -> None:
    other = Wire(product)
    other.send(f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\n{JSON}\r\nContent-Length: 50\r\n\r\n{{".encode())
    other.socket.shutdown(socket.SHUT_WR)
    assert other.is_closed()
    other.file.close()
    other.socket.close()
    assert wire.is_usable()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/jobs/%00", 422, "invalid_input"),
        ("/api/v1/jobs?cursor=%00", 422, "invalid_input"),
        ("/api/v1/jobs?cursor=%ff", 422, "invalid_input"),
        ("/api/v1/jobs?cursor=%C0%AF", 422, "invalid_input"),
        ("/api/v1/jobs?cursor=%ED%A0%80", 422, "invalid_input"),
        ("/api/v1/jobs/%C0%AF", 401, "unauthenticated"),
        ("/api/v1/jobs/%zz", 401, "unauthenticated"),
        ("/api/v1/jobs/a%2Fb", 404, "not_found"),
        ("/api/v1/../../etc/passwd", 404, "not_found"),
        ("/api/v1/jobs?" + "&".join(f"limit={n}" for n in range(5000)), 401, "unauthenticated"),
        ("/api/v1/jobs?" + "a" * LONGEST_HEAD, 431, "headers_too_large"),
        ("/api/v1/nothing", 404, "not_found"),
    ],
)
def test_odd_addresses_are_answered_in_our_terms(wire: Wire, path: str, status: int, code: str) -> None:
    answer, problem = wire.request("GET", path)
    assert (answer, problem["code"]) == (status, code)
    assert wire.is_closed() if status == 431 else wire.is_usable()


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Bearer \xff\xfe",
        "Authorization: Bearer " + "a" * 10_000,
        "Authorization: Basic \x80",
        "Cookie: cf_access=\xff; \xff=\xfe",
        "Cookie: " + "; ".join(f"c{n}=v" for n in range(2000)),
        "X-Correlation-ID: \xff",
        "X-Correlation-ID: " + "0" * 1000,
        "Idempotency-Key: \xff",
        "Origin: \xff",
        "If-Match: " + "," * 5000,
    ],
)
def test_odd_headers_are_answered_in_our_terms(wire: Wire, header: str) -> None:
    assert wire.request("GET", "/api/v1/auth/me", header)[1]["code"] == "unauthenticated"
    # Whether an idempotency key is one is looked at before whose it is.
    code = wire.request("POST", "/api/v1/tables/views", header, JSON, body=b"{}")[1]["code"]
    assert code == ("invalid_input" if header.startswith("Idempotency-Key") else "unauthenticated")
    assert wire.is_usable()


def test_too_many_headers_are_refused(wire: Wire) -> None:
    status, problem = wire.request("GET", "/api/v1/jobs", *(f"X-{n}: {'v' * 50}" for n in range(2000)))
    assert (status, problem["code"]) == (431, "headers_too_large")
    assert wire.is_closed()


@pytest.mark.parametrize("start", ["BREW / HTTP/1.1", "CONNECT a:443 HTTP/1.1", "GET / HTTP/9.9", "\x16\x03\x01"])
def test_what_is_no_request_is_refused_and_the_connection_ends(wire: Wire, start: str) -> None:
    wire.send(f"{start}\r\nHost: x\r\n\r\n".encode("latin-1"))
    status, problem = wire.answer()
    assert (status, problem["code"]) == (400, "malformed_request")
    assert wire.is_closed()


def test_a_webhook_that_proves_nothing_is_refused_whatever_it_holds(wire: Wire) -> None:
    path = "/webhooks/stripe/0192f0c1-2345-7abc-8def-0123456789ab"
    for body in (b"\xff\0", b"[" * 100_000, b'{"a": NaN}', b"", b'{"a": 1, "a": 2}'):
        for kind in (JSON, "Content-Type: text/plain", "Stripe-Signature: t=\xff,v1=\x80"):
            status, problem = wire.request("POST", path, kind, body=body)
            assert (status, problem["code"]) == (404, "webhook_not_found")
    assert wire.is_usable()


def test_none_of_it_was_an_error_of_ours_or_kept_memory(product: Product) -> None:
    """Last in this file: the log has no unforeseen error, and the API is as large as a working one is."""
    log = (product.home / "logs" / "serve.log").read_text()
    assert "request.finished" in log
    assert [line[:500] for line in log.splitlines() if "request.failed" in line] == []
    status = Path(f"/proc/{product.children()['serve']}/status").read_text()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    assert resident_kb < 600_000
