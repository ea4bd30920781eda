"""Settings in two halves, and what providers say about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from counterfoil.connections.errors import InvalidSettings
from counterfoil.connections.settings import schemas, split, validated
from counterfoil.plugins.connector import Connector, Secret, Settings
from counterfoil.testing.plugin import SignedIn


class Region(Settings):
    name: str


class VendorSettings(Settings):
    client_id: str
    client_secret: Secret = Field(min_length=3)
    webhook_secret: Secret | None = None
    region: Region = Region(name="eu")


class Vendor(Connector):
    kind = "vendor"
    title = "Vendor"
    base_url = "https://api.vendor.test"
    settings = VendorSettings


async def test_providers_say_what_they_ask_for_and_what_they_bring(signed_in: SignedIn) -> None:
    answer = await signed_in.client.get("/api/v1/connections/providers")
    assert answer.status_code == 200
    stripe = next(item for item in answer.json()["items"] if item["kind"] == "stripe")
    assert stripe["plugin"] == "stripe"
    assert stripe["available"] is True
    assert stripe["unavailable_reason"] is None
    assert set(stripe["settings_schema"]["properties"]) == {"api_base"}
    assert stripe["settings_schema"]["required"] == []
    assert set(stripe["credentials_schema"]["properties"]) == {"api_key", "webhook_secret"}
    assert stripe["credentials_schema"]["required"] == ["api_key"]
    assert stripe["credentials_schema"]["properties"]["api_key"]["x-secret"] is True
    charges = next(stream for stream in stripe["streams"] if stream["name"] == "charges")
    assert charges["targets"] == ["payments"]


def test_optional_secrets_are_credentials_too() -> None:
    plain, secret = schemas(VendorSettings)
    assert set(plain["properties"]) == {"client_id", "region"}
    assert plain["required"] == ["client_id"]
    assert set(secret["properties"]) == {"client_secret", "webhook_secret"}
    assert secret["required"] == ["client_secret"]
    assert all(schema["x-secret"] and schema["writeOnly"] for schema in secret["properties"].values())
    assert "Region" in plain["$defs"]


@given(client_id=st.text(), client_secret=st.text(min_size=3), webhook_secret=st.none() | st.text())
def test_what_is_split_is_valid_again_and_no_secret_is_in_the_plain_half(
    client_id: str, client_secret: str, webhook_secret: str | None
) -> None:
    credentials = {"client_secret": client_secret, "webhook_secret": webhook_secret}
    model = validated(Vendor(), settings={"client_id": client_id}, credentials=credentials)
    halves = split(model)
    assert halves.plain == {"client_id": client_id, "region": {"name": "eu"}}
    assert halves.credentials == {name: value for name, value in credentials.items() if value is not None}
    assert validated(Vendor(), settings=halves.plain, credentials=halves.credentials) == model


def test_nested_fields_have_dotted_paths_and_no_error_repeats_its_input() -> None:
    with pytest.raises(InvalidSettings) as caught:
        validated(
            Vendor(),
            settings={"client_id": "me", "region": {"name": 5}},
            credentials={"client_secret": "s3", "webhook_secret": ["s3cret"]},
        )
    assert {error.path for error in caught.value.errors} == {
        "settings.region.name",
        "credentials.client_secret",
        "credentials.webhook_secret",
    }
    assert "s3" not in repr([error.message for error in caught.value.errors])
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
