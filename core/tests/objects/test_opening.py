"""Which store the settings name, and what a wrong one says."""

import asyncio
import io
from pathlib import Path

import pytest
from core.tests.objects.conftest import S3Server
from pydantic import ValidationError

from counterfoil.objects import DirectoryStore, ObjectStoreUnavailable, open_store
from counterfoil.testing.plugin import make_settings


async def test_without_an_address_objects_are_kept_in_the_home(tmp_path: Path) -> None:
    store = open_store(make_settings(home=tmp_path / "home"))
    await store.put("tenant/a", io.BytesIO(b"x"))
    assert (tmp_path / "home/objects/tenant/a").read_bytes() == b"x"


async def test_a_folder_may_be_named(tmp_path: Path) -> None:
    store = open_store(make_settings(object_store_url=f"file://{tmp_path}/a%20folder"))
    assert isinstance(store, DirectoryStore)
    await store.put("tenant/a", io.BytesIO(b"x"))
    assert (tmp_path / "a folder/tenant/a").read_bytes() == b"x"


async def test_stores_of_one_bucket_are_apart_by_their_prefix(s3_server: S3Server) -> None:
    one, other = (open_store(s3_server.settings(prefix=prefix)) for prefix in ("apart/one", "apart/other"))
    whole = open_store(s3_server.settings())
    await one.put("tenant/a", io.BytesIO(b"x"))
    assert await one.keys("") == ["tenant/a"]
    assert await other.keys("") == []
    assert await whole.keys("apart/") == ["apart/one/tenant/a"]
    await asyncio.gather(one.close(), other.close(), whole.close())


@pytest.mark.parametrize("wrong", [{"object_store_secret_key": "x" * 40}, {"object_store_access_key": "nobody"}])
async def test_a_server_that_does_not_know_us_keeps_everything_to_itself(
    s3_server: S3Server, wrong: dict[str, str]
) -> None:
    known, store = open_store(s3_server.settings()), open_store(s3_server.settings(**wrong))
    await known.put(f"tenant/{len(wrong)}{next(iter(wrong))}", io.BytesIO(b"secret"))
    for attempt in (store.put("tenant/b", io.BytesIO(b"")), store.exists("tenant/b"), store.keys("tenant/")):
        with pytest.raises(ObjectStoreUnavailable) as caught:
            await attempt
        assert not any(value in str(caught.value) for value in wrong.values())
    assert not await known.exists("tenant/b")
    await asyncio.gather(known.close(), store.close())


async def test_a_server_that_is_away_is_unavailable_and_not_empty() -> None:
    away = "s3://bucket/?endpoint=http://127.0.0.1:9"
    store = open_store(make_settings(object_store_url=away, object_store_access_key="a", object_store_secret_key="b"))
    with pytest.raises(ObjectStoreUnavailable):
        await store.exists("tenant/a")
    await store.close()


@pytest.mark.parametrize("url", ["gs://bucket", "file://host/path", "/var/objects", "s3://", "file:///"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        make_settings(object_store_url=url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://bucket/?endpont=http://x", "no option endpont"),
        ("s3://bucket/?path_style=yes", "path_style is true or false"),
        ("s3:///bucket", "an object store is"),
        ("s3://key:secret@bucket/", "an object store is"),
        ("file:///objects?region=x", "an object store is"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        open_store(make_settings(object_store_url=url))


def test_half_of_the_credentials_is_refused() -> None:
    with pytest.raises(ValueError, match="go together"):
        open_store(make_settings(object_store_url="s3://bucket", object_store_access_key="a"))
