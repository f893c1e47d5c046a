"""Does the bank predict what the model answers? Fresh answers at random actions between the cells.

The prediction for (problem, action) is the share of right answers in the cells around it, by bilinear
weights. It is an estimate from few samples, so even a perfect bank has a calibration slope below 1. What
slope is to be expected comes from the bank itself: each of its answers taken for the fresh one, and predicted
from the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from econ import grading, prompts
from econ.bank import draws, schema
from econ.bank.schema import Bank, Card, Cell, Entry
from econ.bank.table import table
from econ.errors import EconError
from econ.llm.base import Client
from econ.params import Params
from econ.progress import Progress
from econ.records import Problem, Request, stable_seed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Ints], float]
RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Intervals are over problems. ``slope``: of fresh answers on their predictions; ``expected``: the same
    if the bank is right, and ``excess`` what the slope is above it. ``difference``: share right, observed
    less predicted. ``points``: prediction and outcome of each fresh answer."""

    n: int
    problems: int
    slope: Interval
    expected: Interval
    excess: Interval
    difference: Interval
    brier: float
    expected_brier: float
    points: tuple[tuple[float, float], ...]

    @property
    def passed(self) -> bool:
        """Nothing tells the fresh answers from the bank's own."""
        return all(found.low <= 0 <= found.high for found in (self.excess, self.difference))


@dataclass(frozen=True)
class Question:
    """A fresh answer to be asked for."""

    problem: Problem
    place: int  # of the problem in the table
    action: Cell
    number: int


def questions(problems: Sequence[Problem], grid: draws.Grid, count: int, seed: int) -> list[Question]:
    """``count`` random pairs of a problem and an action in the grid's hull; every problem about as often."""
    generator = np.random.default_rng(stable_seed("bank check", seed))
    places = np.concatenate([generator.permutation(len(problems)) for _ in range(-(-count // len(problems)))])
    low, high = ([f(axis) for axis in (grid.temperature, grid.second)] for f in (min, max))
    actions = generator.uniform(low, high, size=(count, 2)).round(4)
    return [
        Question(problems[p], int(p), Cell(float(t), float(s)), i)
        for i, (p, (t, s)) in enumerate(zip(places[:count], actions, strict=True))
    ]


def same_model(card: Card, client: Client, model: str) -> None:
    """Fresh answers are the bank's own model's.

    Raises:
        EconError: the client asks another one.
    """
    if client.recorded:
        raise EconError(
            "fresh answers cannot come from records", "check with llm.backend: local, or a server"
        )
    if client.identity(model) != card.identity:
        raise EconError(
            f"the bank on {card.benchmark} ({card.split}) is of {card.identity}, "
            f"not {client.identity(model)}",
            "name the model and the server that it was recorded with",
        )


async def ask(
    asked: Sequence[Question], bank: Bank, model: str, params: Params, client: Client, progress: Progress
) -> Floats:
    """Whether each fresh answer is right.

    Raises:
        EconError: answers could not be had.
    """
    entries = {entry.id: entry for entry in bank.card.entries}

    async def one(question: Question) -> float:
        call = await client.complete(_request(question, entries[question.problem.id], model, params))
        progress.advance()
        if call.error not in (None, "empty answer"):
            raise EconError(f"a fresh answer to {question.problem.id} could not be had: {call.error}")
        verdict = await asyncio.to_thread(grading.grade, question.problem, call.text or None, params)
        return float(verdict.correct)

    return np.array(await asyncio.gather(*map(one, asked)))


def _request(question: Question, entry: Entry, model: str, params: Params) -> Request:
    problem = question.problem
    cap = params.llm.answer_tokens(problem.kind)
    return Request(
        role="executor",
        agent=0,
        round=0,
        model=model,
        messages=tuple(prompts.executor(problem.prompt, problem.kind, entry.strategy, cap)),
        sampling=schema.sampling(question.action, params, cap),
        seed=stable_seed("bank check", problem.id, question.number),
    )


def calibrate(asked: Sequence[Question], right: Floats, bank: Bank, params: Params) -> Calibration:
    """How the fresh answers stand to what the bank says of them."""
    grid = draws.Grid(params.bank.temperature, params.bank.second)
    names = list(dict.fromkeys(question.problem.id for question in asked))
    found = table(bank, grid.cells, params.bank.samples, names)
    places = np.array([names.index(question.problem.id) for question in asked])
    weights = corners(grid, np.array([question.action for question in asked]))
    correct = found.correct.astype(np.float64)[places]  # [n, C, S]
    predicted = (weights * correct.mean(axis=2)).sum(axis=1)
    product, error = _held_out(weights, correct, predicted)

    def slope(i: Ints) -> float:
        return _slope(predicted[i], (predicted[i] * right[i]).mean() - predicted[i].mean() * right[i].mean())

    def expected(i: Ints) -> float:
        return _slope(predicted[i], product[i].mean() - predicted[i].mean() ** 2)

    return Calibration(
        n=len(asked),
        problems=len(names),
        slope=_clustered(slope, places),
        expected=_clustered(expected, places),
        excess=_clustered(lambda i: slope(i) - expected(i), places),
        difference=_clustered(lambda i: float((right[i] - predicted[i]).mean()), places),
        brier=float(((right - predicted) ** 2).mean()),
        expected_brier=float(error.mean()),
        points=tuple(zip(predicted.tolist(), right.tolist(), strict=True)),
    )


def corners(grid: draws.Grid, actions: Floats) -> Floats:
    """Bilinear weights [n, C] of the cells around each action."""
    parts = []
    for dimension, axis in enumerate((grid.temperature, grid.second)):
        knots = np.asarray(axis)
        parts.append(
            np.stack([np.interp(actions[:, dimension], knots, row) for row in np.eye(len(knots))], -1)
        )
    out: Floats = (parts[0][:, :, None] * parts[1][:, None, :]).reshape(len(actions), -1)
    return out


def _held_out(weights: Floats, correct: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    """Where the bank is right: mean of answer times prediction, and of the squared error, by question [n].

    Each answer of the cells around is the fresh one in turn; its own cell predicts without it.
    """
    samples = correct.shape[2]
    means = correct.mean(axis=2, keepdims=True)
    without = (means * samples - correct) / max(samples - 1, 1)
    predictions = predicted[:, None, None] + weights[:, :, None] * (without - means)
    product = (weights * (correct * predictions).mean(axis=2)).sum(axis=1)
    error = (weights * ((correct - predictions) ** 2).mean(axis=2)).sum(axis=1)
    return product, error


def _slope(predicted: Floats, covariance: float) -> float:
    """Least squares; 0 where predictions do not vary."""
    variance = float(predicted.var())
    return float(covariance) / variance if variance > 1e-12 else 0.0


def _clustered(statistic: Statistic, places: Ints) -> Interval:
    """A statistic with its percentile interval by resampling whole problems."""
    generator = np.random.default_rng(stable_seed("clustered"))
    by_problem = [np.flatnonzero(places == place) for place in np.unique(places)]
    drawn = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        chosen = generator.integers(len(by_problem), size=len(by_problem))
        drawn[i] = statistic(np.concatenate([by_problem[c] for c in chosen]))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(statistic(np.arange(len(places))), float(low), float(high))
