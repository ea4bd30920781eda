from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.webhooks.models import WebhookReceipt


class ReceivedOut(BaseModel):
    """The event was proven and is on record. The same event again is answered alike and does nothing."""

    received: bool = True


class HintOut(BaseModel):
    stream: str
    source_id: str


class ReceiptOut(BaseModel):
    """An event the vendor has signed, and when what it hints at had been fetched."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    event_id: str
    event_type: str
    event_created_at: datetime | None
    hints: list[HintOut]
    received_at: datetime
    handled_at: datetime | None
    error: str | None = Field(description="Why what it hints at could not be fetched")
    job_id: UUID | None

    @classmethod
    def of(cls, receipt: WebhookReceipt) -> Self:
        return cls.model_validate(receipt)


class WebhooksOut(BaseModel):
    """Where the vendor is to send events, whether it can prove them, and what it has sent, newest first."""

    supported: bool = Field(description="This kind of connection understands webhooks")
    url: str | None = Field(description="The address to register with the vendor")
    secret_set: bool = Field(
        description="The credentials hold a `webhook_secret`: without, no signature can be checked"
    )
    items: list[ReceiptOut]
    next_cursor: str | None = None
