"""``plugin.toml``: what a plugin is and claims, read before any of its code runs."""

import importlib.util
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    ValidationError,
)

from counterfoil.plugins.errors import Rejected

FILE_NAME = "plugin.toml"
SUPPORTED_APIS = frozenset({1})
_RESERVED = frozenset({"core", "public", "information_schema"})


def _unreserved(name: str) -> str:
    if name in _RESERVED or name.startswith("pg_"):
        raise ValueError(f"{name!r} is reserved")
    return name


# A plugin's name is a PostgreSQL schema and the first word of everything the plugin contributes.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$"), AfterValidator(_unreserved)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
DottedName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]
Host = Annotated[str, StringConstraints(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$")]
Path_ = Annotated[str, StringConstraints(pattern=r"^(/[a-z0-9_-]+)+/?$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]{1,200}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feature(_Table):
    """A part that only some plans include; ``title`` is what people read, its name where there is none."""

    plans: tuple[Word, ...]
    title: Line = ""


class PermissionEntry(_Table):
    """What a permission lets its holder do, and the built-in roles that hold it besides owner and admin, who hold all."""

    description: Line
    roles: tuple[Literal["finance", "ops", "developer", "readonly"], ...] = ()


def _described(given: object) -> object:
    return {"description": given} if isinstance(given, str) else given


class NavigationEntry(_Table):
    """A link in the web app's side bar, for those with the permission."""

    title: Line
    path: Path_
    permission: DottedName | None = None


class Manifest(_Table):
    """The static half of a plugin.

    ``namespaces`` are further first words for its names. ``offers`` and ``uses`` name typed services, and work without each
    other; ``requires`` names plugins this one cannot load without.
    ``permissions`` says what each lets its holder do: a sentence, or a table of ``description`` and the ``roles`` that hold it.
    ``navigation`` is shown to tenants that have the plugin enabled.
    """

    name: Name
    title: Line
    publisher: Line
    description: str = ""
    api: StrictInt
    hosts: tuple[Host, ...] = ()
    features: dict[Word, Feature] = Field(default_factory=dict)
    namespaces: tuple[Name, ...] = ()
    permissions: dict[DottedName, Annotated[PermissionEntry, BeforeValidator(_described)]] = Field(default_factory=dict)
    navigation: tuple[NavigationEntry, ...] = ()
    offers: tuple[DottedName, ...] = ()
    uses: tuple[DottedName, ...] = ()
    requires: tuple[Name, ...] = ()

    @property
    def claims(self) -> frozenset[str]:
        return frozenset({self.name, *self.namespaces})

    def feature_title(self, name: str) -> str:
        return self.features[name].title or f"{self.title}: {name}"


def package_folder(package: str) -> Path:
    """The folder of a top-level package that holds ``plugin.toml``; imports nothing.

    Raises:
        Rejected: there is no such package, or it has no manifest.
    """
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations if spec else None) or ():
        if (Path(location) / FILE_NAME).is_file():
            return Path(location)
    raise Rejected(f"there is no {FILE_NAME} in the package {package!r}")


def read_manifest(folder: Path) -> Manifest:
    """Parse and check the manifest.

    Raises:
        Rejected: it is made for another API, or breaks a rule; says which.
        ValueError, OSError: it is not TOML, or not readable.
    """
    content = tomllib.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    # The API first: a manifest of a later one may well hold fields that this version does not know.
    if isinstance(api := content.get("api"), int) and api not in SUPPORTED_APIS:
        raise Rejected(f"it is made for plugin API {api}; this version supports {sorted(SUPPORTED_APIS)}")
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        findings = (f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors(include_url=False))
        raise Rejected(f"{FILE_NAME} is not valid: {'; '.join(findings)}") from error
    for name in (*manifest.offers, *manifest.permissions):
        if name.partition(".")[0] not in manifest.claims:
            raise Rejected(f"{FILE_NAME} names {name}, outside the namespace {manifest.name!r}")
    return manifest
