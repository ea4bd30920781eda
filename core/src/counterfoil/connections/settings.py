"""One model of settings per connector, seen from outside as two: plain settings, and credentials that are never shown."""

from dataclasses import dataclass, field

from pydantic import ValidationError

from counterfoil.connections.errors import InvalidSettings
from counterfoil.kit.errors import FieldError
from counterfoil.plugins.connector import Connector, Json, Settings

SETTINGS, CREDENTIALS = "settings", "credentials"


@dataclass(frozen=True, kw_only=True)
class Split:
    """The two halves of valid settings, as JSON."""

    plain: Json
    credentials: dict[str, str] = field(repr=False)


def validated(connector: Connector, *, settings: Json, credentials: Json) -> Settings:
    """Both halves, put together and checked.

    Raises:
        InvalidSettings: with one error per wrong field, as in ``credentials.api_key``.
    """
    model = connector.settings
    secret = model.secret_fields()
    misplaced = [
        FieldError(path=f"{half}.{name}", message=f"This belongs into {other}.")
        for half, other, names in (
            (SETTINGS, CREDENTIALS, secret & settings.keys()),
            (CREDENTIALS, SETTINGS, (model.model_fields.keys() - secret) & credentials.keys()),
        )
        for name in sorted(names)
    ]
    if misplaced:
        raise InvalidSettings("Some settings are in the wrong half.", errors=misplaced)
    try:
        return model.model_validate({**settings, **credentials})
    except ValidationError as error:
        found = [
            FieldError(path=_path(one["loc"], secret | credentials.keys()), message=str(one["msg"]))
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    # Outside of the handler, so that the error that quotes the input is not chained to this one.
    raise InvalidSettings("Some settings are not right.", errors=found)


def split(settings: Settings) -> Split:
    secret = settings.secret_fields()
    values = ((name, getattr(settings, name)) for name in sorted(secret))
    return Split(
        plain=settings.model_dump(mode="json", exclude=set(secret)),
        credentials={name: value.get_secret_value() for name, value in values if value is not None},
    )


def schemas(model: type[Settings]) -> tuple[Json, Json]:
    """JSON Schemas of the plain and of the secret half; each field of the latter carries ``x-secret``."""
    whole = model.model_json_schema()
    secret = model.secret_fields()
    properties: dict[str, Json] = whole.get("properties", {})
    marked = {name: {**schema, "writeOnly": True, "x-secret": True} for name, schema in properties.items()}
    plain_half = _half(whole, {name: schema for name, schema in properties.items() if name not in secret})
    return plain_half, _half(whole, {name: schema for name, schema in marked.items() if name in secret})


def _half(whole: Json, properties: Json) -> Json:
    required = [name for name in whole.get("required", []) if name in properties]
    shared = {"$defs": whole["$defs"]} if "$defs" in whole else {}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **shared}


def _path(location: tuple[int | str, ...], credentials: frozenset[str]) -> str:
    if not location:
        return SETTINGS
    half = CREDENTIALS if location[0] in credentials else SETTINGS
    return ".".join([half, *map(str, location)])
