"""A third party's plugin that breaks a rule contributes nothing, says why, and leaves everybody else alone."""

from pathlib import Path

import pytest

from counterfoil.db.base import CoreBase
from counterfoil.testing.plugins import write_distribution

from .conftest import Load
from .samples import CONNECTOR, manifest, model

MANIFESTS = {
    "no manifest": ("", "there is no plugin.toml in the package 'acme_acme'"),
    "not TOML": ("name = \n", "reading its manifest failed: TOMLDecodeError: Invalid value (at line 1"),
    "no publisher": (manifest("acme", publisher=None), "publisher: Field required"),
    "unknown field": (manifest("acme", hooks="x"), "hooks: Extra inputs are not permitted"),
    "two lines in a title": (manifest("acme", title="a\nb"), "title: String should match pattern"),
    "later API": (manifest("acme", api=2, news="x"), "it is made for plugin API 2; this version supports [1]"),
    "API as text": (manifest("acme", api="1"), "api: Input should be a valid integer"),
    "another name": (manifest("other"), "its entry point is called 'acme', its manifest says 'other'"),
    "reserved namespace": (manifest("acme", namespaces=["core"]), "namespaces.0: Value error, 'core' is reserved"),
    "foreign offer": (manifest("acme", offers=["stripe.sync"]), "names stripe.sync, outside the namespace 'acme'"),
    "link to elsewhere": (
        manifest("acme") + '[[navigation]]\ntitle = "x"\npath = "https://acme.com"\n',
        "navigation.0.path: String should match pattern",
    ),
    "link to another host": (
        manifest("acme") + '[[navigation]]\ntitle = "x"\npath = "//acme/com"\n',
        "navigation.0.path: String should match pattern",
    ),
    "foreign permission": (
        manifest("acme") + '[permissions]\n"connections.read" = "x"\n',
        "names connections.read, outside the namespace 'acme'",
    ),
    "foreign feature": (
        manifest("acme") + '[features]\n"stripe.sync" = { plans = ["pro"] }\n',
        "features.stripe.sync.[key]: String should match pattern",
    ),
    "host with a scheme": (manifest("acme", hosts=["https://acme.com"]), "hosts.0: String should match pattern"),
}
HOOKS = {
    "import fails": ("import nothing_of_that_name\n", "loading acme_acme.hooks failed: ModuleNotFoundError: No module"),
    "import exits": ("raise SystemExit('bye')\n", "loading acme_acme.hooks failed: SystemExit: bye"),
    "unknown hook": (
        "from counterfoil.sdk import hookimpl\n@hookimpl\ndef register_wonders(): ...\n",
        "unknown hook 'register_wonders'",
    ),
    "unknown argument": (
        "from counterfoil.sdk import hookimpl\n@hookimpl\ndef register_connectors(app): ...\n",
        "failed: PluginValidationError",
    ),
    "wrapper": (
        "from counterfoil.sdk import hookimpl\n@hookimpl(wrapper=True)\ndef register_connectors():\n    return (yield)\n",
        "register_connectors() is a wrapper",
    ),
    "hook fails": (CONNECTOR.replace("return [PayPal()]", "raise OSError('disk')"), "failed: OSError: disk"),
    "hook returns nothing": (CONNECTOR.replace("return [PayPal()]", "pass"), "'NoneType' object is not iterable"),
    "a class, not an instance": (CONNECTOR.replace("[PayPal()]", "[PayPal]"), "is not an instance of Connector"),
    "kind of others": (CONNECTOR.replace('"paypal"', '"stripe"'), "kind 'stripe' is outside the namespace 'acme'"),
    "kind that only begins alike": (CONNECTOR.replace('"paypal"', '"acmeister"'), "is outside the namespace"),
    "the same kind twice": (
        CONNECTOR.replace('"paypal"', '"acme"').replace("[PayPal()]", "[PayPal(), PayPal()]"),
        "its connector kind 'acme' is claimed twice, also by itself",
    ),
}
CONNECTORS = {
    "no settings": (
        '"https://api-m.paypal.com", PayPalSettings',
        '"https://api-m.paypal.com", dict',
        "has no settings",
    ),
    "no check": ("async def check", "async def ckeck", "has no check() of its own"),
    "no authorize": ("async def authorize", "async def authorise", "has no authorize() of its own"),
    "settings without a schema": (
        "client_secret: Secret",
        "call: __import__('typing').Callable",
        "connectors failed: Pydantic",
    ),
    "no stream": ("@transactions.rows", "transactions = None", "'acme' has no stream"),
    "no second half": ("    @transactions.rows\n", "", "has no second half: add @transactions.rows"),
    "name in capitals": ('"transactions"', '"Transactions"', "a name is one lower-case word"),
    "pages that never yield": ("yield Page(records=[])", "return", "'transactions' of connector 'acme' never yields"),
    "no targets": ("targets=[Payment]", "targets=[]", "targets has to name canonical rows"),
    "targets of another kind": ("targets=[Payment]", "targets=[Payment, dict]", "targets has to name canonical rows"),
    "version 0": ("targets=[Payment]", "targets=[Payment], version=0", "versions begin at 1"),
    "no duration": ('lookback="3h"', 'lookback="three hours"', "not a duration: 'three hours'"),
    "no duration of the horizon": ('lookback="3h"', 'horizon="a month"', "not a duration: 'a month'"),
    "no slice": ('lookback="3h"', "slices=0", "at least one slice is read at a time"),
    "tells of nothing there is": (
        "targets=[Payment]",
        'targets=[], tells_of=["refunds"]',
        "tells of refunds, which the connector does not have",
    ),
    "open without a way to look again": (
        "    @transactions.rows",
        "    @transactions.open\n    def is_open(raw):\n        return True\n\n    @transactions.rows",
        "add @transactions.fetch",
    ),
    "no cursor": ('TimeCursor(lookback="3h")', "None", "the cursor has to be a TimeCursor or a ParentCursor"),
    "unknown parent": ('TimeCursor(lookback="3h")', 'ParentCursor(stream="x")', "there is no parent stream 'x'"),
    "its own parent": (
        'TimeCursor(lookback="3h")',
        'ParentCursor(stream="transactions")',
        "its parents lead back to 'transactions'",
    ),
    "one name for two streams": (
        "@hookimpl",
        "    @stream('transactions', cursor=TimeCursor(), targets=[Payment])\n    async def more(*a):\n        yield\n\n@hookimpl",
        "is declared more than once",
    ),
}
KEY = "tenant_id: Mapped[UUID] = mapped_column(primary_key=True)\n"
MODELS = {
    "no tenant": ("id: Mapped[UUID] = mapped_column(primary_key=True)", "table acme.things needs a column tenant_id"),
    "tenant may be null": (
        "id: Mapped[UUID] = mapped_column(primary_key=True)\ntenant_id: Mapped[UUID | None]",
        "needs a column tenant_id, uuid NOT NULL",
    ),
    "tenant is text": ("tenant_id: Mapped[str] = mapped_column(primary_key=True)", "needs a column tenant_id"),
    "tenant second in the key": (
        "id: Mapped[UUID] = mapped_column(primary_key=True)\n" + KEY,
        "a PrimaryKeyConstraint does not begin with tenant_id",
    ),
    "unique across tenants": (
        KEY + "email: Mapped[str] = mapped_column(unique=True)",
        "a UniqueConstraint does not begin",
    ),
    "index across tenants": (KEY + "email: Mapped[str] = mapped_column(index=True)", "things_email_idx does not begin"),
    "index of an expression": (
        KEY + "email: Mapped[str]\n__table_args__ = (Index('lowered', __import__('sqlalchemy').text('lower(email)')),)",
        "the index lowered does not begin with tenant_id",
    ),
    "reference without the tenant": (
        KEY + "connection_id: Mapped[UUID] = mapped_column(ForeignKey('core.connections.id'))",
        "a ForeignKeyConstraint does not begin with tenant_id",
    ),
    "reference to users": (
        KEY + "user_id: Mapped[UUID]\n__table_args__ = (ForeignKeyConstraint(['tenant_id', 'user_id'], "
        "['core.users.tenant_id', 'core.users.id']),)",
        "may not reference core.users by tenant_id, id",
    ),
    "reference to another plugin": (
        KEY + "other: Mapped[UUID]\n__table_args__ = (ForeignKeyConstraint(['tenant_id', 'other'], "
        "['stripe.things.tenant_id', 'stripe.things.id']),)",
        "may not reference stripe.things",
    ),
    "foreign schema": (KEY + "__table_args__ = {'schema': 'core'}", "table core.things is outside the plugin's schema"),
    "loose table": (
        KEY + "__table_args__ = {}\n__loose__ = Table('loose', Base.metadata, Column('id', Uuid), schema='public')",
        "table public.loose is outside the plugin's schema 'acme'",
    ),
}


