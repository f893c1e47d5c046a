"""The evaluator against hand-checked cases, constraint by constraint, and its handling of broken plans.

``travelplanner_golden.json`` holds an invented sandbox and 17 plans. Its verdicts were derived by hand from
the benchmark's rules and confirmed by running the official evaluator.
"""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from econ.grading import extract, grade, majority
from econ.grading.travelplanner import Sandbox, from_json, from_layout, from_reference, rates, score
from econ.params import Data, Params
from econ.records import Problem

GOLDEN = json.loads(Path(__file__).with_name("travelplanner_golden.json").read_text(encoding="utf-8"))
CASES = {case["id"].split("-")[0]: case for case in GOLDEN["cases"]}
WORLD = GOLDEN["sandbox"]


def tables(cities: set[str], legs: set[tuple[str, str]]) -> dict[str, Any]:
    """The invented world as reference information: tables of places, flights and drives."""
    reference: dict[str, Any] = {}
    for city in sorted(cities):
        for kind, key in (("Attractions", "City"), ("Restaurants", "City"), ("Accommodations", "city")):
            rows = [row for row in WORLD[kind.lower()] if row[key] == city]
            reference[f"{kind} in {city}"] = rows or "There is nothing in this city."
    for a, b in sorted(legs):
        flights = [f for f in WORLD["flights"] if (f["OriginCityName"], f["DestCityName"]) == (a, b)]
        reference[f"Flight from {a} to {b} on some day"] = flights or "There is no flight."
        drives = [d for d in WORLD["distances"] if (d["origin"], d["destination"]) == (a, b)]
        for mode in ("Self-driving", "Taxi"):
            said = [f"{mode}, duration: {d['duration']}, distance: {d['distance']}, cost: 0" for d in drives]
            reference[f"{mode} from {a} to {b}"] = (said or ["No valid information."])[0]
    return reference


def whole_world() -> Sandbox:
    everywhere = set(WORLD["city_states"])
    return from_reference(
        tables(everywhere, {(a, b) for a in everywhere for b in everywhere}), WORLD["city_states"]
    )


def reference_only(case: dict[str, Any]) -> Sandbox:
    cities = case["reference_cities"]
    route = [case["query"]["org"], *cities, case["query"]["org"]]
    return from_reference(tables(set(cities), set(pairwise(route))), WORLD["city_states"])


def check(case: dict[str, Any], sandbox: Sandbox, expected: dict[str, Any]) -> None:
    found = score(case["query"], case["plan"], sandbox)
    if expected["raises"]:
        assert found.malformed is not None
        assert found.malformed.startswith(expected["raises"])
        assert (found.delivered, found.commonsense_passed, found.hard_evaluated) == (True, 0, False)
        return
    verdicts = dict.fromkeys(found.constraints) | (expected["commonsense"] or {}) | (expected["hard"] or {})
    assert dict(found.constraints) == verdicts
    assert len(verdicts) == 13
    assert (found.delivered, found.cost) == (expected["delivered"], expected["total_cost"])
    for rate in ("commonsense_macro", "hard_macro", "final"):
        assert getattr(found, rate) == expected[rate]


@pytest.mark.parametrize("name", CASES)
def test_golden_case_with_the_full_tables(name: str) -> None:
    check(CASES[name], whole_world(), CASES[name]["expected"])


@pytest.mark.parametrize("name", CASES)
def test_golden_case_with_its_reference_information_alone(name: str) -> None:
    case = CASES[name]
    same = case["expected_reference_only"] == "same"
    check(case, reference_only(case), case["expected" if same else "expected_reference_only"])


def test_rates_are_the_official_ones() -> None:
    sandbox = whole_world()
    found = rates(score(c["query"], c["plan"], sandbox) for n, c in CASES.items() if n != "G17")
    expected = GOLDEN["aggregate_expected"]
    for name, value in expected["rates_with_these_denominators"].items():
        assert found[name] == pytest.approx(value, abs=1e-5)
    finals = {k: round(v["final_pass_rate"] * v["n"]) for k, v in found["levels"].items()}
    assert finals == expected["final_true_by_level"]
    assert sum(c["total"] for n, c in found["constraints"].items() if n.startswith("valid_")) == 27


def test_a_missing_plan_stays_in_every_denominator() -> None:
    sandbox = whole_world()
    found = rates([score(CASES["G01"]["query"], plan, sandbox) for plan in (CASES["G01"]["plan"], None)])
    assert found["final_pass_rate"] == found["delivery_rate"] == found["hard_micro"] == 0.5


