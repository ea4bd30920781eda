"""What every store promises, asked of a folder and of a real S3 server."""

import asyncio
import gc
import hashlib
import io
import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from counterfoil.kit.clock import utc_now
from counterfoil.objects import DirectoryStore, ObjectExists, ObjectMissing, ObjectStore
from counterfoil.objects.s3 import S3Store

BIG = secrets.token_bytes(20_000_000)


async def content(store: ObjectStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 4096], ids=["empty", "one byte", "a megabyte"])
async def test_an_object_comes_back_as_it_went_in(store: ObjectStore, body: bytes) -> None:
    await store.put("tenant/evidence/run.zip", io.BytesIO(body))

    assert await content(store, "tenant/evidence/run.zip") == body
    assert await store.exists("tenant/evidence/run.zip")
    assert await store.keys("tenant/") == ["tenant/evidence/run.zip"]
    assert await store.keys("other/") == []


async def test_a_big_object_is_written_and_read_in_pieces(store: ObjectStore) -> None:
    await store.put("tenant/big", io.BytesIO(BIG))

    digest, sizes = hashlib.sha256(), []
    async for chunk in store.read("tenant/big"):
        digest.update(chunk)
        sizes.append(len(chunk))
    assert digest.digest() == hashlib.sha256(BIG).digest()
    assert max(sizes) <= 256 * 1024
    assert await store.keys("tenant/") == ["tenant/big"]


async def test_of_writers_at_once_one_wins(store: ObjectStore) -> None:
    """Small objects: the S3 server of these tests looks at the condition of an upload in parts without a lock."""
    outcomes = await asyncio.gather(
        *(store.put("tenant/a", io.BytesIO(bytes([n]))) for n in range(4)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(ObjectExists) == 3, outcomes
    assert await content(store, "tenant/a") == bytes([outcomes.index(None)])


@pytest.mark.parametrize("size", [1, 17_000_000], ids=["small", "big"])
async def test_an_object_is_written_only_once(store: ObjectStore, size: int) -> None:
    await store.put("tenant/a", io.BytesIO(b"a" * size))
    with pytest.raises(ObjectExists):
        await store.put("tenant/a", io.BytesIO(b"later" * size))
    assert await content(store, "tenant/a") == b"a" * size
    assert await store.keys("tenant/") == ["tenant/a"]


async def test_a_file_that_breaks_off_leaves_nothing(store: ObjectStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 17_000_000:
                raise RuntimeError
            return super().read(size)

    with pytest.raises(RuntimeError):
        await store.put("tenant/a", Broken(BIG))
    assert await store.keys("") == []
    await store.put("tenant/a", io.BytesIO(b"whole"))
    assert await content(store, "tenant/a") == b"whole"


async def test_a_missing_object_is_missing_and_may_be_deleted(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        await content(store, "tenant/nothing")
    await store.delete("tenant/nothing")
    assert not await store.exists("tenant/nothing")


async def test_a_deleted_object_is_gone_and_its_neighbours_stay(store: ObjectStore) -> None:
    for name in ("a", "ab", "b"):
        await store.put(f"tenant/{name}", io.BytesIO(b"x"))
    await store.delete("tenant/a")
    assert not await store.exists("tenant/a")
    assert await store.keys("tenant/") == ["tenant/ab", "tenant/b"]


async def test_a_long_list_is_complete_and_in_order(store: ObjectStore) -> None:
    names = sorted(f"tenant/{n % 7}/{n:05}" for n in range(1100))
    for start in range(0, len(names), 50):
        await asyncio.gather(*(store.put(name, io.BytesIO(b"")) for name in names[start : start + 50]))
    assert await store.keys("tenant/") == names
    assert await store.keys("tenant/3/0001") == [name for name in names if name.startswith("tenant/3/0001")]


async def test_an_upload_whose_process_was_killed_is_dropped_once_it_is_old(store: ObjectStore, tmp_path: Path) -> None:
    await store.put("tenant/evidence/whole", io.BytesIO(b"x"))
    if isinstance(store, S3Store):
        bucket, key = store._bucket, store._prefix + "tenant/evidence/half"  # noqa: SLF001  (as a process that was killed leaves it)
        store._client.create_multipart_upload(Bucket=bucket, Key=key)  # noqa: SLF001  (same)
    else:
        (tmp_path / "objects/tenant/evidence/.part-half").write_bytes(b"x")
    now = utc_now()
    assert await store.drop_unfinished("tenant/", before=now - timedelta(hours=1)) == 0
    assert await store.drop_unfinished("other/", before=now + timedelta(hours=1)) == 0
    assert await store.drop_unfinished("tenant/", before=now + timedelta(hours=1)) == 1
    assert await store.drop_unfinished("tenant/", before=now + timedelta(hours=1)) == 0
    assert await store.keys("tenant/") == ["tenant/evidence/whole"]


async def test_a_reader_may_leave_in_the_middle(store: ObjectStore) -> None:
    await store.put("tenant/big", io.BytesIO(BIG))
    for _ in range(30):
        reader = store.read("tenant/big")
        assert await anext(reader)
        await reader.aclose()  # type: ignore[attr-defined]  # every store's reader is a generator
    assert await store.exists("tenant/big")


async def test_a_reader_that_is_cancelled_leaves_no_file_open(tmp_path: Path) -> None:
    """A cancelled task does not stop the thread that works for it: what that opens later, nobody would close."""
    store = DirectoryStore(tmp_path)
    await store.put("tenant/a", io.BytesIO(b"a" * 1_000_000))
    for wait in range(60):
        reading = [asyncio.create_task(content(store, "tenant/a")) for _ in range(10)]
        for _ in range(wait % 6):
            await asyncio.sleep(0)
        for one in reading:
            one.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    assert await content(store, "tenant/a") == b"a" * 1_000_000
    gc.collect()


@pytest.mark.parametrize(
    "key", ["", "a", "/a/b", "a/../b", "a//b", "a/", "a/.hidden", "a/b\0", "a\\b/c", "ä/b", "a/b\n"]
)
async def test_a_key_cannot_leave_the_store(store: ObjectStore, key: str) -> None:
    for use in (store.exists(key), store.delete(key), content(store, key), store.put(key, io.BytesIO(b""))):
        with pytest.raises(ValueError, match="not an object key"):
            await use


@pytest.mark.parametrize("prefix", ["/", "../", "a/../../b", "a\0"])
async def test_a_list_cannot_leave_the_store(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="not the beginning of an object key"):
        await store.keys(prefix)
