"""Permissions by name, and the built-in roles."""

from collections.abc import Iterable

PERMISSIONS = {
    "tenant.read": "See the tenant and its plan",
    "members.read": "See who else is a member",
    "members.manage": "Invite, disable and remove members, and give and take their roles",
    "plugins.read": "See the plugins and whether they are enabled",
    "plugins.manage": "Enable and disable plugins",
    "connections.read": "See connections and their streams",
    "connections.manage": "Create, change and delete connections and their credentials",
    "connections.sync": "Start syncs and replays",
    "jobs.read": "See jobs and their logs",
    "jobs.cancel": "Cancel jobs",
    "tables.read": "See synced data and where it came from",
    "audit.read": "See the audit log",
    "evidence.read": "See and download evidence packs",
    "evidence.create": "Make evidence packs of finished syncs",
}

_EVERYTHING = frozenset(PERMISSIONS)
_LOOK = frozenset({"tenant.read", "members.read", "plugins.read", "connections.read", "jobs.read", "tables.read"})
_RUN = frozenset({"connections.sync", "jobs.cancel"})

ROLES: dict[str, frozenset[str]] = {
    "owner": _EVERYTHING,
    "admin": _EVERYTHING,
    "finance": _LOOK | _RUN | {"audit.read", "evidence.read", "evidence.create"},
    "ops": _LOOK | _RUN | {"connections.manage", "audit.read"},
    "developer": _LOOK | _RUN | {"connections.manage"},
    "readonly": _LOOK,
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """The union of the roles' permissions; a role nobody defined holds none."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
