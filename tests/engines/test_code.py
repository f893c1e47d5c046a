"""Code is a dependency: what can change a result makes the jobs that it concerns stale, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from econ import fingerprint
from tests.engines.conftest import Project, faked, lay_out

MORE = "def _of_no_use() -> None: ...\n\n\ndef "
JOBS = {"Train": "train", "Gather the": "aggregate", "Draw": "figures", "Gather tables": "report"}
TABLES = {"aggregate", "figures", "report"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has run by DVC, with a package of its own to be edited."""
    project = faked(lay_out(tmp_path_factory.mktemp("code")))
    project.environment["PYTHONPATH"] = str(project.folder)
    project.params(benchmarks=["svamp"], methods=["econ-bne", "debate", "cot"])
    project.ok("dvc", "repro", "--quiet")
    return project


@contextmanager
def edited(project: Project, file: str, old: str, new: str) -> Iterator[None]:
    path = project.folder / "econ" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)


def stale(project: Project) -> set[str]:
    """The jobs that Snakemake would run again: a method's answers by its name, others by their rule."""
    said = re.findall(r"^Job \d+: (.*)", project.snakemake("--dry-run"), re.MULTILINE)
    methods = {line.split()[1] for line in said if line.startswith("Evaluate")}
    return methods | {rule for begin, rule in JOBS.items() if any(line.startswith(begin) for line in said)}


@pytest.mark.parametrize(
    ("file", "old", "new", "concerned"),
    [
        ("prompts/cot.j2", "step by step", "one by one", {"cot", "debate", *TABLES}),
        ("prompts/commitment.j2", "You coordinate", "You lead", {"train", "econ-bne", *TABLES}),
        ("prompts/debate.j2", "other agents", "other solvers", {"train", "econ-bne", "debate", *TABLES}),
        ("equilibrium/refinement.py", "def ", MORE, {"train", "econ-bne", *TABLES}),
        ("methods/debate/mad.py", "def ", MORE, set()),  # which is not played
        ("methods/one_call.py", '"""The answer alone."""', '"""Said otherwise."""', set()),
        ("reporting/figures/lines.py", "def ", MORE, {"figures", "report"}),
        ("reporting/page/templates/report.html.j2", "<header>", "<header >", {"report"}),
        ("llm/limits.py", "def ", MORE, set()),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_snakemake_runs_again_what_an_edit_concerns(
    played: Project, file: str, old: str, new: str, concerned: set[str]
) -> None:
    with edited(played, file, old, new):
        assert stale(played) == concerned


@pytest.mark.parametrize(
    ("file", "old", "new", "concerned"),
    [
        ("reporting/figures/lines.py", "def ", MORE, {"figures"}),
        ("prompts/cot.j2", "step by step", "one by one", {"train@svamp", "evaluate@svamp"}),
    ],
)
def test_dvc_runs_again_what_an_edit_concerns(
    played: Project, file: str, old: str, new: str, concerned: set[str]
) -> None:
    with edited(played, file, old, new):
        assert set(json.loads(played.run("dvc", "status", "--json").stdout)) == concerned


def test_a_digest_is_of_the_code_that_runs_and_of_the_jobs_own_grader() -> None:
    assert Path(fingerprint.__file__).parent == fingerprint.PACKAGE
    assert fingerprint.answers("cot", "number", "local") != fingerprint.answers("cot", "yesno", "local")
    assert fingerprint.answers("cot", "number", "local") == fingerprint.answers("cot+x", "number", "local")


def test_of_a_method_of_ones_own_the_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    digests = []
    for name, number in (("mine_a", 1), ("mine_b", 2)):
        Path("helper.py").write_text("")
        Path(f"{name}.py").write_text(f"import helper\nNUMBER = {number}\n")
        digests.append(fingerprint.answers(f"{name}:Mine", "number", "local"))
    assert digests[0] != digests[1]
