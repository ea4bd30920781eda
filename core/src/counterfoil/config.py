"""Settings, read once from the environment by the composition roots."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_LEAST_RETENTION_DAYS = 31


def _for_ever_or_a_month(days: int) -> int:
    if 0 < days < _LEAST_RETENTION_DAYS:
        raise ValueError(f"is 0 or at least {_LEAST_RETENTION_DAYS}")
    return days


def _addresses(text: str) -> str:
    for entry in filter(None, (part.strip() for part in text.split(","))):
        try:
            ip_network(entry)
        except ValueError:
            # `*` among them: whoever believes everybody believes what a caller says of itself.
            raise ValueError("lists addresses and networks, as 10.0.0.7,10.1.0.0/16") from None
    return text


class Settings(BaseSettings):
    """Everything an operator can set. Names in the environment carry ``COUNTERFOIL_`` unless an alias says otherwise."""

    model_config = SettingsConfigDict(env_prefix="COUNTERFOIL_", extra="ignore", frozen=True, populate_by_name=True)

    database_url: SecretStr = Field(
        SecretStr(""), alias="DATABASE_URL", description="PostgreSQL 18+, as the role counterfoil_app"
    )
    database_admin_url: SecretStr = Field(
        SecretStr(""),
        alias="DATABASE_ADMIN_URL",
        description="PostgreSQL, as a role that may create roles; `migrate`, `doctor` and `tenant` only",
    )
    redis_url: SecretStr = Field(SecretStr(""), alias="REDIS_URL", description="Redis or Valkey: job hints and caches")
    master_keys: SecretStr = Field(
        SecretStr(""), description="Comma separated Fernet keys; the first wraps, all unwrap"
    )
    jwt_keys: SecretStr = Field(
        SecretStr(""), description="Comma separated `kid:base64` HMAC keys of 32 bytes or more; the first signs"
    )
    seal_key: SecretStr = Field(
        SecretStr(""),
        description="Ed25519 key that signs seals of the audit log and evidence packs: 32 random bytes in base64, or a private key as PEM",
    )
    former_seal_keys: str = Field(
        "",
        description="Comma separated public keys, in base64, of keys that signed earlier; what they signed stays valid",
    )

    environment: Literal["demo", "production"] = Field(
        "production",
        description="With an address or a key missing, `production` refuses to start, and `demo` runs on embedded servers "
        "with secrets of its own and lets connectors reach private addresses. Otherwise they are the same",
    )
    host: str = Field("127.0.0.1", description="Address the API listens on")
    port: int = Field(8400, ge=1, le=65535, description="Port of the API and the web app")
    public_url: str = Field("", description="Origin people use, as https://books.example.com; default http://HOST:PORT")
    trusted_proxies: Annotated[str, AfterValidator(_addresses)] = Field(
        "",
        description="Comma separated addresses and networks of proxies whose `X-Forwarded-For` is believed; without any, "
        "nobody's is, and whoever comes through a proxy counts as the proxy",
    )
    home: Path = Field(Path(".counterfoil"), description="Folder of the embedded services and the demo's secrets")
    allow_private_networks: bool = Field(False, description="Let connectors reach loopback and private addresses")
    log_format: Literal["json", "console"] = Field("json", description="Shape of log lines")
    log_level: str = Field("INFO", description="Least severe level that is logged")

    access_token_ttl_s: int = Field(900, ge=60, description="Life of an access token")
    refresh_token_ttl_s: int = Field(30 * 86400, ge=3600, description="Life of a refresh token")
    refresh_family_ttl_s: int = Field(
        90 * 86400, ge=3600, description="A session ends this long after its log-in, however often it is refreshed"
    )
    login_burst: int = Field(
        100, ge=1, description="Log-ins and registrations from one address at once; after that, one per second"
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        alias="SMTP_URL",
        description="Mail server, as smtp://user:password@host:587 (STARTTLS required; ?starttls=never for a relay on a "
        "trusted network) or smtps://; without one, mail is written into the home's `mail` folder",
    )
    mail_from: str = Field("", description="Sender of mail; default no-reply@ and the host of the public URL")
    api_rate_per_minute: int = Field(
        1200,
        ge=1,
        le=60_000,
        description="Requests one caller may send for long; a tenant's callers together five times that",
    )
    api_burst: int = Field(1200, ge=1, description="Requests one caller may send at once")
    max_body_bytes: int = Field(1_000_000, ge=1024, description="Largest request body")

    export_timeout_s: int = Field(1800, ge=1, description="Longest an export may take, however slow its reader is")
    exports_at_once: int = Field(4, ge=1, description="Exports one process makes side by side, each with a connection")
    xlsx_max_rows: int = Field(
        200_000, ge=1, le=1_048_575, description="Most rows of an Excel workbook; CSV has no such limit"
    )

    metrics_token: SecretStr | None = Field(
        None,
        min_length=20,
        description="What Prometheus sends as a bearer token to read /metrics; without it there is none",
    )

    job_lease_s: float = Field(15.0, gt=0, description="A worker that is silent for this long loses its job")
    reap_interval_s: float = Field(5.0, gt=0, description="How often the ticker looks for lost jobs")
    republish_after_s: float = Field(
        30.0, gt=0, description="A published job nobody claimed is published again after this"
    )
    api_call_retention_days: int = Field(
        90, ge=30, description="How long the log of outbound requests is kept; it goes by whole months"
    )
    job_log_retention_days: int = Field(90, ge=7, description="How long the lines of jobs' logs are kept")
    worker_concurrency: int = Field(2, ge=1, description="Jobs one worker runs side by side")
    database_pool_size: int = Field(10, ge=1, description="Connections one process keeps")
    audit_retention_days: Annotated[int, AfterValidator(_for_ever_or_a_month)] = Field(
        400,
        ge=0,
        description="Audit events stay in the database for this long, whole months at a time; then they are archived in "
        "the object store. 0 keeps them for ever, anything else is at least 31",
    )

    object_store_url: str = Field(
        "",
        pattern=r"^(|file:///.+|s3://.+)$",
        description="Where files are kept: file:///folder, or s3://bucket/prefix?endpoint=https://…&region=…&path_style=true; "
        "by default the folder `objects` of the home, which every process then has to share",
    )
    object_store_access_key: SecretStr = Field(
        SecretStr(""), description="Access key for S3; without one, boto3's own search (environment, profile, role)"
    )
    object_store_secret_key: SecretStr = Field(SecretStr(""), description="Secret key for S3")
    evidence_retention_days: int = Field(
        2557,
        ge=0,
        description="An evidence pack cannot be deleted for this long, and is deleted after; seven years by default, 0 keeps "
        "it for ever",
    )
    evidence_auto: bool = Field(
        True,
        description="Make an evidence pack of every sync that landed something, or was cut short, as soon as it has ended",
    )

    @property
    def origin(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def mail_sender(self) -> str:
        return self.mail_from or f"Counterfoil <no-reply@{urlsplit(self.origin).hostname}>"
