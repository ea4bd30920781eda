"""`/api/v1/users/permissions` and `/api/v1/users/roles`: what can be permitted, and under which names."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from counterfoil.entitlements.plans import CUSTOM_ROLES
from counterfoil.entitlements.service import require_feature
from counterfoil.kit.errors import EntitlementRequired
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.rbac.catalogue import Catalogue
from counterfoil.rbac.errors import BeyondOwnPermissions, RoleInUse, RoleNameTaken, RoleNotFound, UnknownPermission
from counterfoil.rbac.roles import service
from counterfoil.rbac.roles.schemas import PermissionOut, RoleIn, RoleOut, RolePatch
from counterfoil.web import Page, provided
from counterfoil.web.etag import IfMatch, tag
from counterfoil.web.links import finds
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/users", tags=["users"])

Readable = Annotated[Scope, require("members.read")]
Manageable = Annotated[Scope, require("roles.manage")]
TheCatalogue = Annotated[Catalogue, Depends(provided(Catalogue))]
Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]


@router.get("/permissions", operation_id="listPermissions", responses=problem_responses(403))
async def list_permissions(scope: Readable, catalogue: TheCatalogue) -> Page[PermissionOut]:
    """Every permission there is, the product's own and those of installed plugins."""
    return Page(
        items=[
            PermissionOut(
                name=name,
                description=permission.description,
                plugin=permission.plugin,
                held=name in scope.permissions,
            )
            for name, permission in catalogue.permissions.items()
        ]
    )


@router.get("/roles", operation_id="listRoles", responses=problem_responses(403))
async def list_roles(scope: Readable, catalogue: TheCatalogue) -> Page[RoleOut]:
    """The built-in roles, then the tenant's own by name."""
    custom = [RoleOut.of(role) for role in await service.all_roles(scope.uow)]
    return Page(items=[*RoleOut.built_in_ones(catalogue), *custom])


@router.post(
    "/roles",
    operation_id="createRole",
    status_code=201,
    responses={
        **finds(201, role_id="/id"),
        **problem_responses(403, EntitlementRequired, BeyondOwnPermissions, RoleNameTaken, UnknownPermission),
    },
)
async def create_role(
    body: RoleIn, scope: Manageable, catalogue: TheCatalogue, plugins: Plugins, response: Response
) -> RoleOut:
    """Make a role of permissions that one has oneself."""
    await require_feature(scope.uow, CUSTOM_ROLES, plugins=plugins)
    role = await service.create(
        scope,
        name=body.name,
        title=body.title,
        description=body.description,
        permissions=body.permissions,
        catalogue=catalogue,
    )
    tag(response, role.role.version)
    return RoleOut.of(role)


@router.get("/roles/{role_id}", operation_id="getRole", responses=problem_responses(403, RoleNotFound))
async def get_role(role_id: UUID, scope: Readable, response: Response) -> RoleOut:
    """One of the tenant's own roles, with its ETag."""
    role = await service.get(scope.uow, role_id)
    tag(response, role.role.version)
    return RoleOut.of(role)


@router.patch(
    "/roles/{role_id}",
    operation_id="updateRole",
    responses=problem_responses(403, EntitlementRequired, BeyondOwnPermissions, RoleNotFound, UnknownPermission),
)
async def update_role(
    *,
    role_id: UUID,
    body: RolePatch,
    scope: Manageable,
    catalogue: TheCatalogue,
    plugins: Plugins,
    response: Response,
    if_match: IfMatch = None,
) -> RoleOut:
    """Change a role; whoever has it has the change from their next request on. Only what one has oneself can be added."""
    await require_feature(scope.uow, CUSTOM_ROLES, plugins=plugins)
    role = await service.update(
        scope,
        role_id,
        title=body.title,
        description=body.description,
        permissions=body.permissions,
        if_match=if_match,
        catalogue=catalogue,
    )
    tag(response, role.role.version)
    return RoleOut.of(role)


@router.delete(
    "/roles/{role_id}",
    operation_id="deleteRole",
    status_code=204,
    responses=problem_responses(403, RoleNotFound, RoleInUse),
)
async def delete_role(role_id: UUID, scope: Manageable, if_match: IfMatch = None) -> None:
    """Delete a role that nobody has; 409 says how many members and service keys still have it."""
    await service.delete(scope, role_id, if_match=if_match)
