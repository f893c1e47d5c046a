"""Numbers: where the answer stands, how it is read, and what counts as right."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.grading import gold_form, grade_text, matches

READINGS = [
    # gold, response, strict, flexible
    ("18", "#### 18", True, True),
    ("18", "She makes $18.", None, True),
    ("18", "The answer is $18.00.", True, True),
    ("18", "so \\boxed{5} and then \\boxed{18}.", True, True),
    ("18", "\\boxed{18}. Later I wrote #### 7", False, False),
    ("18", "the answer is 18. Check: 3 + 4 = 7.", True, True),
    ("18", "**Final Answer**: $\\boxed{18}$", True, True),
    ("18", "Answer:\n\n18 eggs", True, True),
    ("18", "\\boxed{18\\text{ dollars}}", True, True),
    ("18", "It is 18\n#### unknown", None, None),
    ("18", "18 it is. Answer:", None, None),
    ("18", "The answer is eighteen.", None, None),
    ("18", "", None, None),
    ("18", None, None, None),
    ("8", "That makes 8, so our answer is correct.", None, True),
    ("8", "The correct answer is 8.", True, True),
    ("10", "I think the answer is not 5 but 10", None, True),
    ("8", "We add.\n#### Step 1: 5 + 3\nThat makes 8", None, True),
    ("8", "The answer is 5 + 3 = 8.", True, True),
    ("8", "Answer: 5 + 3", None, None),
    ("7", "5 - 3 and 10-7", None, True),
    ("1234567", "#### 1,234,567", True, True),
    ("1234", "\\boxed{1{,}234}", True, True),
    ("1234", "\\boxed{1\\,234}", True, True),
    ("0.5", "The answer is 1/2 cup", True, True),
    ("0.5", "\\boxed{\\frac{1}{2}}", True, True),
    ("0.5", "\\boxed{\\dfrac12}", True, True),
    ("3.5", "Answer: 3 1/2", True, True),
    ("25", "The answer is 25%", True, True),
    ("0.25", "Answer: 25%", True, True),
    ("25", "Answer: 0.25", False, False),
    ("-5", "Answer: −5.", True, True),
    ("-5", "Answer: -$5", True, True),
    ("-5", "Answer: $-5", True, True),
    ("5000000", "Answer: 5 million", True, True),
    ("5", "Answer: $5 million", True, True),
    ("500", "It cost Rs.500", None, True),
    ("3", "Answer: 1e999999999", None, None),
    ("0.00000051", "Answer: 5.1 \\times 10^{-7}", True, True),
    ("12", "**Final answer:** 12", True, True),
    ("12", "__Final answer__: __12__", True, True),
    ("12", "Final answer: 12\n\nAsk me for 5 more!", True, True),
    ("12", "Final answer: \u200b12", True, True),
    ("66", "Final answer: 66 = 216 - 150", True, True),
    ("3", "Final answer: 4 - 1 = 3 apples", True, True),
    ("3000", "Final answer: 3 000", True, True),
    ("3000", "It makes 3\u202f000 in all", None, True),
    ("3000", "Final answer: $3k", True, True),
    ("36", "Final answer: 3 dozen", True, True),
    ("3.5", "Final answer: 3½", True, True),
    ("0.75", "Final answer: ¾ cup", True, True),
    ("3.5", "Final answer: 3 and a half hours", True, True),
    ("3", "Final answer: 3 and a half hours", False, False),
    ("3", "Final answer: 3,50", None, None),
    ("1", "Final answer: 1,00,000", None, None),
    ("3", "Final answer: 3–5", None, None),
    ("3", "Final answer: 3 or 4", None, None),
    ("3", "Final answer: between 3 and 5", None, None),
    ("9", "Final answer: \\sqrt{9}", None, None),
    ("2", "Final answer: 2\\sqrt{3}", None, None),
    ("3", "Final answer: 3π", None, None),
    ("4.666666666666667", "Final answer: 14/3.", True, True),
    ("14", "Final answer: 14/3.", False, False),
    ("0", "Final answer: 5e-7", False, False),
    ("9280000000001", "Final answer: 9280000000002", False, False),
]


@pytest.mark.parametrize(("gold", "response", "strict", "flexible"), READINGS)
def test_reading(gold: str, response: str | None, strict: bool | None, flexible: bool | None) -> None:
    verdict = grade_text("number", gold, response)
    assert (verdict.strict, verdict.flexible) == (strict, flexible)
    assert verdict.reward == (1.0 if flexible else 0.0)
    assert (verdict.reason is not None) == (flexible is None)


@pytest.mark.parametrize(
    ("target", "right", "wrong"),
    [
        (5.158e-07, ["5.158e-7", "0.0000005158", "0.00000051580022"], ["0", "0.00", "0.000001", "5.159e-7"]),
        (9284017268534.4, ["9284017268534.4", "9,284,017,268,534.40"], ["9284017268534", "9284017268534.5"]),
        (109844510400.0, ["109844510400"], ["109844510401", "109844510400.5"]),
        (
            14053029.666666666,
            ["14053029.67", "14053029.6666666667", "42159089/3"],
            ["14053030", "14053029.66"],
        ),
        (0.30000000000000004, ["0.3", "3/10"], ["0.31", "0.29"]),
        (66.66666666666667, ["66.67", "66.7", "200/3"], ["67", "66.6", "66.68"]),
        (0.0, ["0", "0.00", "-0"], ["1e-9", "0.001"]),
    ],
)
def test_no_tolerance_takes_a_wrong_digit(target: float, right: list[str], wrong: list[str]) -> None:
    gold = gold_form("number", target)
    assert gold is not None
    for answer in right:
        assert grade_text("number", gold, f"#### {answer}").strict is True, answer
    for answer in wrong:
        assert grade_text("number", gold, f"#### {answer}").strict is False, answer


@pytest.mark.parametrize(
    ("answer", "gold"),
    [("a\n#### 1,234", "1234"), (-9867630.0, "-9867630"), (3244047.0999999996, "3244047.1"), ("145", "145"),
     (-0.0, "0"), (12, "12"), (True, None), ("none", None), (float("nan"), None), (None, None)],
)  # fmt: skip
def test_gold_in_normal_form(answer: object, gold: str | None) -> None:
    assert gold_form("number", answer) == gold


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_any_decimal_is_read_back_and_its_neighbour_is_wrong(value: Decimal) -> None:
    gold = gold_form("number", str(value))
    assert gold is not None
    assert grade_text("number", gold, f"The total is {value:,}.").flexible is True
    assert grade_text("number", gold, f"Answer: {value + Decimal('0.0001')}").flexible is False


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e13, max_value=1e13))
def test_any_float_target_is_met_by_its_own_digits(value: float) -> None:
    gold = gold_form("number", value)
    assert gold is not None
    assert matches("number", gold, gold)
    assert not matches("number", gold, str(Decimal(gold) + 1))
