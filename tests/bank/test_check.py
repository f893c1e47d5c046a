"""The check tells a right bank from a wrong one, and says what a right one's slope would be."""

import numpy as np
import pytest

from econ.bank import check, draws, schema
from econ.bank.responses import responses
from econ.bank.schema import Bank, Cell
from econ.errors import EconError
from econ.params import Params
from econ.records import Problem

GRID = draws.Grid((0.1, 0.7, 1.3), (1.0, 1.1))
PARAMS = Params.model_validate(
    {"bank": {"temperature": GRID.temperature, "second": GRID.second, "samples": 6}}
)
PROBLEMS = [Problem(f"p{i}", "svamp", f"q{i}", "1") for i in range(60)]


def chance(problem: int, cell: Cell) -> float:
    """Linear between the cells, so that the bank can be right."""
    return 0.15 + 0.7 * (problem % 10) / 9 * (1.4 - cell.temperature) / 1.3


def bank_of(generator: np.random.Generator) -> Bank:
    entries = tuple(schema.Entry(p.id, p.id, p.id, "none", None) for p in PROBLEMS)
    card = schema.Card(
        "svamp", "test", "m", "local:m", "m", "local:m", "plain", "repetition_penalty", 48, 0.9,
        {"mode": "none"}, entries, False, ("2026-01-01", "2026-01-01"),
    )  # fmt: skip
    rows = []
    for i, problem in enumerate(PROBLEMS):
        for cell in GRID.cells:
            for s in range(6):
                right = bool(generator.random() < chance(i, cell))
                answer, text = str(int(right)), f"{problem.id} {int(right)}"
                rows.append(schema.Row(problem.id, "none", *cell, s, 0, text, 9, 5, False, answer, int(right),
                                       right, False, float(right)))  # fmt: skip
    vectors = {row.text: np.array([row.correct, not row.correct], np.float16).tobytes() for row in rows}
    return Bank(card, rows, vectors)


def calibration(seed: int, shift: float = 0.0, shuffled: bool = False) -> check.Calibration:
    generator = np.random.default_rng(seed)
    bank = bank_of(generator)
    asked = check.questions(PROBLEMS, GRID, 400, seed)
    places = [q.place for q in asked]
    if shuffled:
        places = list(generator.permutation(places))
    chances = [chance(place, q.action) + shift for place, q in zip(places, asked, strict=True)]
    return check.calibrate(asked, (generator.random(400) < chances).astype(float), bank, PARAMS)


def test_a_right_bank_passes_nearly_always() -> None:
    found = [calibration(seed) for seed in range(30)]
    assert sum(one.passed for one in found) >= 25
    assert np.mean([one.excess.value for one in found]) == pytest.approx(0, abs=0.06)
    assert np.mean([one.brier - one.expected_brier for one in found]) == pytest.approx(0, abs=0.01)
    assert all(one.n == 400 and one.problems == 60 for one in found)


def test_a_shifted_or_shuffled_world_fails() -> None:
    assert not any(calibration(seed, shift=0.15).passed for seed in range(5))
    assert not any(calibration(seed, shuffled=True).passed for seed in range(5))


def test_weights_are_bilinear() -> None:
    weights = check.corners(GRID, np.array([[0.4, 1.025], [1.3, 1.1]]))
    assert weights.sum(axis=1) == pytest.approx(1)
    named = dict(zip(GRID.cells, weights[0], strict=True))
    assert named[Cell(0.1, 1.0)] == pytest.approx(0.375)
    assert named[Cell(0.7, 1.1)] == pytest.approx(0.125)
    assert weights[1, -1] == pytest.approx(1)


def test_a_bank_becomes_the_table_of_the_empirical_game() -> None:
    bank = bank_of(np.random.default_rng(0))
    found = responses([bank], GRID.cells, 6, "number")
    assert found.classes.shape == (60, 1, 6, 6)
    assert found.correct.mean() == np.mean([row.correct for row in bank.rows])
    both = responses([bank, bank], GRID.cells, 4, "number", ["p3", "p4"])
    assert (both.classes[:, 0] == both.classes[:, 1]).all()
    assert both.similar.max() == pytest.approx(1)
    with pytest.raises(EconError, match="has no vector of an answer to p0 - econ bank build"):
        responses([Bank(bank.card, bank.rows)], GRID.cells, 6, "number")
