"""Which store the settings name."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from counterfoil.config import Settings
from counterfoil.objects.store import DirectoryStore, ObjectStore

_S3_OPTIONS = {"endpoint", "region", "path_style"}
_SWITCH = {"true": True, "false": False}


def open_store(settings: Settings) -> ObjectStore:
    """The store at ``object_store_url``; without one, a folder in the home.

    Raises:
        ValueError: the address cannot be one; nothing is asked of the store itself.
    """
    url = settings.object_store_url
    if not url:
        return DirectoryStore(settings.home.expanduser().resolve() / "objects")
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1 and not parts.query:
        return DirectoryStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc:
        return _open_s3(settings, parts.netloc, unquote(parts.path).strip("/"), dict(parse_qsl(parts.query)))
    raise ValueError("an object store is file:///folder or s3://bucket/prefix?endpoint=…&region=…&path_style=…")


def _open_s3(settings: Settings, bucket: str, prefix: str, options: dict[str, str]) -> ObjectStore:
    # Here, because its SDK takes a while to import and memory to hold, and a folder needs none of it.
    from counterfoil.objects.s3 import S3Store  # noqa: PLC0415

    if unknown := sorted(options.keys() - _S3_OPTIONS):
        raise ValueError(f"an S3 address has no option {', '.join(unknown)}")
    endpoint = options.get("endpoint")
    # Servers other than Amazon's rarely have a name for every bucket.
    path_style = options.get("path_style", "true" if endpoint else "false")
    if path_style not in _SWITCH:
        raise ValueError("path_style is true or false")
    access_key = settings.object_store_access_key.get_secret_value()
    secret_key = settings.object_store_secret_key.get_secret_value()
    if bool(access_key) != bool(secret_key):
        raise ValueError("an access key and a secret key go together")
    return S3Store(
        bucket,
        prefix=prefix,
        endpoint=endpoint,
        region=options.get("region", "us-east-1" if endpoint else None),
        path_style=_SWITCH[path_style],
        access_key=access_key or None,
        secret_key=secret_key or None,
    )
