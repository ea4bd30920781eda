"""Real distributions made on the spot: what an operator would have installed, good or bad."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

HOOKS = "from counterfoil.sdk import hookimpl\n"


def write_distribution(
    site: Path,
    name: str,
    files: Mapping[str, str],
    *,
    package: str | None = None,
    distribution: str | None = None,
    version: str = "1.0",
    manifest: str | None = None,
) -> None:
    """Lay a plugin out as an installer would: a package with its files, and the metadata that announces it.

    Args:
        site: the folder that becomes importable; see ``installed``.
        name: of the entry point, and of the plugin unless ``manifest`` says otherwise.
        files: content by path inside the package; ``__init__.py`` and an empty ``hooks.py`` are made if missing.
        package: the importable package; ``<distribution>`` with underscores by default.
        distribution: ``acme-<name>`` by default.
        version: of the distribution.
        manifest: the whole ``plugin.toml``, or an empty string for none; a minimal good one by default.
    """
    distribution = distribution or f"acme-{name}"
    package = package or distribution.replace("-", "_")
    if manifest is None:
        manifest = f'name = "{name}"\ntitle = "{name.title()}"\npublisher = "Acme"\napi = 1\n'
    content = {"__init__.py": "", "hooks.py": HOOKS, **files}
    if manifest:
        content["plugin.toml"] = manifest
    for path, text in content.items():
        file = site / package / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    metadata = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[counterfoil.plugins]\n{name} = {package}.hooks\n")


@contextmanager
def installed(site: Path) -> Iterator[None]:
    """Make everything in a folder importable and discoverable for a block, then forget it."""
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    packages = {entry.name for entry in site.iterdir()}
    try:
        yield
    finally:
        sys.path.remove(str(site))
        importlib.invalidate_caches()
        for module in [name for name in sys.modules if name.partition(".")[0] in packages]:
            del sys.modules[module]
