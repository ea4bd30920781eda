"""Server-sent events (WHATWG HTML 9.2): one format for jobs, chat and logs."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.responses import StreamingResponse

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b": keep-alive\n\n"


def event(name: str, data: Any, *, event_id: str | int | None = None) -> bytes:
    """One event; ``data`` is anything JSON, pydantic models already dumped."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(data, default=str) + b"\n\n"


def content(*names: str) -> dict[str, Any]:
    """For a route's OpenAPI entry: the schema is of one event, as OpenAPI 3.2 has it."""
    properties = {
        "id": {"type": "string", "description": "Sent back as `Last-Event-ID`, it resumes the stream"},
        "event": {"type": "string", "enum": list(names)},
        "data": {"type": "string", "contentMediaType": "application/json"},
    }
    return {MEDIA_TYPE: {"schema": {"type": "object", "properties": properties, "required": ["event", "data"]}}}


def stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(
        events, media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )
