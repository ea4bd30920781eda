"""`/api/v1/api-keys`: keys of one's own, and those of services."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.entitlements.plans import API_KEYS, KEYS
from counterfoil.entitlements.quotas import require_quota
from counterfoil.entitlements.service import require_feature
from counterfoil.identity.api_keys import service
from counterfoil.identity.api_keys.errors import ApiKeyInvalid, ApiKeyIsOver, ApiKeyNotFound, NotYourApiKey
from counterfoil.identity.api_keys.schemas import ApiKeyIn, ApiKeyMade, ApiKeyOut, ApiKeyPatch
from counterfoil.kit.errors import EntitlementRequired
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.rbac.catalogue import Catalogue
from counterfoil.rbac.errors import BeyondOwnPermissions, OwnersOnly, UnknownPermission, UnknownRole
from counterfoil.web import Listing, Page, encode_cursor, provided
from counterfoil.web.links import finds
from counterfoil.web.pagination import id_of, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/api-keys", tags=["api keys"])

Own = Annotated[Scope, require("api_keys.own")]
OwnSecret = Annotated[Scope, require("api_keys.own", secret_answer=True)]
TheCatalogue = Annotated[Catalogue, Depends(provided(Catalogue))]
Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]


@router.get("", operation_id="listApiKeys", responses={**finds(200, key_id="/items/0/id"), **problem_responses(403)})
async def list_api_keys(scope: Own, page: Annotated[Listing, Depends(listing)]) -> Page[ApiKeyOut]:
    """One's own keys, oldest first, or everybody's with `api_keys.manage`. Those that have ended stay listed."""
    found = await service.page(scope, after=id_of(page.cursor), limit=page.limit + 1)
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[ApiKeyOut.of(key) for key in shown], next_cursor=encode_cursor(str(shown[-1].id)) if more else None
    )


@router.post(
    "",
    operation_id="createApiKey",
    status_code=201,
    responses={
        **finds(201, key_id="/id"),
        **problem_responses(
            403,
            EntitlementRequired,
            QuotaExceeded,
            OwnersOnly,
            BeyondOwnPermissions,
            ApiKeyInvalid,
            UnknownRole,
            UnknownPermission,
        ),
    },
)
async def create_api_key(body: ApiKeyIn, scope: OwnSecret, catalogue: TheCatalogue, plugins: Plugins) -> ApiKeyMade:
    """Make a key, of one's own or, with `api_keys.manage`, for a service. The answer shows it, and nothing ever again."""
    await require_feature(scope.uow, API_KEYS, plugins=plugins)
    await require_quota(scope.uow, KEYS)
    row, key = await service.create(
        scope,
        kind=body.kind,
        name=body.name,
        scopes=body.scopes,
        roles=body.roles,
        expires_at=body.expires_at,
        catalogue=catalogue,
    )
    return ApiKeyMade.with_key(row, key)


@router.patch("/{key_id}", operation_id="renameApiKey", responses=problem_responses(403, ApiKeyNotFound))
async def rename_api_key(key_id: UUID, body: ApiKeyPatch, scope: Own) -> ApiKeyOut:
    """Give a key another name. What it may do is settled when it is made."""
    return ApiKeyOut.of(await service.rename(scope, key_id, body.name))


@router.post(
    "/{key_id}/rotate",
    operation_id="rotateApiKey",
    responses=problem_responses(403, NotYourApiKey, OwnersOnly, BeyondOwnPermissions, ApiKeyNotFound, ApiKeyIsOver),
)
async def rotate_api_key(key_id: UUID, scope: OwnSecret, catalogue: TheCatalogue) -> ApiKeyMade:
    """Give the key another secret, shown now and never again; the old one is refused at once."""
    row, key = await service.rotate(scope, key_id, catalogue=catalogue)
    return ApiKeyMade.with_key(row, key)


@router.delete(
    "/{key_id}", operation_id="revokeApiKey", status_code=204, responses=problem_responses(403, ApiKeyNotFound)
)
async def revoke_api_key(key_id: UUID, scope: Own) -> None:
    """End a key for good."""
    await service.revoke(scope, key_id)
