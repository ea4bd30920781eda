"""What revisions share. Plugins use it through the SDK."""

from alembic import op

OWNER = "counterfoil_owner"
SYSTEM = "counterfoil_system"
APP = "counterfoil_app"


def definer_function(signature: str, *, returns: str, body: str, language: str = "sql") -> None:
    """Create or replace a SECURITY DEFINER function owned by the system role, callable by the application role only.

    The search path is pinned, so that no caller can slip its own tables or operators under the function.
    """
    name = signature.split("(", 1)[0]
    arguments = _argument_types(signature)
    # Made as its owner: only the owner may replace it later.
    op.execute(f"SET LOCAL ROLE {SYSTEM}")
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {signature} RETURNS {returns}
        LANGUAGE {language} SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $body$ {body} $body$
    """)
    op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO {APP}")
    op.execute(f"SET LOCAL ROLE {OWNER}")


def _argument_types(signature: str) -> str:
    inner = signature.split("(", 1)[1].rsplit(")", 1)[0]
    return ", ".join(part.strip().split(" ", 1)[1] for part in inner.split(",") if part.strip())
