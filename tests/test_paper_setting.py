"""params/paper.yaml says what the paper's tables say (table 10: LLaMA3.1-70B on MATH)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from econ.equilibrium.networks import TeamNetworks
from econ.params import Network, Params, load

ROOT = Path(__file__).parents[1]
BGE_LARGE = 1024  # size of its embeddings


@pytest.fixture(scope="module")
def paper() -> Params:
    return load(ROOT / "params/paper.yaml")


def table(number: str) -> dict[str, str]:
    with (ROOT / "data/paper/reported_hyperparameters.csv").open() as lines:
        return {row["parameter"]: row["value"] for row in csv.DictReader(lines) if row["table"] == number}


def stated(p: Params) -> dict[str, Any]:
    """The values of ``p`` under the tables' names, but for the size that follows from them."""
    train, net, reward, stop = p.train, p.network, p.reward, p.train.early_stopping
    alpha = {f"alpha_{i}": value for i, value in enumerate(reward.alpha, 1)}
    bounds = {
        f"{name}_{end}": getattr(span, key)
        for name, span in zip(("T", "p"), p.action.dimensions.values(), strict=True)
        for end, key in (("min", "low"), ("max", "high"))
    }
    return {
        "episodes_per_task": train.episodes,
        "buffer_size": train.buffer_size,
        "batch_size": train.batch_size,
        "update_interval": train.update_interval,
        "optimizer": train.optimizer,
        "learning_rate_eta": train.learning_rate,
        "learning_rate_coord": train.learning_rate_coordinator,
        "discount_gamma": train.gamma,
        "entity_dim_d": net.entity_dim,
        "belief_state_dim_db": net.belief_dim,
        "attention_heads_H": net.heads,
        "mlp_hidden_size": net.mlp_hidden,
        "transformer_blocks": net.blocks,
        "key_query_dim": net.key_query_dim,
        "feed_forward_size": net.feed_forward,
        "dropout": net.dropout,
        "layer_norm_epsilon": net.layer_norm_epsilon,
        **bounds,
        "R_max": reward.r_max,
        **alpha,
        "lambda_b": train.losses.semantic,
        "lambda": train.losses.encoder,
        "lambda_m": train.losses.consistency,
        "epsilon_C": stop.commitment_change,
        "epsilon_L": stop.loss_change,
        "R_threshold": stop.reward,
        "T_patience": stop.patience,
    }


def test_every_value_of_table_10_is_the_papers(paper: Params) -> None:
    told = table("10")
    size = told.pop("learnable_params_approx")
    assert size == "1.7M"
    assert told.pop("optimizer").lower() == paper.train.optimizer
    ours = stated(paper)
    del ours["optimizer"]
    assert ours == {name: float(value) for name, value in told.items()}
    assert paper.network.body == "transformer"  # else blocks and feed_forward_size count for nothing
    assert paper.action.second == "top_p"


def test_the_defaults_are_the_tables_too_but_for_episodes_and_the_second_action() -> None:
    ours, told = stated(Params()), table("10")
    own = {"episodes_per_task", "p_min", "p_max", "optimizer"}
    assert {name: ours[name] for name in ours if name not in own} == {
        name: float(value) for name, value in told.items() if name not in {*own, "learnable_params_approx"}
    }


def test_three_executors_have_the_papers_number_of_parameters(paper: Params) -> None:
    assert TeamNetworks(3, BGE_LARGE, paper.network, 0).trainable == pytest.approx(1.7e6, rel=0.02)
    assert TeamNetworks(3, BGE_LARGE, Network(), 0).trainable == pytest.approx(1.7e6, rel=0.02)
