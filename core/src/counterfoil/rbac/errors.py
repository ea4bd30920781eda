"""Refusals about roles and members."""

from counterfoil.kit.errors import Conflict, InvalidInput, NotFound, PermissionDenied


class RoleNotFound(NotFound):
    code, title = "role_not_found", "There is no such role"


class UnknownRole(InvalidInput):
    code, title = "unknown_role", "There is no role of this name"


class UnknownPermission(InvalidInput):
    code, title = "unknown_permission", "There is no permission of this name"


class RoleNameTaken(Conflict):
    code, title = "role_name_taken", "A role has this name already"


class RoleInUse(Conflict):
    code, title = "role_in_use", "Somebody still has this role"


class BeyondOwnPermissions(PermissionDenied):
    code, title = "beyond_own_permissions", "You cannot give what you do not have"


class OwnersOnly(PermissionDenied):
    code, title = "owners_only", "This is for owners"


class MemberNotFound(NotFound):
    code, title = "member_not_found", "There is no such member"


class LastOwner(Conflict):
    code, title = "last_owner", "A tenant keeps at least one active owner"
    is_refusal = True
