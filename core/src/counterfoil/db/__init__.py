"""PostgreSQL: base models, tenant-scoped units of work, row-level security, migrations, bulk upsert."""

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps, plugin_base
from counterfoil.db.database import Database, UnitOfWork

__all__ = ["CoreBase", "Database", "TenantOwned", "Timestamps", "UnitOfWork", "plugin_base"]
