"""What import-linter cannot say: who may import edge modules, and how large things may grow."""

import graphlib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
EDGES = ("routes", "tasks", "commands", "hooks")
COMPOSITION_ROOTS = ("counterfoil.app", "counterfoil.worker", "counterfoil.cli")
LONGEST_FILE = 500
LARGEST_KERNEL = 600
# What a plugin is made of is contract, not machinery.
NOT_KERNEL = {"connector.py", "records.py"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("counterfoil", cache_dir=None)


def test_edge_modules_are_imported_by_composition_roots_and_their_own_siblings_alone(graph: grimp.ImportGraph) -> None:
    edges = [name for name in graph.modules if name.rpartition(".")[2] in EDGES]
    assert len(edges) >= 6
    for edge in edges:
        package = edge.rpartition(".")[0]
        for importer in graph.find_modules_that_directly_import(edge):
            is_root = any(importer == root or importer.startswith(f"{root}.") for root in COMPOSITION_ROOTS)
            is_sibling_edge = importer.rpartition(".")[0] == package and importer.rpartition(".")[2] in EDGES
            assert is_root or is_sibling_edge, f"{importer} imports the edge module {edge}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("counterfoil", "counterfoil_migrations", "counterfoil_stripe", cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    graphlib.TopologicalSorter(imported).prepare()  # raises CycleError, naming the modules


def _sources(*patterns: str) -> list[Path]:
    skipped = {"node_modules", ".next", "out", ".venv", "_ui"}
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return [path for path in found if not skipped & set(path.parts) and not path.name.startswith("api-types")]


def test_no_file_is_longer_than_a_person_reads() -> None:
    files = _sources(
        "core/**/*.py", "migrations/**/*.py", "plugins/**/*.py", "tests/**/*.py", "*.py", "frontend/src/**/*.ts*"
    )
    assert len(files) > 100
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_the_plugin_kernel_stays_small() -> None:
    kernel = [path for path in (ROOT / "core/src/counterfoil/plugins").glob("*.py") if path.name not in NOT_KERNEL]
    code = [line for path in kernel for line in path.read_text().splitlines() if line.strip()]
    assert len(code) <= LARGEST_KERNEL
