"""The guides name only what exists, and leave out nothing an operator needs."""

import ast
import re
from pathlib import Path

import pytest
from tests.docs import names
from tests.docs.names import DECISIONS, GUIDES, PAGES, README, REFERENCES, ROOT, of_page, spans

from counterfoil.db.base import CoreBase
from counterfoil.db.secure import GLOBAL_TABLES
from counterfoil.jobs.models import QUEUES

# What other programs read or say: their headers, their settings, their commands, and words of the vendors' own.
FOREIGN = {
    "COUNTERFOIL_PYTHON": "dev reads it, before there is a Python",
    "COUNTERFOIL_API_ORIGIN": "frontend/next.config.ts reads it",
    "missing_ok": "PostgreSQL's argument",
    "innerHTML": "the browser's",
    "eval": "the browser's",
    "lock_timeout": "Stripe's",
    "pg_stat_activity": "PostgreSQL's",
    "xact_start": "PostgreSQL's",
}
# The rest can be found in docs/reference/settings.md: few will ever have a reason to touch it.
SELDOM_SET = {
    "COUNTERFOIL_ACCESS_TOKEN_TTL_S",
    "COUNTERFOIL_REFRESH_TOKEN_TTL_S",
    "COUNTERFOIL_REFRESH_FAMILY_TTL_S",
    "COUNTERFOIL_MAX_BODY_BYTES",
    "COUNTERFOIL_JOB_LEASE_S",
    "COUNTERFOIL_REAP_INTERVAL_S",
    "COUNTERFOIL_REPUBLISH_AFTER_S",
}
ALARMING = {"warning", "error", "exception", "critical"}

each_page = pytest.mark.parametrize("page", PAGES, ids=of_page)


@pytest.mark.parametrize("page", [*PAGES, *REFERENCES], ids=of_page)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_links_every_guide() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)", README.read_text()))
    assert {path.relative_to(ROOT).as_posix() for path in GUIDES} <= linked
    assert {"docs/reference/", "docs/decisions/README.md", "plugins/stripe/README.md"} <= linked


def test_the_list_of_decisions_is_complete() -> None:
    index = ROOT / "docs/decisions/README.md"
    linked = re.findall(r"\]\((\d{4}-[a-z-]+\.md)\)", index.read_text())
    assert linked == [path.name for path in DECISIONS if path != index]


@each_page
def test_settings_exist(page: Path) -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", "\n".join([*spans(page.read_text()), *_blocks(page)])))
    assert sorted(named - names.settings().keys() - FOREIGN.keys()) == []


def test_the_readme_has_every_setting_that_matters_once() -> None:
    """As lists, so that one that is there twice is seen."""
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", README.read_text(), flags=re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"[A-Z_]+", row)]
    assert sorted(named) == sorted(names.settings().keys() - SELDOM_SET)
    assert names.settings().keys() >= SELDOM_SET


@each_page
def test_commands_and_their_options_exist(page: Path) -> None:
    lines = [*spans(page.read_text()), *(line for block in _blocks(page) for line in block.splitlines())]
    wrong = {line: found for line in lines if re.match(r"counterfoil [a-z]", line) and (found := _unknown(line))}
    assert wrong == {}


def test_every_command_an_operator_runs_is_in_the_readme() -> None:
    named = set(re.findall(r"`counterfoil ([a-z]+)", README.read_text()))
    # The others are of the demo (`./dev up`) and of those who work on the product.
    assert named == {name.split()[0] for name in names.commands()} - {"up", "reset", "simulator", "openapi"}


@each_page
def test_tasks_of_dev_exist(page: Path) -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    tasks = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} | {"web-test", "format"}
    assert set(re.findall(r"\./dev ([a-z][a-z-]*)", page.read_text())) <= tasks


@each_page
def test_queues_exist(page: Path) -> None:
    for queues in re.findall(r"--queues ([a-z,]+)", page.read_text()):
        assert set(queues.split(",")) <= set(QUEUES)


