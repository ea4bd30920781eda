"""Whatever is done to a pack is found, and found where it was done."""

import io
import json
import random
import struct
import zipfile
from typing import Any

import pytest
from core.tests.evidence.packs import Member, Pack, zipped
from core.tests.evidence.sealed import KEY, OTHER, TENANT, audited, event
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.evidence import layout
from counterfoil.evidence.container import Container, Tampered
from counterfoil.evidence.layout import encode
from counterfoil.evidence.verify import Report, verify
from counterfoil.kit.signing import SealKey

FILES = {
    "README.txt": b"how to check\n" * 20,
    "canonical/payments.csv": b"id,amount\n1,2.50\n" * 40,
    "raw/charges.jsonl": b'{"id": "ch_1", "amount": 250}\n' * 60,
    **audited([event("core.job.requested", 10), event("core.job.finished", 12), event("core.job.cancelled", 30)]),
    "counts.json": b"{}\n",
}


def signed(files: dict[str, bytes], key: SealKey = KEY, **changes: Any) -> bytes:
    """A pack as the writer makes them, of any content."""
    import hashlib  # noqa: PLC0415  (used once)

    manifest = {
        "format": layout.FORMAT,
        "job": {"id": "j", "title": "Sync"},
        "tenant": {"id": str(TENANT), "name": "Acme"},
        "as_of": "2026-11-23T00:00:00+00:00",
        "signing": {"algorithm": "Ed25519", "key_id": key.key_id, "public_key": key.public_key},
        "files": [
            {"path": path, "sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            for path, body in files.items()
        ],
        **changes,
    }
    body = encode(manifest)
    return zipped([*files.items(), (layout.MANIFEST, body), (layout.SIGNATURE, key.sign(body))])


PACK = Pack(content=signed(FILES), public_key=KEY.public_key, public_key_pem=KEY.public_key_pem)


def named(report: Report) -> set[tuple[str, str]]:
    return {(finding.file, finding.code) for finding in report.findings}


def test_what_nobody_touched_is_intact() -> None:
    report = PACK.verify()
    assert (report.verdict, report.findings, report.exit_code) == ("intact", [], 0)
    assert (report.key_id, report.files_checked) == (KEY.key_id, len(FILES))
    assert (report.audit.sealed, report.audit.unsealed, report.audit.unproven) == (2, 1, 0)


async def test_so_is_a_pack_from_the_job_that_makes_them(pack: Pack) -> None:
    report = pack.verify()
    assert (report.verdict, report.findings) == ("intact", [])
    assert report.files_checked == len(pack.members) - 2
    assert (report.audit.sealed, report.audit.unsealed) == (len(pack.lines("audit.jsonl")), 0)


def test_without_a_key_nobody_can_tell_who_signed_it() -> None:
    report = verify(io.BytesIO(PACK.content))
    assert (report.verdict, report.findings, report.exit_code) == ("unconfirmed", [], 2)


def test_any_of_several_keys_will_do() -> None:
    report = verify(io.BytesIO(PACK.content), [OTHER.public_key, KEY.public_key])
    assert report.verdict == "intact"


# -- by somebody who can write zips, but not sign ----------------------------------------------------------------------


@given(st.sampled_from([*FILES, layout.MANIFEST, layout.SIGNATURE]), st.integers(0), st.integers(1, 255))
def test_any_flipped_byte_of_any_file_is_found_and_named(name: str, position: int, bits: int) -> None:
    body = bytearray(PACK.members[name])
    if not body:
        body = bytearray(b"x")
    else:
        body[position % len(body)] ^= bits
    report = PACK.verify(PACK.rebuilt(lambda members: members | {name: bytes(body)}))
    assert report.verdict == "changed"
    # A manifest and a signature that do not fit together do not tell which of them it was.
    blamed = layout.MANIFEST if name == layout.SIGNATURE else name
    assert blamed in {finding.file for finding in report.findings}
    if name in FILES:
        assert named(report) == {(name, "changed")}


@given(st.sampled_from([*FILES, layout.MANIFEST, layout.SIGNATURE]))
def test_a_file_that_was_taken_out_is_missing(name: str) -> None:
    report = PACK.verify(PACK.rebuilt(lambda members: {key: body for key, body in members.items() if key != name}))
    assert report.verdict == "changed"
    assert (name, "missing") in named(report)


@given(st.sampled_from(["more.csv", "raw/more.jsonl", "raw/charges.csv"]), st.binary(max_size=50), st.integers(0, 7))
def test_a_file_that_was_put_in_is_extra(name: str, body: bytes, at: int) -> None:
    def put_in(members: dict[str, bytes]) -> list[Member]:
        kept = list(members.items())
        return [*kept[:at], (name, body), *kept[at:]]

    assert named(PACK.verify(PACK.rebuilt(put_in))) == {(name, "extra")}


@given(st.sampled_from(list(FILES)))
def test_a_renamed_file_is_missing_and_extra(name: str) -> None:
    def rename(members: dict[str, bytes]) -> list[Member]:
        return [("renamed.csv" if key == name else key, body) for key, body in members.items()]

    assert named(PACK.verify(PACK.rebuilt(rename))) == {(name, "missing"), ("renamed.csv", "extra")}


@given(st.lists(st.sampled_from(list(FILES)), min_size=2, max_size=2, unique=True))
def test_swapped_files_are_both_changed(names: list[str]) -> None:
    one, other = names

    def swap(members: dict[str, bytes]) -> dict[str, bytes]:
        return members | {one: members[other], other: members[one]}

    assert named(PACK.verify(PACK.rebuilt(swap))) == {(one, "changed"), (other, "changed")}


def test_a_pack_signed_anew_by_somebody_else_is_not_ours() -> None:
    forged = FILES | {"canonical/payments.csv": b"id,amount\n1,999\n"}
    report = PACK.verify(signed(forged, OTHER))
    assert (report.verdict, named(report)) == ("changed", {(layout.MANIFEST, "unknown_key")})
    claims_ours = {"algorithm": "Ed25519", "key_id": KEY.key_id, "public_key": KEY.public_key}
    assert named(PACK.verify(signed(forged, OTHER, signing=claims_ours))) == {(layout.MANIFEST, "signature")}
    mixed = {"algorithm": "Ed25519", "key_id": KEY.key_id, "public_key": OTHER.public_key}
    assert PACK.verify(signed(forged, OTHER, signing=mixed)).verdict == "changed"
    assert verify(io.BytesIO(signed(forged, OTHER))).verdict == "unconfirmed"


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"[]", b"null", b"{}", b"\xff", b'{"files": []}', b"[" * 100_000,
        encode({"format": "other/9", "files": [], "signing": {"key_id": KEY.key_id, "public_key": KEY.public_key}}),
        encode({"format": layout.FORMAT, "files": [{"path": "../x", "sha256": "", "size": 1}],
                "signing": {"key_id": KEY.key_id, "public_key": KEY.public_key}}),
        encode({"format": layout.FORMAT, "files": [1], "signing": {"key_id": 1, "public_key": 2}}),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_changed_even_when_signed(manifest: bytes) -> None:
    forged = zipped([(layout.MANIFEST, manifest), (layout.SIGNATURE, KEY.sign(manifest))])
    assert (layout.MANIFEST, "changed") in named(PACK.verify(forged))


# -- by somebody who edits the archive's bytes -------------------------------------------------------------------------


def contents(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_any_flipped_byte_of_the_archive_itself_is_found() -> None:
    chosen = random.Random(7)  # noqa: S311  (a choice of bits)
    unfound = []
    for position in range(len(PACK.content)):
        changed = bytearray(PACK.content)
        changed[position] ^= 1 << chosen.randrange(8)
        if PACK.verify(bytes(changed)).verdict not in ("changed", "unreadable"):
            unfound.append((position, bytes(changed)))
    # The bits that fill up the last byte of compressed data mean nothing: what unpacks is the same to the byte.
    assert all(contents(changed) == PACK.members for _, changed in unfound)
    assert len(unfound) <= len(PACK.members)


@given(st.integers(0, len(PACK.content) - 1))
@settings(max_examples=200)
def test_a_pack_that_was_cut_off_is_never_intact(length: int) -> None:
    assert PACK.verify(PACK.content[:length]).exit_code != 0


@given(st.binary(min_size=1, max_size=64))
def test_what_was_appended_or_put_in_front_is_found(more: bytes) -> None:
    assert PACK.verify(PACK.content + more).verdict == "changed"
    assert PACK.verify(more + PACK.content).exit_code != 0


def test_a_comment_is_found() -> None:
    file = io.BytesIO(PACK.content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"trust me"
    assert PACK.verify(file.getvalue()).verdict == "changed"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_found() -> None:
    def twice(members: dict[str, bytes]) -> list[Member]:
        return [*members.items(), ("counts.json", b'{"forged": true}')]

    assert named(PACK.verify(PACK.rebuilt(twice))) == {("counts.json", "duplicate")}
    assert named(PACK.verify(PACK.rebuilt(lambda members: members | {"COUNTS.json": b""}))) == {
        ("COUNTS.json", "duplicate")
    }


@pytest.mark.parametrize(
    "name",
    [
        "../x.csv",
        "/etc/x.csv",
        "raw/../x.csv",
        "raw\\x.csv",
        "C:x.csv",
        "raw/",
        ".x.csv",
        "a/b/c.csv",
        "ü.csv",
        "x\x1b[2J.csv",
    ],
)
def test_a_name_that_leads_elsewhere_is_found(name: str) -> None:
    report = PACK.verify(PACK.rebuilt(lambda members: [*members.items(), (name, b"")]))
    assert report.verdict == "changed"
    assert all(finding.file.isprintable() for finding in report.findings)


@pytest.mark.parametrize(
    "attributes", [0o120777 << 16, 0o040700 << 16, 0o104755 << 16, 0], ids=["link", "folder", "setuid", "none"]
)
def test_a_file_of_another_kind_is_found(attributes: int) -> None:
    def prepare(info: zipfile.ZipInfo) -> None:
        if info.filename == "counts.json":
            info.external_attr = attributes or 1

    assert named(PACK.verify(zipped(list(PACK.members.items()), prepare=prepare))) == {("counts.json", "header")}


def test_a_header_that_tells_another_story_than_the_directory_is_found() -> None:
    changed = bytearray(PACK.content)
    at = changed.index(b"counts.json")
    changed[at : at + 6] = b"forged"
    assert named(PACK.verify(bytes(changed))) == {("counts.json", "header")}


def test_data_between_two_files_is_found() -> None:
    """A file only the headers know: some programs unpack it, and the directory does not name it."""
    whole = PACK.content
    hidden = zipped([("hidden.csv", b"x" * 100)])
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    end = whole.rindex(b"PK\x05\x06")
    directory_at = struct.unpack_from("<L", whole, end + 16)[0]
    smuggled = bytearray(whole[:directory_at] + hidden + whole[directory_at:])
    struct.pack_into("<L", smuggled, end + len(hidden) + 16, directory_at + len(hidden))
    assert "hidden.csv" not in contents(bytes(smuggled))
    assert (layout.SIGNATURE, "container") in named(PACK.verify(bytes(smuggled)))


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = zipped([("bomb.csv", b"\0" * 50_000_000)])
    bomb = bomb.replace(struct.pack("<Q", 50_000_000), struct.pack("<Q", 50_000_000_000))
    at = bomb.index(b"PK\x01\x02")
    changed = bytearray(bomb)
    struct.pack_into("<L", changed, at + 24, 4_000_000_000)
    assert named(PACK.verify(bytes(changed))) == {("archive", "too_big")}


def test_a_file_that_unpacks_to_more_than_it_says_is_stopped() -> None:
    said, real = bytes(5), bytes(10_000_000)
    members = contents(signed(FILES | {"x.csv": said})) | {"x.csv": real}
    changed = bytearray(zipped(list(members.items())))
    for width in ("<Q", "<L"):
        at = changed.rindex(struct.pack(width, len(real)))
        struct.pack_into(width, changed, at, len(said))
    container = Container(io.BytesIO(changed))
    at = next(at for at, member in enumerate(container.members) if member.name == "x.csv")
    unpacked = 0
    with pytest.raises(Tampered):
        for chunk in container.read(container.members[at], following=container.members[at + 1]):
            unpacked += len(chunk)
    assert unpacked < 300_000
    assert named(PACK.verify(bytes(changed))) == {("x.csv", "changed")}


def test_an_archive_too_large_for_the_short_form_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 300)
    large = signed(FILES)
    assert b"PK\x06\x06" in large
    assert b"PK\x06\x06" not in PACK.content
    assert PACK.verify(large).verdict == "intact"
    for position in range(large.index(b"PK\x01\x02"), len(large)):
        changed = bytearray(large)
        changed[position] ^= 1
        assert PACK.verify(bytes(changed)).verdict == "changed", position


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", bytes(1000)])
def test_what_is_no_archive_is_unreadable(content: bytes) -> None:
    report = PACK.verify(content)
    assert (report.verdict, report.exit_code) == ("unreadable", 2)


@given(st.binary(max_size=400).map(lambda tail: b"PK\x03\x04" + tail))
def test_no_bytes_make_the_checker_fall_over(content: bytes) -> None:
    assert PACK.verify(content).exit_code != 0


@given(st.lists(st.tuples(st.integers(0, len(PACK.content) - 1), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=300)
def test_no_edit_makes_the_checker_fall_over(edits: list[tuple[int, int]]) -> None:
    changed = bytearray(PACK.content)
    for position, value in edits:
        changed[position] = value
    report = PACK.verify(bytes(changed))
    json.dumps([finding.detail for finding in report.findings])
    if report.exit_code == 0:
        assert contents(bytes(changed)) == PACK.members
