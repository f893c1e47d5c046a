"""The params file is a closed schema: a fault is one line that names the key."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from econ.errors import EconError
from econ.methods.debate.debate import Debate
from econ.params import Params, load


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text)
    return path


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path, "")) == Params()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("n_agent: [3]", "unknown key 'n_agent' (did you mean 'n_agents'?)"),
        ("llm: {max_in_fligth: 3}", "unknown key 'llm.max_in_fligth' (did you mean 'max_in_flight'?)"),
        ("n_agents: [0]", "'n_agents.0'"),
        ("n_agents: three", "'n_agents'"),
        ("n_agents: [3, 3]", "lists a value twice"),
        ("methods: [debat]", "unknown method 'debat'"),
        ("llm: {backend: openai}", "llm.base_url is needed"),
        ("llm: {executors: [a, b]}", "give one for all"),
        (
            "llm: {coordinator: a, executors: [b], budget: {usd: 1}, prices: {a: {prompt: 1,completion: 2}}}",
            "budget.usd counts money, and prices has none for b",
        ),
        ("action: {repetition_penalty: {low: 0.1, high: 0.9}}", "rewards repetition"),
        ("action: {temperature: {low: 2, high: 1}}", "must be below"),
        ("action: {temperature: {low: 0.1, high: 5}}", "temperature must lie between 0 and 2, not 0.1 and 5"),
        ("action: {top_p: {low: 0, high: 0.9}}", "top_p must lie between 0 and 1, not 0 and 0.9"),
        ("train: {batch_size: 64}", "batch_size (64) must not be above buffer_size (32)"),
        ("action: {fixed: {top_p: 0.9}}", "fixed.top_p: not a dimension of the action"),
        ("action: {fixed: {repetition_penalty: 0.5}}", "must lie between 1 and 2, not 0.5"),
        ("action: {fixed: {repetition_penalty: 1, temperature: 1}}", "nothing is left to learn"),
        ("reward: {alpha: [0.5, 0.5, 0.5]}", "must sum to 1"),
        ("bank: {temperature: [0.7, 0.1]}", "temperature must rise from value to value"),
        ("bank: {second: [1.0, 3.0]}", "second must lie between 0 and 2"),
        ("train: {episodes: 0}", "'train.episodes'"),
        ("train: {learning_rate: .inf}", "'train.learning_rate': Input should be a finite number"),
        ("train: {early_stopping: {reward: .nan}}", "'train.early_stopping.reward'"),
        ("action: {temperature: {low: 0.1, high: .inf}}", "'action.temperature.high'"),
        (
            "n_agents: [3.5]",
            "'n_agents.0': Input should be a valid integer, got a number with a fractional part",
        ),
        ("- a", "must be a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(EconError) as fault:
        load(write(tmp_path, text))
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)


def test_one_wrong_value_is_told_of_once(tmp_path: Path) -> None:
    with pytest.raises(EconError) as fault:
        load(write(tmp_path, "n_agents: [0]"))
    assert str(fault.value).endswith("params.yaml: 'n_agents.0': Input should be greater than or equal to 1")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EconError, match=r"nowhere\.yaml does not exist"):
        load(tmp_path / "nowhere.yaml")


def test_one_executor_model_serves_all_and_several_are_assigned_in_order() -> None:
    assert Params().llm.executor(5) == Params().llm.executors[0]
    mixed = Params.model_validate({"n_agents": [2], "llm": {"executors": ["a", "b"]}})
    assert [mixed.llm.executor(i) for i in range(2)] == ["a", "b"]


def test_a_method_without_a_benchmark_to_play_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Debate, "domain", "plans")
    with pytest.raises(ValueError, match="'debate' is defined on none of the benchmarks"):
        Params(benchmarks=("gsm8k",), methods=("debate", "cot"))
    both = Params(benchmarks=("gsm8k", "travelplanner"), methods=("debate", "cot"))
    assert both.methods_on("gsm8k") == ("cot",)
    assert both.methods_on("travelplanner") == ("debate", "cot")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["train.episodes=7", "seeds=[1, 2]"], None),
        (["train.episode=7"], "unknown key 'train.episode'"),
        (["train.episodes"], "is not KEY=VALUE"),
        (["train.episodes={"], "is no value in YAML"),
    ],
)
def test_single_values_are_put_in(tmp_path: Path, changes: list[str], told: str | None) -> None:
    path = write(tmp_path, "train: {episodes: 3, gamma: 0.5}")
    if told is None:
        params = load(path, changes)
        assert (params.train.episodes, params.train.gamma, params.seeds) == (7, 0.5, (1, 2))
    else:
        with pytest.raises(EconError, match=re.escape(told)):
            load(path, changes)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("debate: {rounds: 3}", "unknown key 'debate' (a method's settings stand in 'settings.debate')"),
        ("settings: {debate: {round: 3}}", "unknown key 'settings.debate.round' (did you mean 'rounds'?)"),
        ("settings: {debat: {rounds: 3}}", "settings: unknown method 'debat'"),
        ("settings: {mad: {level: 7}}", "'settings.mad.level'"),
    ],
)
def test_a_methods_settings_are_read_by_its_own_model(tmp_path: Path, settings: str, told: str) -> None:
    with pytest.raises(EconError, match=re.escape(told)):
        load(write(tmp_path, settings))


def test_a_method_can_be_kept_to_some_benchmarks() -> None:
    params = Params(
        benchmarks=("svamp", "math"),
        methods=("debate", "cot", "cot+short"),
        variants={"short": {"llm": {"max_tokens": {"answer": 64}}}},
        only={"cot": ("svamp",)},
    )
    assert params.methods_on("svamp") == params.methods
    assert params.methods_on("math") == ("debate",)


@pytest.mark.parametrize(
    ("only", "told"),
    [({"tot": ["svamp"]}, "only: 'tot' is not among the methods"),
     ({"cot": ["svmp"]}, "only: unknown benchmark 'svmp'")],
)  # fmt: skip
def test_what_keeps_nothing_to_anything_is_named(only: dict[str, list[str]], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Params.model_validate({"methods": ["cot"], "benchmarks": ["svamp"], "only": only})
