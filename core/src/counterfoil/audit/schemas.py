from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from counterfoil.audit.models import AuditArchive
from counterfoil.audit.sealer import LATE_AFTER
from counterfoil.audit.seals import Seal, SealKeys
from counterfoil.audit.service import Proof
from counterfoil.audit.verification import Finding, FindingCode, Report
from counterfoil.kit.clock import utc_now

Outcome = Literal["ok", "denied", "error"]


class AuditActor(BaseModel):
    kind: str
    id: str | None
    label: str


class SealReference(BaseModel):
    """The seal an event is in."""

    sequence: int
    sealed_at: datetime


class AuditEventOut(BaseModel):
    id: UUID
    occurred_at: datetime
    category: str
    action: str
    actor: AuditActor
    resource_type: str | None
    resource_id: str | None
    outcome: Outcome
    reason: str | None
    correlation_id: UUID | None
    job_id: UUID | None
    client_ip: str | None
    payload: dict[str, Any]
    seal: SealReference | None
    """Null until the event is sealed, a second or so after its transaction."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls.model_validate(_event(row))


class MerkleStep(BaseModel):
    """A neighbour, and the side it stands on when both are hashed together."""

    side: Literal["left", "right"]
    digest: str


class SealOut(BaseModel):
    """A link of the chain. ``statement`` is exactly what was signed; ``hash`` is its SHA-256."""

    sequence: int
    event_count: int
    root: str
    previous_hash: str
    hash: str
    sealed_at: datetime
    key_id: str
    signature: str
    statement: str

    @classmethod
    def of(cls, seal: Seal) -> Self:
        return cls(
            sequence=seal.sequence,
            event_count=seal.event_count,
            root=seal.root.hex(),
            previous_hash=seal.previous_hash.hex(),
            hash=seal.hash.hex(),
            sealed_at=seal.sealed_at,
            key_id=seal.key_id,
            signature=seal.signature.hex(),
            statement=seal.statement.decode(),
        )


class InclusionProof(BaseModel):
    """How to check one event without trusting this server.

    Hash ``line`` with SHA-256, and that with a zero byte in front; then with each step in turn, a byte of one in front and the
    neighbour on its side. The result is the seal's root (RFC 6962, section 2.1), which the seal's signature vouches for.
    """

    line: str
    """The event as it was hashed."""
    path: list[MerkleStep] | None
    """Null when the events in the database are not those that were sealed: they were tampered with, or partly archived."""
    seal: SealOut


class AuditEventDetail(AuditEventOut):
    proof: InclusionProof | None
    """Null until the event is sealed."""

    @classmethod
    def of_event(cls, row: Mapping[str, Any], proof: Proof | None) -> Self:
        return cls.model_validate(_event(row) | {"proof": _proof(proof) if proof else None})


class PublicKey(BaseModel):
    """An Ed25519 key whose signatures are accepted; ``public_key`` is its 32 bytes in base64."""

    id: str
    public_key: str
    is_current: bool


class FindingOut(BaseModel):
    code: FindingCode
    detail: str
    sequence: int | None
    event_ids: list[str]

    @classmethod
    def of(cls, finding: Finding) -> Self:
        return cls(
            code=finding.code, detail=finding.detail, sequence=finding.sequence, event_ids=list(finding.event_ids)
        )


class CheckedOut(BaseModel):
    """What was looked at. ``is_whole_chain`` is false when there are older or newer seals that were not."""

    is_whole_chain: bool
    seals: int
    seals_archived: int
    """Of these the signature and the place in the chain were checked, but not the events, which have been archived."""
    events: int
    anchors: int
    archives: int
    first_sequence: int | None
    last_sequence: int | None
    sealed_from: datetime | None
    sealed_to: datetime | None


class UnsealedOut(BaseModel):
    count: int
    oldest_at: datetime | None
    oldest_age_s: float | None
    is_late: bool
    """Whether the oldest has been waiting for more than a minute."""


class VerificationOut(BaseModel):
    """The state of the chain. ``ok`` speaks of what was checked."""

    ok: bool
    findings: list[FindingOut]
    findings_left_out: int
    checked: CheckedOut
    newest_seal: SealOut | None
    unsealed: UnsealedOut
    keys: list[PublicKey]

    @classmethod
    def of(cls, report: Report, keys: SealKeys) -> Self:
        first, last = report.first, report.last
        return cls(
            ok=report.ok,
            findings=[FindingOut.of(finding) for finding in report.findings],
            findings_left_out=report.findings_left_out,
            checked=CheckedOut(
                is_whole_chain=report.is_whole,
                seals=report.seals,
                seals_archived=report.seals_archived,
                events=report.events,
                anchors=report.anchors,
                archives=report.archives,
                first_sequence=first.sequence if first else None,
                last_sequence=last.sequence if last else None,
                sealed_from=first.sealed_at if first else None,
                sealed_to=last.sealed_at if last else None,
            ),
            newest_seal=SealOut.of(report.newest) if report.newest else None,
            unsealed=_unsealed(report),
            keys=[
                PublicKey(id=key_id, public_key=key, is_current=key_id == keys.signing.key_id)
                for key_id, key in keys.public.items()
            ],
        )


class ArchiveOut(BaseModel):
    """A month in the object store; ``purged_at`` is when it left the database."""

    id: UUID
    month: date
    event_count: int
    first_sequence: int
    last_sequence: int
    manifest_key: str
    archived_at: datetime
    purged_at: datetime | None

    @classmethod
    def of(cls, archive: AuditArchive) -> Self:
        return cls.model_validate({name: getattr(archive, name) for name in cls.model_fields})


class RetentionOut(BaseModel):
    """``retention_days`` is null when events are kept for ever."""

    retention_days: int | None
    oldest_event_at: datetime | None
    archives: list[ArchiveOut]


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    sequence = row["seal_sequence"]
    return dict(row) | {
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "label": row["actor_label"]},
        "seal": None if sequence is None else {"sequence": sequence, "sealed_at": row["sealed_at"]},
    }


def _proof(proof: Proof) -> dict[str, Any]:
    steps = proof.path
    return {
        "line": proof.line,
        "path": None if steps is None else [{"side": step.side, "digest": step.digest.hex()} for step in steps],
        "seal": SealOut.of(proof.seal),
    }


def _unsealed(report: Report) -> UnsealedOut:
    oldest = report.unsealed.oldest_at
    age = utc_now() - oldest if oldest else None
    return UnsealedOut(
        count=report.unsealed.count,
        oldest_at=oldest,
        oldest_age_s=round(age.total_seconds(), 1) if age is not None else None,
        is_late=age is not None and age > LATE_AFTER,
    )
