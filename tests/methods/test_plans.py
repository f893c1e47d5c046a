"""TravelPlanner's own methods: the agents' loop with its one tool, and greedy search without a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest

from econ.benchmarks import download, load
from econ.benchmarks.fitting import fit, shown
from econ.costs.estimate import CountingClient
from econ.errors import EconError
from econ.grading import grade
from econ.grading.travelplanner import enquire, from_reference
from econ.methods.base import Session, Solution
from econ.methods.greedy import route
from econ.methods.react import read
from econ.methods.registry import baseline
from econ.params import Params
from econ.playing import play
from econ.prompts import CONTENT_KEYS
from econ.records import Job, Problem, Request
from econ.reporting.metrics import summarise
from tests.scripted import Script, ScriptedClient, params_of

REFERENCE: dict[str, Any] = {
    "Attractions in Bay": [{"Name": "Old Fort", "City": "Bay"}, {"Name": "Dune Walk", "City": "Bay"}],
    "Restaurants in Bay": [
        {"Name": "Pier", "Average Cost": 30, "Cuisines": "Tea", "City": "Bay"},
        {"Name": "Casa Brisa, East", "Average Cost": 11, "Cuisines": "Mexican", "City": "Bay"},
    ],
    "Accommodations in Bay": [
        {"NAME": "Loft", "price": 95.0, "maximum occupancy": 3, "city": "Bay"},
        {"NAME": "Dorm", "price": 22.0, "maximum occupancy": 1, "city": "Bay"},
    ],
    "Flight from Mills to Bay on 2022-03-07": [
        {
            "Flight Number": f"F000000{i}", "Price": price, "DepTime": "08:15", "ArrTime": "09:30",
            "OriginCityName": "Mills", "DestCityName": "Bay",
        }
        for i, price in enumerate((110, 90))
    ],
    "Self-driving from Mills to Bay": "duration: 5 hours 10 mins, distance: 2,020 km, cost: 101",
    "Taxi from Mills to Bay": "duration: 5 hours 10 mins, distance: 2,020 km, cost: 2020",
    "Flight from Bay to Mills on 2022-03-09": "There is no flight from Bay to Mills on 2022-03-09.",
    "Self-driving from Bay to Mills": "duration: 5 hours 10 mins, distance: 2,020 km, cost: 101",
    "Taxi from Bay to Mills": "No valid information.",
}  # fmt: skip
PROBLEM = Problem(
    "t1", "travelplanner", "Plan three days from Mills to Bay.", gold=None,
    meta={"reference_tables": REFERENCE, "budget": 300, "people_number": 2, "annotated_plan": "SECRET"},
    kind="plan",
)  # fmt: skip
DAY: dict[str, Any] = {
    "people_number": 2, "days": 1, "current_city": "from Mills to Bay",
    "transportation": "Flight Number: F0000001, from Mills to Bay, Departure Time: 08:15",
    "breakfast": "-", "attraction": "Nowhere, Bay;", "lunch": "Casa Brisa, East, Bay", "dinner": "Pier, Bay",
    "accommodation": "Dorm, Bay",
}  # fmt: skip
COST = 2 * 90 + 2 * 11 + 2 * 30 + 2 * 22


async def solve(method: str, script: Script, **params: object) -> tuple[Solution, list[Request]]:
    client, settings = ScriptedClient(script), params_of(**params)
    session = Session(PROBLEM, client, settings, 3, seed=0)
    return await baseline(method, settings, "travelplanner").solve(session), client.requests


def ask(**changes: Any) -> str:
    return f"Thought: what does it cost?\nAction: CostEnquiry[{orjson.dumps(DAY | changes).decode()}]"


def in_turn(*texts: str | Exception) -> Callable[[Request], str | Exception]:
    """The planner says these in order of its steps, the reflector that it reflects."""
    return lambda r: f"I reflect on step {r.round}." if r.role == "reflector" else texts[r.round]


PLAN = '[{"days": 1, "current_city": "Bay", "attraction": "Old Fort, Bay;"}]'
FINISH = f"Thought: done.\nAction: Finish[{PLAN}]"


# --- what a session shows of a problem ------------------------------------------------------------------


def test_a_session_holds_no_gold_and_no_field_but_the_tables_of_the_prompt() -> None:
    session = Session(PROBLEM, ScriptedClient(lambda r: ""), Params(), 3, seed=0)
    assert session.reference == REFERENCE
    assert "SECRET" not in repr(vars(session))
    assert 300 not in vars(session).values()


def test_the_tables_are_as_short_as_the_prompts(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params = Params.model_validate({"data": {"source": "shipped", "reference_tokens": None}})
    download("travelplanner", params)
    whole = load("travelplanner", "test", params)[0]
    assert shown(whole) == whole.meta["reference_tables"]
    for tokens in range(200, 4000, 100):
        try:
            short = fit(whole, tokens)
        except EconError:
            continue
        for heading, rows in whole.meta["reference_tables"].items():
            for row in rows if isinstance(rows, list) else []:
                name = str(row.get("Name") or row.get("NAME") or row["Flight Number"])
                listed = shown(short)[heading]
                assert (row in listed) == (name in short.prompt), (tokens, heading, name)


# --- the tool -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "dollars", "unknown"),
    [
        ({}, COST, ()),
        ({"people_number": 1}, COST / 2, ()),
        ({"transportation": "Self-driving, from Mills to Bay"}, COST - 180 + 101, ()),
        ({"transportation": "Taxi"}, COST - 180 + 2020, ()),  # the leg stands in the current city
        ({"lunch": "-", "dinner": None}, COST - 82, ()),
        ({"lunch": "Nowhere, Bay"}, None, ("lunch",)),
        ({"transportation": "Flight Number: F9, from Mills to Bay"}, None, ("transportation",)),
        ({"transportation": "flight number F0000001, from Mills to Bay"}, None, ("transportation",)),
        ({"transportation": "Taxi, from Bay to Nowhere"}, None, ("transportation",)),
        ({"current_city": "Bay", "transportation": "Taxi"}, None, ("transportation",)),
        ({"accommodation": "Dorm", "people_number": "2"}, None, ("accommodation", "people_number")),
        ({"accommodation": ["Dorm, Bay"]}, None, ("accommodation",)),
        ({"people_number": 0}, None, ("people_number",)),
        ({"people_number": True}, None, ("people_number",)),
    ],
)
def test_the_cost_of_a_day(changes: dict[str, Any], dollars: float | None, unknown: tuple[str, ...]) -> None:
    found = enquire(DAY | changes, from_reference(REFERENCE))
    assert (found.dollars, found.unknown) == (dollars, unknown)


# --- reading a step -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "action", "argument", "kept"),
    [
        ("Thought: x\nAction: Finish[a]\nObservation: 9", "Finish", "a", "Thought: x\nAction: Finish[a]"),
        ("I could Finish[early].\nAction 2: CostEnquiry[{}]", "CostEnquiry", "{}", None),
        (
            'Finish [[{"lunch": "A ] B"}]] and more',
            "Finish",
            '[{"lunch": "A ] B"}]',
            'Finish [[{"lunch": "A ] B"}]]',
        ),
        ('Finish[Day 1:\nLunch: 5" Pizza, Bay]', "Finish", 'Day 1:\nLunch: 5" Pizza, Bay', None),
        ('Finish[[{"days": 1}, {"da', "Finish", '[{"days": 1}, {"da', None),
        ("No action at all\nObservation: it costs 3", None, "", "No action at all"),
        ("Search[Bay]", None, "", "Search[Bay]"),
    ],
)
def test_the_first_action_counts_and_what_follows_is_forgotten(
    text: str, action: str | None, argument: str, kept: str | None
) -> None:
    step = read(text)
    assert (step.action, step.argument) == (action, argument)
    assert step.text == (text if kept is None else kept)


@pytest.mark.parametrize("noise", ["\n", "[", '"', "Action:", "Finish[", "* ", '"[\n', "Action"])
def test_reading_takes_time_in_proportion(noise: str) -> None:
    started = time.perf_counter()
    read(noise * 20_000)
    assert time.perf_counter() - started < 2


# --- ReAct ----------------------------------------------------------------------------------------------


async def test_react_is_one_conversation_of_steps_and_costs() -> None:
    script = in_turn(
        ask() + "\nObservation: this day costs 1 dollar.", ask(lunch="Nowhere, Bay"), "Hm.", FINISH
    )
    solution, requests = await solve("react", script, react={"steps": 5, "step_tokens": 77})
    assert [(r.role, r.agent, r.round) for r in requests] == [("planner", 0, n) for n in range(4)]
    assert {(r.sampling.temperature, r.sampling.max_tokens) for r in requests} == {(0, 77)}
    task, *history = requests[-1].messages
    assert task["content"].startswith(f"Problem:\n{PROBLEM.prompt}")
    assert "5 steps" in task["content"]
    assert [m["role"] for m in history] == ["assistant", "user"] * 3
    assert history[0]["content"] == ask()  # without the observation that the model made up
    assert history[1]["content"] == f"Observation: this day costs {COST} dollars."
    assert "does not have: lunch." in history[3]["content"]
    assert "no action that can be read" in history[5]["content"]
    assert (solution.text, solution.rounds, solution.stop) == (PLAN, 4, "finished")
    assert [step.get("dollars") for step in solution.steps] == [COST, None, None, None]


async def test_react_without_a_plan_at_its_bound_is_invalid() -> None:
    solution, requests = await solve("react", lambda r: ask(), react={"steps": 3})
    assert len(requests) == 3
    assert (solution.text, solution.error) == ("", "no plan within 3 steps")


async def test_a_failed_step_ends_it() -> None:
    solution, requests = await solve("react", in_turn(ask(), RuntimeError("timeout")))
    assert len(requests) == 2
    assert (solution.text, solution.error) == ("", "timeout")


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ('{"days": 1}, {"days": 2}', '[{"days": 1}, {"days": 2}]'),
        ("Day 1:\nLunch: A, B", "Day 1:\nLunch: A, B"),
    ],
)
async def test_a_plan_may_be_bare_objects_or_lines(argument: str, text: str) -> None:
    solution, _ = await solve("react", lambda r: f"Action: Finish[{argument}]")
    assert solution.text == text


@pytest.mark.parametrize("method", ["react", "reflexion"])
async def test_no_prompt_knows_more_than_the_prompt_of_every_method(method: str) -> None:
    _, requests = await solve(method, in_turn(ask(), "Hm.", "Hm.", "Hm."), reflexion={"failures": 2})
    told = "\n".join(m["content"] for r in requests for m in r.messages if m["role"] == "user").lower()
    hints = (
        "secret",
        "divers",
        "differ",
        "repeat",
        "minimum",
        "sandbox",
        "constraint",
        "budget",
        "commonsense",
    )
    assert not any(word in told for word in hints)


# --- Reflexion ------------------------------------------------------------------------------------------


async def test_reflexion_reflects_after_failures_in_a_row_and_goes_on() -> None:
    bad = ask(lunch="Nowhere, Bay")
    script = in_turn(bad, ask(), bad, "Hm.", bad, bad, FINISH)
    own = {"steps": 9, "failures": 3}
    solution, requests = await solve("reflexion", script, reflexion=own)
    assert [(r.role, r.round) for r in requests] == [
        *(("planner", n) for n in range(5)), ("reflector", 4), ("planner", 5), ("planner", 6),
    ]  # fmt: skip
    reflector, last = requests[5], requests[-1]
    assert "no cost 3 times in a row" in reflector.messages[-1]["content"]
    assert "does not have: lunch" in reflector.messages[-1]["content"]
    assert last.messages[: len(reflector.messages)] == reflector.messages  # the failed steps stay in view
    assert [m["content"] for m in last.messages[len(reflector.messages) :]][:2] == [
        "I reflect on step 4.", "Go on with the next step.",
    ]  # fmt: skip
    assert (solution.text, solution.rounds) == (PLAN, 7)
    assert [step.get("reflection") for step in solution.steps if "reflection" in step] == [
        "I reflect on step 4."
    ]


async def test_without_failures_reflexion_asks_what_react_asks() -> None:
    script, settings = in_turn(ask(), ask(days=2), FINISH), {"steps": 4, "step_tokens": 50}
    _, plain = await solve("react", script, react=settings)
    _, reflecting = await solve("reflexion", script, reflexion=settings)
    assert plain == reflecting


async def test_no_reflection_after_the_last_step_nor_on_a_failed_call() -> None:
    solution, requests = await solve("reflexion", lambda r: "Hm.", reflexion={"steps": 3, "failures": 3})
    assert {r.role for r in requests} == {"planner"}
    assert solution.error == "no plan within 3 steps"

    def broken(request: Request) -> str | Exception:
        return RuntimeError("http 500") if request.role == "reflector" else "Hm."

    solution, requests = await solve("reflexion", broken, reflexion={"steps": 5, "failures": 2})
    assert [r.role for r in requests] == ["planner", "planner", "reflector"]
    assert solution.error == "http 500"


@pytest.mark.parametrize(("method", "calls"), [("react", 7), ("reflexion", 7 + 2), ("greedy-search", 0)])
async def test_an_estimate_plays_them_to_their_bounds(method: str, calls: int) -> None:
    settings = Params.model_validate(
        {"settings": {"react": {"steps": 7}, "reflexion": {"steps": 7, "failures": 3}}}
    )
    client = CountingClient()
    await baseline(method, settings, "travelplanner").solve(Session(PROBLEM, client, settings, 3, seed=0))
    assert sum(amount.calls for amount in client.needs.values()) == calls


# --- greedy search --------------------------------------------------------------------------------------


async def test_greedy_search_takes_the_cheapest_of_everything() -> None:
    solution, requests = await solve("greedy-search", lambda r: "")
    assert requests == []
    plan = orjson.loads(solution.text)
    assert [set(day) for day in plan] == [{"days", *CONTENT_KEYS}] * 3
    assert [day["current_city"] for day in plan] == ["from Mills to Bay", "Bay", "from Bay to Mills"]
    assert [day["transportation"] for day in plan] == [
        "Flight Number: F0000001, from Mills to Bay, Departure Time: 08:15, Arrival Time: 09:30",
        "-",
        "Self-driving, from Bay to Mills",
    ]
    for day in plan[:2]:
        assert {day["breakfast"], day["lunch"], day["dinner"]} == {"Casa Brisa, East, Bay"}
        assert day["accommodation"] == "Dorm, Bay"
        assert day["attraction"] in {"Old Fort, Bay;", "Dune Walk, Bay;"}
    assert {plan[2][key] for key in ("breakfast", "attraction", "accommodation")} == {"-"}


def test_the_route_is_the_references() -> None:
    legs = [(leg.origin, leg.destination, leg.day, len(leg.flights)) for leg in route(REFERENCE)]
    assert legs == [("Mills", "Bay", date(2022, 3, 7), 2), ("Bay", "Mills", date(2022, 3, 9), 0)]


async def test_greedy_search_needs_reference_information() -> None:
    own = Problem("own-1", "travelplanner", "Plan a trip.", gold=None, kind="plan")
    session = Session(own, ScriptedClient(lambda r: ""), Params(), 3, seed=0)
    solution = await baseline("greedy-search", Params(), "travelplanner").solve(session)
    assert solution.error == "no reference information to search in"


async def test_greedy_plans_are_deterministic_delivered_and_free(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params = Params.model_validate({"data": {"source": "shipped", "test_problems": None}})
    download("travelplanner", params)
    problems = load("travelplanner", "test", params)
    job, client = Job("travelplanner", "greedy-search", 3, 0), ScriptedClient(lambda r: "")
    method = baseline(job.method, params, job.benchmark)
    traces = await play(method, problems, client, params, job)
    assert [t.text for t in await play(method, problems, client, params, job)] == [t.text for t in traces]
    metrics = summarise(traces, {}, params)
    assert (metrics["calls"], metrics["total_tokens"], metrics["usd"], metrics["models"]) == (0, 0, 0, {})
    assert metrics["invalid"] == 0
    for problem, trace in zip(problems, traces, strict=True):
        verdicts = grade(problem, trace.text, params).detail["constraints"]
        for name in ("is_reasonable_visiting_city", "is_valid_information_in_sandbox", "is_not_absent"):
            assert verdicts[name] is True, (problem.id, name)


@pytest.mark.parametrize("method", ["react", "reflexion", "greedy-search"])
def test_they_play_on_plans_alone(method: str) -> None:
    with pytest.raises(EconError, match="plans"):
        baseline(method, Params(), "svamp")
