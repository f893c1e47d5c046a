"""One problem in a terminal: who says what, readable there and in a pipe."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from econ.cli import transcript as turns
from econ.cli.solve import command
from econ.params import learns, plays
from econ.records import Call, Sampling
from econ.registry import METHODS

QUESTION = "Tom has 3 apples and buys 4 more. How many has he now?"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    document = {"benchmarks": ["svamp"], "data": {"source": "shipped"}, "llm": {"backend": "simulated"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solve(*words: str) -> Result:
    done = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def heads(output: str) -> list[str]:
    """The lines that start a turn or a round."""
    return [line.split("  ")[0] for line in output.splitlines() if " tokens" in line and line[0] != " "]


def test_a_debate_shows_who_speaks_in_the_order_of_speaking(folder: Path) -> None:
    done = solve("--method", "mad", QUESTION)
    spoken = heads(done.output)
    assert spoken[:3] == ["affirmative", "negative", "moderator"]
    assert set(spoken) <= {"affirmative", "negative", "moderator", "judge"}
    assert [f"── round {k} ──" in done.output for k in range(len(spoken) // 3)] == [True] * (len(spoken) // 3)
    assert "\x1b[" not in done.output  # no colours without a terminal
    assert "mad: " in done.output
    assert done.output.count("smollm2-135m-instruct") == 1  # named once


@pytest.mark.parametrize("method", [name for name in METHODS if plays(name, "number") and not learns(name)])
def test_every_method_answers_a_question_of_the_users_own(method: str, folder: Path) -> None:
    done = solve("--method", method, QUESTION)
    assert "Answer SIMULATED: " in done.output
    assert "gold" not in done.output
    assert heads(done.output)


@pytest.mark.parametrize("method", ["tot", "rap", "rstar"])
def test_a_searchs_tree_is_shown_each_node_below_its_parent(method: str, folder: Path) -> None:
    lines = solve("--method", method, QUESTION).output.splitlines()
    nodes = [line for line in lines if re.match(r" +\d+\. ", line)]
    assert re.match(r"  1\. .*\(value ", nodes[0])
    assert len({len(line) - len(line.lstrip()) for line in nodes}) > (method != "tot")


def test_a_plan_of_the_users_own_is_shown_and_not_graded(folder: Path) -> None:
    done = solve("--method", "debate", "--benchmark", "travelplanner", "Plan two days in Ohio.")
    assert "constraints" not in done.output


def test_what_an_agents_action_brought_is_shown(folder: Path) -> None:
    done = solve("--method", "react", "--benchmark", "travelplanner", "Plan two days in Ohio.")
    assert done.output.count("  > [user] Observation: there is no action that can be read.") == 3
    assert "  > [user] Problem" not in done.output


def test_numbers_samples_and_what_was_asked_are_told(folder: Path) -> None:
    assert heads(solve("--method", "debate", QUESTION).output)[:3] == ["debater 1", "debater 2", "debater 3"]
    sampled = solve("--method", "self-consistency", "--prompts", QUESTION).output
    assert heads(sampled)[:2] == ["solver", "solver, sample 2"]
    assert "  > [user] Problem:\n" in sampled


def call(text: str, **fields: object) -> Call:
    known = {"error": None, "agent": 0, "role": "moderator", "cached": False, **fields}
    return Call(
        round=0, model="m", messages=(), sampling=Sampling(0.7, 0.9, 1.2, 9), seed=0, sample=0, text=text,
        prompt_tokens=3, completion_tokens=4, finish_reason="length", **known,  # type: ignore[arg-type]
    )  # fmt: skip


def test_json_is_unfolded_and_what_is_cut_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    show = turns.Turns()
    show(call('{"answer": [{"days": 1}, {"days": 2}], "side": "none"}'))
    show(call('{"answer": 12, "rea'))
    show(call("", error="timeout"))
    said = capsys.readouterr().out
    assert '  answer: {"days":1}\n  answer: {"days":2}\n  side: none\n' in said
    assert '  {"answer": 12, "rea\n' in said
    assert "  no answer: timeout\n" in said
    assert "moderator  m, T 0.70, top-p 0.90, penalty 1.20, 3 + 4 tokens, cut at its cap\n" in said


def test_a_terminal_wraps_what_a_pipe_leaves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "word " * 60
    turns.Turns()(call(long))
    assert long.strip() in capsys.readouterr().out
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((50, 20)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    turns.Turns()(call(long))
    body = [line for line in capsys.readouterr().out.splitlines() if "word" in line]
    assert len(body) > 5
    assert max(map(len, body)) <= 50