BROKEN = {
    "no current city": lambda plan: plan[1].pop("current_city"),
    "empty day": lambda plan: plan[1].clear(),
    "from without to": lambda plan: plan[0].update(current_city="from Alderton"),
    "null room": lambda plan: plan[0].update(accommodation=None),
    "flight without its form": lambda plan: plan[0].update(
        transportation="Flight number F9000001, from A to B"
    ),
    "day is text": lambda plan: plan.__setitem__(1, "rest"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_plan_that_stops_the_official_evaluator_is_malformed(fault: str) -> None:
    plan = copy.deepcopy(CASES["G01"]["plan"])
    BROKEN[fault](plan)
    found = score(CASES["G01"]["query"], plan, whole_world())
    assert found.malformed
    assert found.delivered
    assert found.share == 0


def test_null_meals_pass_as_a_dash_would() -> None:
    plan = copy.deepcopy(CASES["G01"]["plan"])
    plan[0]["breakfast"] = None
    assert score(CASES["G01"]["query"], plan, whole_world()).final


def test_the_strict_reading_of_current_city_stands_beside_the_official_one() -> None:
    found = score(CASES["G08"]["query"], CASES["G08"]["plan"], whole_world())
    assert found.constraints["is_valid_information_in_current_city"] is True
    assert found.within_current_city_strict is False


def problem(name: str) -> Problem:
    case = CASES[name]
    route = [case["query"]["org"], *case["reference_cities"], case["query"]["org"]]
    reference = tables(set(case["reference_cities"]), set(pairwise(route)))
    return Problem(
        name, "travelplanner", "Plan a trip.", None, {**case["query"], "reference_tables": reference}, "plan"
    )


PARAMS = Params(data=Data(source="shipped"))


def test_the_reward_of_a_plan_is_the_share_of_constraints_met() -> None:
    good, over = (json.dumps(CASES[name]["plan"]) for name in ("G01", "G02"))
    assert grade(problem("G01"), f"Here it is:\n```json\n{good}\n```", PARAMS).reward == 1
    verdict = grade(problem("G02"), over, PARAMS)
    assert (verdict.strict, verdict.flexible, verdict.reward) == (False, False, pytest.approx(9 / 10))


def test_a_plan_that_cannot_be_read_is_invalid_and_undelivered() -> None:
    verdict = grade(problem("G01"), "I cannot plan this. [1] [{]", PARAMS)
    assert (verdict.strict, verdict.flexible, verdict.reward) == (None, None, 0)
    assert verdict.detail["delivered"] is False


LAYOUT = """Day 1:
Current City: from Alderton to Briarvale
Transportation: Flight Number: F9000001, from Alderton to Briarvale, Departure Time: 08:10, Arrival Time: 09:40
Breakfast: -
Attraction: Clock Museum, Briarvale;
Lunch: Maple Spoon, Briarvale
Dinner: Jade Pavilion, Briarvale
Accommodation: Garden Loft near Museum, Briarvale

**Day 2:**
- **Current City:** Briarvale
- Transportation:
- Breakfast: Casa Lupe, Briarvale
"""  # noqa: E501


def test_the_natural_layout_is_a_flexible_answer() -> None:
    plan = from_layout(LAYOUT)
    assert plan is not None
    assert [day["days"] for day in plan] == [1, 2]
    assert plan[0] == {**CASES["G01"]["plan"][0]}
    assert plan[1] == {
        "days": 2,
        "current_city": "Briarvale",
        "transportation": "-",
        "breakfast": "Casa Lupe, Briarvale",
    }
    verdict = grade(problem("G01"), LAYOUT, PARAMS)
    assert (verdict.strict, verdict.flexible) == (None, False)


def test_the_last_list_of_days_counts() -> None:
    assert from_json('[{"days": 1, "lunch": "a"}] then [{"days": 1, "lunch": "b"}] and [1, 2]') == [
        {"days": 1, "lunch": "b"}
    ]


def test_the_vote_on_plans_takes_the_one_most_like_the_others() -> None:
    plans = [[{"days": 1, "lunch": meal, "dinner": "x"}] for meal in ("a", "b", "b", "c")]
    answers = [None, *(extract("plan", json.dumps(plan)) for plan in plans)]
    assert majority("plan", answers) == 2
    assert majority("plan", [None, None]) is None
