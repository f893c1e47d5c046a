"""What could be won: the value of a policy beside the best that the bank's actions and answers allow.

Whatever is chosen on the bank's problems (best cell, best joint action, a rule) is chosen on a part of them
and valued on the others, in turn, so that no row flatters itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from econ.equilibrium.empirical.bands import folds, interval
from econ.equilibrium.empirical.coordinators import votes
from econ.equilibrium.empirical.deviations import Learner, tree
from econ.equilibrium.empirical.payoffs import ACCURACY, OWN, On, TeamPayoffs
from econ.equilibrium.empirical.profiles import pure
from econ.equilibrium.empirical.responses import INVALID, Array, Bools, Ints, ResponseTable
from econ.equilibrium.empirical.search import (
    Game,
    Rest,
    best_joint,
    best_responses,
    clairvoyant,
    joint_values,
    uniform_values,
)
from econ.equilibrium.empirical.values import MOST, SEED, distinct_samples

PARTS = 5
Actions = list[list[float]]  # [N, 2]


@dataclass(frozen=True, eq=False)
class Rung:
    """One row of the ladder: mean over problems with interval, the values behind it [P], and the action."""

    value: float
    low: float
    high: float
    by_problem: Array
    action: Actions | None = None


def rung(values: Array, clusters: Ints, action: Actions | None = None) -> Rung:
    return Rung(*interval(values, clusters), values, action)


def ladder(game: Game, policies: Mapping[str, Array], features: Array | None = None) -> dict[str, Rung]:
    """Policies (profiles [N, C] or [P, N, C]), then the best that can be chosen, by name.

    ``features`` [P, D] of the problems adds the best rule that reads them.
    """
    clusters = game.table.clusters
    rows = {
        name: rung(game.value(weights), clusters, played(game.table, weights))
        for name, weights in policies.items()
    }
    rows["best_uniform"] = crossed(game, lambda half: (_best_uniform(half),) * half.n)
    rows["best_joint"] = crossed(game, best_joint)
    if features is not None:
        rows["best_rule"] = rung(best_rule(game, features), clusters)
    rows["ceiling"] = rung(clairvoyant(game), clusters)
    return rows


def crossed(game: Game, choose: Callable[[Game], tuple[int, ...]]) -> Rung:
    """A joint action chosen without a part of the problems and valued there, part by part.

    Shown with the one that is chosen on all of them.
    """
    values, where = np.zeros(game.table.problems), folds(game.table.clusters, PARTS)
    for part in np.unique(where):
        chosen = choose(of(game, where != part) if (where != part).any() else game)
        values[where == part] = joint_values(of(game, where == part), np.array([chosen]), MOST)[0]
    return rung(values, game.table.clusters, game.table.cells[list(choose(game))].tolist())


def difference(ours: Rung, theirs: Rung, clusters: Ints) -> tuple[float, float, float]:
    """A decision row: paired over problems, mean with interval."""
    return interval(ours.by_problem - theirs.by_problem, clusters)


def of(game: Game, rows: Bools) -> Game:
    """The game on some of the problems."""
    kept = np.flatnonzero(rows)
    return replace(game, table=game.table.only(kept), payoffs=On(game.payoffs, kept))


def played(table: ResponseTable, weights: Array) -> Actions:
    """Mean action of each agent."""
    full = weights if weights.ndim == 3 else weights[None]
    out: Actions = (full.mean(axis=0) @ table.cells).tolist()
    return out


@dataclass(frozen=True)
class Anarchy:
    """``price``: best joint action's value over the worst resting point's (Koutsoupias & Papadimitriou 1999).

    ``rests``: where best responses to the agents' own payoffs came to rest, with their values.
    """

    price: float
    best: float
    worst: float
    rests: tuple[tuple[Rest, float], ...]


def anarchy(welfare: Game, payoff: str = OWN, starts: int = 6, seed: int = SEED) -> Anarchy:
    """From random joint actions and the best one, by the agents' own payoffs; valued by ``welfare``'s."""
    rng = np.random.default_rng(seed)
    best = best_joint(welfare)
    begun = [best, *map(tuple, rng.integers(0, welfare.cells, (starts, welfare.n)).tolist())]
    selfish = replace(welfare, payoff=payoff)
    rests = sorted({best_responses(selfish, start) for start in begun}, key=lambda rest: rest.cells)
    values = joint_values(welfare, np.array([best, *(rest.cells for rest in rests)])).mean(axis=1)
    settled = [v for rest, v in zip(rests, values[1:], strict=True) if rest.settled]
    worst = float(min(settled, default=float("nan")))
    top = float(values.max())
    price = top / worst if worst > 0 else float("nan")
    return Anarchy(price, top, worst, tuple(zip(rests, map(float, values[1:]), strict=True)))


@dataclass(frozen=True)
class Oracle:
    """Commits to a right answer whenever one of the agents gave it: the most any coordinator could do."""

    right: Bools  # [P, K]

    def __call__(self, problems: Ints, classes: Ints) -> Ints:
        hits = self.right[problems[:, None], classes] & (classes != INVALID)
        chosen = np.where(hits.any(axis=1), hits.argmax(axis=1), votes(classes).argmax(axis=1))
        return np.asarray(np.take_along_axis(classes, chosen[:, None], axis=1)[:, 0])


def weighted_vote(table: ResponseTable, team: tuple[int, ...], cells: Ints, weight: Array) -> Array:
    """Accuracy of a vote in which every answer has a weight of its own [P, M, C, S], on each problem: [P].

    ``cells`` [P, N] are the agents'. With equal weights it is the plurality, ties to the earliest.
    """
    tuples = distinct_samples(table.samples, team, MOST, np.random.default_rng(SEED))
    at = np.arange(table.problems)[:, None, None], np.array(team), cells[:, None], tuples
    classes, heavy, right = (of[at] for of in (table.classes, weight, table.correct))  # [P, B, N]
    same = (classes[..., :, None] == classes[..., None, :]) & (classes != INVALID)[..., None, :]
    behind = (same * heavy[..., None, :]).sum(axis=3)
    winner = behind.argmax(axis=2)[..., None]
    out: Array = np.take_along_axis(right, winner, axis=2)[..., 0].mean(axis=1)
    return out


def confidences(table: ResponseTable, features: Array, parts: int = 5) -> Array:
    """Log-odds that each answer is right, from features [P, M, C, S, F], learned on other problems.

    These are the best weights of a vote over independent answers (Nitzan & Paroush 1982); below 0 they would
    count against an answer's class, so they end at a hundredth.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fold, out = folds(table.clusters, parts), np.ones(table.classes.shape)
    for part in range(parts):
        held = fold == part
        told = table.correct[~held].ravel()
        if held.any() and 0 < told.mean() < 1:
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
            model.fit(features[~held].reshape(told.size, -1), told)
            asked = features[held].reshape(-1, features.shape[-1])
            out[held] = model.decision_function(asked).reshape(out[held].shape)
    return np.maximum(out, 0.01)


