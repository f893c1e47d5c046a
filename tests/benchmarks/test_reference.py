"""TravelPlanner's reference information: read back from its text, fitted to tokens by a stated rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ import tokens as estimate
from econ.benchmarks import download, load
from econ.benchmarks.fitting import fit
from econ.benchmarks.sources import SHIPPED
from econ.benchmarks.travelplanner import literal, query_of, read_table
from econ.errors import EconError
from econ.params import Data, Params
from econ.records import Problem

WHOLE = Params(data=Data(source="shipped", train_problems=None, test_problems=None, reference_tokens=None))


def shipped(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SHIPPED / "travelplanner" / file).open(encoding="utf-8")]


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        download("travelplanner", WHOLE)
        return load("travelplanner", "test", WHOLE) + load("travelplanner", "train", WHOLE)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_text_reads_back_to_the_tables(split: str) -> None:
    rows, references = shipped(f"{split}.jsonl"), shipped(f"{split}_ref_info.jsonl")
    assert [query_of(row)["reference_tables"] for row in rows] == references


def test_names_with_spaces_digits_and_line_breaks_are_read_whole() -> None:
    text = (
        "                   Name  Average Cost    Cuisines  Aggregate Rating    City\n"
        "7   1918 Bistro, & Sons            90  Tea, Pizza               4.1  Dallas\n"
        "812          Two\\nLines            12         BBQ               3.0  Dallas"
    )
    first, second = read_table("Restaurants in Dallas", text)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["Name"], first["Average Cost"], first["Cuisines"]) == (
        "1918 Bistro, & Sons",
        90,
        "Tea, Pizza",
    )
    assert second["Name"] == "Two\nLines"
    assert read_table("Flight from A to B on 2022-03-01", "There is no flight.") == "There is no flight."


def test_the_whole_prompt_is_the_query_and_the_reference_text(problems: list[Problem]) -> None:
    for problem in problems:
        assert problem.meta["reference"] == {"form": "whole"}
        assert problem.prompt.startswith(problem.meta["query"])
        assert all(content in problem.prompt for content in problem.meta["reference_text"].values())
        assert "annotated" not in problem.prompt


def least(problem: Problem) -> int:
    with pytest.raises(EconError, match="cannot be fitted to 1 tokens") as caught:
        fit(problem, 1)
    return int(caught.value.way_out.split(" or more")[0].split()[-1])


def body(problem: Problem) -> str:
    return problem.prompt.split("\n\n", 2)[2]


def test_fitting_keeps_to_its_tokens_and_says_what_it_left_out(problems: list[Problem]) -> None:
    for problem in problems:
        floor = least(problem)
        for tokens in (floor, floor + 40, floor + 150):
            fitted = fit(problem, tokens)
            facts = fitted.meta["reference"]
            assert facts["form"] == "fitted"
            assert estimate.upper(body(fitted)) <= tokens
            assert (
                f"{facts['rows_kept']} of {facts['rows_kept'] + facts['rows_dropped']} rows" in fitted.prompt
            )
            assert " rows):" in fitted.prompt or not facts["rows_dropped"]
        with pytest.raises(EconError, match=f"{floor} or more"):
            fit(problem, floor - 1)


# Tokens of whole prompts of shipped problems and of two fitted ones: SmolLM2, Mistral, Llama 3.
COUNTED = {
    ("68884f0332f5", None): (1045, 1088, 863), ("72044c846897", None): (853, 901, 720),
    ("21ad2960ace3", None): (1044, 1055, 866), ("c569ec76c279", None): (1477, 1551, 1241),
    ("e7515b724572", None): (1059, 1070, 880), ("cde5c2fe4120", None): (1011, 1056, 835),
    ("ae94bbe6f4bb", None): (1009, 1051, 830), ("0b7a4253cfd0", None): (1531, 1574, 1295),
    ("c569ec76c279", 1200): (953, 1016, 812), ("0b7a4253cfd0", 1200): (968, 1018, 826),
}  # fmt: skip


def test_the_estimate_is_above_what_tokenizers_count_and_not_by_much(problems: list[Problem]) -> None:
    by_id = {problem.id.rpartition("/")[2]: problem for problem in problems}
    for (name, tokens), counts in COUNTED.items():
        estimated = estimate.upper(fit(by_id[name], tokens).prompt)
        assert max(counts) <= estimated <= 1.4 * min(counts)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("12.50 USD", 6), ("naïve", 4), ("東京", 6), ("a\n\nb", 4), ("    x", 2)]
)
def test_pieces_of_the_estimate(text: str, tokens: int) -> None:
    assert estimate.upper(text) == tokens


def test_more_tokens_never_show_fewer_rows(problems: list[Problem]) -> None:
    problem = problems[0]
    kept = [fit(problem, least(problem) + more).meta["reference"]["rows_kept"] for more in range(0, 200, 20)]
    assert kept == sorted(kept)
    assert kept[0] < kept[-1]


def test_places_are_shortened_before_flights(problems: list[Problem]) -> None:
    for problem in problems:
        flights = [
            row["Flight Number"]
            for heading, rows in problem.meta["reference_tables"].items()
            if heading.startswith("Flight") and isinstance(rows, list)
            for row in rows
        ]
        roomy = fit(problem, least(problem) + 100)
        assert all(number in roomy.prompt for number in flights)
        assert all(
            heading in roomy.prompt for heading in problem.meta["reference_tables"]
        )  # every leg and every table stays, if with fewer rows


@given(per_token=st.integers(min_value=1, max_value=6))
def test_any_tokenizer_can_count(per_token: int) -> None:
    row = shipped("validation.jsonl")[0]
    text = {entry["Description"]: entry["Content"] for entry in literal(row["reference_information"])}
    meta = {**query_of(row), "query": "q", "reference_text": text}
    problem = Problem("x", "travelplanner", "", None, meta, "plan")

    def count(piece: str) -> int:
        return len(piece) // per_token

    fitted = fit(problem, 1800 // per_token, count)
    assert fitted.meta["reference"]["form"] == "fitted"
    assert count(body(fitted)) <= 1800 // per_token


def test_fitted_problems_come_from_load(
    problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    download("travelplanner", WHOLE)
    few = WHOLE.model_copy(update={"data": WHOLE.data.model_copy(update={"reference_tokens": 700})})
    assert all(p.meta["reference"]["form"] in ("fitted", "whole") for p in load("travelplanner", "test", few))
    tiny = WHOLE.model_copy(update={"data": WHOLE.data.model_copy(update={"reference_tokens": 10})})
    with pytest.raises(EconError, match=r"set data\.reference_tokens to \d+ or more"):
        load("travelplanner", "test", tiny)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"days": "three"}, "'days' is not a whole number"),
        ({"days": 0}, "'days' is not a whole number"),
        ({"people_number": float("inf")}, "'people_number' is not a whole number"),
        ({"budget": float("nan")}, "'budget' is not a number"),
        ({"level": "heavy"}, "'level' is not easy"),
        ({"local_constraint": "{'cuisine': None}"}, "'local_constraint' needs the keys"),
        ({"local_constraint": "{open('x')}"}, "cannot be read"),
        ({"reference_information": "no list"}, "cannot be read"),
    ],
)
def test_a_bad_query_names_its_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EconError, match=message):
        query_of({**shipped("train.jsonl")[0], **change})
