"""Is the process alive, and can it do its work: for supervisors and load balancers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import JSONResponse

from counterfoil.observability import get_logger
from counterfoil.web.deps import provided

Probe = Callable[[], Awaitable[object]]

router = APIRouter(prefix="/health", tags=["health"])
_TIMEOUT_S = 5.0

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReadinessProbes:
    """What has to answer before requests make sense, by name. A probe raises when it does not."""

    probes: Mapping[str, Probe]


class LiveOut(BaseModel):
    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    status: Literal["ok", "unavailable"]
    checks: dict[str, Literal["ok", "unavailable"]]


@router.get("/live", operation_id="healthLive")
async def live() -> LiveOut:
    """The process answers."""
    return LiveOut()


@router.get("/ready", operation_id="healthReady", responses={503: {"model": ReadyOut}})
async def ready(probes: Annotated[ReadinessProbes, Depends(provided(ReadinessProbes))]) -> ReadyOut:
    """What the process stands on answers too; 503 with the names of what does not."""
    checks: dict[str, Literal["ok", "unavailable"]] = {}
    for name, probe in probes.probes.items():
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await probe()
        except Exception as error:  # noqa: BLE001  (whatever a service raises, the answer is that it is not there)
            _log.warning("health.unavailable", check=name, error=str(error))
            checks[name] = "unavailable"
        else:
            checks[name] = "ok"
    status: Literal["ok", "unavailable"] = "ok" if set(checks.values()) <= {"ok"} else "unavailable"
    answer = ReadyOut(status=status, checks=checks)
    if status == "unavailable":
        return JSONResponse(answer.model_dump(), status_code=503)  # type: ignore[return-value]  # FastAPI sends a response as it is
    return answer
