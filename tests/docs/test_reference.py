"""The references say what the code says."""

import pytest
from docs.reference import FOLDER, PAGES

from counterfoil.config import Settings


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run ./dev docs"


def test_there_is_no_reference_that_nothing_makes() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PAGES)


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
