"""The worked examples of few-shot prompts: right, in the project's final form, and no benchmark problem."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from econ import prompts
from econ.benchmarks import download, load
from econ.benchmarks.sources import SHIPPED
from econ.grading import gold_form, grade, grade_text
from econ.params import Data, Params
from econ.prompts.exemplars import decomposed, digest, exemplars

WRITTEN: dict[prompts.Kind, tuple[int, str]] = {  # changing an example changes every few-shot result
    "number": (8, "cb7454c6e1359008e38bf698097e0c8dd69d61ded37ae5bc437bf1761461e81b"),
    "yesno": (6, "0a9c9d5eec98890d249914acbae1a7a4064ca376b7bd25aaf64c62a3c1bd7213"),
    "math": (4, "136a92347e83d5f67034e49907608775b8dc25a64613c70672e48fb4204440e0"),
    "plan": (1, "b8fb732490cf5d5aca65ca549743fce4f8260828228dd5a4913ea17a79606a97"),
}
DECOMPOSED: dict[prompts.Kind, str] = {
    "number": "c503e1db9d7543a4388c4246da010eee137e6a6f7add27c413ff5a1125dd62cf",
    "yesno": "37f54fe4edc56c3c6eaa50529b51979ff549df8609e0619a83575f13c038d20e",
    "math": "644cf5aae2f3bdfd271999bd34035c86e1dc1c73abbe70415365266325b35d80",
}
# Worked out once more from the questions alone, by hand.
GOLDS: dict[prompts.Kind, list[str]] = {
    "number": ["25", "7", "45", "8", "750", "8.9", "1470550", "103"],
    "yesno": ["no", "yes", "yes", "no", "yes", "no"],
    "math": ["24", r"\dfrac{5}{14}", r"\sqrt{136}", "(-1, 6)"],
}
FORMS = {
    "number": r"Final answer: [\d.]+",
    "yesno": "Final answer: (yes|no)",
    "math": r"Final answer: \\boxed\{.+\}",
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_files_are_the_pinned_ones(kind: prompts.Kind) -> None:
    assert (len(exemplars(kind)), digest(kind)) == WRITTEN[kind]


@pytest.mark.parametrize("kind", GOLDS)
def test_every_example_is_right_by_the_real_grader_and_ends_in_the_form_asked_for(kind: prompts.Kind) -> None:
    for example, right in zip(exemplars(kind), GOLDS[kind], strict=True):
        gold = gold_form(kind, right)
        assert gold is not None
        assert grade_text(kind, gold, example.answer).strict is True, example.question
        assert re.fullmatch(FORMS[kind], example.answer.splitlines()[-1])


@pytest.mark.parametrize("kind", GOLDS)
def test_every_equation_of_an_example_holds(kind: prompts.Kind) -> None:
    chains = [
        chain
        for example in exemplars(kind)
        for chain in re.findall(r"[\d.%]+(?: [-+*/=] [\d.%]+)+", example.answer)
        if "=" in chain
    ]
    for chain in chains:
        values = [eval(side.replace("%", ""), {"__builtins__": {}}) for side in chain.split("=")]  # noqa: S307
        assert values == pytest.approx([values[0]] * len(values)), chain
    assert chains or kind != "number"


def test_the_plan_is_a_training_problem_of_our_own_and_meets_every_constraint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params = Params(data=Data(source="shipped", train_problems=None, reference_tokens=None))
    download("travelplanner", params)
    (example,) = exemplars("plan")
    (own,) = [p for p in load("travelplanner", "train", params) if p.meta["query"] in example.question]
    verdict = grade(own, example.answer, params)
    assert verdict.strict is True
    assert verdict.reward == 1


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_prompt_is_the_examples_as_turns_and_then_zero_shots_own_message(kind: prompts.Kind) -> None:
    messages = prompts.few_shot("What now?", kind, 48)
    assert messages[-1:] == prompts.cot("What now?", kind, 48)
    assert [m["role"] for m in messages] == ["user", "assistant"] * WRITTEN[kind][0] + ["user"]
    assert messages[:-1] == prompts.few_shot("And now?", kind, 96)[:-1]


@pytest.mark.parametrize("kind", DECOMPOSED)
def test_a_decomposed_example_is_one_of_the_kinds_and_comes_to_its_answer(kind: prompts.Kind) -> None:
    assert digest(kind, "sub_questions") == DECOMPOSED[kind]
    golds = {e.question: gold_form(kind, gold) for e, gold in zip(exemplars(kind), GOLDS[kind], strict=True)}
    assert len(decomposed(kind)) == 4
    for example in decomposed(kind):
        gold = golds[example.question]
        assert gold is not None
        *before, (last, answer) = example.steps
        assert grade_text(kind, gold, answer).strict is True, example.question
        assert last.startswith(prompts.NOW)
        assert before
        assert not any(question.startswith(prompts.NOW) for question, _ in before)
        assert all(re.search(r"The answer is .+\.$", text) for _, text in example.steps)
        assert re.match(r"Given: .+\. Wanted: .+\.$", example.rephrased)


def words(text: str) -> frozenset[str]:
    """A text's words without its numbers: a problem with other numbers is still the same problem."""
    return frozenset(re.findall(r"[a-z]+", text.lower()))


def likeness(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b)


def asked(folder: Path) -> Iterator[str]:
    fields = ("question", "input", "problem", "question_concat", "query")
    for file in folder.glob("*/*.jsonl"):
        for line in file.open(encoding="utf-8"):
            row = json.loads(line)
            yield from (row[field] for field in fields if field in row)


def check_unknown(folder: Path, kinds: list[prompts.Kind]) -> None:
    known = list(asked(folder))
    assert known
    verbatim = {"".join(text.split()).lower() for text in known}
    alike = {words(text) for text in known}
    for question in (example.question for kind in kinds for example in exemplars(kind)):
        assert "".join(question.split()).lower() not in verbatim
        if len(mine := words(question)) >= 8:  # "Solve x + 1 = 3 for x" has no words of its own
            near = max(alike, key=lambda other: likeness(mine, other))
            assert likeness(mine, near) < 0.75, f"{question!r} is close to {' '.join(sorted(near))}"


def test_no_example_is_a_problem_of_the_mirror(mirror: Path) -> None:
    check_unknown(mirror, ["number", "yesno", "math", "plan"])


def test_no_example_is_a_shipped_problem() -> None:
    check_unknown(SHIPPED, ["number", "yesno", "math"])
