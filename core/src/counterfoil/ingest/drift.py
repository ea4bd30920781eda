"""Notices fields that a stream's records never had, and types that a field never had. Paths and types only, never a value."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import repository
from counterfoil.ingest.records import Origin, RawVersion
from counterfoil.plugins.connector import Json

# Bounds against records whose keys are data, or somebody's idea of an attack.
DEEPEST = 8
MOST_PATHS = 2_000
MOST_CHILDREN = 60
MOST_KEYS = 500
LONGEST_KEY = 80
MOST_ELEMENTS = 20
MOST_SHAPES = 5_000
SHOWN = 5

_TYPES: dict[type[Any], str] = {
    str: "text",
    bool: "boolean",
    int: "number",
    float: "number",
    dict: "object",
    list: "list",
}


class Shape:
    """The paths of one stream's records with their types, and what is new since it was last taken.

    An object with very many different keys is a map: its children share the path ``name.*``.
    """

    def __init__(self, paths: dict[str, list[str]], *, is_settled: bool) -> None:
        self.paths = {path: set(types) for path, types in paths.items()}
        self.is_settled = is_settled
        self._children = Counter(path.rpartition(".")[0] for path in self.paths)
        # By shape: the keys to look into, with the paths below them.
        self._seen: dict[tuple[str, tuple[str, ...], tuple[type[Any], ...]], list[tuple[str, str]]] = {}
        self._appeared: dict[str, str] = {}
        self._changed: dict[str, str] = {}

    def examine(self, payload: Json) -> None:
        self._walk("", payload, DEEPEST)

    def taken(self) -> list[tuple[str, str, str]]:
        """What is new as ``(path, kind, type)``, once."""
        found = [(path, "appeared", name) for path, name in self._appeared.items()]
        found += [(path, "type_changed", name) for path, name in self._changed.items()]
        self._appeared, self._changed = {}, {}
        return found

    def _walk(self, prefix: str, value: Json, depth: int) -> None:
        # Records of one sort mostly look alike: of a shape that was seen only what is inside needs a look.
        shape = (prefix, tuple(value), tuple(map(type, value.values())))
        inside = self._seen.get(shape)
        if inside is None:
            inside = self._noted(prefix, value)
            if len(self._seen) < MOST_SHAPES:
                self._seen[shape] = inside
        if depth == 1:
            return
        for key, path in inside:
            item = value[key]
            for part in (item,) if type(item) is dict else item[:MOST_ELEMENTS]:
                if part and type(part) is dict:
                    self._walk(path, part, depth - 1)

    def _noted(self, prefix: str, value: Json) -> list[tuple[str, str]]:
        inside = []
        for key, item in islice(value.items(), MOST_KEYS):
            path, kind = self._path(prefix, key), type(item)
            self._note(path, kind)
            if kind is dict or kind is list:
                inside.append((key, path if kind is dict else f"{path}[]"))
        return inside

    def _path(self, prefix: str, key: str) -> str:
        name = _word(key)
        path = f"{prefix}.{name}" if prefix else name
        if path not in self.paths and self._children[prefix] >= MOST_CHILDREN:
            return f"{prefix}.*" if prefix else "*"
        return path

    def _note(self, path: str, kind: type[Any]) -> None:
        name = _TYPES.get(kind)
        types = self.paths.get(path)
        if types is None:
            if len(self.paths) >= MOST_PATHS:
                return
            self._children[path.rpartition(".")[0]] += 1
            self.paths[path] = {name} if name else set()
            self._appeared[path] = name or "null"
        elif name is not None and name not in types:
            # Nothing has no type: the first value that there is decides, and is no change.
            if types:
                self._changed[path] = name
            types.add(name)


class Drift:
    """The shapes of a connection's streams, read once and written only when there is something new.

    Until a stream was read to its end once, whatever it shows is simply how it is.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._shapes: dict[str, Shape] = {}

    async def examine(self, uow: UnitOfWork, stream: str, versions: Sequence[RawVersion], *, run_id: UUID) -> list[str]:
        """Look at new and changed records; what is noticed for the first time, for people, with the rest only counted."""
        present = [version for version in versions if not version.deleted]
        if not present:
            return []
        shape = await self._shape(uow, stream)
        for version in present:
            shape.examine(version.payload)
        found = shape.taken()
        if not found:
            return []
        connection_id = self._origin.connection_id
        await repository.save_schema(
            uow, connection_id, stream, {path: sorted(kinds) for path, kinds in shape.paths.items()}
        )
        if not shape.is_settled:
            return []
        fresh = await repository.add_schema_notices(uow, connection_id, stream, found, run_id=run_id)
        return _shown(fresh)

    async def _shape(self, uow: UnitOfWork, stream: str) -> Shape:
        if stream not in self._shapes:
            paths, is_settled = await repository.schema_of(uow, self._origin.connection_id, stream)
            self._shapes[stream] = Shape(paths, is_settled=is_settled)
        return self._shapes[stream]


def _shown(notices: Iterable[tuple[str, str]]) -> list[str]:
    told = [f"{path} ({name})" for path, name in notices]
    more = len(told) - SHOWN
    return [*told[:SHOWN], f"{more} more"] if more > 0 else told


def _word(key: str) -> str:
    """A key as part of a path: short, printable, without the characters paths are made of."""
    cut = key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "…"
    if cut.isidentifier():
        return cut
    return "".join(one if one.isprintable() and one not in ".[]*" else "_" for one in cut) or "_"