def refused(load: Load, name: str = "acme") -> str:
    """The reason the plugin is in quarantine, after seeing that nothing else suffered."""
    plugins = load()
    acme, stripe = plugins.find(name), plugins.find("stripe")
    assert stripe is not None
    assert stripe.status == "active"
    assert list(plugins.connectors) == ["stripe"]
    assert acme is not None
    assert acme.status == "quarantined"
    assert acme not in plugins.active
    assert acme.connectors == []
    assert plugins.lineages == []
    assert acme.reason is not None
    return acme.reason


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_plugin_is_refused_for_its_manifest(name: str, site: Path, load: Load) -> None:
    content, reason = MANIFESTS[name]
    write_distribution(site, "acme", {"migrations/versions/.keep": ""}, manifest=content)

    assert reason in refused(load)


@pytest.mark.parametrize("reserved", ["core", "public", "pg_catalog", "information_schema"])
def test_a_plugin_cannot_claim_a_reserved_name(reserved: str, site: Path, load: Load) -> None:
    write_distribution(site, reserved, {}, distribution="acme-plugin")

    plugin = load().find(reserved)

    assert plugin is not None
    assert plugin.reason == f"plugin.toml is not valid: name: Value error, {reserved!r} is reserved"


@pytest.mark.parametrize("name", HOOKS)
def test_a_plugin_is_refused_for_its_hooks(name: str, site: Path, load: Load) -> None:
    source, reason = HOOKS[name]
    write_distribution(site, "acme", {"hooks.py": source})

    assert reason in refused(load)


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_plugin_is_refused_for_its_connector(name: str, site: Path, load: Load) -> None:
    before, after, reason = CONNECTORS[name]
    source = CONNECTOR.replace('"paypal"', '"acme"')
    assert before in source
    write_distribution(site, "acme", {"hooks.py": source.replace(before, after)})

    assert reason in refused(load)


