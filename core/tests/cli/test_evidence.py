"""`counterfoil evidence`: a pack is checked with nothing but the file and a key."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from core.tests.evidence.sealed import KEY, OTHER
from core.tests.evidence.test_verify import FILES, PACK, signed

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    path.write_bytes(PACK.content)
    return path


def test_an_intact_pack_is_told_apart_from_one_nobody_vouches_for(counterfoil: Command, pack: Path) -> None:
    done = counterfoil("evidence", "verify", str(pack), "--public-key", KEY.public_key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("INTACT")
    assert "Sync, job j, of Acme" in done.stdout
    assert "audit events: 2 in signed seals, 1 too young for one when the pack was made" in done.stdout
    done = counterfoil("evidence", "verify", str(pack))
    assert done.returncode == 2
    assert done.stdout.startswith("UNCONFIRMED")


def test_a_key_may_be_a_file_and_given_more_than_once(counterfoil: Command, pack: Path) -> None:
    pem = pack.with_name("key.pem")
    pem.write_text(KEY.public_key_pem)
    done = counterfoil("evidence", "verify", str(pack), "--public-key", OTHER.public_key, "--public-key", str(pem))
    assert done.returncode == 0, done.stdout


def test_a_change_is_named_in_words_and_as_json(counterfoil: Command, pack: Path) -> None:
    pack.write_bytes(PACK.rebuilt(lambda members: members | {"canonical/payments.csv": b"id,amount\n"}))
    done = counterfoil("evidence", "verify", str(pack), "--public-key", KEY.public_key)
    assert done.returncode == 1
    assert "canonical/payments.csv: its content is not what the manifest says (changed)" in done.stdout
    done = counterfoil("evidence", "verify", str(pack), "--public-key", KEY.public_key, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["verdict"] == "changed"
    assert [(finding["file"], finding["code"]) for finding in report["findings"]] == [
        ("canonical/payments.csv", "changed")
    ]


def test_a_pack_of_another_installation_is_not_taken_for_ours(counterfoil: Command, pack: Path) -> None:
    pack.write_bytes(signed(FILES, OTHER))
    done = counterfoil("evidence", "verify", str(pack), "--public-key", KEY.public_key)
    assert done.returncode == 1
    assert "unknown_key" in done.stdout


def test_what_cannot_be_checked_is_not_called_changed(counterfoil: Command, tmp_path: Path) -> None:
    for path in (tmp_path / "absent.zip", tmp_path):
        done = counterfoil("evidence", "verify", str(path), "--public-key", KEY.public_key, "--json")
        assert (done.returncode, json.loads(done.stdout)["verdict"]) == (2, "unreadable")


def test_a_key_that_is_none_is_refused(counterfoil: Command, pack: Path) -> None:
    done = counterfoil("evidence", "verify", str(pack), "--public-key", "nonsense")
    assert done.returncode == 1
    assert "--public-key nonsense" in done.stderr


def test_the_key_is_shown_in_both_forms_and_never_the_secret(counterfoil: Command) -> None:
    secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    done = counterfoil("evidence", "key", COUNTERFOIL_SEAL_KEY=secret)
    assert done.stdout.splitlines() == [KEY.public_key, f"key id {KEY.key_id}"]
    assert counterfoil("evidence", "key", "--pem", COUNTERFOIL_SEAL_KEY=secret).stdout == KEY.public_key_pem
    former = {"COUNTERFOIL_SEAL_KEY": secret, "COUNTERFOIL_FORMER_SEAL_KEYS": OTHER.public_key}
    assert counterfoil("evidence", "key", **former).stdout.splitlines()[2:] == [
        OTHER.public_key, f"key id {OTHER.key_id}, of earlier packs",
    ]  # fmt: skip
    wrong = counterfoil("evidence", "key", COUNTERFOIL_SEAL_KEY="c2VjcmV0")
    assert wrong.returncode == 1
    assert "c2VjcmV0" not in wrong.stderr + wrong.stdout


def test_a_demo_has_a_key_of_its_own_that_stays_the_same(counterfoil: Command, home_path: Path) -> None:
    first = counterfoil("evidence", "key", COUNTERFOIL_ENVIRONMENT="demo")
    assert first.returncode == 0, first.stderr
    assert counterfoil("evidence", "key", COUNTERFOIL_ENVIRONMENT="demo").stdout == first.stdout
    assert (home_path / "secrets/demo.json").stat().st_mode & 0o777 == 0o600
