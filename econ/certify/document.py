"""The certificate as one document: payoffs, deviations, welfare, decision rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from econ import interrupts, paths
from econ.certify.coordinator import CACHED, SURROGATE, VOTE, asked, by_model
from econ.certify.policies import TRAINED, Policy, fixed, middle, policy, profile_or_none
from econ.certify.recorded import Recorded, embedded
from econ.certify.trajectory import trajectory
from econ.equilibrium.empirical.certificate import Certificate, certificates
from econ.equilibrium.empirical.coordinators import fit_surrogate, vote
from econ.equilibrium.empirical.payoffs import ACCURACY
from econ.equilibrium.empirical.responses import Array
from econ.equilibrium.empirical.values import values
from econ.equilibrium.empirical.welfare import (
    Rung,
    anarchy,
    confidences,
    coordinator_rows,
    difference,
    ladder,
    played,
)
from econ.records import Json


def certified(game: Recorded, name: str, folder: Path, seed: int, *, informed: bool) -> Json:
    """The certificate of a policy by its name (or as actions), and of a trained one on the way there.

    ``informed``: over deviations that read the problem (D1) too.
    """
    known = interrupts.run(asked(game))
    others = {}
    if game.params.team.commitment == CACHED:
        game = by_model(game, known)
    elif known is not None and not known.lacking:
        game = known.game
        others = {CACHED: replace(game, coordinator=known.coordinator)}
    elif known is not None and known.repeats:
        guess = fit_surrogate(known.coordinator.commitments)
        others = {SURROGATE: replace(game, coordinator=guess)}
    vectors = interrupts.run(embedded(game)) if informed or name == TRAINED else None
    found = policy(game, name, folder, vectors)
    features = np.concatenate(vectors, axis=1) if vectors is not None and informed else None
    made = document(game, found, seed, features, others)
    if name == TRAINED:
        made["training"] = trajectory(game, folder, found.alpha)
    return made


def document(
    game: Recorded,
    judged: Policy,
    seed: int,
    features: Array | None = None,
    others: Mapping[str, Recorded] | None = None,
) -> Json:
    """All that is certified of one policy.

    Args:
        features: [P, D]; class D1 beside D0.
        others: the game with other coordinators, by their names.
    """
    found = values(game.table, game.team, judged.weights, game.payoffs(judged.alpha))
    clusters = game.table.clusters
    wider = {} if features is None else certificates(found, clusters, features)
    return {
        "benchmark": game.benchmark,
        "split": game.split,
        "n_agents": len(game.team),
        "seed": seed,
        "policy": judged.name,
        "chosen_on": judged.chosen_on,
        "actions": played(game.table, judged.weights),
        "coordinator": VOTE if game.coordinator is vote else CACHED,
        "problems": game.table.problems,
        "questions": len(np.unique(clusters)),
        "samples": game.table.samples,
        "cells": game.table.cells.tolist(),
        "between": game.params.bank.between,
        "alpha": list(judged.alpha),
        "recorded": game.description,
        "simulated": game.simulated,
        "calibration": calibration(game),
        "payoffs": {name: shown(one) for name, one in certificates(found, clusters).items()},
        "wider": {name: shown(one) for name, one in wider.items()},
        **welfare(game, judged, features, others or {}),
    }


def shown(found: Certificate) -> Json:
    """``resolution``: how much larger epsilon might be than it was measured, at this size."""
    return {
        "value": found.value, "low": found.low, "high": found.high,
        "epsilon": found.epsilon, "lower": found.lower, "upper": found.upper,
        "resolution": found.upper - found.epsilon,
        "nash_conv": found.nash_conv,
        "by_agent": [agent.epsilon for agent in found.by_agent],
        "agents": [asdict(agent) for agent in found.by_agent],
        "deviations": found.deviations,
        "naive": found.naive, "nash_conv_naive": found.nash_conv_naive,
    }  # fmt: skip


def welfare(game: Recorded, judged: Policy, features: Array | None, others: Mapping[str, Recorded]) -> Json:
    """The ladder, the decision rows, coordinators on the same answers, the price of anarchy: by accuracy."""
    accuracy = game.game(judged.alpha, ACCURACY)
    policies = {judged.name: judged.weights}
    for name, action in (("untrained", middle(game.params)), ("fixed", fixed(game.params))):
        weights = profile_or_none(game, action)
        if weights is not None:
            policies.setdefault(name, weights)
    rungs, clusters = ladder(accuracy, policies, features), game.table.clusters
    pairs = [("best_joint", "best_uniform"), (judged.name, "best_uniform"), ("ceiling", "best_joint")]
    price = anarchy(accuracy)
    confidence = confidences(game.table, answer_features(game))
    payoffs = {name: other.payoffs(judged.alpha) for name, other in others.items()}
    by_vote = replace(game, coordinator=vote).payoffs(judged.alpha)
    if game.coordinator is not vote:
        payoffs[CACHED] = game.payoffs(judged.alpha)
    ways = coordinator_rows(game.table, game.team, judged.weights, by_vote, payoffs, confidence)
    return {
        "welfare_payoff": ACCURACY,
        "welfare": {name: row(rung) for name, rung in rungs.items()},
        "decision": {
            f"{ours} - {theirs}": dict(
                zip(("value", "low", "high"), difference(rungs[ours], rungs[theirs], clusters), strict=True)
            )
            for ours, theirs in pairs
            if ours != theirs
        },
        "coordinators": {name: row(rung) for name, rung in ways.items()},
        "anarchy": {"price": _or_none(price.price), "best": price.best, "worst": _or_none(price.worst)},
    }


def row(rung: Rung) -> Json:
    told: dict[str, Any] = {"value": rung.value, "low": rung.low, "high": rung.high}
    return told if rung.action is None else told | {"action": rung.action}


def answer_features(game: Recorded) -> Array:
    """What a coordinator may know of an answer beside its class: tokens, and the action: [P, M, C, S, F]."""
    shape = game.table.classes.shape
    actions = np.broadcast_to(game.table.cells[:, None, :], (*shape, 2))
    length = np.log1p(game.table.tokens)[..., None]
    return np.concatenate([length, actions, actions**2], axis=-1)


def calibration(game: Recorded) -> Json | None:
    """What `econ bank check` found, if it was run: {"passed": …, …} of each model."""
    found = {}
    for bank in game.banks:
        path = paths.bank_check(game.benchmark, game.split, bank.card.model)
        if path.is_file():
            found[bank.card.model] = orjson.loads(path.read_bytes())
    return found or None


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
