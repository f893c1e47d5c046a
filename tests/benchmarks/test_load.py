"""From a source to a sample of problems: what is written, what is refused, what a sample depends on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from econ import paths
from econ.benchmarks import download, load, manifest, names, spec
from econ.benchmarks.sources import SHIPPED
from econ.benchmarks.store import check_golds
from econ.errors import EconError
from econ.params import BENCHMARKS, Custom, Data, Params


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECON_DATA_MIRROR", raising=False)


def params(source: str = "shipped", **data: Any) -> Params:
    whole = {"train_problems": None, "test_problems": None, "reference_tokens": None}
    return Params(data=Data.model_validate({"source": source, **whole, **data}))


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


SUMS = [{"question": f"What is {i} plus {i}?", "answer": f"So\n#### {2 * i}"} for i in range(40)]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_shipped_problems_are_whole_and_their_golds_right(name: str) -> None:
    record = download(name, params())
    assert record["source"] == "shipped"
    for split in ("train", "test"):
        problems = load(name, split, params())
        assert len(problems) == record["splits"][split]["rows"] >= (4 if name == "travelplanner" else 6)
        assert check_golds(problems, params())["golds_failing"] == {}
        assert all(p.prompt.strip() and p.id.startswith("shipped/") for p in problems)
    assert not {p.prompt for p in load(name, "train", params())} & {
        p.prompt for p in load(name, "test", params())
    }


@pytest.mark.parametrize("name", BENCHMARKS)
def test_no_prompt_has_what_only_a_grader_may_see(name: str) -> None:
    download(name, params())
    rows = [json.loads(line) for file in (SHIPPED / name).glob("t*n.jsonl") for line in file.open()]
    hidden = [
        row[key] for row in rows for key in ("code", "solution", "facts", "annotated_plan") if key in row
    ]
    prompts = [p.prompt for split in ("train", "test") for p in load(name, split, params())]
    assert not [text for text in hidden for prompt in prompts if text and text.strip() in prompt]
    stored = paths.problems(name, "test").read_text()
    assert "def solution" not in stored


def test_a_sample_is_a_prefix_of_a_larger_one_and_a_function_of_its_seed() -> None:
    write("mirror/gsm8k/train.jsonl", SUMS[:5])
    write("mirror/gsm8k/test.jsonl", SUMS[5:])
    here = params("mirror", mirror="mirror")
    download("gsm8k", here)
    everything = load("gsm8k", "test", here)
    few = params("mirror", mirror="mirror", test_problems=7)
    assert load("gsm8k", "test", few) == everything[:7]
    other = params("mirror", mirror="mirror", sample_seed=1)
    assert {p.id for p in load("gsm8k", "test", other)} == {p.id for p in everything}
    assert load("gsm8k", "test", other) != everything


def test_a_benchmark_of_one_split_is_cut_in_two_that_never_mix() -> None:
    rows = [{"input": s["question"], "code": "secret", "target": 2.0 * i} for i, s in enumerate(SUMS)]
    write("mirror/gsm_hard/train.jsonl", rows + rows[:3])
    write("mirror/gsm8k/test.jsonl", SUMS[:10])
    here = params("mirror", mirror="mirror")
    record = download("gsm_hard", here)
    train, test = load("gsm_hard", "train", here), load("gsm_hard", "test", here)
    assert not {p.prompt for p in train} & {p.prompt for p in test}
    assert {p.prompt for p in train + test} == {s["question"] for s in SUMS}
    assert len({p.prompt for p in train}) == 10
    marked = {p.prompt for p in train + test if p.subsets == ("verbatim",)}
    assert marked == {s["question"] for s in SUMS[:10]}
    assert {p.subsets for p in train + test} == {("verbatim",), ("changed",)}
    write("mirror/gsm8k/train.jsonl", SUMS[10:12])
    download("gsm8k", here)
    assert {p.source for p in train + test} <= {p.id for p in load("gsm8k", "test", here)}
    found = Counter(name for p in train + test for name in p.subsets)
    assert sum((Counter(part["subsets"]) for part in record["splits"].values()), Counter()) == found
    with pytest.raises(EconError, match="train_share"):
        load("gsm_hard", "train", params("mirror", mirror="mirror", train_share=0.5))


def test_without_the_gsm8k_file_the_mark_is_unknown_not_false() -> None:
    write("mirror/gsm_hard/train.jsonl", [{"input": "1+1?", "code": "", "target": 2.0}] * 2)
    here = params("mirror", mirror="mirror", train_share=0)
    download("gsm_hard", here)
    assert load("gsm_hard", "test", here)[0].subsets == ()
    with pytest.raises(EconError, match="no train problems"):
        load("gsm_hard", "train", here)


def test_a_training_problem_that_is_also_a_test_problem_is_dropped_and_counted() -> None:
    row = {"qid": "a", "question": "Is it so?", "answer": True}
    write("mirror/strategyqa/train.jsonl", [row, {**row, "qid": "b", "question": "Is it not?"}])
    write("mirror/strategyqa/test.jsonl", [{**row, "qid": "c", "question": "Is  it SO?"}])
    here = params("mirror", mirror="mirror")
    record = download("strategyqa", here)
    assert [p.id for p in load("strategyqa", "train", here)] == ["strategyqa/b"]
    assert sum(record["splits"]["train"]["dropped"].values()) == 1


def test_math_rows_without_an_answer_are_left_out_and_counted() -> None:
    row = {"problem": "x?", "solution": "\\boxed{}", "answer": "", "unique_id": "u"}
    write("mirror/math/train.jsonl", [row, {"problem": "y?", "solution": "It is $\\boxed{\\frac12}$."}])
    write("mirror/math/test.jsonl", [{**row, "problem": "z?", "answer": "3"}])
    here = params("mirror", mirror="mirror")
    assert download("math", here)["splits"]["train"]["dropped"] == {"empty answer": 1}
    assert load("math", "train", here)[0].gold == "\\frac12"


def test_the_manifest_says_where_the_problems_come_from() -> None:
    download("gsm8k", params())
    record = manifest("gsm8k")
    part = record["splits"]["test"]
    assert (record["source"], part["hub"], part["rows"]) == ("shipped", None, 50)
    assert part["revision"] is None
    assert len(part["sha256"]) == len(part["source_sha256"]) == 64


def test_a_mirror_names_the_hub_revision_that_it_claims_to_hold_but_does_not_prove() -> None:
    write("mirror/gsm8k/train.jsonl", SUMS[:5])
    write("mirror/gsm8k/test.jsonl", SUMS[5:])
    part = download("gsm8k", params("mirror", mirror="mirror"))["splits"]["test"]
    assert part["hub"] == "openai/gsm8k"
    assert part["revision_checked"] is False


def fails(match: str, name: str = "gsm8k", here: Params | None = None) -> None:
    with pytest.raises(EconError, match=match) as caught:
        download(name, here or params("mirror", mirror="mirror"))
    assert "\n" not in str(caught.value)


def test_bad_rows_are_named_with_their_file_and_row() -> None:
    write("mirror/gsm8k/test.jsonl", [SUMS[0], {"question": "Is there no answer?"}])
    fails(r"gsm8k/test.jsonl row 2 has no field 'answer'")
    write("mirror/gsm8k/test.jsonl", [SUMS[0], {"question": "What?", "answer": "none"}])
    fails(r"gsm8k/test.jsonl row 2: answer 'none' is no readable number answer")
    Path("mirror/gsm8k/test.jsonl").write_text('{"question": "a", "answer": "1"}\n{oops\n')
    fails(r"gsm8k/test.jsonl line 2 is not JSON")
    write("mirror/gsm8k/test.jsonl", [{"question": " ", "answer": "1"}])
    fails(r"gsm8k/test.jsonl row 1: field 'question' is empty")


def test_a_trip_that_cannot_be_read_is_named_with_its_field() -> None:
    row = json.loads((SHIPPED / "travelplanner" / "train.jsonl").read_text().splitlines()[0])
    write("mirror/travelplanner/validation.jsonl", [row, {k: v for k, v in row.items() if k != "budget"}])
    fails(r"validation.jsonl row 2: field 'budget' is missing", "travelplanner")
    write("mirror/travelplanner/validation.jsonl", [row])
    write("mirror/travelplanner/validation_ref_info.jsonl", [])
    fails("validation_ref_info.jsonl has 0 rows", "travelplanner")


class FakeHub:
    """Stands in for ``datasets``: rows by hub id, configuration and split; remembers what was asked for."""

    def __init__(self, sets: dict[tuple[str, str | None, str], list[dict[str, Any]]]) -> None:
        self.sets = sets
        self.asked: list[tuple[str, str | None, str, str]] = []

    def disable_progress_bars(self) -> None:
        pass

    def load_dataset(
        self, hub: str, config: str | None, *, split: str, revision: str
    ) -> list[dict[str, Any]]:
        self.asked.append((hub, config, split, revision))
        if (hub, config, split) not in self.sets:
            raise ConnectionError("no such set\nand a long trace")
        return self.sets[hub, config, split]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub({})
    monkeypatch.setitem(sys.modules, "datasets", fake)
    monkeypatch.setattr("econ.benchmarks.sources.hub_reachable", lambda: True)
    return fake


def test_the_hub_is_asked_for_pinned_revisions_and_all_subjects(hub: FakeHub) -> None:
    hub.sets["HuggingFaceH4/MATH-500", None, "test"] = [{"problem": "a?", "answer": "1", "unique_id": "t/1"}]
    subjects = spec("math", params()).sources["train"].configs
    for subject in subjects:
        row = {"problem": f"{subject}?", "solution": "\\boxed{2}", "level": "Level 3", "type": subject}
        hub.sets["EleutherAI/hendrycks_math", subject, "train"] = [row]
    record = download("math", params("auto"))
    assert (record["source"], record["splits"]["train"]["rows"]) == ("hub", 7)
    assert all(len(revision) == 40 for *_, revision in hub.asked)
    assert record["splits"]["test"]["revision"] == hub.asked[0][3]
    assert record["splits"]["test"]["revision_checked"] is True


def test_a_fault_of_the_hub_is_one_line(hub: FakeHub) -> None:
    fails("openai/gsm8k cannot be loaded from the hub: no such set - check its name", here=params("hub"))


def test_a_problem_has_the_same_id_from_every_source(hub: FakeHub) -> None:
    for split in ("train", "test"):
        rows = SUMS[:5] if split == "train" else SUMS[5:]
        hub.sets["openai/gsm8k", "main", split] = rows
        write(f"mirror/gsm8k/{split}.jsonl", rows)
    found = []
    for here in (params("hub"), params("mirror", mirror="mirror")):
        download("gsm8k", here)
        found.append(load("gsm8k", "test", here))
    assert found[0] == found[1]


def test_missing_things_are_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    fails("mirror folder mirror does not exist")
    fails("no folder is named", here=params("mirror"))
    Path("mirror").mkdir()
    fails("mirror/gsm8k/test.jsonl cannot be read")
    fails("unknown benchmark 'gsm9k' - known: gsm8k, gsm_hard", "gsm9k")
    with pytest.raises(EconError, match="run: econ download --benchmark svamp"):
        load("svamp", "test", params())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    fails("hub cannot be reached", here=params("hub"))


def test_without_mirror_or_hub_the_shipped_problems_come_with_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said: list[str] = []
    assert download("svamp", params("auto"), said.append)["source"] == "shipped"
    assert len(said) == 1
    assert "NOT the real benchmark" in said[0]


def test_the_mirror_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write("elsewhere/svamp/train.jsonl", [{"ID": "1", "question_concat": "1+1?", "Answer": "2"}])
    write("elsewhere/svamp/test.jsonl", [{"ID": "2", "question_concat": "1+2?", "Answer": "3"}])
    monkeypatch.setenv("ECON_DATA_MIRROR", "elsewhere")
    assert download("svamp", params("auto"))["source"] == "mirror"


def test_a_changed_file_is_noticed() -> None:
    download("svamp", params())
    path = paths.problems("svamp", "test")
    path.write_bytes(path.read_bytes().replace(b'"gold":"', b'"gold":"1', 1))
    with pytest.raises(EconError, match=r"test\.jsonl has changed since it was downloaded"):
        load("svamp", "test", params())


def test_a_set_of_ones_own_needs_params_alone() -> None:
    write(
        "own/all.jsonl", [{"q": s["question"], "a": s["answer"], "name": f"s{i}"} for i, s in enumerate(SUMS)]
    )
    own = Custom(
        kind="number", test="own/all.jsonl", question="q", answer="a", id="name", max_question_length=17
    )
    here = params(custom={"sums": own})
    assert names(here) == (*BENCHMARKS, "sums")
    assert spec("sums", here).kind == "number"
    record = download("sums", here)
    assert record["source"] == "files"
    problems = load("sums", "train", here) + load("sums", "test", here)
    assert {p.id for p in problems} == {f"sums/s{i}" for i in range(10)}
    assert record["splits"]["test"]["dropped"] == {"question longer than max_question_length": 30}


def test_a_set_of_ones_own_may_not_take_a_benchmarks_name() -> None:
    with pytest.raises(ValueError, match="has the name of a benchmark"):
        Data(custom={"math": Custom(kind="math", test="x.jsonl")})


def test_an_unknown_grader_is_refused_by_the_params() -> None:
    with pytest.raises(ValueError, match="kind"):
        Data.model_validate({"custom": {"mine": {"kind": "essay", "test": "x.jsonl"}}})
