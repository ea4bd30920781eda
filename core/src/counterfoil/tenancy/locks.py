"""Locks within a tenant, for rules about several rows at once: the last owner, the last free place."""

from counterfoil.db import UnitOfWork


async def hold(uow: UnitOfWork, name: str) -> None:
    """Wait for, and keep to the end of the transaction, what the name stands for. What is read after it is up to date."""
    driver = await uow.driver()
    await driver.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{uow.tenant}/{name}")
