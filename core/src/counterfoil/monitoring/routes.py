"""`/metrics`, for whoever has the installation's token: behind a proxy every address looks like our own."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.kit.errors import NotFound, Unauthenticated
from counterfoil.monitoring.figures import exposition
from counterfoil.web import provided
from counterfoil.web.problems import problem_responses

router = APIRouter(tags=["health"])

_bearer = HTTPBearer(
    auto_error=False, scheme_name="metricsToken", description="`COUNTERFOIL_METRICS_TOKEN` of the installation"
)


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_class=Response,
    responses={
        200: {"description": "Figures", "content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}},
        **problem_responses(401, 404, 500, 503),
    },
)
async def get_metrics(
    settings: Annotated[Settings, Depends(provided(Settings))],
    database: Annotated[Database, Depends(provided(Database))],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Response:
    """Requests, jobs that wait or run, the age of what is not sealed, and connections, in Prometheus' text format.

    404 where the operator set no token.
    """
    if settings.metrics_token is None:
        raise NotFound("There is no such route.")
    wanted = settings.metrics_token.get_secret_value().encode()
    if credentials is None or not hmac.compare_digest(credentials.credentials.encode(), wanted):
        raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
    return Response(await exposition(database), media_type=CONTENT_TYPE_LATEST)
