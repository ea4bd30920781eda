"""Permissions by name, core's and the plugins', and the built-in roles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from counterfoil.plugins.manager import PluginManager

PERMISSIONS = {
    "tenant.read": "See the tenant, its plan and its usage",
    "tenant.manage": "Change the tenant's name, time zone and currency",
    "members.read": "See who else is a member, and the roles there are",
    "members.manage": "Invite, disable and remove members, and give and take their roles",
    "roles.manage": "Create, change and delete custom roles",
    "api_keys.own": "Make and manage API keys of one's own",
    "api_keys.manage": "Make and manage service keys, and see and revoke everybody's keys",
    "plugins.read": "See the plugins and whether they are enabled",
    "plugins.manage": "Enable, disable and set up plugins",
    "connections.read": "See connections and their streams",
    "connections.manage": "Create, change and delete connections and their credentials",
    "connections.sync": "Start syncs and replays",
    "jobs.read": "See jobs and their logs",
    "jobs.cancel": "Cancel jobs",
    "jobs.run": "Start jobs that ask for no other permission, and run finished ones again",
    "tables.read": "See synced data and where it came from",
    "audit.read": "See the audit log",
    "evidence.read": "See and download evidence packs",
    "evidence.create": "Make evidence packs of finished syncs",
}


def _word(permission: str) -> str:
    return permission.partition(".")[0]


_WORDS = frozenset(_word(name) for name in PERMISSIONS)
OWNER = "owner"
# Whatever there is, plugins' permissions included.
_ALMIGHTY = (OWNER, "admin")
_EVERYTHING = frozenset(PERMISSIONS)
_LOOK = frozenset({"tenant.read", "members.read", "plugins.read", "connections.read", "jobs.read", "tables.read"})
_RUN = frozenset({"connections.sync", "jobs.cancel", "jobs.run", "api_keys.own"})

ROLES: dict[str, frozenset[str]] = {
    **dict.fromkeys(_ALMIGHTY, _EVERYTHING),
    "finance": _LOOK | _RUN | {"audit.read", "evidence.read", "evidence.create"},
    "ops": _LOOK | _RUN | {"connections.manage", "audit.read"},
    "developer": _LOOK | _RUN | {"connections.manage"},
    "readonly": _LOOK,
}
ROLE_TITLES = {
    OWNER: "Everything, and the only one who makes other owners",
    "admin": "Everything but the owners",
    "finance": "Sees everything, runs syncs and reads the audit log",
    "ops": "Sees everything, runs syncs and looks after connections and the audit log",
    "developer": "Sees everything, runs syncs and looks after connections",
    "readonly": "Sees data, changes nothing",
}


@dataclass(frozen=True, kw_only=True)
class Permission:
    """What it lets its holder do; ``plugin`` is None for core's own."""

    name: str
    description: str
    plugin: str | None = None


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All permissions of this process, and what each built-in role holds of them."""

    permissions: Mapping[str, Permission]
    roles: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, plugins: PluginManager) -> Self:
        """Core's permissions and those of every plugin that is fit to run, whichever tenant has enabled it.

        A plugin whose permissions would pass for core's is quarantined.
        """
        for plugin in plugins.active:
            if taken := sorted(name for name in plugin.manifest.permissions if _word(name) in _WORDS):
                plugins.quarantine(plugin, f"its permission {taken[0]!r} begins like one of core's")
        permissions = {name: Permission(name=name, description=text) for name, text in PERMISSIONS.items()}
        roles = dict(ROLES)
        for plugin in plugins.active:
            for name, entry in plugin.manifest.permissions.items():
                permissions[name] = Permission(name=name, description=entry.description, plugin=plugin.name)
                for role in (*_ALMIGHTY, *entry.roles):
                    roles[role] |= {name}
        return cls(permissions=permissions, roles=roles)

    def permissions_of(self, roles: Iterable[str], *, custom: Iterable[str] = ()) -> frozenset[str]:
        """What built-in roles hold, and of what custom roles hold that which still means something."""
        held = frozenset().union(*(self.roles.get(role, frozenset()) for role in roles))
        return held | self.permissions.keys() & frozenset(custom)


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """What built-in roles hold of core's permissions; a role nobody defined holds none."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def require_known(permission: str) -> None:
    """Refuse a misspelt permission of core's. A plugin's is in its manifest, or nobody ever holds it.

    Raises:
        ValueError: it begins with a word of core's, and is not in the catalogue.
    """
    if permission not in PERMISSIONS and _word(permission) in _WORDS:
        raise ValueError(f"no such permission: {permission!r}")
