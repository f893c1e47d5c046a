"""ECON through the Session interface: what is sent, to whom; training that resumes and learns."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from econ.errors import EconError
from econ.methods.base import Session, Solution
from econ.methods.commitment import read
from econ.methods.econ.method import EconMethod, from_checkpoint, untrained
from econ.params import Params
from econ.playing import play
from econ.prompts import Kind
from econ.records import Call, Job, Problem, Request
from econ.simulation.client import SimulatedClient, problems
from econ.simulation.team import SimulatedGame, difficulty_of
from econ.training import trainer as training

torch.set_num_threads(1)
SMALL = {
    "entity_dim": 32,
    "belief_dim": 16,
    "heads": 2,
    "mlp_hidden": 32,
    "key_query_dim": 16,
    "text_dim": 16,
}
PROBLEMS = problems(6)


def params(**sections: Any) -> Params:
    train = {"episodes": 16, "early_stopping": {"enabled": False}, **sections.pop("train", {})}
    base = {"llm": {"backend": "simulated"}, "network": SMALL, "simulated": {"embedding_dim": 32}}
    return Params.model_validate({**base, "train": train, **sections})


class Recorder(SimulatedClient):
    """The simulated team; keeps the requests, and lets a test change what a call answers."""

    def __init__(self, p: Params, change: Callable[[Call], Call] | None = None) -> None:
        super().__init__(p, PROBLEMS)
        self.requests: list[Request] = []
        self.change = change

    async def complete(self, request: Request) -> Call:
        self.requests.append(request)
        call = await super().complete(request)
        return self.change(call) if self.change else call


def train(p: Params, n: int = 3, folder: Path | None = None, *, resume: Path | None = None, seed: int = 0,
          client: Recorder | None = None, episodes: int | None = None) -> training.Trainer:  # fmt: skip
    """Train; ``episodes``: interrupted after so many."""

    async def go() -> training.Trainer:
        run = training.Run("svamp", n, seed, p, PROBLEMS)
        trainer = await training.start(run, client or Recorder(p), folder, resume)
        if episodes is None:
            await trainer.train()
        else:
            while trainer.episodes < episodes:
                await trainer.interval()
        return trainer

    return asyncio.run(go())


def solve(
    method: EconMethod, p: Params, client: Recorder, n: int = 3, problem: Problem = PROBLEMS[0]
) -> Solution:
    return asyncio.run(method.solve(Session(problem, client, p, n, 0)))


def executor_requests(client: Recorder, round: int | None = None) -> list[Request]:
    return [r for r in client.requests if r.role == "executor" and round in (None, r.round)]


def test_every_executor_is_sent_its_own_action() -> None:
    p = params()
    client = Recorder(p)
    train(p, client=client, episodes=8)
    sent = {}
    for r in executor_requests(client, 0):
        sent.setdefault(r.messages[0]["content"], {})[r.agent] = r.sampling
    for by_agent in sent.values():
        assert len({(s.temperature, s.repetition_penalty) for s in by_agent.values()}) == 3
        assert all(1 <= s.repetition_penalty <= 1.5 and s.top_p == 0.9 for s in by_agent.values())


def test_top_p_as_the_second_action() -> None:
    p = params(action={"second": "top_p"})
    client = Recorder(p)
    train(p, client=client, episodes=8)
    samplings = [r.sampling for r in executor_requests(client)]
    assert len({s.top_p for s in samplings}) > 10
    assert all(0.1 <= s.top_p <= 0.9 and s.repetition_penalty == 1 for s in samplings)


@pytest.mark.parametrize("rule", ["learned", "best_response"])
def test_a_dimension_that_is_held_is_sent_as_it_is_and_the_other_is_learned(
    rule: str, tmp_path: Path
) -> None:
    p = params(action={"fixed": {"repetition_penalty": 1.0}}, bne={"rule": rule, "max_iterations_infer": 2})
    client = Recorder(p)
    trainer = train(p, client=client, folder=tmp_path)
    method = from_checkpoint(tmp_path, p, 3, "econ-bne")
    [trace, *_] = asyncio.run(play(method, PROBLEMS[:2], client, p, Job("svamp", "econ-bne", 3, 0)))
    samplings = [r.sampling for r in executor_requests(client)]
    assert {s.repetition_penalty for s in samplings} == {1.0}
    assert len({s.temperature for s in samplings}) > 10
    assert trace.detail["fixed"] == {"repetition_penalty": 1.0}
    assert all(action[1] == 1.0 for step in trace.steps for action in step["actions"])
    with torch.no_grad():
        u = trainer.learner.team.executors.act(torch.randn(50, 3, 16))
    assert (u[..., 1] == 0.5).all()
    assert u[..., 0].std() > 0
    with pytest.raises(EconError, match=r"action\.fixed"):
        from_checkpoint(tmp_path, params(), 3, "econ-bne")


def test_no_executor_is_shown_anothers_text_and_no_prompt_holds_the_gold() -> None:
    def mark(call: Call) -> Call:
        if call.role != "executor":
            return call
        return replace(call, text=f"TEXT-OF-{call.agent} {call.text}")

    p = params(bne={"max_iterations_train": 2})
    client = Recorder(p, mark)
    train(p, client=client)
    assert max(r.round for r in client.requests) == 2
    for r in client.requests:
        content = " ".join(m["content"] for m in r.messages)
        if r.role == "executor":
            assert "TEXT-OF-" not in content
            assert not any(problem.gold in content for problem in PROBLEMS)
        elif "TEXT-OF-" not in content:  # the strategy
            assert not any(problem.gold in content for problem in PROBLEMS)


def test_complete_information_shows_peers_answers_and_never_ones_own_as_a_peers() -> None:
    def mark(call: Call) -> Call:
        return replace(call, text=f"TEXT-OF-{call.agent} {call.text}") if call.role == "executor" else call

    p = params(team={"information": "complete"})
    client = Recorder(p, mark)
    train(p, client=client, episodes=8)
    later = executor_requests(client, 1)
    assert later
    for r in later:
        shown = r.messages[-1]["content"]
        assert {i for i in range(3) if f"TEXT-OF-{i}" in shown} == {0, 1, 2} - {r.agent}
    assert all(len(r.messages) == 1 for r in executor_requests(client, 0))


def test_round_0_of_the_first_interval_is_the_same_for_any_team_size() -> None:
    p, seen = params(), []
    for n in (3, 4):
        client = Recorder(p)
        train(p, n=n, client=client, episodes=8)
        seen.append({r for r in map(repr, executor_requests(client, 0)) if "agent=3" not in r})
    assert seen[0] == seen[1]


def test_the_baseline_asks_exactly_what_round_0_of_bne_asks() -> None:
    p = params(bne={"convergence_threshold": 0, "same_commitment": 1})
    trained = train(p)
    asked = {}
    for name in ("econ-baseline", "econ-bne"):
        client = Recorder(p)
        solution = solve(EconMethod(name, trained.learner.team, p), p, client)
        asked[name] = {repr(r) for r in client.requests if r.round == 0}, solution
    assert asked["econ-baseline"][0] == asked["econ-bne"][0]
    assert asked["econ-baseline"][1].rounds == 1
    assert asked["econ-baseline"][1].stop == "no refinement"
    assert asked["econ-bne"][1].stop in ("max iterations", "same commitment", "oscillation", "small step")


def test_every_problem_is_played_once_per_pass() -> None:
    p = params(train={"episodes": 12})
    trainer = train(p, episodes=0)
    first = [trainer.problem(i).id for i in range(6)]
    second = [trainer.problem(i).id for i in range(6, 12)]
    assert sorted(first) == sorted(second) == sorted(problem.id for problem in PROBLEMS)
    assert first != second


def test_training_that_plays_no_problem_twice_can_still_settle() -> None:
    settled = {"commitment_change": 2, "reward": 0, "loss_change": 100, "warmup": 16, "patience": 2}
    stop_after = {}
    for k in (0, 1):
        known = problems(48)
        p = params(train={"episodes": 48, "early_stopping": settled}, bne={"max_iterations_train": k})
        run = training.Run("svamp", 3, 0, p, known)
        trainer = asyncio.run(training.start(run, SimulatedClient(p, known), None))
        asyncio.run(trainer.train())
        stop_after[k] = trainer.episodes
    assert stop_after == {0: 48, 1: 32}  # of one round each, there is no commitment before to compare with


def test_answers_may_arrive_in_any_order() -> None:
    class Slow(Recorder):
        async def complete(self, request: Request) -> Call:
            await asyncio.sleep((request.seed % 7) / 2000)
            return await super().complete(request)

    p = params()
    one, other = train(p), train(p, client=Slow(p))
    assert one.history == other.history
    for a, b in zip(one.learner.team.parameters(), other.learner.team.parameters(), strict=True):
        assert torch.equal(a, b)


def test_resumed_training_ends_where_uninterrupted_training_does(tmp_path: Path) -> None:
    p = params(train={"episodes": 32, "checkpoint_interval": 16})
    whole = train(p, folder=tmp_path / "whole")
    train(p, folder=tmp_path / "stopped", episodes=24)
    resumed = train(p, folder=tmp_path / "resumed", resume=tmp_path / "stopped" / "state.safetensors")
    assert resumed.history == whole.history
    last = [(tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "resumed")]
    assert last[0] == last[1]
    curves = [sorted((tmp_path / name / "curve").rglob("*.tsv")) for name in ("whole", "resumed")]
    assert len(curves[0]) > 20
    for a, b in zip(*curves, strict=True):
        # The third column is the time of day.
        steps = [[line.split("\t")[-2:] for line in f.read_text().splitlines()] for f in (a, b)]
        assert [row[-1] for row in steps[0]] == [row[-1] for row in steps[1]]


def test_a_folder_holds_the_last_and_the_best_checkpoint_with_the_params(tmp_path: Path) -> None:
    p = params(train={"episodes": 24, "checkpoint_interval": 16})
    train(p, folder=tmp_path)
    names = {path.name for path in tmp_path.glob("*.safetensors")}
    assert names == {"last.safetensors", "best.safetensors"}
    config = json.loads((tmp_path / "config.json").read_bytes())
    assert Params.model_validate(config["params"]) == p
    assert config["simulated"] is True
    assert sum(config["alpha"]) == pytest.approx(1)
    metrics = json.loads((tmp_path / "curve" / "metrics.json").read_bytes())
    assert {"T_1", "p_1", "T_3"} <= set(metrics["action"]["policy"])
    assert set(metrics["alpha"]) == {"AL", "TS", "CC"}
    assert {"AL", "TS", "CC", "team", "commitment"} <= set(metrics["reward"])


def test_a_curve_is_written_in_a_git_repository_without_a_commit_and_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    train(params(), folder=tmp_path / "out")
    assert (tmp_path / "out" / "curve" / "metrics.json").exists()
    assert {path.name for path in tmp_path.iterdir()} == {".git", "out"}


def test_inference_plays_the_trained_networks(tmp_path: Path) -> None:
    p = params(train={"episodes": 24, "gradient_steps": 8, "learning_rate": 0.01})
    trainer = train(p, folder=tmp_path)
    method = from_checkpoint(tmp_path, p, 3, "econ-bne")
    for name, value in trainer.learner.team.state_dict().items():
        assert torch.equal(method.team.state_dict()[name], value), name
    trained = solve(method, p, Recorder(p))
    fresh = solve(untrained(p, 3, "econ-bne", 0), p, Recorder(p))
    assert fresh.steps[0]["actions"] == [[1.05, 1.25]] * 3
    assert trained.steps[0]["actions"] != fresh.steps[0]["actions"]
    assert trained.detail["alpha"] == [round(a, 6) for a in trainer.learner.alpha.tolist()]


def test_a_checkpoint_of_another_team_or_benchmark_is_refused(tmp_path: Path) -> None:
    p = params()
    train(p, folder=tmp_path)
    with pytest.raises(EconError, match=r"n_agents \(3, now 4\)"):
        from_checkpoint(tmp_path, p, 4, "econ-bne")
    method = from_checkpoint(tmp_path, p, 3, "econ-bne")
    with pytest.raises(EconError, match="trained on svamp, not gsm8k"):
        solve(method, p, Recorder(p), problem=replace(PROBLEMS[0], benchmark="gsm8k"))
    train(params(train={"keep_state": True}), folder=tmp_path)
    with pytest.raises(EconError, match="seed 0, not 1"):
        train(p, seed=1, resume=tmp_path / "state.safetensors")


def test_tiny_params_train_and_really_update() -> None:
    p = params(train={"episodes": 2, "update_interval": 2, "batch_size": 2, "buffer_size": 2})
    trainer = train(p)
    start = asyncio.run(training.start(trainer.run, trainer.client, None)).learner.team
    pairs = zip(start.named_parameters(), trainer.learner.team.parameters(), strict=True)
    still = {name for (name, a), b in pairs if torch.equal(a, b)}
    assert not still


def test_a_failed_executor_is_absent_for_the_coordinator_and_earns_nothing() -> None:
    def fail(call: Call) -> Call:
        if call.role == "executor" and call.agent == 1:
            return replace(call, text="", error="empty answer")
        return call

    p = params()
    client = Recorder(p, fail)
    trainer = train(p, client=client, episodes=8)
    for e in trainer.learner.replay.episodes:
        assert (e.parts[:, 1] == 0).all()
        assert (e.answers[:, 1] == 0).all()
        assert (e.parts[:, [0, 2]].sum(dim=(1, 2)) > 0).all()
    commitments = [r for r in client.requests if r.role == "coordinator" and r.schema is not None]
    assert all("Answer 2: (no answer)" in r.messages[0]["content"] for r in commitments)


def test_nothing_is_learned_from_an_interval_whose_calls_failed(tmp_path: Path) -> None:
    def fail(call: Call) -> Call:
        return (
            replace(call, text="", error="timeout") if call.role == "executor" and call.agent == 1 else call
        )

    p = params()
    with pytest.raises(
        EconError, match=r"is incomplete: .* \(timeout: .* more than llm\.failed_share\.train 0 "
    ):
        train(p, client=Recorder(p, fail), folder=tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_failed_commitment_is_invalid_and_no_executor_stands_in() -> None:
    def fail(call: Call) -> Call:
        committed = call.role == "coordinator" and "final_answer" in call.text
        return replace(call, text="", error="empty answer") if committed else call

    p = params()
    solution = solve(untrained(p, 3, "econ-baseline", 0), p, Recorder(p, fail))
    assert solution.error == "empty answer"
    assert solution.text == ""
    trainer = train(p, client=Recorder(p, fail), episodes=8)
    assert all((e.outcome == 0).all() for e in trainer.learner.replay.episodes)


def commitment(text: str) -> Call:
    p = params()
    client = Recorder(p, lambda call: replace(call, text=text) if call.role == "coordinator" else call)
    solve(untrained(p, 3, "econ-baseline", 0), p, client)
    return replace(asyncio.run(SimulatedClient.complete(client, client.requests[-1])), text=text)


@pytest.mark.parametrize(
    ("raw", "kind", "text", "error"),
    [
        ('{"final_answer": "42", "confidence": 0.9}', "number", "Final answer: 42", None),
        ('{"final_answer": 42, "confidence": 2}', "number", "Final answer: 42", None),
        ('```json\n{"final_answer": "yes"}\n```', "yesno", "Final answer: yes", None),
        ('{"final_answer": "42", "reasoning": "because it', "number", "Final answer: 42", None),
        ('{"final_answer": "\\\\frac{1}{2}"}', "math", "Final answer: \\boxed{\\frac{1}{2}}", None),
        ('{"final_answer": [{"days": 1}]}', "plan", '[{"days":1}]', None),
        ("The answer is 7.", "number", "The answer is 7.", None),
        ('{"final_answer": "12', "number", '{"final_answer": "12', "commitment without a final answer"),
        ("", "number", "", "empty commitment"),
    ],
)
def test_commitments_are_read_as_far_as_they_go(raw: str, kind: Kind, text: str, error: str | None) -> None:
    found = read(commitment(raw), kind)
    assert (found.text, found.error) == (text, error)


@pytest.mark.parametrize(
    ("raw", "kind", "valid"),
    [
        ('{"final_answer": 42, "confidence": 0.9, "reasoning": "r", "checklist": ["c"]}', "number", True),
        ('{"final_answer": "42", "confidence": 0.9, "reasoning": "r", "checklist": []}', "number", False),
        ('{"final_answer": "42", "confidence": 0.9, "reasoning": "r", "checklist": []}', "math", True),
        ('{"final_answer": "maybe", "confidence": 0.9, "reasoning": "r", "checklist": []}', "yesno", False),
        ('{"final_answer": 42, "confidence": 7, "reasoning": "r", "checklist": []}', "number", False),
        ('{"final_answer": 42, "confidence": 0.9, "reasoning": "cut her', "number", False),
        ('Sure: {"final_answer": 42, "confidence": 1, "reasoning": "", "checklist": []}', "number", False),
        ("The answer is 42.", "number", False),
    ],
)
def test_commitments_are_held_against_their_schema(raw: str, kind: Kind, valid: bool) -> None:
    assert read(commitment(raw), kind).valid is valid


def strategy_of(text: str, tokens: int, finish: str) -> tuple[list[Request], str]:
    def long(call: Call) -> Call:
        if call.role == "coordinator" and "strategy" in call.text:
            return replace(call, text=text, completion_tokens=tokens, finish_reason=finish)
        return call

    p = params()
    client = Recorder(p, long)
    solve(untrained(p, 3, "econ-baseline", 0), p, client)
    asked = [r for r in client.requests if r.role == "coordinator" and r.schema is None]
    return asked, executor_requests(client)[0].messages[0]["content"]


def test_a_strategy_past_its_cap_is_regenerated_once_then_cut() -> None:
    asked, _ = strategy_of("strategy fine", 2, "stop")
    assert [r.sample for r in asked] == [0]
    assert asked[0].sampling.max_tokens == 70
    words = " ".join(f"w{i}" for i in range(200))
    asked, prompt = strategy_of(words, 200, "length")
    assert [r.sample for r in asked] == [0, 1]
    assert "w69" in prompt
    assert "w70 " not in prompt


@pytest.mark.parametrize(
    ("mode", "calls", "shown"), [("none", 0, False), ("short", 1, True), ("detailed", 1, True)]
)
def test_strategy_modes(mode: str, calls: int, shown: bool) -> None:
    p = params(team={"strategy": mode})
    client = Recorder(p)
    solve(untrained(p, 3, "econ-baseline", 0), p, client)
    asked = [r for r in client.requests if r.role == "coordinator" and r.schema is None]
    assert len(asked) == calls
    assert ("Strategy:" in executor_requests(client)[0].messages[0]["content"]) is shown
    assert all(r.sampling.max_tokens == (300 if mode == "detailed" else 70) for r in asked)


@pytest.mark.parametrize(("n", "local"), [(3, 0), (4, 0), (5, 2), (9, 3)])
def test_local_coordinators_of_at_most_four_under_a_central_one(n: int, local: int) -> None:
    p = params(team={"coordination": "hierarchical"})
    client = Recorder(p)
    solve(untrained(p, n, "econ-baseline", 0), p, client, n=n)
    commits = [r for r in client.requests if r.role == "coordinator" and r.schema is not None]
    assert len(commits) == local + 1
    shown = [r.messages[0]["content"].count("\nAnswer ") for r in commits]
    assert max(shown) <= 4
    assert sum(s for s, r in zip(shown, commits, strict=True) if r.agent > 0) == (n if local else 0)


def test_belief_and_commitment_in_the_prompt_are_options() -> None:
    for team, found in (
        ({}, ()),
        ({"belief": "text", "show_commitment": True}, ("You expect", "committed to")),
    ):
        p = params(team=team, bne={"convergence_threshold": 0, "rule": "best_response"})
        client = Recorder(p)
        train(p, client=client, episodes=8)
        content = executor_requests(client, 1)[0].messages[0]["content"]
        assert all(words in content for words in ("You expect", "committed to")) == bool(found)


def test_the_belief_in_words_is_the_value_of_the_action_that_is_played() -> None:
    p = params(team={"belief": "text"}, bne={"convergence_threshold": 0, "same_commitment": 1})
    client = Recorder(p)
    solution = solve(EconMethod("econ-bne", train(p).learner.team, p), p, client)
    for r in executor_requests(client):
        q = solution.steps[r.round]["q"][r.agent]
        assert f"You expect a reward of {q:.2f} (0 to 1)" in r.messages[0]["content"]


def test_several_decisions_per_episode() -> None:
    p = params(train={"max_rounds": 3, "gamma": 0.9})
    trainer = train(p)
    for e in trainer.learner.replay.episodes:
        assert sorted(set(e.decision.tolist())) == [0, 1, 2]
    assert all(np.isfinite(list(row.values())).all() for row in trainer.history)


def test_shuffled_rewards_come_from_all_rounds_so_far() -> None:
    trainer = train(params(reward={"source": "shuffled"}, train={"buffer_size": 40, "episodes": 24}))
    played = [e.outcome for e in trainer.learner.replay.episodes]
    assert len(played) == 24
    earned, given = trainer.pool["outcome"], torch.cat(played)
    assert earned.shape == given.shape
    assert set(given.tolist()) <= set(earned.tolist())
    assert not torch.equal(earned, given)
    rows = trainer.pool["parts"].flatten(1)
    first = torch.cat([e.parts for e in [*trainer.learner.replay.episodes][:8]]).flatten(1)
    so_far = rows[: len(first)]
    assert all(any(torch.equal(row, other) for other in so_far) for row in first)


@pytest.mark.parametrize("source", ["random", "shuffled"])
def test_control_rewards_change_what_is_learned_and_not_what_is_reported(source: str) -> None:
    plain, control = train(params(), episodes=8), train(params(reward={"source": source}), episodes=8)
    assert plain.history[0]["reward/TS"] == control.history[0]["reward/TS"]
    pairs = zip(plain.learner.replay.episodes, control.learner.replay.episodes, strict=True)
    assert any(not torch.equal(a.parts, b.parts) for a, b in pairs)


def test_the_coordinators_own_assessment_as_task_reward() -> None:
    def sure(call: Call) -> Call:
        return replace(call, text=call.text.replace('"confidence":', '"confidence":0.25,"x":'))

    p = params(reward={"task": "coordinator"})
    trainer = train(p, client=Recorder(p, sure), episodes=8)
    for e in trainer.learner.replay.episodes:
        assert (e.outcome == 0.25).all()
        assert set(e.parts[..., 1].flatten().tolist()) <= {0.0, 0.25}


def test_evaluation_records_rewards_composed_with_the_live_alpha() -> None:
    p, job = params(), Job("svamp", "econ-bne", 3, 0)
    method = EconMethod("econ-bne", train(p).learner.team, p, alpha=(0.2, 0.7, 0.1))
    client = Recorder(p)
    [trace] = asyncio.run(play(method, PROBLEMS[:1], client, p, job))
    last, right = trace.steps[-1], [answer == PROBLEMS[0].gold for answer in trace.steps[-1]["answers"]]
    composed = [
        0.2 * al + 0.7 * ts + 0.1 * cc for al, ts, cc in zip(last["AL"], right, last["CC"], strict=True)
    ]
    assert trace.detail["reward_executors"] == pytest.approx(composed, abs=1e-3)
    team = 0.5 * sum(composed) / 3 + 0.5 * trace.correct
    assert trace.detail["reward_team"] == pytest.approx(team, abs=1e-3)


def test_training_without_problems_is_an_error() -> None:
    p = params()
    with pytest.raises(EconError, match="no training problems"):
        asyncio.run(training.start(training.Run("svamp", 3, 0, p, []), Recorder(p), None))


@pytest.mark.parametrize("second", ["repetition_penalty", "top_p"])
def test_training_on_the_simulated_team_moves_towards_its_optimum(second: str) -> None:
    """SIMULATED. The whole study, with controls and more seeds, is `econ study learning`."""
    network = {**SMALL, "belief_dim": 32, "mlp_hidden": 64, "entity_dim": 64}
    plan = {"episodes": 160, "gradient_steps": 4}
    p = params(action={"second": second}, network=network, train=plan)
    trained = share_of_optimum(train(p).history[-1], p)
    frozen = {"losses": {"actor": 0, "bne_gain": 0, "bne_step": 0}}
    p = params(action={"second": second}, network=network, train={**plan, "episodes": 16, **frozen})
    assert share_of_optimum(train(p).history[-1], p) < 0.8
    assert trained > 0.88


def share_of_optimum(row: dict[str, float], p: Params) -> float:
    game = SimulatedGame(3, p.simulated, p.reward, tuple(difficulty_of(problem.id) for problem in PROBLEMS))
    spans = list(zip("Tp", p.action.dimensions.values(), strict=True))
    u = [
        [(row[f"action/policy/{name}_{i}"] - span.low) / (span.high - span.low) for name, span in spans]
        for i in (1, 2, 3)
    ]
    return game.value(np.array(u)) / game.optimum[1]
