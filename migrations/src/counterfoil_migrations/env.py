"""The Alembic environment of every lineage; the runner hands it an open connection and the schema."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    target_metadata=None,
    version_table=config.attributes["version_table"],
    version_table_schema=config.attributes["schema"],
)
with context.begin_transaction():
    context.run_migrations()
