import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import require
from counterfoil.rbac.catalogue import PERMISSIONS, ROLES, Catalogue, permissions_of

ALONE = Catalogue.of(PluginManager.load(entry_points=[]))
NAMES = st.lists(st.sampled_from([*ROLES, "somebody", ""]))


def test_the_built_in_roles_are_the_documented_ones() -> None:
    assert set(ROLES) == {"owner", "admin", "finance", "ops", "developer", "readonly"}


def test_roles_hold_permissions_of_the_catalogue_only() -> None:
    assert frozenset().union(*ROLES.values()) == set(PERMISSIONS)


def test_readonly_changes_nothing() -> None:
    assert all(permission.endswith(".read") for permission in ROLES["readonly"])


@given(NAMES, NAMES)
def test_more_roles_never_permit_less(some: list[str], more: list[str]) -> None:
    assert permissions_of(some) <= permissions_of(some + more)
    assert permissions_of(some + more) == permissions_of(some) | permissions_of(more)


@given(st.text().filter(lambda name: name not in ROLES))
def test_a_role_nobody_defined_permits_nothing(name: str) -> None:
    assert permissions_of([name]) == frozenset()


@given(NAMES)
def test_without_plugins_the_catalogue_says_the_same(names: list[str]) -> None:
    assert ALONE.permissions_of(names) == permissions_of(names)


def test_a_permission_nobody_defined_cannot_guard_a_route() -> None:
    with pytest.raises(ValueError, match=r"tables\.destroy"):
        require("tables.destroy")
