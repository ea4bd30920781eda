"""A tenant may use a plugin that runs, that its plan includes and that it turned on."""

from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest

from counterfoil.db import Database
from counterfoil.entitlements import service
from counterfoil.entitlements.errors import PluginDependency, PluginQuarantined
from counterfoil.kit import context
from counterfoil.kit.errors import EntitlementRequired, NotFound, PluginDisabled
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.manifest import Feature, Manifest

Connection: TypeAlias = "asyncpg.Connection[Any]"

TIERED = Manifest(
    name="recon",
    title="Recon",
    publisher="Acme",
    api=1,
    features={"match": Feature(plans=("pro", "enterprise")), "learn": Feature(plans=("enterprise",))},
)


def test_a_plan_includes_the_features_the_manifest_lists_it_for() -> None:
    assert service.feature_available("pro", TIERED, "match")
    assert not service.feature_available("pro", TIERED, "learn")
    assert not service.feature_available("pro", TIERED, "undeclared")


def test_one_feature_makes_the_plugin_available() -> None:
    assert service.plugin_available("pro", TIERED)
    assert not service.plugin_available("trial", TIERED)
    assert service.plans_needed(TIERED) == ["enterprise", "pro"]


def test_a_plugin_without_features_is_for_every_plan() -> None:
    plain = Manifest(name="plain", title="Plain", publisher="Acme", api=1)

    assert service.plugin_available("trial", plain)
    assert service.plans_needed(plain) == []


async def test_a_plugin_works_once_enabled_and_for_that_tenant_only(
    database: Database, tenant: UUID, other_tenant: UUID, plugins: PluginManager
) -> None:
    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(PluginDisabled):
            await service.require_plugin(uow, "free", plugins=plugins)
        await service.enable(uow, "free", plugins=plugins)

    async with database.unit_of_work(tenant) as uow:
        await service.require_plugin(uow, "free", plugins=plugins)
        assert await service.enabled_plugins(uow, plugins=plugins) == {"free"}
    async with database.unit_of_work(other_tenant) as uow:
        assert await service.enabled_plugins(uow, plugins=plugins) == frozenset()


async def test_disabling_takes_effect_and_enabling_again_brings_it_back(
    database: Database, tenant: UUID, plugins: PluginManager
) -> None:
    for action, expected in ((service.enable, {"free"}), (service.disable, set()), (service.enable, {"free"})):
        async with database.unit_of_work(tenant) as uow:
            await action(uow, "free", plugins=plugins)
            assert await service.enabled_plugins(uow, plugins=plugins) == expected


async def test_each_change_is_audited_once_with_who_made_it(
    database: Database, tenant: UUID, plugins: PluginManager, admin: Connection
) -> None:
    actor = context.Actor(kind="user", id="u-1", label="olive@example.com")
    with context.bound(context.current_actor, actor):
        for action in (service.enable, service.enable, service.disable, service.disable):
            async with database.unit_of_work(tenant) as uow:
                await action(uow, "free", plugins=plugins)

    events = await admin.fetch(
        "SELECT action, resource_type, resource_id, actor_id FROM core.audit_events WHERE tenant_id = $1 ORDER BY id",
        tenant,
    )
    assert [tuple(event) for event in events] == [
        ("core.plugin.enabled", "plugin", "free", "u-1"),
        ("core.plugin.disabled", "plugin", "free", "u-1"),
    ]
    state = await admin.fetchrow("SELECT enabled, enabled_by FROM core.plugin_states WHERE tenant_id = $1", tenant)
    assert state is not None
    assert tuple(state) == (False, "u-1")


async def test_a_plan_that_does_not_include_the_plugin_is_refused(
    database: Database, tenant: UUID, plugins: PluginManager
) -> None:
    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(EntitlementRequired, match="Gold needs another plan: black, gold"):
            await service.enable(uow, "gold", plugins=plugins)
        with pytest.raises(EntitlementRequired):
            await service.require_plugin(uow, "gold", plugins=plugins)


async def test_a_downgrade_takes_effect_at_once_and_an_upgrade_restores(
    database: Database, tenant: UUID, plugins: PluginManager, admin: Connection
) -> None:
    async def change_plan(plan: str) -> None:
        await admin.execute("UPDATE core.tenants SET plan = $2 WHERE id = $1", tenant, plan)

    await change_plan("gold")
    async with database.unit_of_work(tenant) as uow:
        await service.enable(uow, "gold", plugins=plugins)
    await change_plan("pro")
    async with database.unit_of_work(tenant) as uow:
        assert "gold" not in await service.enabled_plugins(uow, plugins=plugins)
        with pytest.raises(EntitlementRequired):
            await service.require_plugin(uow, "gold", plugins=plugins)
    await change_plan("black")
    async with database.unit_of_work(tenant) as uow:
        await service.require_plugin(uow, "gold", plugins=plugins)


async def test_what_a_plugin_requires_has_to_be_enabled_before_it_and_disabled_after_it(
    database: Database, tenant: UUID, plugins: PluginManager
) -> None:
    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(PluginDependency, match="Enable first what lean requires: free"):
            await service.enable(uow, "lean", plugins=plugins)
        await service.enable(uow, "free", plugins=plugins)
        await service.enable(uow, "lean", plugins=plugins)
        with pytest.raises(PluginDependency, match="Disable first what requires free: lean"):
            await service.disable(uow, "free", plugins=plugins)
        await service.disable(uow, "lean", plugins=plugins)
        await service.disable(uow, "free", plugins=plugins)


async def test_a_plugin_in_quarantine_cannot_be_enabled_and_says_why(
    database: Database, tenant: UUID, plugins: PluginManager
) -> None:
    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(PluginQuarantined, match="No module named 'nothing_of_that_name'"):
            await service.enable(uow, "broken", plugins=plugins)
        with pytest.raises(PluginDisabled):
            await service.require_plugin(uow, "broken", plugins=plugins)


async def test_an_enabled_plugin_that_later_breaks_counts_as_disabled(
    database: Database, tenant: UUID, plugins: PluginManager, admin: Connection
) -> None:
    await admin.execute(
        "INSERT INTO core.plugin_states VALUES ($1, gen_random_uuid(), 'broken', true, NULL, now())", tenant
    )

    async with database.unit_of_work(tenant) as uow:
        assert await service.enabled_plugins(uow, plugins=plugins) == frozenset()
        await service.disable(uow, "broken", plugins=plugins)

    assert not await admin.fetchval("SELECT enabled FROM core.plugin_states WHERE tenant_id = $1", tenant)


async def test_a_plugin_nobody_installed_does_not_exist(
    database: Database, tenant: UUID, plugins: PluginManager
) -> None:
    async with database.unit_of_work(tenant) as uow:
        for action in (service.enable, service.disable):
            with pytest.raises(NotFound):
                await action(uow, "nothing", plugins=plugins)
        with pytest.raises(PluginDisabled):
            await service.require_plugin(uow, "nothing", plugins=plugins)


async def test_a_new_tenant_starts_with_our_own_plugins_that_its_plan_includes(
    database: Database, tenant: UUID, other_tenant: UUID, plugins: PluginManager
) -> None:
    async with database.unit_of_work(tenant) as uow:
        await service.enable_defaults(uow, "pro", plugins=plugins)
        assert await service.enabled_plugins(uow, plugins=plugins) == {"stripe"}
    async with database.unit_of_work(other_tenant) as uow:
        await service.enable_defaults(uow, "nothing", plugins=plugins)
        assert await service.enabled_plugins(uow, plugins=plugins) == frozenset()
