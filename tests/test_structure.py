"""The plan of the house: every import runs down the floors, lazy ones counted, and no file is a hall."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A package or module may import what stands on its own line's left, or on any line above.
FLOORS = """
errors records
files paths tokens registry messages seals interrupts terminal
fingerprint
params
grading equilibrium
prompts
benchmarks
llm
progress simulation
methods
bank
training
certify
costs
reporting
playing
api
studies
running
cli
"""
ORDER = {name: level for level, line in enumerate(FLOORS.split("\n")) for name in line.split()}
LIMIT = 400  # lines of a file


def modules() -> dict[str, Path]:
    found = {}
    for path in (ROOT / "econ").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def checking_only(tree: ast.Module) -> set[int]:
    """The nodes below ``if TYPE_CHECKING``: nothing is imported there when the code runs."""
    tests = (n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test))
    return {id(node) for test in tests for node in ast.walk(test)}


def imported(path: Path, *, types: bool) -> Iterator[str]:
    """The project's modules that a file imports, lazily or not; ``types``: for types alone too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = set() if types else checking_only(tree)
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in whole)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def edges(*, types: bool) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        graph[name] = {other for other in imported(path, types=types) if other in MODULES} - {name}
    return graph


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_every_room_has_its_floor() -> None:
    rooms = {room(name) for name in MODULES} - {"econ", "__main__"}
    assert rooms == set(ORDER)


def test_every_import_runs_down_types_included() -> None:
    up = [
        f"{module} -> {other}"
        for module, others in edges(types=True).items()
        for other in others
        if room(module) in ORDER and room(other) != room(module) and room(other) in ORDER
        if ORDER[room(other)] >= ORDER[room(module)]
    ]
    assert not up


def test_no_modules_import_each_other() -> None:
    without_ring(edges(types=False))


def test_no_rooms_import_each_other() -> None:
    without_ring(joined(edges(types=False), room))


@pytest.mark.parametrize("within", [name for name in ORDER if (ROOT / "econ" / name).is_dir()])
def test_no_inner_rooms_import_each_other(within: str) -> None:
    """Packages inside a room: what stands in its hall may use them and be used by them."""

    def inner(module: str) -> str:
        return ".".join(module.split(".")[1:3])

    packages = {inner(name) for name in MODULES if name.count(".") > 2 and room(name) == within}
    graph = joined(edges(types=False), inner)
    without_ring({name: graph[name] & packages for name in packages})


def joined(graph: dict[str, set[str]], name: Callable[[str], str]) -> dict[str, set[str]]:
    """The same imports between larger parts."""
    parts: dict[str, set[str]] = defaultdict(set)
    for module, others in graph.items():
        parts[name(module)] |= {name(other) for other in others} - {name(module)}
    return parts


def without_ring(graph: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as ring:
        pytest.fail(" -> ".join(ring.args[1]))


def test_no_file_is_too_long() -> None:
    long = {name: n for name, path in MODULES.items() if (n := len(path.read_text().splitlines())) > LIMIT}
    assert not long


def test_a_ring_would_be_found() -> None:
    with pytest.raises(pytest.fail.Exception, match="a -> b"):
        without_ring({"a": {"b"}, "b": {"a"}})
