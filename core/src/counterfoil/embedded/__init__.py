"""Real PostgreSQL and Valkey from package wheels, for the demo and the tests; production brings its own servers."""

from counterfoil.embedded.errors import EmbeddedError
from counterfoil.embedded.postgres import EmbeddedPostgres
from counterfoil.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedError", "EmbeddedPostgres", "EmbeddedValkey"]
