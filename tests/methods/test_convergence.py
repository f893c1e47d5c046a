"""How a debate converges: told after the game, by the gold that no player saw."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from econ.grading.rounds import marked
from econ.methods.registry import baseline
from econ.params import Params
from econ.playing import play
from econ.records import Job, Json, Problem, Request, Trace
from econ.reporting.convergence import convergence
from econ.reporting.metrics import summarise
from tests.scripted import ScriptedClient, params_of

PROBLEMS = [Problem(f"p{i}", "svamp", f"What is {i} plus 1?", gold=str(i + 1)) for i in range(2)]


def number(request: Request) -> int:
    return int(request.messages[0]["content"].split("What is ")[1].split()[0])


async def debated(method: str, script: object, **params: object) -> list[Trace]:
    settings = params_of(**params)
    client = ScriptedClient(script)  # type: ignore[arg-type]
    player = baseline(method, settings, "svamp")
    return await play(player, PROBLEMS, client, settings, Job("svamp", method, 3, 0))


def script(request: Request) -> str:
    """Problem 0: [1 2 3], then all right; problem 1: all right at once, then all wrong."""
    right = number(request) + 1
    if number(request) == 0:
        return f"Final answer: {right + (request.agent if request.round == 0 else 0)}"
    return f"Final answer: {right + request.round}"


async def test_every_round_tells_who_was_right_and_who_turned() -> None:
    first, second = await debated("debate", script, debate={"rounds": 2})
    assert first.steps == (
        {"round": 0, "answers": ["1", "2", "3"], "distinct": 3, "correct": [True, False, False]},
        {"round": 1, "answers": ["1"] * 3, "distinct": 1, "correct": [True] * 3, "gained": 2, "lost": 0},
    )
    assert [(step.get("gained"), step.get("lost")) for step in second.steps] == [(None, None), (0, 3)]


async def test_the_metrics_hold_a_row_per_round_and_a_game_that_ended_stands() -> None:
    traces = await debated("sparse-debate", script, sparse_debate={"rounds": 2})
    assert [trace.rounds for trace in traces] == [2, 1]  # the second agrees at once
    metrics = summarise(traces, {}, Params())
    first, last = metrics["convergence"]
    assert (first["n"], first["played"], last["n"], last["played"]) == (2, 2, 2, 1)
    assert (first["right"], last["right"]) == ((1 / 3 + 1) / 2, 1.0)
    assert (first["agreed"], last["agreed"]) == (0.5, 1.0)
    assert (first["distinct"], last["distinct"]) == (2.0, 1.0)
    assert (first["gained"], last["gained"], last["lost"]) == (None, 2, 0)
    assert metrics["dropped_exchanges"] == 0
    assert metrics["stop_reasons"] == {"agreement": 2}


async def test_the_metrics_of_tit_for_tat_count_the_side_that_is_favoured() -> None:
    def said(request: Request) -> str:
        if request.role == "moderator":
            return '{"preference": "yes", "side": "negative", "answer": 5}'
        return "Final answer: 5"

    metrics = summarise(await debated("mad", said), {}, Params())
    assert metrics["favoured"] == {"negative": 2}
    assert metrics["calls"] == 6
    assert "convergence" not in metrics  # one round is no course


def test_a_single_round_and_ungraded_questions_have_no_course() -> None:
    own = Problem("own", "svamp", "?", gold=None)
    steps: list[Json] = [{"round": 0, "answers": ["1", "1.0", None]}, {"round": 1, "states": []}]
    assert marked(own, steps, Params()) == ({**steps[0], "distinct": 1}, steps[1])
    assert convergence([]) == []


@given(st.lists(st.lists(st.sampled_from(["1", "7", "7.0", None]), min_size=3, max_size=3), min_size=1))
def test_gains_and_losses_add_up_to_the_change(rounds: list[list[str | None]]) -> None:
    problem = Problem("p", "svamp", "?", gold="7")
    steps = marked(problem, [{"round": k, "answers": row} for k, row in enumerate(rounds)], Params())
    right = [sum(value is True for value in step["correct"]) for step in steps]
    change = sum(step.get("gained", 0) - step.get("lost", 0) for step in steps)
    assert right[-1] - right[0] == change
    assert all(
        (a is None) == (c is None) for s in steps for a, c in zip(s["answers"], s["correct"], strict=True)
    )
