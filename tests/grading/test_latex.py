"""Mathematical expressions: pairs that say the same and pairs that do not, both ways round."""

from __future__ import annotations

import threading
import time

import pytest

from econ.grading import equivalent, grade_text
from econ.grading.judge import Worker

SAME = [
    ("\\frac{1}{2}", "0.5"),
    ("\\dfrac{3}{6}", "\\frac12"),
    ("1\\frac{1}{2}", "\\frac32"),
    ("\\frac{-3}{4}", "-\\frac34"),
    ("\\sqrt{8}", "2\\sqrt{2}"),
    ("\\frac{1}{\\sqrt{3}}", "\\frac{\\sqrt{3}}{3}"),
    ("\\sqrt[3]{27}", "3"),
    ("3 \\pm \\sqrt{2}", "3-\\sqrt{2},3+\\sqrt{2}"),
    ("x^2+2x+1", "(x+1)^2"),
    ("\\cot x", "\\frac{\\cos x}{\\sin x}"),
    ("2^{10}", "1024"),
    ("6+9i", "9i+6"),
    ("\\frac{\\pi}{4}", "\\pi/4"),
    ("[2,5)", "\\left[2, 5\\right)"),
    ("x \\in [1,4]", "[1,4]"),
    ("(-\\infty,-1)\\cup(1,\\infty)", "(1,\\infty)\\cup(-\\infty,-1)"),
    ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}"),
    ("\\begin{pmatrix} \\frac12 \\\\ 3 \\end{pmatrix}", "\\begin{pmatrix} 0.5 \\\\ 3 \\end{pmatrix}"),
    ("\\left(3,\\frac{\\pi}{2}\\right)", "(3, \\pi/2)"),
    ("\\{1,2,3\\}", "3, 1, 2"),
    ("1,-2", "-2,1"),
    ("2516_8", "2516_{8}"),
    ("\\text{Evelyn}", "Evelyn"),
    ("\\text{(C)}", "C"),
    ("\\text{even}", "Even"),
    ("10\\text{ cm}", "10"),
    ("15\\mbox{ cm}^2", "15"),
    ("8\\sqrt{2}\\text{ square inches}", "8\\sqrt2"),
    ("90^\\circ", "90"),
    ("50\\%", "50"),
    ("\\$18.50", "18.5"),
    ("10,000", "10000"),
    ("y=2x+3", "2x+3"),
    ("p - q", "p-q"),
    ("\\emptyset", "\\varnothing"),
    ("(-\\infty,2]", "x \\in (-\\infty, 2]"),
    ("5!", "120"),
    ("\\sqrt[3]{2}", "2^{1/3}"),
    ("(1,2),(3,4)", "(1,2), (3,4)"),
]
UNLIKE = [
    ("\\frac{1}{2}", "\\frac13"),
    ("\\frac{14}{3}", "4.67"),
    ("0.333", "\\frac13"),
    ("\\frac{1}{2^{98}}", "\\frac{1}{2^{99}}"),
    ("\\sqrt{8}", "\\sqrt{6}"),
    ("3+\\sqrt{2}", "3-\\sqrt{2}"),
    ("\\pi", "3.14"),
    ("-4", "4"),
    ("x^2+2x+1", "x^2+2x"),
    ("\\sin x", "\\cos x"),
    ("6+9i", "6-9i"),
    ("[2,5)", "(2,5)"),
    ("[2,5]", "[2,5)"),
    ("(-\\infty,3)", "(-\\infty,3]"),
    ("(0,1)\\cup(2,3)", "(0,1)\\cup(2,4)"),
    ("(1,2)", "(2,1)"),
    ("\\{1,2\\}", "(1,2)"),
    ("1,2", "1,2,3"),
    ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{pmatrix} 1 & 3 \\\\ 2 & 4 \\end{pmatrix}"),
    ("2516_8", "2516_9"),
    ("\\text{Evelyn}", "Angela"),
    ("\\text{(C)}", "B"),
    ("10\\text{ cm}", "11"),
    ("10\\text{ cm}^2", "10\\text{ cm}^3"),
    ("50\\%", "5"),
    ("x=5", "x=6"),
    ("1\\frac{1}{2}", "\\frac{1}{2}"),
    ("(-1,6)", "-1,6"),
    ("[2,5]", "2,5"),
    ("p-q", "q-p"),
    ("10000000001", "10000000002"),
    ("0", "10^{-9}"),
    ("-3 \\le x \\le 5", "-3 < x < 5"),
    ("(1,2),(3,4)", "(1,2),(3,5)"),
]


