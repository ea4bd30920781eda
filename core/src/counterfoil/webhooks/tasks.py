"""The job behind webhooks: it asks the vendor for what pending receipts hint at.

A receipt stays pending for as long as the job that asks for it is tried again, whatever comes meanwhile joining it. Once the
job's attempts are used up, the receipt is closed with the error, for everybody to see: the next sync brings what it hinted at,
by the vendor's events, by reading back or by asking again for what is open. Only with credentials that were refused, or
with the month's rows used up, it stays pending: the first delivery after somebody has seen to that has it asked for too. What a
job leaves that was cancelled or given up is closed by the ticker within the hour, unless a delivery has it asked for before.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from counterfoil.connections import service as connections
from counterfoil.connections.service import OpenConnection
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.ingest.control import JobControl, Source
from counterfoil.ingest.errors import ConnectionNotReady
from counterfoil.ingest.opening import WhileConnected, checked_account, opened, origin_of
from counterfoil.ingest.records import RawVersion
from counterfoil.ingest.refresh import Refresh
from counterfoil.jobs.context import JobContext
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import (
    Account,
    Hint,
    SourceError,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
)
from counterfoil.plugins.records import Outcome, Task
from counterfoil.webhooks import repository
from counterfoil.webhooks.models import WebhookReceipt
from counterfoil.webhooks.service import RefreshParams

AT_A_TIME = 100

Answers = Mapping[Hint, RawVersion | SourceError]


async def run_refresh(job: JobContext, params: RefreshParams) -> Outcome:
    """Handle every pending receipt of the connection, those that come meanwhile included."""
    began = new_id()
    connection = await opened(job, params.connection_id)
    account = connection.account or await _account(job, connection, before=began)
    async with connection.client() as context:
        source = Source(connector=connection.connector, context=context, origin=origin_of(job, connection, account))
        control = WhileConnected(job, connection.id)
        refresh = Refresh(control, source)
        await refresh.begin()
        number = await _handle_all(control, refresh, connection.id, before=began)
        reasons = await refresh.end()
    if refresh.refused is not None:
        async with job.unit_of_work() as uow:
            await connections.record_sync(uow, connection.id, refresh.refused)
    result = {"streams": refresh.totals.by_stream, "receipts": number}
    return Outcome(status="partial" if reasons else "succeeded", result=result, reasons=reasons)


async def _account(job: JobContext, connection: OpenConnection, *, before: UUID) -> Account:
    try:
        return await checked_account(job, connection)
    except (SourceError, ConnectionNotReady) as error:
        if not (isinstance(error, SourceError) and job.tries_again(error)):
            await _give_up(job, connection.id, error.code, before=before)
        raise


async def _handle_all(job: JobControl, refresh: Refresh, connection_id: UUID, *, before: UUID) -> int:
    """How many receipts were looked at."""
    number, after, outage = 0, None, None
    while not (refresh.is_over or outage) and (receipts := await _pending(job, connection_id, after)):
        try:
            outage = await _handle(job, refresh, receipts)
        except QuotaExceeded as full:
            refresh.stop(full)
        else:
            number, after = number + len(receipts), receipts[-1].id
    if outage is not None and not job.tries_again(outage):
        await _give_up(job, connection_id, outage.code, before=before)
    return number


async def _give_up(job: JobControl, connection_id: UUID, error: str, *, before: UUID) -> None:
    async with job.unit_of_work() as uow:
        await repository.give_up(uow, connection_id, error, before=before, job_id=job.job_id)


async def _pending(job: JobControl, connection_id: UUID, after: UUID | None) -> Sequence[WebhookReceipt]:
    async with job.unit_of_work() as uow:
        return await repository.pending(uow, connection_id, after=after, limit=AT_A_TIME)


async def _handle(job: JobControl, refresh: Refresh, receipts: Sequence[WebhookReceipt]) -> SourceError | None:
    """Ask, then land and close in one transaction; an error, when there was no answer at all: the rest need not be asked."""
    hints = {receipt.id: [Hint(**hint) for hint in receipt.hints] for receipt in receipts}
    answers = await refresh.ask([hint for found in hints.values() for hint in found])
    async with job.unit_of_work() as uow:
        await refresh.land(uow, answers)
        endings = {receipt_id: _ending(job, found, answers) for receipt_id, found in hints.items()}
        closed = {receipt_id: error for receipt_id, (is_over, error) in endings.items() if is_over}
        await repository.handled(uow, closed, job_id=job.job_id)
    silence = [answer for answer in answers.values() if isinstance(answer, SourceUnavailable | SourceRateLimited)]
    return silence[0] if silence and len(silence) == len(answers) else None


def _ending(job: JobControl, hints: Sequence[Hint], answers: Answers) -> tuple[bool, str | None]:
    """Whether a receipt is done with, and the error if that is why."""
    errors = [answer for hint in hints if isinstance(answer := answers.get(hint), SourceError)]
    if any(isinstance(error, SourceUnauthorized) or job.tries_again(error) for error in errors):
        return False, None
    return True, errors[0].code if errors else None


REFRESH = Task(name="core.refresh", title="Refresh after webhooks", params=RefreshParams, run=run_refresh)
TASKS = (REFRESH,)
