"""Settings a command can work with: an operator's own servers, or in demo mode the home's embedded ones."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from pydantic import SecretStr, ValidationError

from counterfoil.cli.errors import CommandError
from counterfoil.cli.home import APP_ROLE, DATABASE, DemoSecrets, Home
from counterfoil.cli.weaknesses import weaknesses
from counterfoil.config import Settings
from counterfoil.embedded import EmbeddedPostgres, EmbeddedValkey

# Environment variable -> field of Settings.
NEEDED = {
    "DATABASE_URL": "database_url",
    "REDIS_URL": "redis_url",
    "COUNTERFOIL_MASTER_KEYS": "master_keys",
    "COUNTERFOIL_JWT_KEYS": "jwt_keys",
    "COUNTERFOIL_SEAL_KEY": "seal_key",
}
ADMIN = {"DATABASE_ADMIN_URL": "database_admin_url"}
NEEDED_TO_MIGRATE = {"DATABASE_URL": "database_url"} | ADMIN


def missing(settings: Settings, needed: Mapping[str, str]) -> list[str]:
    """The environment variables among these that are not set."""
    return [variable for variable, name in needed.items() if not getattr(settings, name).get_secret_value()]


def read_settings() -> Settings:
    """Settings from the environment.

    Raises:
        CommandError: one has a value it cannot have.
    """
    try:
        return Settings()
    except ValidationError as error:
        # Without the input: a setting may be a secret.
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
        raise CommandError("wrong settings: " + "; ".join(wrong)) from None


@contextmanager
def usable_settings(needed: Mapping[str, str] = NEEDED) -> Iterator[Settings]:
    """Settings with every needed secret and address. In demo mode the embedded servers run for as long as the block.

    Raises:
        CommandError: in production, when something is not set, or is a secret that anybody could guess.
    """
    settings = read_settings()
    lacking = missing(settings, needed)
    if settings.environment == "production" and not lacking and (weak := weaknesses(settings, needed)):
        raise CommandError("refused in production: " + "; ".join(weak))
    with ExitStack() as stack:
        if lacking and settings.environment == "demo":
            settings = stack.enter_context(_embedded(settings))
        elif lacking:
            raise CommandError(
                f"not set: {', '.join(lacking)}. Set them in the environment, or COUNTERFOIL_ENVIRONMENT=demo "
                "to use embedded servers and the home's own secrets"
            )
        yield settings


@contextmanager
def _embedded(settings: Settings) -> Iterator[Settings]:
    home = Home(settings.home)
    home.make()
    postgres, valkey = home.postgres(), home.valkey()
    with postgres, valkey:
        postgres.ensure_database(DATABASE)
        yield demo_settings(settings, home=home, postgres=postgres, valkey=valkey)


def demo_settings(settings: Settings, *, home: Home, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> Settings:
    """The settings of a demo on these servers."""
    secrets = home.secrets()
    return settings.model_copy(
        update={
            "environment": "demo",
            "home": home.path,
            "database_url": SecretStr(postgres.url(APP_ROLE, secrets.app_password, DATABASE)),
            "database_admin_url": SecretStr(postgres.superuser_url(DATABASE)),
            "redis_url": SecretStr(valkey.url()),
            "master_keys": SecretStr(secrets.master_keys),
            "jwt_keys": SecretStr(secrets.jwt_keys),
            "seal_key": SecretStr(secrets.seal_key),
            "allow_private_networks": True,
        }
    )


def child_environment(settings: Settings) -> dict[str, str]:
    """These settings as environment variables, for `serve`, `worker` and `beat`; the admin address is not for them."""
    return {variable: getattr(settings, name).get_secret_value() for variable, name in NEEDED.items()} | {
        "COUNTERFOIL_ENVIRONMENT": settings.environment,
        "COUNTERFOIL_HOME": str(settings.home),
        "COUNTERFOIL_HOST": settings.host,
        "COUNTERFOIL_PORT": str(settings.port),
        "COUNTERFOIL_OBJECT_STORE_URL": settings.object_store_url,
        "COUNTERFOIL_OBJECT_STORE_ACCESS_KEY": settings.object_store_access_key.get_secret_value(),
        "COUNTERFOIL_OBJECT_STORE_SECRET_KEY": settings.object_store_secret_key.get_secret_value(),
        "COUNTERFOIL_ALLOW_PRIVATE_NETWORKS": str(settings.allow_private_networks).lower(),
    }


def throwaway_settings() -> Settings:
    """Settings that open nothing: enough to build the app and describe it."""
    return read_settings().model_copy(
        update={
            "database_url": SecretStr("postgresql://nobody@localhost/none"),
            "redis_url": SecretStr("redis://localhost"),
            "master_keys": SecretStr(DemoSecrets.make().master_keys),
            "jwt_keys": SecretStr(DemoSecrets.make().jwt_keys),
            "seal_key": SecretStr(DemoSecrets.make().seal_key),
        }
    )
