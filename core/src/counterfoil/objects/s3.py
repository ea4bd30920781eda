"""Objects in a bucket of S3, or of any server that speaks it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from counterfoil.objects.store import (
    CHUNK_BYTES,
    ObjectExists,
    ObjectMissing,
    ObjectStoreUnavailable,
    Readable,
    checked_key,
    checked_prefix,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

# S3 takes at most 10,000 parts, so this bounds an object to 160 GB, and an upload's memory to one part.
PART_BYTES = 16 * 1024 * 1024
_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 60
_ATTEMPTS = 5
_CONNECTIONS = 20
_MISSING = {"NoSuchKey", "404", "NotFound"}
# The second: somebody else is writing this very key at this moment.
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


class S3Store:
    """One client for the whole process. boto3 waits for the network, so every call is made in a thread."""

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint: str | None = None,
        region: str | None = None,
        path_style: bool = False,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        """Make the client; nothing is opened yet.

        Args:
            bucket: an existing bucket.
            prefix: before every key, without slashes at its ends.
            endpoint: of a server other than Amazon's.
            region: by default boto3's own search for one.
            path_style: the bucket as part of the path, not of the host name.
            access_key: with ``secret_key``; without both boto3 looks where it always does (environment, profile, role).
            secret_key: see ``access_key``.
        """
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=_CONNECT_TIMEOUT_S,
                read_timeout=_READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=_CONNECTIONS,
                s3={"addressing_style": "path" if path_style else "auto"},
            ),
        )

    async def put(self, key: str, content: Readable) -> None:
        await asyncio.to_thread(self._put, self._name(key), content)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        name = self._name(key)
        with _answered(key):
            answer = await asyncio.to_thread(self._client.get_object, Bucket=self._bucket, Key=name)
        body = answer["Body"]
        try:
            while True:
                with _answered(key):
                    chunk = await asyncio.to_thread(body.read, CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk
        finally:
            body.close()

    async def exists(self, key: str) -> bool:
        name = self._name(key)
        try:
            with _answered(key):
                await asyncio.to_thread(self._client.head_object, Bucket=self._bucket, Key=name)
        except ObjectMissing:
            return False
        return True

    async def keys(self, prefix: str) -> list[str]:
        return await asyncio.to_thread(self._keys, checked_prefix(prefix))

    async def delete(self, key: str) -> None:
        name = self._name(key)
        with _answered(key):
            await asyncio.to_thread(self._client.delete_object, Bucket=self._bucket, Key=name)

    async def drop_unfinished(self, prefix: str, *, before: datetime) -> int:
        return await asyncio.to_thread(self._drop_unfinished, checked_prefix(prefix), before)

    async def close(self) -> None:
        await asyncio.to_thread(self._client.close)

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _put(self, name: str, content: Readable) -> None:
        with _answered(name):
            part = _whole_part(content)
            if len(part) < PART_BYTES:
                self._client.put_object(Bucket=self._bucket, Key=name, Body=part, IfNoneMatch="*")
            else:
                self._put_in_parts(name, part, content)

    def _put_in_parts(self, name: str, part: bytes, content: Readable) -> None:
        upload = self._client.create_multipart_upload(Bucket=self._bucket, Key=name)["UploadId"]
        try:
            parts: list[CompletedPartTypeDef] = []
            while part:
                number = len(parts) + 1
                answer = self._client.upload_part(
                    Bucket=self._bucket, Key=name, UploadId=upload, PartNumber=number, Body=part
                )
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
                part = _whole_part(content)
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except BaseException:
            # What was uploaded would be kept, unseen, and paid for.
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)
            raise

    def _keys(self, prefix: str) -> list[str]:
        found: list[str] = []
        with _answered(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                found.extend(item["Key"].removeprefix(self._prefix) for item in page.get("Contents", ()))
        return sorted(found)

    def _drop_unfinished(self, prefix: str, before: datetime) -> int:
        dropped = 0
        with _answered(prefix):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for upload in (one for page in pages for one in page.get("Uploads", ()) if one["Initiated"] < before):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                dropped += 1
        return dropped


def _whole_part(content: Readable) -> bytes:
    """As much as one part holds; a file may give less at a time than it was asked for."""
    part = bytearray()
    while len(part) < PART_BYTES and (chunk := content.read(min(CHUNK_BYTES, PART_BYTES - len(part)))):
        part += chunk
    return bytes(part)


@contextmanager
def _answered(key: str) -> Iterator[None]:
    """The server's refusals as the store's own errors; what it says beyond that is for the log."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING:
            raise ObjectMissing(key) from None
        if code in _TAKEN:
            raise ObjectExists(key) from None
        raise ObjectStoreUnavailable(f"The object store refused: {code}.") from error
    except BotoCoreError as error:
        raise ObjectStoreUnavailable("Try again in a moment.") from error
