"""What counts as an answer given away, with and without the gold."""

from __future__ import annotations

import json

import pytest

from econ.grading.leaks import statement, tells
from econ.prompts.exemplars import exemplars


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("number", "Multiply trays by rolls. The answer is 66 rolls.", "Multiply trays by rolls. "),
        ("number", "Multiply first.\nFinal answer: 66\nCheck it.", "Multiply first.\n"),
        ("number", "12 * 18 = 216, so **Final answer:** $1,200", ""),
        ("number", "Add up. #### 1200", "Add up. "),
        ("number", "Add up. Then \\boxed{12}", "Add up. "),
        (
            "number",
            "Weigh 1.5 kg. The final answer = 3? No. Answer: total = 12",
            "Weigh 1.5 kg. The final answer = 3? No. ",
        ),
        ("math", "Factor it. The answer is $\\frac{1}{2}$.", "Factor it. "),
        ("math", "Factor it. \\boxed{x+1}", "Factor it. "),
        ("math", "The answer is 12", ""),
        ("yesno", "Compare the dates. Final answer: no.", "Compare the dates. "),
        ("yesno", "No, because penguins live in the south.", ""),
        ("yesno", "The answer is true", ""),
        ("plan", 'Fly there. [{"days": 1, "dinner": "-"}]', "Fly there. "),
    ],
)
def test_an_answer_in_an_explicit_form_is_seen(kind: str, text: str, kept: str) -> None:
    assert text[: statement(kind, text)] == kept


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "Find the trays, multiply by 18, subtract 150 and check that 66 is below 216."),
        ("number", "The answer is the number of rolls left after step 2 and step 3."),
        ("number", "State the final answer: one number without units."),
        ("number", "Check that our answer is correct. 1. Multiply. 2. Subtract 150."),
        ("number", "Put it in \\boxed{} or \\boxed{N} at the end. #### Step 2\nAdd."),
        ("math", "Complete the square; the answer is simplified. End with \\boxed{X}."),
        ("yesno", "The answer is yes if both lived at the same time, otherwise no."),
        ("yesno", "Decide. Final answer: yes or no."),
        ("yesno", "Yes or no: list facts, compare them."),
        ("yesno", "No one may guess. List the facts."),
        ("plan", "Day 1: fly out. Day 2: [see the sights]. Keep the budget."),
        ("number", ""),
    ],
)
def test_a_strategy_without_an_answer_is_let_be(kind: str, text: str) -> None:
    assert statement(kind, text) is None


@pytest.mark.parametrize("kind", ["number", "math", "yesno", "plan"])
def test_every_worked_example_states_its_answer(kind: str) -> None:
    assert all(statement(kind, example.answer) is not None for example in exemplars(kind))  # type: ignore[arg-type]


PROBLEM = "A bakery has 12 trays of 18 rolls and sells 150. How many of 216 are left?"


@pytest.mark.parametrize(
    ("kind", "gold", "text", "told"),
    [
        ("number", "66", "The answer is 66.", True),
        ("number", "66", "216 - 150 = 66 are left", True),
        ("number", "66", "The answer is 67.", False),
        ("number", "66", "It is below 660 and above 6.6", False),
        ("number", "1200", "that makes 1,200 rolls", True),
        ("number", "0.5", "half of it is 1/2", True),
        ("number", "216", "there are 216 rolls", False),  # the problem says so
        ("number", "216", "The answer is 216", True),  # but not that it is the answer
        ("number", "3", "Step 3: subtract the 3 trays", False),
        ("number", "3", "Final answer: 3", True),
        ("math", "\\frac{1}{2}", "So it is $\\dfrac12$... The answer is 0.5", True),
        ("math", "\\frac{5}{14}", "multiply to get \\dfrac{5}{14} in all", True),
        ("math", "2\\sqrt{34}", "expect $2 \\sqrt{34}$", True),
        ("math", "2\\sqrt{34}", "expect a root", False),
        ("yesno", "no", "Final answer: no", True),
        ("yesno", "no", "No, they live apart.", True),
        ("yesno", "no", "There is no doubt. Compare them.", False),
        ("yesno", "no", 'End with "Final answer: yes" or "Final answer: no".', False),
        (
            "plan",
            json.dumps([{"days": 1, "dinner": "Tide Table"}]),
            'so {"days": 1,"dinner": "Tide Table"}',
            True,
        ),
        ("plan", json.dumps([{"days": 1, "dinner": "Tide Table"}]), "eat at the Tide Table", False),
    ],
)
def test_the_gold_given_away(kind: str, gold: str, text: str, told: bool) -> None:
    assert tells(kind, gold, text, PROBLEM) is told