@pytest.mark.parametrize("name", MODELS)
def test_a_plugin_is_refused_for_its_models(name: str, site: Path, load: Load) -> None:
    body, reason = MODELS[name]
    write_distribution(site, "acme", {"models.py": model(body)})

    assert reason in refused(load)


def test_a_plugin_cannot_put_a_model_on_cores_base(site: Path, load: Load) -> None:
    source = """
        from counterfoil.db import CoreBase, TenantOwned

        class Planted(TenantOwned, CoreBase):
            __tablename__ = "planted"
    """
    # Under a name of its own: the mapping stays until the garbage collector comes by.
    write_distribution(site, "planter", {"models.py": source})

    try:
        assert refused(load, "planter") == "model Planted stands on core's base: use plugin_base('planter')"
    finally:
        CoreBase.metadata.remove(CoreBase.metadata.tables["core.planted"])


def test_models_that_keep_the_rules_are_welcome(site: Path, load: Load) -> None:
    source = """
        from uuid import UUID
        from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
        from sqlalchemy.orm import Mapped, mapped_column
        from counterfoil.sdk import TenantOwned, Timestamps, plugin_base

        Base = plugin_base("acme")

        class Shelf(TenantOwned, Timestamps, Base):
            __tablename__ = "shelves"
            connection_id: Mapped[UUID]
            name: Mapped[str]
            __table_args__ = (
                UniqueConstraint("tenant_id", "name"),
                Index(None, "tenant_id", "connection_id"),
                ForeignKeyConstraint(["tenant_id"], ["core.tenants.id"]),
                ForeignKeyConstraint(["tenant_id", "connection_id"], ["core.connections.tenant_id", "core.connections.id"]),
            )

        class Book(TenantOwned, Base):
            __tablename__ = "books"
            shelf_id: Mapped[UUID]
            __table_args__ = (ForeignKeyConstraint(["tenant_id", "shelf_id"], ["acme.shelves.tenant_id", "acme.shelves.id"]),)
    """
    write_distribution(site, "acme", {"models.py": source})

    acme = load().find("acme")

    assert acme is not None
    assert (acme.status, acme.reason) == ("active", None)
