"""Digests of the code that can change a result, per job: prompts, methods, graders, learner.

A digest is of what Python makes of the source: comments and docstrings do not count. It follows the imports
from where a job starts through the rooms that decide on results, and nowhere else: how calls are sent, kept,
counted or shown changes no answer. Of the prompts it takes the functions that are named on the way, and their
templates.
"""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from econ.registry import BACKENDS, FIGURES, GRADERS, METHODS, TABLES

PACKAGE = Path(__file__).parent
ROOMS = (
    "grading",
    "equilibrium",
    "prompts",
    "benchmarks.fitting",
    "methods",
    "simulation",
    "bank",
    "training",
)
PLAYED = ("econ.playing", "econ.reporting.metrics", "econ.reporting.convergence", "econ.reporting.statistics")
GRADED = ("econ.grading", "econ.grading.leaks", "econ.grading.rounds")
PROMPTS = "econ.prompts"
_IMPORTED = re.compile(r'(?:from|import|include|extends) "(\w+)\.j2"')


@cache
def answers(method: str, kind: str, backend: str) -> str:
    """Of what decides on a job's answers, verdicts and metrics.

    Args:
        method: its name, with a variant or without.
        kind: of the benchmark's answers.
        backend: whose code answers, where that is closed-form or recorded.
    """
    starts = [METHODS.place(method.partition("+")[0]), *GRADED, *PLAYED]
    return _digest(_followed([*starts, *_answering(backend)], kind))


@cache
def training(kind: str, backend: str) -> str:
    """Of what decides on what is learned."""
    return _digest(_followed(["econ.training.trainer", *GRADED, *_answering(backend)], kind))


@cache
def certificates() -> str:
    """Of what measures equilibria and regret on a bank."""
    starts = [f"econ.certify.{part}" for part in ("document", "policies", "regret")]
    return _digest(_followed([*starts, *GRADED], "", (*ROOMS, "certify")))


@cache
def reporting(part: str, own: tuple[str, ...] = ()) -> str:
    """Of what makes the tables, figures or page (a room of ``econ.reporting``): templates and styles too.

    Args:
        part: ``tables``, ``figures`` or ``page``.
        own: the params' own tables and figures, each as ``module:function``.
    """
    listed = {"tables": (TABLES,), "figures": (FIGURES,)}.get(part, (TABLES, FIGURES))
    places = [registry.place(name) for registry in listed for name in registry]
    halls = [f"econ.reporting.{part}.{name}" for name in ("build", "summary")]  # tables alone have a summary
    starts = [*halls, *places, *(place.partition(":")[0] for place in own)]
    found = _followed(starts, "", ("reporting",))
    beside = sorted(path for path in (PACKAGE / "reporting" / part).rglob("*.*") if path.suffix in _STYLES)
    return _digest([*found, *(path.read_bytes() for path in beside)])


def commit() -> str | None:
    """The git commit of the package's folder, with a + where files of it differ; None: it is in no clone."""
    try:
        if Path(_git("rev-parse", "--show-toplevel").strip()) != PACKAGE.parent.resolve():
            return None  # an environment within somebody's repository
        said = _git("rev-parse", "HEAD").strip()
        return said[:12] + ("+" if _git("status", "--porcelain", "--", str(PACKAGE)).strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return None


_STYLES = {".j2", ".css", ".js", ".mplstyle"}


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PACKAGE, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return done.stdout


def _answering(backend: str) -> list[str]:
    """Where answers are made here: of real servers the call's own address says who answered."""
    place = BACKENDS.place(backend)
    return [] if place.startswith("econ.llm.") else [place]


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def _followed(starts: Iterable[str], kind: str, rooms: tuple[str, ...] = ROOMS) -> list[bytes]:
    """All that is met on the way from the starts, in a fixed order."""
    graders = {GRADERS.place(known) for known in GRADERS.built_in}
    met: set[str] = set()
    waiting = [*starts, *([GRADERS.place(kind)] if kind else [])]
    while waiting:
        module = waiting.pop()
        if module in met or _source(module) is None:
            continue
        met.add(module)
        if module in PLAYED:  # which serve all methods, each with what it needs
            continue
        # The hall of the graders knows them all; a job is graded by its own, and by those that one asks.
        hall = module in ("econ.grading", "econ.grading.leaks")
        found = {whole if _source(whole := f"{other}.{name}") else other for other, name in _imports(module)}
        waiting += [
            other
            for other in found
            if _inside(other, rooms) and other.split(".")[:2] != ["econ", "prompts"]
            if not (hall and other in graders)
        ]
    asked = set().union(*map(_prompts_named, met - set(PLAYED)))  # these only try servers with one
    return [_dump(module) for module in sorted(met)] + (_prompt_parts(asked) if asked else [])


def _inside(module: str, rooms: tuple[str, ...]) -> bool:
    if not module.startswith("econ."):
        return True  # one of the user's own: what has no source in the folder is passed over
    return any(module == f"econ.{room}" or module.startswith(f"econ.{room}.") for room in rooms)


@cache
def _source(module: str) -> Path | None:
    """A module's file: of the package, or of the folder that the command runs in."""
    parts = module.split(".")
    base = PACKAGE.parent if parts[0] == "econ" else Path.cwd()
    plain = base.joinpath(*parts)
    for path in (plain.with_suffix(".py"), plain / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _tree(module: str) -> ast.Module:
    """What a module does: its code without docstrings."""
    path = _source(module)
    tree = ast.parse(path.read_text(encoding="utf-8") if path else "")
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@cache
def _dump(module: str) -> bytes:
    return ast.dump(_tree(module)).encode()


@cache
def _imports(module: str) -> list[tuple[str, str]]:
    """(module, name) of each import, late ones too; those for types alone too, which costs nothing."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return found


@cache
def _prompts_named(module: str) -> set[str]:
    """The functions of the prompts that a module names: ``prompts.cot``, or imported one by one."""
    attributes = {
        node.attr
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "prompts"
    }
    return attributes | {name for other, name in _imports(module) if other == PROMPTS}


def _prompt_parts(asked: set[str]) -> list[bytes]:
    """The functions asked for and what they call, constants, templates, and worked examples if shown."""
    body = _tree(PROMPTS).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    constants = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    known: set[str] = set()
    words: set[str] = set()  # that stand in them: some are names of templates
    waiting = [*asked]
    while waiting:
        name = waiting.pop()
        if name in known or name not in functions:
            continue
        known.add(name)
        nodes = list(ast.walk(functions[name]))
        waiting += [node.id for node in nodes if isinstance(node, ast.Name)]
        words |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
        words |= {node.id for node in nodes if isinstance(node, ast.Name)}
    files = _templates(words)
    if words & {"exemplars", "decomposed"}:
        files += sorted(PACKAGE.joinpath("prompts").rglob("*.jsonl"))
    code = [*constants, *(functions[name] for name in sorted(known))]
    return [*(ast.dump(node).encode() for node in code), *(path.read_bytes() for path in files)]


def _templates(names: set[str]) -> list[Path]:
    """The templates among these names, and those that they take parts from."""
    folder = PACKAGE / "prompts"
    there = {path.stem: path for path in folder.glob("*.j2")}
    found: set[str] = set()
    waiting = [name for name in names if name in there]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _IMPORTED.findall(there[name].read_text(encoding="utf-8"))
    return [there[name] for name in sorted(found)]