def coordinator_rows(
    table: ResponseTable, team: tuple[int, ...], weights: Array, payoffs: TeamPayoffs,
    others: Mapping[str, TeamPayoffs], confidence: Array | None = None,
) -> dict[str, Rung]:  # fmt: skip
    """Accuracy of different ways to commit, from the very same answers of a profile.

    ``payoffs`` play the vote; ``others`` by name (an LLM's commitment). ``answer``: one executor alone.
    ``oracle``: one of the N answers is right; ``ever``: one of the bank's is.
    """
    games = {
        "vote": payoffs,
        **others,
        "oracle": replace(payoffs, coordinator=Oracle(table.right)),
    }
    rows = {
        name: rung(Game(table, team, kind, ACCURACY).value(weights), table.clusters)
        for name, kind in games.items()
    }
    full = np.broadcast_to(weights, (table.problems, len(team), len(table.cells)))
    alone = np.einsum("pnc,pnc->p", full, table.correct[:, np.array(team)].mean(axis=3)) / len(team)
    rows["answer"] = rung(alone, table.clusters)
    rows["ever"] = rung(table.correct[:, sorted(set(team))].any(axis=(1, 2, 3)).astype(float), table.clusters)
    if confidence is not None:
        cells = full.argmax(axis=2)
        rows["weighted_vote"] = rung(weighted_vote(table, team, cells, confidence), table.clusters)
    return rows


def _best_uniform(game: Game) -> int:
    return int(uniform_values(game).mean(axis=1).argmax())


def best_rule(game: Game, features: Array, learn: Learner = tree) -> Array:
    """A rule for each agent in turn on top of the best joint action, learned on other problems: [P]."""
    values, where = np.zeros(game.table.problems), folds(game.table.clusters, PARTS)
    for part in np.unique(where):
        held, rest = where == part, of(game, where != part)
        other, start = of(game, held), best_joint(rest)
        learned, valued = (np.tile(start, (g.table.problems, 1)) for g in (rest, other))
        for agent in range(game.n):
            rule = learn(features[~held], rest.by_cell(pure(rest.cells, learned), agent, shared=True))
            learned[:, agent], valued[:, agent] = rule(features[~held]), rule(features[held])
        values[held] = other.value(pure(other.cells, valued))
    return values