def test_pairs_that_say_the_same() -> None:
    assert len(SAME) >= 30
    assert [p for p in SAME if not (equivalent("math", *p) and equivalent("math", *reversed(p)))] == []


def test_pairs_that_do_not() -> None:
    assert [p for p in UNLIKE if equivalent("math", *p) or equivalent("math", *reversed(p))] == []


@pytest.mark.parametrize(
    ("gold", "response", "strict", "flexible"),
    [
        ("\\frac{14}{3}", "The answer is 14/3.", True, True),
        ("\\frac{14}{3}", "The answer is $\\frac{14}{3}$.", True, True),
        ("5", "$x=\\boxed{2}$ or $x=\\boxed{5}$", True, True),
        ("2,5", "$x=\\boxed{2}$ or $x=\\boxed{5}$", False, False),
        ("1,2", "Final answer: $1$ and $2$", True, True),
        ("(1,2)", "Answer: (1,2)", True, True),
        ("25\\pi", "Final answer: $$25\\pi$$", True, True),
        ("\\text{Evelyn}", "The answer is Evelyn.", True, True),
        ("5", "so $x = 5$.", None, True),
        ("12", "the result is 12 cm", None, True),
        ("x^2-x-6", "\\[ x^2 - x - 6 \\]", None, True),
        ("5", "no maths", None, None),
        ("5", "it is 5: \\boxed{}", None, None),
        ("5", "it is 5: \\boxed{5", None, None),
    ],
)
def test_reading(gold: str, response: str, strict: bool | None, flexible: bool | None) -> None:
    verdict = grade_text("math", gold, response)
    assert (verdict.strict, verdict.flexible) == (strict, flexible)


def test_a_comparison_past_its_time_is_unequal_and_the_next_one_works() -> None:
    worker = Worker(cpu_seconds=0.3)
    try:
        assert worker.same("10^{10^{10^{10}}}", "x^{10^{10^{10}}}") is False
        assert worker.same("\\frac{1}{2}", "0.5") is True
    finally:
        worker.stop()


def test_grading_works_off_the_main_thread() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(equivalent("math", "(x-1)(x+1)", "x^2-1")))
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.parametrize(
    "answer",
    [
        "9^{9^{9^9}}", "10^{1000000000}", "1000000000!", "2^" * 2000 + "2", "x+" * 30_000 + "1",
        "(" * 50_000 + "1" + ")" * 50_000, "{" * 50_000 + "}" * 50_000,
        "\\frac{1}{" * 3000 + "2" + "}" * 3000, "\\sqrt{" * 3000 + "2" + "}" * 3000,
        "1," * 5000 + "1", "-" * 100_000 + "1", "9" * 100_000,
    ],
    ids=lambda answer: answer[:12],
)  # fmt: skip
def test_what_nobody_could_work_out_is_wrong_at_once(answer: str) -> None:
    before = time.process_time()
    assert grade_text("math", "\\frac{14}{3}", f"\\boxed{{{answer}}}").flexible is not True
    assert time.process_time() - before < 2


def test_an_answer_is_never_run_as_code(tmp_path: object) -> None:
    hook = f"__import__('pathlib').Path('{tmp_path}/ran').touch()"
    assert grade_text("math", "1", f"\\boxed{{{hook}}}").flexible is False
    assert not list(__import__("pathlib").Path(str(tmp_path)).iterdir())
