"""Sources of sample plugins."""

import json

CONNECTOR = """
from counterfoil.sdk import (
    Account, Bearer, Connector, Page, ParentCursor, Payment, Secret, Settings, TimeCursor, hookimpl, stream,
)

class PayPalSettings(Settings):
    client_secret: Secret

class PayPal(Connector):
    kind, title, base_url, settings = "paypal", "PayPal", "https://api-m.paypal.com", PayPalSettings

    async def authorize(self, http, settings):
        return Bearer("token")

    async def check(self, ctx):
        return Account(id="1")

    @stream("transactions", cursor=TimeCursor(lookback="3h"), targets=[Payment])
    async def transactions(self, ctx, window):
        yield Page(records=[])

    @transactions.rows
    def transaction_rows(raw):
        return []

@hookimpl
def register_connectors():
    return [PayPal()]
"""


def manifest(name: str, **fields: object) -> str:
    """A good manifest; JSON's strings, numbers and lists are TOML too. ``None`` leaves a field out."""
    content = {"name": name, "title": name.title(), "publisher": "Acme", "api": 1, **fields}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in content.items() if value is not None)


def model(body: str) -> str:
    """A ``models.py`` with one table, ``acme.things``, whose body is given."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"""
from uuid import UUID
from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, MetaData, Table, UniqueConstraint, Column, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from counterfoil.sdk import TenantOwned, plugin_base

Base = plugin_base("acme")

class Thing(Base):
    __tablename__ = "things"
{lines}
"""
