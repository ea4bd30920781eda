"""Serves the exported web app: one file per page, from a manifest, under a content security policy per page."""

from pathlib import Path
from typing import Final, Literal

from anyio import to_thread
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from counterfoil.kit.errors import MethodNotAllowed

__all__ = ["StaticUi", "UiNotBuiltError"]

DEFAULT_ROOT: Final = Path(__file__).resolve().parent.parent / "_ui"
MANIFEST_NAME: Final = "ui-manifest.json"

Encoding = Literal["br", "gzip"]
SUFFIXES: Final[dict[Encoding | None, str]] = {"br": ".br", "gzip": ".gz", None: ""}

IMMUTABLE_PREFIX: Final = "/_next/static/"
FRAMEWORK_PREFIX: Final = "/_next/"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"

# A worker takes its policy from its own script's response, not from the page that starts it.
SCRIPT_POLICY: Final = "default-src 'none'; script-src 'self'; connect-src 'self'"


class UiNotBuiltError(RuntimeError):
    """The folder holds no built web app."""


class ManifestFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    content_type: str
    etag: str
    encodings: tuple[Encoding, ...]


class ManifestPage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    scripts: tuple[str, ...]


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    build_id: str
    pages: dict[str, ManifestPage]
    files: dict[str, ManifestFile]


def page_policy(scripts: tuple[str, ...], *, is_https: bool) -> str:
    """The content security policy of a page whose inline scripts have these ``'sha256-…'`` sources."""
    directives = [
        "default-src 'none'",
        " ".join(["script-src 'self'", *scripts]),
        # Scroll locks, toasts and the theme switch write <style> elements and take no nonce; with every other source
        # at 'none' or 'self', a style has no way to carry anything out.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ]
    return "; ".join([*directives, "upgrade-insecure-requests"] if is_https else directives)


def accepted_encoding(header: str, offered: tuple[Encoding, ...]) -> Encoding | None:
    """The best offered encoding that an ``Accept-Encoding`` header allows; ``q=0`` refuses one."""
    weights: dict[str, bool] = {}
    for item in header.lower().split(","):
        name, _, parameter = item.partition(";")
        quality = parameter.replace(" ", "").removeprefix("q=") or "1"
        weights[name.strip()] = quality.rstrip("0.") != ""
    others = weights.get("*", False)
    return next((encoding for encoding in offered if weights.get(encoding, others)), None)


def is_fresh(header: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names this entity; the comparison is weak, as the header demands."""
    known = {item.strip().removeprefix("W/") for item in header.split(",")}
    return "*" in known or f'"{etag}"' in known


class StaticUi:
    """ASGI application for the exported web app, mounted at ``/`` behind the API's routes.

    A path is looked up in the manifest and nowhere else: no part of a request ever becomes part of a file name.

    Raises:
        UiNotBuiltError: ``root`` holds no manifest.
    """

    def __init__(self, root: Path = DEFAULT_ROOT) -> None:
        path = root / MANIFEST_NAME
        if not path.is_file():
            raise UiNotBuiltError(f"{path} is missing: run `python build_ui.py` in frontend/")
        self._root = root
        self._manifest = Manifest.model_validate_json(path.read_bytes())
        # Bounded by the manifest, a few megabytes; a file is read once.
        self._bodies: dict[tuple[str, Encoding | None], bytes] = {}

    @property
    def build_id(self) -> str:
        return self._manifest.build_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path: str = request.scope["path"]
        is_https = request.scope.get("scheme") == "https"
        headers: dict[str, str] = {}
        if request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed("GET and HEAD can be sent here.", headers={"Allow": "GET, HEAD"})
        target = self._canonical(path)
        if target is not None:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(target + query, 308, headers=headers)
        return await self._serve(path, request.headers, headers, is_https=is_https)

    def _canonical(self, path: str) -> str | None:
        """The known path that ``path`` is another spelling of; an unknown one never becomes a redirect."""
        if path != "/" and path.endswith("/"):
            target = path.rstrip("/") or "/"
            return target if target in self._manifest.pages or target in self._manifest.files else None
        if path.endswith(".html"):
            target = path.removesuffix(".html").removesuffix("/index") or "/"
            return target if target in self._manifest.pages else None
        return None

    async def _serve(self, path: str, wants: Headers, headers: dict[str, str], *, is_https: bool) -> Response:
        page = self._manifest.pages.get(path)
        is_known = page is not None or path in self._manifest.files
        if not is_known:
            page = self._manifest.pages.get("/404")
            if page is None or path.startswith(FRAMEWORK_PREFIX):
                return PlainTextResponse("Not found", 404, headers={**headers, "Cache-Control": REVALIDATE})
        name = page.file if page else path
        file = self._manifest.files[name]
        headers |= {
            "ETag": f'W/"{file.etag}"',
            "Vary": "Accept-Encoding",
            "Cache-Control": IMMUTABLE if name.startswith(IMMUTABLE_PREFIX) else REVALIDATE,
        }
        if page is not None:
            headers["Content-Security-Policy"] = page_policy(page.scripts, is_https=is_https)
        elif file.content_type.startswith("text/javascript"):
            headers["Content-Security-Policy"] = SCRIPT_POLICY
        if is_known and is_fresh(wants.get("if-none-match", ""), file.etag):
            return Response(status_code=304, headers=headers)
        encoding = accepted_encoding(wants.get("accept-encoding", ""), file.encodings)
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        body = await self._body(name, encoding)
        return Response(body, 200 if is_known else 404, headers=headers, media_type=file.content_type)

    async def _body(self, name: str, encoding: Encoding | None) -> bytes:
        key = (name, encoding)
        if key not in self._bodies:
            path = self._root / (name.removeprefix("/") + SUFFIXES[encoding])
            self._bodies[key] = await to_thread.run_sync(path.read_bytes)
        return self._bodies[key]
