"""Who commits in the game on a bank: the agents' vote, or the coordinator's model as it was recorded.

What the model commits to is read as one of the problem's classes of answers. Where it is none of them it
becomes a class of its own, graded as any answer is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np

from econ import grading
from econ.bank import commitments
from econ.bank.calls import key
from econ.bank.schema import Cell
from econ.bank.table import table
from econ.certify.recorded import Recorded, vectors_of
from econ.equilibrium.empirical.coordinators import Cached, Key
from econ.equilibrium.empirical.responses import INVALID, Array, ResponseTable
from econ.errors import EconError
from econ.llm import open_client
from econ.methods.base import Session
from econ.methods.commitment import Commitment, committed_by, read_text
from econ.records import Problem

VOTE, CACHED, SURROGATE = "vote", "cached", "surrogate"
MOST = 50_000  # tuples of a problem that are looked for


@dataclass(frozen=True, eq=False)
class Asked:
    """The commitments that are recorded for a game: the game with their classes, and how many are lacking."""

    game: Recorded
    coordinator: Cached
    lacking: int

    @property
    def repeats(self) -> bool:
        """Does any commitment repeat an agent's answer, so that a model of the model can be fitted?"""
        chosen = self.coordinator.commitments.items()
        return any(kind != INVALID and kind in classes for (_, classes), kind in chosen)


async def asked(game: Recorded) -> Asked | None:
    """What the coordinator's model committed to; None: nothing is recorded, or several models answer."""
    answers = commitments.read(game.benchmark, game.params.llm.coordinator)
    if not answers or len(game.banks) > 1:
        return None
    stands = _representatives(game)
    found: dict[Key, Commitment] = {}
    lacking = _too_many(game, stands)
    async with open_client(game.params) as client:  # no call is made
        for p, problem in enumerate(game.problems):
            session = Session(problem, client, game.params, len(game.team), 0)
            for classes in _tuples(game, p, len(stands[p])):
                shown = [None if c == INVALID else stands[p][c] for c in classes]
                answer = answers.get(key(committed_by(session, shown)))
                lacking += answer is None
                if answer is not None:
                    found[p, classes] = read_text(answer.text, problem.kind)
    return await _classed(game, stands, found, lacking) if found else None


def by_model(game: Recorded, known: Asked | None) -> Recorded:
    """The game with the model's commitments.

    Raises:
        EconError: they are not recorded, or not all.
    """
    if known is None or known.lacking:
        what = "none" if known is None else f"{known.lacking} lacking"
        raise EconError(
            f"team.commitment: cached needs recorded commitments on {game.benchmark} ({game.split}): {what}",
            f"econ bank commitments --benchmark {game.benchmark} --n-agents {len(game.team)} --most {MOST}",
        )
    return replace(known.game, coordinator=known.coordinator)


def _representatives(game: Recorded) -> list[list[str]]:
    """By problem and class of the table, the text that stands for it."""
    [bank] = game.banks
    texts, names = commitments.representatives(bank), [problem.id for problem in game.problems]
    cells = [Cell(*cell) for cell in game.table.cells.tolist()]
    groups = table(bank, cells, game.table.samples, names).classes
    out = []
    for p, name in enumerate(names):
        kinds, own = game.table.classes[p, 0].ravel(), groups[p].ravel()
        count = int(kinds.max(initial=INVALID)) + 1
        out.append([texts[name][int(own[kinds == kind][0])] for kind in range(count)])
    return out


async def _classed(
    game: Recorded, stands: list[list[str]], found: dict[Key, Commitment], lacking: int
) -> Asked:
    """Each commitment as a class; those of no class as classes of their own, in a larger table."""
    own: list[list[str]] = [[] for _ in game.problems]  # texts of further classes
    chosen: dict[Key, int] = {}
    for (p, classes), commitment in found.items():
        chosen[p, classes] = _place(game.problems[p], commitment, stands[p], own[p])
    kinds = game.table.right.shape[1]
    more = max((len(stands[p]) + len(texts) for p, texts in enumerate(own)), default=0) - kinds
    if more <= 0 and not any(own):
        return Asked(game, Cached(chosen), lacking)
    larger = await _larger(game, stands, own, max(more, 0))
    return Asked(replace(game, table=larger), Cached(chosen), lacking)


def _place(problem: Problem, commitment: Commitment, stands: list[str], own: list[str]) -> int:
    """Which class says the same as a commitment; a new one is put into ``own``."""
    kind = problem.kind
    answer = grading.extract(kind, commitment.text) if commitment.ok else None
    if answer is None:
        return INVALID
    for place, text in enumerate([*stands, *own]):
        other = grading.extract(kind, text)
        if other is not None and grading.equivalent(kind, other, answer):
            return place
    own.append(commitment.text)
    return len(stands) + len(own) - 1


async def _larger(game: Recorded, stands: list[list[str]], own: list[list[str]], more: int) -> ResponseTable:
    """The table with the further classes: as right, as rewarded and as like others as their texts are."""
    before = game.table
    texts = [text for p in range(before.problems) for text in (*stands[p], *own[p])]
    vectors = await vectors_of(game, texts)
    right = np.pad(before.right, ((0, 0), (0, more)))
    task = np.pad(before.task, ((0, 0), (0, more)))
    similar = np.pad(before.similar, ((0, 0), (0, more), (0, more)))
    for p, further in enumerate(own):
        for place, text in enumerate(further, len(stands[p])):
            verdict = grading.grade(game.problems[p], text, game.params)
            right[p, place], task[p, place] = verdict.correct, verdict.reward
            others = [*stands[p], *further]
            like = [_likeness(vectors[text], vectors[other]) for other in others]
            similar[p, place, : len(others)] = similar[p, : len(others), place] = like
    return replace(before, right=right, task=task, similar=similar)


def _likeness(a: Array, b: Array) -> float:
    """As in a table: cosine, mapped to [0, 1]."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b)) or 1.0
    return float(np.clip((a @ b / length + 1) / 2, 0, 1))


def _tuples(game: Recorded, p: int, kinds: int) -> Iterator[tuple[int, ...]]:
    """Ordered tuples of classes that agents who take different samples can give: of the first MOST."""
    n, given = len(game.team), game.table.classes[p].ravel()
    counts = {kind: int((given == kind).sum()) for kind in range(INVALID, kinds)}
    there = [kind for kind, count in counts.items() if count]
    for classes in islice(product(there, repeat=n), MOST):
        if all(classes.count(kind) <= counts[kind] for kind in classes):
            yield classes


def _too_many(game: Recorded, stands: list[list[str]]) -> int:
    """Problems with more tuples than are looked for: their commitments count as lacking."""
    return sum((len(texts) + 1) ** len(game.team) > MOST for texts in stands)