@each_page
def test_routes_exist(page: Path) -> None:
    asked = [
        one for one in spans(page.read_text()) if re.match(r"(GET|POST|PUT|PATCH|DELETE) |/(api|health|metrics)\b", one)
    ]
    assert [span for span in asked if not names.is_route(span)] == []


@each_page
def test_dotted_names_exist(page: Path) -> None:
    """Permissions, log events, audit actions, kinds of jobs, tables, columns, modules and files."""
    dotted = {span for span in spans(page.read_text()) if re.fullmatch(r"[A-Za-z_]\w*(\.[a-z_]\w*)+", span)}
    assert sorted(span for span in dotted if not names.is_dotted_name(span)) == []


@each_page
def test_files_and_folders_exist(page: Path) -> None:
    paths = {span.rstrip("/") for span in spans(page.read_text()) if re.fullmatch(r"[a-z_][\w.-]*/[\w./-]*", span)}
    # What is made while building or running.
    made = {"core/src/counterfoil/_ui", "src/lib/api-types.ts", "migrations/versions"}
    assert sorted(paths - names.files() - made) == []


@each_page
def test_words_of_the_code_exist(page: Path) -> None:
    """Columns, tables, statuses, codes, options: whatever is one word in backticks is a word of the code."""
    single = {span for span in spans(page.read_text()) if re.fullmatch(r"[a-z]\w*|[A-Z][a-z]+[A-Z]\w+", span)}
    assert sorted(single - names.words() - FOREIGN.keys()) == []


@each_page
def test_problem_codes_exist(page: Path) -> None:
    named = re.findall(r"code `([a-z_]+)`|`\d{3} ([a-z_]+)`", page.read_text())
    assert [one for pair in named for one in pair if one and not names.is_code(one)] == []


def test_every_alarm_is_explained() -> None:
    """Whatever is logged as a warning or worse is in the guide, with what to do."""
    rows = re.findall(r"^\| (`[a-z_]+\.[a-z_]+`(?:, `[a-z_.]+`)*) \|", _guide("observability"), flags=re.MULTILINE)
    explained = [event for row in rows for event in re.findall(r"`([a-z_.]+)`", row)]
    assert sorted(explained) == sorted(set(explained))
    assert set(explained) <= names.log_events().keys()
    alarming = {event for event, levels in names.log_events().items() if levels & ALARMING}
    assert sorted(alarming - set(explained)) == []


def test_every_metric_is_explained() -> None:
    metrics = re.findall(r"(?:Counter|Gauge|Histogram)\(\s*\"(counterfoil_\w+)\"", names.sources())
    named = re.findall(r"`(counterfoil_\w+)`", _guide("observability"))
    assert sorted(named) == sorted(metrics)


def test_the_keys_of_tables_are_what_the_guide_says() -> None:
    exceptions = set(re.findall(r"^- `([a-z_]+)`: `\(tenant_id, ", _guide("data-model-overview"), flags=re.MULTILINE))
    keys = {table.name: [column.name for column in table.primary_key] for table in CoreBase.metadata.tables.values()}
    others = {name for name, key in keys.items() if "tenant_id" in key and key != ["tenant_id", "id"]}
    assert exceptions == others
    assert {f"core.{name}" for name, key in keys.items() if "tenant_id" not in key} == GLOBAL_TABLES.keys()
    for name, columns in re.findall(r"^- `([a-z_]+)`: `\(([a-z_, ]+)\)`", _guide("data-model-overview"), re.MULTILINE):
        assert columns.split(", ") == keys[name], name


def test_every_dependency_has_its_reason() -> None:
    wanted = re.findall(
        r'^    "(?!counterfoil)([a-z0-9-]+)[\[>=",]', (ROOT / "core/pyproject.toml").read_text(), flags=re.MULTILINE
    )
    record = (ROOT / "docs/decisions/0010-setup-and-dependencies.md").read_text().lower()
    assert [name for name in wanted if name.replace("-", "_") in names.words() and name not in record] == []


def _guide(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text()


def _blocks(page: Path) -> list[str]:
    return re.findall(r"^```(?:sh)?\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _unknown(line: str) -> list[str]:
    return names.unknown_in_command(line)
