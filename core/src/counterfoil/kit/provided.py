"""What a composition root hands to those who run under it, keyed by type."""

from typing import Any, TypeVar, cast

T = TypeVar("T")


class Provided:
    """A typed container: ``provided.add(database)``, then ``provided[Database]``."""

    def __init__(self) -> None:
        self._objects: dict[type[Any], object] = {}

    def add(self, thing: object, as_type: type[Any] | None = None) -> None:
        self._objects[as_type or type(thing)] = thing

    def __getitem__(self, key: type[T]) -> T:
        try:
            return cast("T", self._objects[key])
        except KeyError:
            msg = f"nothing provides {key.__name__} here"
            raise LookupError(msg) from None
