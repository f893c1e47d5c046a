"""Metrics are what the traces say, and nothing else."""

from __future__ import annotations

import orjson
import pytest

from econ.errors import EconError
from econ.params import Params, setting
from econ.records import Job, Trace, to_json
from econ.reporting.metrics import summarise
from tests.reporting.synthetic import MANIFEST, call, coin, trace

JOB = Job("svamp", "econ-bne", 3, 0)
PARAMS = Params()


def test_a_trace_survives_the_round_trip_and_replays_to_the_same_metrics() -> None:
    traces = coin(JOB, 30)
    read_back = [Trace.from_json(orjson.loads(to_json(one))) for one in traces]
    assert read_back == traces
    first = orjson.dumps(summarise(traces, MANIFEST, PARAMS))
    assert orjson.dumps(summarise(read_back, MANIFEST, PARAMS)) == first


def test_invalid_and_failed_count_as_wrong_and_are_told_apart() -> None:
    unread = {"invalid": True, "strict": None, "answer": None}
    failed = call(text="", error="timeout", completion=0, finish_reason=None)
    traces = [
        trace(JOB, 0, correct=True),
        trace(JOB, 1, correct=True, strict=None),
        trace(JOB, 2, correct=False, reason="no readable answer", **unread),
        trace(JOB, 3, correct=False, reason="the call failed: timeout", calls=[failed], **unread),
    ]
    metrics = summarise(traces, MANIFEST, PARAMS)
    assert (metrics["n"], metrics["correct"], metrics["accuracy"]) == (4, 2, 0.5)
    assert metrics["accuracy_strict"] == 0.25
    assert (metrics["parse_rate"], metrics["parse_rate_strict"]) == (0.5, 0.25)
    assert metrics["invalid"] == 2
    assert metrics["invalid_reasons"] == {"no readable answer": 1, "the call failed: timeout": 1}
    assert (metrics["calls"], metrics["failed_calls"]) == (4, 1)
    assert metrics["accuracy_low"] < 0.5 < metrics["accuracy_high"]


def test_tokens_and_money_count_every_call_cached_or_not() -> None:
    params = Params.model_validate({"llm": {"prices": {"coin": {"prompt": 2, "completion": 10}}}})
    calls = [call(prompt=100, completion=20), call(prompt=300, completion=40, cached=True)]
    metrics = summarise([trace(JOB, 0, correct=True, calls=calls)], MANIFEST, params)
    assert (metrics["prompt_tokens"], metrics["completion_tokens"], metrics["total_tokens"]) == (400, 60, 460)
    assert metrics["usd"] == pytest.approx((400 * 2 + 60 * 10) / 1e6)
    assert metrics["models"] == {"executor": ["coin"]}
    assert summarise([trace(JOB, 0, correct=True, calls=calls)], MANIFEST, PARAMS)["usd"] is None


def test_one_simulated_answer_marks_the_job() -> None:
    traces = [trace(JOB, 0, correct=True), trace(JOB, 1, correct=True, simulated=True)]
    assert summarise(traces, MANIFEST, PARAMS)["simulated"] is True


def test_gsm_hard_is_told_apart_by_the_mark_of_its_problems() -> None:
    job = Job("gsm_hard", "cot", 3, 0)
    parts = ["verbatim", "verbatim", "changed"]
    traces = [trace(job, i, correct=i == 0, detail={"subsets": [part]}) for i, part in enumerate(parts)]
    subsets = summarise(traces, MANIFEST, PARAMS)["subsets"]
    assert subsets == {"verbatim": {"n": 2, "correct": 1}, "changed": {"n": 1, "correct": 0}}


@pytest.mark.parametrize(
    ("traces", "said"),
    [
        ([], "no traces"),
        ([trace(JOB, 0, correct=True)] * 2, "p0 of svamp is answered twice"),
        ([trace(JOB, 0, correct=True), trace(Job("svamp", "cot", 3, 0), 1, correct=True)], "2 jobs"),
    ],
)
def test_what_is_not_one_jobs_traces_is_refused(traces: list[Trace], said: str) -> None:
    with pytest.raises(EconError, match=said):
        summarise(traces, MANIFEST, PARAMS)


def test_the_setting_holds_what_changes_answers_and_no_more() -> None:
    def with_(**changes: object) -> Params:
        return Params.model_validate(changes)

    assert setting(with_(n_agents=[5], llm={"max_in_flight": 2}), "cot") == setting(PARAMS, "cot")
    assert setting(with_(train={"episodes": 9}), "cot") == setting(PARAMS, "cot")
    assert setting(with_(train={"episodes": 9}), "econ-bne") != setting(PARAMS, "econ-bne")
    assert setting(with_(settings={"debate": {"rounds": 2}}), "debate") != setting(PARAMS, "debate")
    assert setting(with_(settings={"debate": {"rounds": 2}}), "cot") == setting(PARAMS, "cot")
    assert setting(with_(llm={"coordinator": "other"}), "cot") != setting(PARAMS, "cot")
