"""The files of docs/extending.md, word for word, through the pipeline."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.engines.conftest import ROOT, Project

BLOCK = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)
METHOD = "second_look:SecondLook"


def written(folder: Path) -> None:
    """The examples, each in the file that it names."""
    found = BLOCK.findall((ROOT / "docs" / "extending.md").read_text(encoding="utf-8"))
    assert [name for name, _ in found] == [
        "second_look.py",
        "letters.py",
        "parrot.py",
        "lucky.py",
        "notebook.py",
    ]
    for name, code in found:
        (folder / name).write_text(code)
        if name == "second_look.py":
            assert len([line for line in code.splitlines() if line.strip()]) <= 15


def quiz(folder: Path) -> None:
    rows = [
        {"question": f"Which is {i}? A) {i} B) {i + 1}", "answer": "A" if i % 2 else "B"} for i in range(8)
    ]
    (folder / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_strangers_method_grader_and_backend_go_through_it_all(real_project: Project) -> None:
    folder = real_project.folder
    written(folder)
    quiz(folder)
    params = {
        "benchmarks": ["quiz"], "n_agents": [3], "methods": ["cot", METHOD],
        "data": {"test_problems": None, "custom": {"quiz": {"kind": "letters:Letter", "test": "quiz.jsonl"}}},
        "llm": {"backend": "parrot:Parrot", "coordinator": "parrot", "executors": ["parrot"]},
        "report": {"tables": ["lucky:ever_right"], "figures": ["lucky:luck"]},
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    real_project.snakemake()

    traces = (folder / f"results/traces/quiz/{METHOD}-n3-s0.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in traces]
    assert {line["method"] for line in lines} == {METHOD}
    assert {line["answer"] for line in lines} == {"A"}  # the parrot's
    assert [line["correct"] for line in lines] == [line["gold"] == "A" for line in lines]
    assert len(lines[0]["calls"]) == 2
    assert 'End with one line "Final answer: X"' in lines[0]["calls"][0]["messages"][0]["content"]
    with (folder / "results/tables/accuracy.csv").open() as table:
        assert {row["method"] for row in csv.DictReader(table)} == {"cot", METHOD}
    assert METHOD in (folder / "results/figures/accuracy.svg").read_text()
    page = (folder / "results/report/index.html").read_text()
    assert METHOD in page
    with (folder / "results/tables/ever_right.csv").open() as table:
        [share] = {float(row["share"]) for row in csv.DictReader(table)}
    assert share == pytest.approx(sum(line["correct"] for line in lines) / len(lines), abs=1e-5)
    assert 'id="table-ever_right"' in page
    assert 'id="figure-luck"' in page
    assert (folder / "results/figures/luck.pdf").exists()
    assert "Nothing to be done" in real_project.snakemake("--dry-run")


def test_a_notebook_trains_and_plays(real_project: Project) -> None:
    written(real_project.folder)
    said = real_project.ok("python", "notebook.py")
    assert len(re.findall(r"^\S*svamp/\S+ -?\d+ (?:True|False)$", said, re.MULTILINE)) == 4
    assert re.search(r"^\d of 3$", said, re.MULTILINE)


def test_what_the_package_offers_is_there() -> None:
    import econ

    assert {"Method", "Session", "Solution", "Problem", "Params", "play", "train"} <= set(econ.__all__)
    assert all(getattr(econ, name) is not None for name in econ.__all__)
