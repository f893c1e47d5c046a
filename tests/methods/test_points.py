"""What fewer rounds give is known from a whole run: the same as a run that is given fewer."""

from __future__ import annotations

import re

import pytest

from econ.methods.econ.method import untrained
from econ.methods.registry import baseline
from econ.params import Params, learns
from econ.playing import play
from econ.records import Job, Json, Problem, Request, Trace
from econ.reporting.metrics import summarise
from tests.scripted import ScriptedClient, params_of

PROBLEMS = [Problem(f"p{i}", "svamp", f"What is {i} plus 1?", gold=str(i + 1)) for i in range(6)]


def wavers(request: Request) -> str | Exception:
    """Now right, now wrong, now unreadable, now no answer at all, by the request's seed."""
    asked = "\n".join(message["content"] for message in request.messages)
    right = str(int(re.findall(r"What is (\d) plus 1", asked)[-1]) + 1)
    said = [right, "9", right, right, "9", right, right, ""][request.seed % 8]
    if request.seed % 11 == 0:
        return RuntimeError("timeout")
    if request.role == "coordinator" and request.schema is not None:
        return f'{{"final_answer": "{said}", "reasoning": "{request.seed}", "confidence": 0.5}}'
    return f"Final answer: {said}" if said else "I cannot say"


async def traces_of(method: str, **changes: Json) -> list[Trace]:
    unsettled = {"convergence_threshold": 0}  # an untrained policy hardly moves
    params = params_of(**{**changes, "bne": unsettled | changes.get("bne", {})})
    made = untrained(params, 3, method, 0) if learns(method) else baseline(method, params, "svamp")
    return await play(made, PROBLEMS, ScriptedClient(wavers), params, Job("svamp", method, 3, 0))


def whole(traces: list[Trace]) -> Json:
    return summarise(traces, {}, Params())


@pytest.mark.parametrize(
    ("method", "section", "key", "first"),
    [
        ("debate", "debate", "rounds", 1),
        ("sparse-debate", "sparse_debate", "rounds", 1),
        ("econ-bne", "bne", "max_iterations_infer", 0),
        ("rap", "rap", "iterations", 1),
    ],
)
async def test_a_run_tells_what_fewer_rounds_give(method: str, section: str, key: str, first: int) -> None:
    points = whole(await traces_of(method, **{section: {key: first + 2}}))["points"]
    assert [(point["unit"], point["k"]) for point in points] == [("round", k) for k in (1, 2, 3)]
    if method != "rap":  # the script's first path wins there to the end
        assert len({point["correct"] for point in points}) > 1
    for place, point in enumerate(points):
        alone = whole(await traces_of(method, **{section: {key: first + place}}))
        shared = [name for name in point if name in alone]
        assert {name: point[name] for name in shared} == {name: alone[name] for name in shared}
        assert point["prompt_tokens_once_per_problem"] == alone["prompt_tokens_once"] / len(PROBLEMS)


async def test_the_first_round_of_econ_bne_is_econ_baseline() -> None:
    first, *_ = whole(await traces_of("econ-bne"))["points"]
    [alone] = whole(await traces_of("econ-baseline"))["points"]
    assert first == alone


async def test_problems_that_ended_early_stay_as_they_ended() -> None:
    traces = await traces_of("sparse-debate", sparse_debate={"rounds": 4})
    assert len({trace.rounds for trace in traces}) > 1
    last = whole(traces)["points"][-1]
    assert last["correct"] == sum(trace.correct for trace in traces)
    assert last["total_tokens_per_problem"] == whole(traces)["total_tokens_per_problem"]
