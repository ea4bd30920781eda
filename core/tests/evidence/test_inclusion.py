"""Events that are not what was sealed are found, also by whom the pack's own signature would deceive."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from core.tests.evidence.conftest import Desk
from core.tests.evidence.packs import Pack
from core.tests.evidence.sealed import KEY, OTHER, STRANGERS, audited, event, public, seal
from core.tests.evidence.test_verify import FILES, PACK, named, signed
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.audit.seals import SealKeys
from counterfoil.evidence import layout
from counterfoil.evidence.layout import encode
from counterfoil.evidence.verify import Report

Change = Callable[[dict[str, Any]], object]
AUDIT, PROOFS = (layout.AUDIT, "audit"), (layout.PROOFS, "audit")


def verify(**files: bytes) -> Report:
    """Somebody with the key of packs has put other files in and signed anew."""
    names = {"audit": layout.AUDIT, "proofs": layout.PROOFS}
    return PACK.verify(signed(FILES | {names[name]: content for name, content in files.items()}))


def with_proofs(change: Change) -> Report:
    document = json.loads(FILES[layout.PROOFS])
    change(document)
    return verify(proofs=encode(document))


def test_a_changed_event_does_not_lead_to_its_seal() -> None:
    assert named(verify(audit=FILES[layout.AUDIT].replace(b"requested", b"denied"))) == {AUDIT}
    # The third is in no seal: nothing but the manifest vouches for it.
    assert named(verify(audit=FILES[layout.AUDIT].replace(b"cancelled", b"forgotten"))) == set()


def test_an_event_that_was_left_out_put_in_or_moved_is_found() -> None:
    lines = FILES[layout.AUDIT].splitlines(keepends=True)
    for changed in (lines[1:], lines[:2], [lines[1], lines[0], lines[2]], [*lines, lines[2]], []):
        assert verify(audit=b"".join(changed)).verdict == "changed"


def test_an_event_cannot_pass_for_one_that_was_not_sealed_yet() -> None:
    def deny(document: dict[str, Any]) -> None:
        document["events"][0] |= {"seal": None, "leaf_index": None, "path": None}

    report = with_proofs(deny)
    assert named(report) == {AUDIT}
    assert "has to be in seal 5" in report.findings[0].detail


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof.update(leaf_index=3),
        lambda proof: proof.update(leaf_index=-1),
        lambda proof: proof.update(leaf_index=99),
        lambda proof: proof.update(leaf_index="1"),
        lambda proof: proof.update(path=[]),
        lambda proof: proof["path"].pop(),
        lambda proof: proof["path"].reverse(),
        lambda proof: proof["path"][0].update(digest="00" * 32),
        lambda proof: proof["path"][0].update(digest="xx"),
        lambda proof: proof["path"][0].update(side="right"),
        lambda proof: proof.update(seal=6),
        lambda proof: proof.update(seal=None),
        lambda proof: proof.update(transaction_id="11"),
        lambda proof: proof.update(epoch="1"),
        lambda proof: proof.update(id="nobody"),
        lambda proof: proof.pop("path"),
    ],
)
def test_a_proof_of_another_place_proves_nothing(change: Change) -> None:
    assert named(with_proofs(lambda document: change(document["events"][0]))) == {AUDIT}


@pytest.mark.parametrize(
    "change",
    [
        lambda seal: seal.update(signature="00" * 64),
        lambda seal: seal.update(signature="00"),
        lambda seal: seal.update(hash="00" * 32),
        lambda seal: seal.update(sequence=6),
        lambda seal: seal.update(key_id=OTHER.key_id),
        lambda seal: seal.update(statement=seal["statement"].replace('"event_count":5', '"event_count":6')),
        lambda seal: seal.update(statement=seal["statement"].replace("audit seal", "audit archive")),
        lambda seal: seal.update(statement=seal["statement"].replace(",", ", ")),
        lambda seal: seal.update(statement="{}"),
    ],
)
def test_a_seal_that_was_touched_is_no_seal(change: Change) -> None:
    report = with_proofs(lambda document: change(document["seals"][0]))
    assert PROOFS in named(report)
    assert report.audit.sealed == 0


def test_a_root_over_other_events_has_to_be_signed() -> None:
    """Whoever can sign packs, but not seals, makes a tree of their own."""
    forged = audited([event("core.job.requested", 10)], OTHER)
    files = {"audit": forged[layout.AUDIT], "proofs": forged[layout.PROOFS]}
    # The pack's signer vouches for the keys it names; a pack that names none has only those that were given.
    assert named(verify(**files)) == set()
    nameless = json.loads(files["proofs"]) | {"keys": []}
    assert PROOFS in named(verify(audit=files["audit"], proofs=encode(nameless)))
    claimed = nameless | {"seals": [public(seal(STRANGERS, OTHER)) | {"key_id": KEY.key_id}]}
    assert PROOFS in named(verify(audit=files["audit"], proofs=encode(claimed)))


def test_a_seal_of_another_tenant_is_none_of_ours() -> None:
    tenant = {"id": "00000000-0000-7000-8000-000000000002", "name": "Other"}
    assert PROOFS in named(PACK.verify(signed(FILES, tenant=tenant)))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_proofs_make_the_checker_fall_over(document: Any) -> None:
    assert named(verify(proofs=json.dumps(document).encode())) == {PROOFS}
    whole = {"events": [document] * 3, "seals": [document], "keys": []}
    assert verify(proofs=json.dumps(whole).encode()).verdict == "changed"


@pytest.mark.parametrize("name", [layout.AUDIT, layout.PROOFS])
def test_no_pack_is_without_its_events_and_their_proofs(name: str) -> None:
    files = {path: content for path, content in FILES.items() if path != name}
    assert named(PACK.verify(signed(files))) == {(name, "missing")}


async def test_a_real_pack_leads_to_the_seals_in_the_log(desk: Desk, pack: Pack) -> None:
    """The same as the log itself gives for each event."""
    proofs = json.loads(pack.members[layout.PROOFS])
    seals = {seal["sequence"]: seal for seal in proofs["seals"]}
    lines = pack.members[layout.AUDIT].decode().splitlines()
    assert len(lines) == len(proofs["events"]) == 2
    for line, proof in zip(lines, proofs["events"], strict=True):
        answer = await desk.session.client.get(f"/api/v1/audit-events/{proof['id']}")
        shown = answer.json()["proof"]
        assert (line, proof["path"]) == (shown["line"], shown["path"])
        mine = seals[proof["seal"]]
        assert mine == {name: shown["seal"][name] for name in mine}
    assert proofs["keys"] == [{"id": mine["key_id"], "public_key": desk.provided[SealKeys].signing.public_key}]


async def test_an_event_changed_in_the_database_cannot_be_proven(desk: Desk, admin: Any) -> None:
    job_id = await desk.sync("things")
    await desk.seal()
    await admin.execute("ALTER TABLE core.audit_events DISABLE TRIGGER USER")
    try:
        await admin.execute(
            "UPDATE core.audit_events SET actor_label = 'nobody' WHERE resource_id = $1"
            " AND action = 'core.job.requested'",
            str(job_id),
        )
    finally:
        await admin.execute("ALTER TABLE core.audit_events ENABLE TRIGGER USER")
    report = (await desk.evidence(job_id)).verify()
    assert (report.verdict, report.exit_code, report.findings) == ("unconfirmed", 2, [])
    assert report.audit.unproven > 0
