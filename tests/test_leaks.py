"""No prompt of any stage depends on what only a grader may see: golds, solutions, code, facts, plans.

Every method plays the shipped problems twice, once as they are and once with all hidden columns rewritten.
Whatever reached a prompt, in whatever form, would make the two runs' requests differ.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from econ.benchmarks import download, load, spec
from econ.benchmarks.sources import SHIPPED
from econ.cli import group
from econ.methods.base import Method
from econ.methods.econ.method import untrained
from econ.methods.registry import baseline
from econ.params import BENCHMARKS, Params, learns, plays
from econ.playing import play
from econ.records import Job, Problem, Request, Trace, to_json
from econ.registry import METHODS
from econ.training import trainer as training
from tests.scripted import ScriptedClient

MARKER = "918273645"
HIDDEN: dict[str, dict[str, Any]] = {
    "gsm8k": {"answer": f"So it is {MARKER}.\n#### {MARKER}"},
    "gsm_hard": {"code": f"def solution():\n    return {MARKER}", "target": float(MARKER)},
    "math": {"solution": f"It is \\boxed{{{MARKER}}}", "answer": MARKER},
    "svamp": {"Equation": f"( {MARKER} )", "Answer": MARKER},
    "strategyqa": {
        "facts": f"Fact {MARKER}.",
        "decomposition": [MARKER],
        "term": MARKER,
        "description": MARKER,
    },
    "travelplanner": {},
}
SMALL = {"entity_dim": 16, "belief_dim": 8, "heads": 2, "mlp_hidden": 16, "key_query_dim": 8, "text_dim": 8}
PLAY: dict[str, Any] = {
    "network": SMALL,
    "train": {"episodes": 16, "early_stopping": {"enabled": False}},
    "data": {"source": "mirror", "train_problems": 6, "test_problems": 6},
}


def rewritten(row: dict[str, Any], benchmark: str) -> dict[str, Any]:
    row = {**row, **HIDDEN[benchmark]}
    if benchmark == "strategyqa":
        row["answer"] = not row["answer"]
    if "annotated_plan" in row:
        row["annotated_plan"] = str([{}, [{"days": 1, "dinner": f"Inn {MARKER}, Nowhere"}]])
    return row


def prepared(benchmark: str, folder: Path, hide: bool) -> tuple[Params, list[Problem], list[Problem]]:
    """Params with a mirror of the shipped problems, and the problems to train and to play on."""
    shutil.copytree(SHIPPED, folder)
    for file in (folder / benchmark).glob("*.jsonl") if hide else ():
        if not file.stem.endswith("_ref_info"):
            rows = [rewritten(json.loads(line), benchmark) for line in file.open(encoding="utf-8")]
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    params = Params.model_validate({**PLAY, "data": {**PLAY["data"], "mirror": str(folder)}})
    download(benchmark, params)
    return params, load(benchmark, "train", params), load(benchmark, "test", params)


class Players(ScriptedClient):
    """Readable answers that differ by agent and problem, and a strategy; the same in every run."""

    def __init__(self, kind: str) -> None:
        def script(request: Request) -> str:
            n = request.seed % 97
            if "Tell the team" in request.messages[-1]["content"]:
                return f"Take it in steps. The answer is {n}." if n % 3 == 0 else "Take it in steps."
            value = {
                "number": f"{n}", "math": f"\\boxed{{{n}}}", "yesno": "yes" if n % 2 else "no",
                "plan": json.dumps([{"days": 1, "dinner": f"Inn {n}, Somewhere"}]),
            }[kind]  # fmt: skip
            return value if kind == "plan" else f"Step 1: think.\nFinal answer: {value}"

        super().__init__(script)


def method_of(name: str, params: Params, benchmark: str) -> Method:
    return untrained(params, 3, name, 0) if learns(name) else baseline(name, params, benchmark)


def told(requests: Sequence[Request]) -> str:
    return "\n".join(message["content"] for request in requests for message in request.messages)


@pytest.fixture
def twice(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    benchmark: str = request.param
    return benchmark, prepared(benchmark, tmp_path / "a", False), prepared(benchmark, tmp_path / "b", True)


@pytest.mark.parametrize("twice", BENCHMARKS, indirect=True)
async def test_no_method_asks_anything_else_when_the_golds_are_others(twice: Any) -> None:
    benchmark, *runs = twice
    golds = [[problem.gold for problem in problems] for _, _, problems in runs]
    assert golds[0] != golds[1] or benchmark == "travelplanner"  # whose test problems have none
    for name in METHODS:
        if not plays(name, Params().kind_of(benchmark)):
            continue
        asked: list[list[Request]] = []
        answers: list[list[str]] = []
        for params, _, problems in runs:
            client = Players(spec(benchmark, params).kind)
            job = Job(benchmark, name, 3, 0)
            traces = await play(method_of(name, params, benchmark), problems, client, params, job)
            assert len(traces) == len(problems)
            asked.append(sorted(client.requests, key=repr))  # problems are in flight together
            answers.append([trace.text for trace in traces])
        assert asked[0] or name == "greedy-search"  # which asks no model
        assert answers[0] == answers[1], f"{name} on {benchmark}"
        assert asked[0] == asked[1], f"{name} on {benchmark}"
        assert MARKER not in told(asked[1])


@pytest.mark.parametrize("twice", BENCHMARKS, indirect=True)
async def test_training_learns_from_golds_and_tells_nobody(twice: Any) -> None:
    benchmark, *runs = twice
    messages: list[dict[tuple[Any, ...], Any]] = []
    firsts: list[list[Request]] = []
    for params, problems, _ in runs:
        client = Players(spec(benchmark, params).kind)
        trainer = await training.start(training.Run(benchmark, 3, 0, params, problems), client, None)
        await trainer.interval()
        firsts.append([*client.requests])
        await trainer.interval()  # with a policy that the golds have had a part in
        assert MARKER not in told(client.requests)
        messages.append({(r.seed, r.sample, r.role, r.agent, r.round): r.messages for r in client.requests})
    assert firsts[0] == firsts[1]
    both = messages[0].keys() & messages[1].keys()
    assert both
    assert {key: messages[0][key] for key in both} == {key: messages[1][key] for key in both}


def looked_through(traces: Sequence[Trace]) -> Result:
    """``econ audit`` over these traces, in the current folder."""
    folder = Path("results/traces/svamp")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "debate-n3-s0.jsonl").write_bytes(b"".join(to_json(trace) + b"\n" for trace in traces))
    return CliRunner().invoke(group, ["audit"])


@pytest.mark.parametrize("twice", ["svamp"], indirect=True)
def test_the_look_through_real_traces_finds_a_planted_gold_and_no_honest_one(twice: Any) -> None:
    _, (params, _, problems), _ = twice
    problems = [replace(problem, gold=str(1000 + i)) for i, problem in enumerate(problems)]
    Path("data/benchmarks/svamp/test.jsonl").write_bytes(b"".join(to_json(p) + b"\n" for p in problems))
    golds = {problem.prompt: problem.gold for problem in problems}

    def right(request: Request) -> str:
        return next(f"Final answer: {gold}" for text, gold in golds.items() if text in str(request.messages))

    job = Job("svamp", "debate", 3, 0)
    method = method_of("debate", params, "svamp")
    traces = asyncio.run(play(method, problems, ScriptedClient(right), params, job))
    honest = looked_through(traces)
    assert honest.exit_code == 0, honest.output
    assert f"0 leaks in {9 * len(problems)} prompts" in honest.stdout
    assert (
        f"{6 * len(problems):11}{6 * len(problems):11}          0" in honest.stdout
    )  # they repeat each other
    first, *others = traces[0].calls
    hint = {"role": "user", "content": f"{first.messages[0]['content']}\nHint: {traces[0].gold}"}
    planted = replace(traces[0], calls=(replace(first, messages=(hint,)), *others))
    caught = looked_through([planted, *traces[1:]])
    assert caught.exit_code == 1
    assert f"svamp debate {planted.problem_id}: debater 0, round 0" in caught.stdout
    assert "1 leaks in" in caught.stdout
