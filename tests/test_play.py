"""From a method's answer to a trace: graded, complete, and the same whatever order the answers come in."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from econ.methods.registry import baseline
from econ.params import Params
from econ.playing import play
from econ.records import Call, Job, Problem, Request, Trace, to_json
from tests.scripted import ScriptedClient

PROBLEMS = [Problem(f"p{i}", "svamp", f"What is {i} plus 1?", gold=str(i + 1)) for i in range(6)]
JOB = Job("svamp", "debate", 3, 0)


def right(request: Request) -> str:
    number = int(request.messages[0]["content"].split("What is ")[1].split()[0])
    return f"Final answer: {number + 1}"


class Shuffled(ScriptedClient):
    """Answers after a delay that depends on the request, so that calls end out of order."""

    async def complete(self, request: Request) -> Call:
        await asyncio.sleep((request.seed % 7) / 500)
        return await super().complete(request)


async def run(client: ScriptedClient, method: str = "debate") -> list[Trace]:
    params = Params()
    player = baseline(method, params, "svamp")
    return await play(player, PROBLEMS, client, params, replace(JOB, method=method))


async def test_a_right_answer_is_graded_right_and_every_call_is_in_the_trace() -> None:
    traces = await run(ScriptedClient(right))
    assert [t.problem_id for t in traces] == [p.id for p in PROBLEMS]
    assert all(t.correct and not t.invalid and t.reward == 1 for t in traces)
    assert all(len(t.calls) == 9 for t in traces)
    assert [t.answer for t in traces] == [p.gold for p in PROBLEMS]


async def test_the_order_of_answers_does_not_change_a_trace() -> None:
    assert [to_json(t) for t in await run(ScriptedClient(right))] == [
        to_json(t) for t in await run(Shuffled(right))
    ]


async def test_a_failed_call_is_invalid_and_stays_in_the_denominator() -> None:
    def script(request: Request) -> str | Exception:
        return RuntimeError("timeout") if "What is 2 " in request.messages[0]["content"] else right(request)

    traces = await run(ScriptedClient(script), "cot")
    assert len(traces) == len(PROBLEMS)
    [bad] = [t for t in traces if t.invalid]
    assert (bad.problem_id, bad.answer, bad.correct, bad.reward, bad.reason) == (
        "p2",
        None,
        False,
        0,
        "timeout",
    )
    assert bad.calls[0].error == "timeout"


async def test_a_trace_survives_the_round_trip() -> None:
    for trace in await run(ScriptedClient(right)):
        assert Trace.from_json(orjson.loads(to_json(trace))) == trace


async def test_no_prompt_holds_the_gold() -> None:
    golds = [replace(p, gold="7391846") for p in PROBLEMS]
    client = ScriptedClient(right)
    params = Params()
    await play(baseline("debate", params, "svamp"), golds, client, params, JOB)
    assert client.requests
    assert not any("7391846" in str(r.messages) for r in client.requests)


@pytest.mark.parametrize("method", ["debate", "cot"])
async def test_equal_questions_of_two_runs_are_the_same_request(method: str) -> None:
    first, second = ScriptedClient(right), ScriptedClient(right)
    await run(first, method)
    await run(second, method)
    assert sorted(map(repr, first.requests)) == sorted(map(repr, second.requests))
