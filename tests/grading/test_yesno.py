"""Yes and no: clear verdicts are read, mere words are not."""

from __future__ import annotations

import pytest

from econ.grading import extract, gold_form, grade_text


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Final answer: yes", "yes"),
        ("Final answer: No.", "no"),
        ("The answer is True", "yes"),
        ('The answer is "Yes"', "yes"),
        ("\\boxed{\\text{No}}", "no"),
        ("#### yes", "yes"),
        ("Answer: maybe", None),
        ("Final answer: yes or no", None),
        ("Yes, because there is no reason.", "yes"),
        ("No\n\nIt would take too long.", "no"),
        ("It can be seen. So, no.", "no"),
        ("Yes. Wait, it is smaller. No.", "no"),
        ("This is false.", "no"),
        ("**Yes**", "yes"),
        ("There is no evidence that it could", None),
        ("Therefore the statement is not true.", None),
        ("I know nothing", None),
    ],
)
def test_reading(response: str, answer: str | None) -> None:
    assert extract("yesno", response) == answer


@pytest.mark.parametrize(
    ("raw", "gold"), [(True, "yes"), (False, "no"), ("Yes", "yes"), ("false", "no"), ("x", None)]
)
def test_gold(raw: object, gold: str | None) -> None:
    assert gold_form("yesno", raw) == gold


def test_a_verdict_without_a_form_is_flexible_only() -> None:
    verdict = grade_text("yesno", "yes", "Yes, it is.")
    assert (verdict.strict, verdict.flexible) == (None, True)
