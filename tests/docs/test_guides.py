"""The guides name only what exists."""

import re
from pathlib import Path

import pytest

from counterfoil.cli import COMMANDS
from counterfoil.config import Settings
from counterfoil.kit.errors import problem_catalogue

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
SOURCES = "\n".join(path.read_text() for path in (ROOT / "core/src").rglob("*.py"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", guide.read_text()):
        assert (guide.parent / target).exists(), target


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_settings_and_commands_it_names_exist(guide: Path) -> None:
    text = guide.read_text()
    known = {field.alias or f"COUNTERFOIL_{name.upper()}" for name, field in Settings.model_fields.items()}
    # What tests and the launcher read themselves.
    known |= {"COUNTERFOIL_PYTHON"}
    assert set(re.findall(r"\bCOUNTERFOIL_[A-Z_]+\b", text)) <= known

    named = set(re.findall(r"`counterfoil ([a-z]+)", text))
    assert named <= COMMANDS.keys()


def test_the_log_events_it_names_are_written_somewhere() -> None:
    text = (ROOT / "docs/observability.md").read_text()
    for row in re.findall(r"^\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) \|", text, flags=re.MULTILINE):
        for event in re.findall(r"`([a-z_.]+)`", row):
            assert f'"{event}"' in SOURCES, event


def test_the_problem_codes_it_names_exist() -> None:
    for guide in GUIDES:
        for code in re.findall(r"code `([a-z_]+)`", guide.read_text()):
            assert code in problem_catalogue(), (guide, code)
