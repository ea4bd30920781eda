"""Settings of the whole test run."""

from hypothesis import settings

# No deadlines: on a busy machine they fail tests that are right. No database: a run leaves nothing behind.
settings.register_profile("counterfoil", deadline=None, database=None)
settings.load_profile("counterfoil")
