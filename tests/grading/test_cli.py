"""``econ grade`` and ``econ download`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from econ.benchmarks.sources import SHIPPED
from econ.benchmarks.travelplanner import literal
from econ.cli import download, grade
from econ.errors import EconError

TRIP = json.loads((SHIPPED / "travelplanner" / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
PLAN = literal(TRIP["annotated_plan"])[1]
LINES: list[dict[str, Any]] = [
    {"benchmark": "gsm8k", "gold": "So.\n#### 72", "response": "It is 72.", "tag": 1},
    {"benchmark": "gsm8k", "gold": "So.\n#### 72", "response": "#### 71"},
    {"benchmark": "gsm_hard", "gold": -9867630.0, "response": "Answer: -9,867,630"},
    {"benchmark": "svamp", "gold": "145", "response": None},
    {"benchmark": "strategyqa", "gold": True, "response": "Answer: yes"},
    {"benchmark": "math", "gold": "\\frac{1}{2}", "response": "\\boxed{0.5}"},
    {"benchmark": "travelplanner", "problem": TRIP, "plan": PLAN},
    {"benchmark": "travelplanner", "problem": TRIP, "plan": None},
]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECON_DATA_MIRROR", raising=False)


def write(*lines: Any) -> None:
    text = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    Path("in.jsonl").write_text("\n".join(text) + "\n", encoding="utf-8")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(grade.command, arguments, catch_exceptions=False)


def test_lines_come_back_with_their_verdicts_and_the_summary_has_the_rates() -> None:
    write(*LINES)
    summary = json.loads(run("in.jsonl", "-o", "out.jsonl").stdout)
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["benchmark"] for row in rows] == [line["benchmark"] for line in LINES]
    assert rows[0] == {**LINES[0], "answer": "72", "strict": None, "flexible": True}
    assert [(row["answer"], row["strict"], row["flexible"]) for row in rows[1:6]] == [
        ("71", False, False),
        ("-9867630", True, True),
        (None, None, None),
        ("yes", True, True),
        ("0.5", True, True),
    ]
    assert (rows[6]["delivered"], rows[6]["final"]) == (True, True)
    assert len(rows[6]["constraints"]) == 13
    assert rows[6]["cost"] > 0
    assert (rows[7]["delivered"], rows[7]["final"], rows[7]["cost"]) == (False, False, None)
    assert set(rows[7]["constraints"].values()) == {None}
    assert summary["gsm8k"]["n"] == 2
    assert summary["gsm8k"]["flexible_accuracy"] == 0.5
    assert summary["svamp"]["parse_rate"] == 0
    assert summary["travelplanner"]["final_pass_rate"] == 0.5
    assert summary["travelplanner"]["levels"]["easy"]["n"] == 2


def test_without_an_output_file_the_lines_go_to_standard_output() -> None:
    write(LINES[0])
    result = run("in.jsonl")
    assert json.loads(result.stdout)["answer"] == "72"
    assert json.loads(result.stderr)["gsm8k"]["n"] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"benchmark":', "in.jsonl line 2 is not JSON"),
        ("[1]", "in.jsonl line 2 is not a JSON object"),
        ({"gold": "1"}, "in.jsonl line 2: field 'benchmark' is missing"),
        ({"benchmark": "gsm9k"}, "in.jsonl line 2: unknown benchmark 'gsm9k' - known: gsm8k"),
        ({"benchmark": "gsm8k", "gold": "1"}, "in.jsonl line 2: field 'response' is missing"),
        (
            {"benchmark": "gsm8k", "gold": "x", "response": "1"},
            "in.jsonl line 2: gold 'x' is no readable number",
        ),
        ({"benchmark": "gsm8k", "gold": "1", "response": 1}, "in.jsonl line 2: 'response' is neither text"),
        ({"benchmark": "travelplanner", "problem": TRIP}, "in.jsonl line 2: field 'plan' is missing"),
        (
            {"benchmark": "travelplanner", "problem": TRIP, "plan": "x"},
            "in.jsonl line 2: 'plan' is neither a list",
        ),
        (
            {"benchmark": "travelplanner", "problem": {}, "plan": []},
            "in.jsonl line 2: field 'org' is missing",
        ),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_graded(line: Any, message: str) -> None:
    write(LINES[0], line)
    with pytest.raises(EconError) as caught:
        run("in.jsonl", "-o", "out.jsonl")
    assert str(caught.value).startswith(message)
    assert "1 of 2 lines are bad; the others are graded" in str(caught.value)
    assert len(Path("out.jsonl").read_bytes().splitlines()) == 1


def test_a_missing_file_is_named() -> None:
    with pytest.raises(EconError, match=r"nothing\.jsonl cannot be read: No such file"):
        run("nothing.jsonl")


def test_download_reports_golds_that_their_grader_calls_wrong() -> None:
    plan = [day for day in PLAN if day]
    plan[1] = {**plan[1], "dinner": plan[0]["dinner"]}
    spoiled = {**TRIP, "annotated_plan": repr([literal(TRIP["annotated_plan"])[0], plan])}
    for name, row in (("train", spoiled), ("validation", {**TRIP, "query": "Another trip."})):
        path = Path("mirror/travelplanner") / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    Path("params.yaml").write_text("data: {mirror: mirror, reference_tokens: null}\n", encoding="utf-8")
    result = CliRunner().invoke(download.command, ["--benchmark", "travelplanner"], catch_exceptions=False)
    assert "train 1, test 1 problems from mirror" in result.stdout
    assert "1 golds of 1 are graded wrong:\n    travelplanner/" in result.stdout
    assert ": is_valid_restaurants\n" in result.stdout
