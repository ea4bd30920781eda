"""The job behind webhooks: it asks the vendor for what pending receipts hint at."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from counterfoil.connections import service as connections
from counterfoil.ingest.control import JobControl, Source
from counterfoil.ingest.opening import WhileConnected, checked_account, opened, origin_of
from counterfoil.ingest.records import RawVersion
from counterfoil.ingest.refresh import Refresh
from counterfoil.jobs.context import JobContext
from counterfoil.plugins.connector import Hint, SourceError, SourceUnauthorized
from counterfoil.plugins.records import Outcome, Task
from counterfoil.webhooks import repository
from counterfoil.webhooks.models import WebhookReceipt
from counterfoil.webhooks.service import RefreshParams

AT_A_TIME = 100

Answers = Mapping[Hint, RawVersion | SourceError]


async def run_refresh(job: JobContext, params: RefreshParams) -> Outcome:
    """Handle every pending receipt of the connection, those that come meanwhile included."""
    connection = await opened(job, params.connection_id)
    account = connection.account or await checked_account(job, connection)
    refused: SourceUnauthorized | None = None
    async with connection.client() as context:
        source = Source(connector=connection.connector, context=context, origin=origin_of(job, connection, account))
        control = WhileConnected(job, connection.id)
        refresh = Refresh(control, source)
        await refresh.begin()
        number, after = 0, None
        while refused is None and (receipts := await _pending(control, connection.id, after)):
            number, after = number + len(receipts), receipts[-1].id
            refused = await _handle(control, refresh, receipts)
        reasons = await refresh.end()
    async with job.unit_of_work() as uow:
        await repository.forget_old(uow, connection.id)
        if refused is not None:
            await connections.record_sync(uow, connection.id, refused)
    result = {"streams": refresh.totals.by_stream, "receipts": number}
    return Outcome(status="partial" if reasons else "succeeded", result=result, reasons=reasons)


async def _pending(job: JobControl, connection_id: UUID, after: UUID | None) -> Sequence[WebhookReceipt]:
    async with job.unit_of_work() as uow:
        return await repository.pending(uow, connection_id, after=after, limit=AT_A_TIME)


async def _handle(job: JobControl, refresh: Refresh, receipts: Sequence[WebhookReceipt]) -> SourceUnauthorized | None:
    """Ask, land and close in one transaction; the vendor's refusal of the credentials, if that is what came."""
    hints = {receipt.id: [Hint(**hint) for hint in receipt.hints] for receipt in receipts}
    answers = await refresh.ask([hint for found in hints.values() for hint in found])
    async with job.unit_of_work() as uow:
        await refresh.land(uow, answers)
        endings = {receipt_id: _ending(found, answers) for receipt_id, found in hints.items()}
        closed = {receipt_id: error for receipt_id, (is_over, error) in endings.items() if is_over}
        await repository.handled(uow, closed, job_id=job.job_id)
    return next((answer for answer in answers.values() if isinstance(answer, SourceUnauthorized)), None)


def _ending(hints: Sequence[Hint], answers: Answers) -> tuple[bool, str | None]:
    """Whether a receipt is done with, and the error if that is why. What may go well later stays pending."""
    errors = [answer for hint in hints if isinstance(answer := answers.get(hint), SourceError)]
    if any(error.retryable or isinstance(error, SourceUnauthorized) for error in errors):
        return False, None
    return True, errors[0].code if errors else None


REFRESH = Task(name="core.refresh", title="Refresh after webhooks", params=RefreshParams, run=run_refresh)
TASKS = (REFRESH,)
