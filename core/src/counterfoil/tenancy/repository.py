from collections.abc import Mapping

from sqlalchemy import select, update

from counterfoil.db import UnitOfWork
from counterfoil.tenancy.models import Tenant


async def find(uow: UnitOfWork) -> Tenant:
    """The unit of work's own tenant, as it is now."""
    query = select(Tenant).where(Tenant.id == uow.tenant).execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).one()


async def change(uow: UnitOfWork, values: Mapping[str, str]) -> Tenant:
    await uow.session.execute(update(Tenant).where(Tenant.id == uow.tenant).values(**values))
    return await find(uow)
