"""Wakes whoever watches a job: one LISTEN connection per process, however many streams are open."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from counterfoil.jobs.listener import listen
from counterfoil.jobs.repository import EVENTS_CHANNEL


class JobFeed:
    """Provided by the web application, closed by it at shutdown; it connects when the first watcher comes."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._watchers: dict[tuple[UUID, UUID], set[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, tenant_id: UUID, job_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the job has changed; the watcher clears it."""
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(
                listen(self._url, EVENTS_CHANNEL, self._on_notice, on_connected=self._wake_all)
            )
        changed = asyncio.Event()
        key = (tenant_id, job_id)
        self._watchers.setdefault(key, set()).add(changed)
        try:
            yield changed
        finally:
            watchers = self._watchers[key]
            watchers.discard(changed)
            if not watchers:
                del self._watchers[key]

    @property
    def watched(self) -> int:
        """How many jobs somebody watches."""
        return len(self._watchers)

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None

    def _on_notice(self, payload: str) -> None:
        tenant, _, job = payload.partition(":")
        for changed in self._watchers.get((UUID(tenant), UUID(job)), ()):
            changed.set()

    def _wake_all(self) -> None:
        for watchers in self._watchers.values():
            for changed in watchers:
                changed.set()
