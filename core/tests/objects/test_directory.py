import asyncio
import io
from pathlib import Path

import pytest

from counterfoil.objects import DirectoryStore, ObjectExists, ObjectMissing


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "objects")


async def content(store: DirectoryStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


async def test_an_object_comes_back_as_it_went_in(store: DirectoryStore) -> None:
    body = bytes(range(256)) * 4096
    await store.put("tenant/evidence/run.zip", io.BytesIO(body))

    assert await content(store, "tenant/evidence/run.zip") == body
    assert await store.exists("tenant/evidence/run.zip")
    assert await store.keys("tenant/") == ["tenant/evidence/run.zip"]
    assert await store.keys("other/") == []


async def test_an_object_is_written_only_once(store: DirectoryStore) -> None:
    outcomes = await asyncio.gather(
        *(store.put("tenant/a", io.BytesIO(bytes([n]))) for n in range(8)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(ObjectExists) == 7
    assert len(await content(store, "tenant/a")) == 1
    assert await store.keys("tenant/") == ["tenant/a"]


async def test_a_missing_object_is_missing_and_may_be_deleted(store: DirectoryStore) -> None:
    with pytest.raises(ObjectMissing):
        await content(store, "tenant/nothing")
    await store.delete("tenant/nothing")
    assert not await store.exists("tenant/nothing")


@pytest.mark.parametrize(
    "key", ["", "a", "/a/b", "a/../b", "a//b", "a/", "a/.hidden", "a/b\0", "a\\b/c", "ä/b", "a/b\n"]
)
async def test_a_key_cannot_leave_the_store(store: DirectoryStore, key: str) -> None:
    with pytest.raises(ValueError, match="not an object key"):
        await store.put(key, io.BytesIO(b""))
