"""What a page of the web app loads before it works: the scripts its HTML names, as they travel compressed."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

UI = Path(__file__).resolve().parents[2] / "core" / "src" / "counterfoil" / "_ui"

# kB of gzip (1 kB = 1000 bytes), a little above what each takes: a page that needs more has to be seen to need it.
SIGN_IN, LIST, HEAVY = 150, 230, 270
BUDGETS: dict[str, int] = {
    "/": SIGN_IN,
    "/accept-invitation": SIGN_IN,
    "/account": LIST,
    "/api-keys": LIST,
    "/audit": LIST + 5,
    "/connections": LIST,
    "/connections/records": LIST,
    "/connections/view": LIST + 10,
    "/dashboard": LIST + 5,
    "/forgot-password": SIGN_IN,
    "/jobs": LIST,
    "/jobs/view": LIST,
    "/login": SIGN_IN,
    "/members": LIST,
    "/plugins": LIST,
    "/register": SIGN_IN,
    "/reset-password": SIGN_IN,
    "/roles": LIST,
    "/settings": LIST,
    "/tables": LIST,
    "/tables/view": HEAVY,
    "/timeline": LIST,
}

_SCRIPT = re.compile(r"<script\b([^>]*)>", re.IGNORECASE)
_SRC = re.compile(r'\bsrc="([^"?]+)')
# How the bundler names what a chunk gives to others.
_EXPORTED = re.compile(r'"([A-Z][A-Za-z]{3,})",0,')


@dataclass(frozen=True, kw_only=True)
class Chunk:
    name: str
    gzip_bytes: int
    pages: int
    holds: tuple[str, ...]

    def __str__(self) -> str:
        use = f"on {self.pages} pages" if self.pages > 1 else "here alone"
        return f"{self.gzip_bytes / 1000:6.1f} kB  {self.name}  {use}  {', '.join(self.holds[:6])}"


def first_load(root: Path = UI) -> dict[str, list[Chunk]]:
    """The scripts of every page, the largest first."""
    manifest = json.loads((root / "ui-manifest.json").read_text())
    named = {route: _scripts((root / page["file"][1:]).read_text()) for route, page in manifest["pages"].items()}
    users: dict[str, int] = defaultdict(int)
    for scripts in named.values():
        for script in scripts:
            users[script] += 1
    chunks = {script: _chunk(root, script, pages) for script, pages in users.items()}
    return {
        route: sorted((chunks[script] for script in scripts), key=lambda chunk: -chunk.gzip_bytes)
        for route, scripts in named.items()
    }


def _scripts(html: str) -> set[str]:
    # Those for browsers without modules are loaded by none that the app runs in.
    tags = [attributes for attributes in _SCRIPT.findall(html) if "nomodule" not in attributes.lower()]
    return {found.group(1) for attributes in tags if (found := _SRC.search(attributes))}


def _chunk(root: Path, script: str, pages: int) -> Chunk:
    path = root / script.lstrip("/")
    compressed = path.with_name(path.name + ".gz")
    return Chunk(
        name=path.name,
        gzip_bytes=(compressed if compressed.exists() else path).stat().st_size,
        pages=pages,
        holds=tuple(dict.fromkeys(_EXPORTED.findall(path.read_text()))),
    )
