"""A variant is its method with a few params changed: who plays with what, from which checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from econ import paths
from econ.cli import group
from econ.errors import EconError
from econ.params import Params, load, setting

VARIANTS: dict[str, Any] = {
    "no-strategy": {"team": {"strategy": "none"}},
    "k5": {"bne": {"max_iterations_infer": 5}},
    "long": {"settings": {"debate": {"rounds": 5}}},
}
METHODS = ("econ-bne", "econ-bne+no-strategy", "econ-bne+k5", "debate", "debate+long")
PARAMS = Params.model_validate({"methods": METHODS, "variants": VARIANTS})


def test_a_variant_is_the_params_with_its_own_put_in_key_by_key() -> None:
    assert PARAMS.of("econ-bne") is PARAMS
    own = PARAMS.of("econ-bne+k5")
    assert own.bne == PARAMS.bne.model_copy(update={"max_iterations_infer": 5})
    assert (
        own.model_copy(update={"bne": PARAMS.bne, "variants": PARAMS.variants, "methods": METHODS}) == PARAMS
    )


def test_only_a_variants_own_settings_differ_from_its_methods() -> None:
    assert setting(PARAMS, "econ-bne") == setting(Params(), "econ-bne")
    assert setting(PARAMS, "econ-bne+k5") == setting(PARAMS.of("econ-bne+k5"), "econ-bne")
    assert setting(PARAMS, "debate+long")["settings"]["rounds"] == 5
    assert setting(PARAMS, "debate")["settings"]["rounds"] == 3


def test_a_variant_that_changes_nothing_that_is_learned_plays_from_the_checkpoint_without_it() -> None:
    assert PARAMS.learned_as("no-strategy") == "no-strategy"
    assert PARAMS.learned_as("k5") is None
    assert PARAMS.trainings() == (None, "no-strategy")
    assert paths.checkpoint("svamp", 3, 0) == Path("results/checkpoints/svamp/n3-s0")
    assert paths.checkpoint("svamp", 3, 0, "no-strategy").name == "n3-s0+no-strategy"


def test_what_no_method_plays_with_is_not_trained() -> None:
    assert Params.model_validate({"methods": ["debate"], "variants": VARIANTS}).trainings() == ()
    assert Params.model_validate({"methods": ["econ-bne"], "variants": VARIANTS}).trainings() == (None,)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ("{team: {stratgy: none}}", "unknown key 'variants.x.team.stratgy' (did you mean 'strategy'?)"),
        ("{team: {strategy: nine}}", "'variants.x.team.strategy': Input should be 'short'"),
        ("{team: none}", "'variants.x.team'"),
        ("none", "'variants.x'"),
        ("{reward: {alpha: [1, 1, 1]}}", "'variants.x.reward': alpha must sum to 1"),
        ("{llm: {executors: [a, b, c]}}", "'variants.x': llm.executors lists one model per"),
        ("{benchmarks: [math]}", "'variants.x.benchmarks': a variant cannot change which jobs there are"),
        ("{n_agents: [4]}", "'variants.x.n_agents': a variant cannot change which jobs there are"),
        ("{variants: {}}", "'variants.x.variants': a variant cannot change which jobs there are"),
        ("{data: {test_problems: 9}}", "can change of data only train_problems"),
        ("{llm: {backend: together}}", "'variants.x.llm.backend': a variant can change of llm only"),
        ("{}\nmethods: [econ-bne, econ-bne+x]", "variants.x changes nothing that 'econ-bne' plays with"),
        (
            "{team: {strategy: none}}\nmethods: [cot, cot+x]",
            "variants.x changes nothing that 'cot' plays with",
        ),
        (
            "{team: {strategy: none}}\nmethods: [econ-bne+x]",
            "is compared with 'econ-bne', which must be there",
        ),
        ("{team: {strategy: none}}\nmethods: [econ-bn+x]", "unknown method 'econ-bn'"),
        ("{team: {strategy: none}}\nmethods: [econ-bne+y]", "names no variant of these params (known: x)"),
        ("{team: {strategy: none}}\n  X+y: {}", "'variants.X+y"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(tmp_path: Path, changes: str, told: str) -> None:
    (tmp_path / "params.yaml").write_text(f"variants:\n  x: {changes}\n")
    with pytest.raises(EconError) as fault:
        load(tmp_path / "params.yaml")
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)


def test_commands_play_a_variant_with_its_own_params_and_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(
        "llm: {backend: simulated}\ndata: {source: shipped}\ntrain: {episodes: 2, update_interval: 2}\n"
        "bne: {max_iterations_infer: 0, convergence_threshold: 0}\nmethods: [econ-bne]\n"
        "variants: {no-strategy: {team: {strategy: none}}, k1: {bne: {max_iterations_infer: 1}}}\n"
    )

    def run(*words: str) -> Any:
        return CliRunner().invoke(group, [*words, "--benchmark", "svamp", "--n-agents", "3"])

    assert CliRunner().invoke(group, ["download", "--benchmark", "svamp"]).exit_code == 0
    refused = run("evaluate", "--method", "econ-bne+no-strategy").exception
    assert "no checkpoint at results/checkpoints/svamp/n3-s0+no-strategy" in str(refused)
    assert "changes nothing that is learned" in str(run("train", "--variant", "k1").exception)
    assert "unknown variant 'k2' - known: no-strategy, k1" in str(run("train", "--variant", "k2").exception)

    for words in (["train"], ["train", "--variant", "no-strategy"]):
        assert run(*words).exit_code == 0
    lines = {}
    for method in ("econ-bne", "econ-bne+no-strategy", "econ-bne+k1"):
        assert run("evaluate", "--method", method).exit_code == 0
        lines[method] = Path(f"results/traces/svamp/{method}-n3-s0.jsonl").read_text()
    assert '"strategy_text":null' in lines["econ-bne+no-strategy"]
    assert '"strategy_text":null' not in lines["econ-bne"]
    assert '"rounds":2' in lines["econ-bne+k1"]
    assert '"rounds":2' not in lines["econ-bne"]


def test_a_params_file_extends_another(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("train: {episodes: 7, batch_size: 4}\nmethods: [cot]\n")
    (tmp_path / "own.yaml").write_text("extends: base.yaml\ntrain: {episodes: 9}\n")
    whole = load(tmp_path / "own.yaml")
    assert (whole.train.episodes, whole.train.batch_size, whole.methods) == (9, 4, ("cot",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("extends: own.yaml", "extends itself"),
        ("extends: between.yaml", "extends itself"),
        ("extends: gone.yaml", "gone.yaml does not exist"),
        ("extends: [a]", "'extends' must be the path"),
    ],
)
def test_a_faulty_extension_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    (tmp_path / "between.yaml").write_text("extends: own.yaml")
    with pytest.raises(EconError, match=told):
        load(tmp_path / "own.yaml")


def test_the_estimate_counts_what_a_variant_shows_and_trains_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variants = {"open": {"team": {"information": "complete"}}, "k0": {"bne": {"max_iterations_infer": 0}}}
    methods = ["econ-baseline", "econ-bne", *(f"econ-bne+{name}" for name in variants)]
    Path("params.yaml").write_text(
        yaml.safe_dump(
            {
                "benchmarks": ["svamp"],
                "n_agents": [3],
                "data": {"source": "shipped"},
                "methods": methods,
                "variants": variants,
            }
        )
    )
    assert CliRunner().invoke(group, ["download"]).exit_code == 0
    lines = CliRunner().invoke(group, ["estimate", "--json"]).output.splitlines()
    rows = {row["stage"]: row for row in map(json.loads, lines)}
    assert [name for name in rows if name.startswith("train")] == ["train", "train+open"]
    assert rows["econ-bne+k0"]["prompt_tokens"] == rows["econ-baseline"]["prompt_tokens"]
    assert rows["econ-bne+open"]["calls"] == rows["econ-bne"]["calls"]
    assert rows["econ-bne+open"]["prompt_tokens"] > rows["econ-bne"]["prompt_tokens"]
