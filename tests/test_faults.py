"""Hostile surroundings and inputs, by kind: one clear line each, non-zero exit, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from econ import cli, paths
from econ.cli import group
from econ.cli.transcript import Turns
from econ.errors import EconError
from econ.params import load
from econ.records import Call, Sampling
from econ.terminal import printable

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


FILES = {  # kind: content, what is said
    "a key twice": ("seeds: [0]\nseeds: [1]\n", "the key 'seeds' of line 1 is there again"),
    "a key twice below": ("llm: {backend: local, backend: bank}\n", "the key 'backend'"),
    "nested deep": ("a: " + "[" * 5000 + "]" * 5000, "nested too deep"),
    "true as a number": ("n_agents: [true]\n", "'n_agents': true and false are no numbers"),
    "true as a seed": ("seeds: [false]\n", "'seeds': true and false are no numbers"),
    "temperature": ("settings: {debate: {temperature: 99}}\n", "less than or equal to 2"),
    "samples": ("settings: {self-consistency: {k: 1000000000}}\n", "less than or equal to 1000"),
    "layers": ("network: {entity_dim: 1000000000}\n", "less than or equal to 16384"),
    "rounds": ("bne: {max_iterations_infer: 1000000000}\n", "less than or equal to 1000"),
    "a model without a name": ("llm: {coordinator: ''}\n", "'llm.coordinator'"),
    "an executor without a name": ("llm: {executors: ['']}\n", "'llm.executors.0'"),
    "another file": ("a: " + "b" * 300_000, "has more than 200,000 bytes - is it another file?"),
    "agents": ("n_agents: [100000]\n", "less than or equal to 64"),
    "seed": (f"seeds: [{2**70}]\n", "seeds.0"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_params_file_that_cannot_be_meant_is_refused_in_one_line(kind: str) -> None:
    content, told = FILES[kind]
    Path("params.yaml").write_text(content)
    with pytest.raises(EconError) as fault:
        load(Path("params.yaml"))
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_key_may_be_there_again_through_an_anchor() -> None:
    Path("params.yaml").write_text("seeds: &few [0]\nn_agents: [3]\nbenchmarks: [svamp]\n")
    assert load(Path("params.yaml")).seeds == (0,)


def test_many_faults_are_told_short() -> None:
    Path("params.yaml").write_text(yaml.safe_dump({f"key{i}": 1 for i in range(10_000)}))
    with pytest.raises(EconError) as fault:
        load(Path("params.yaml"))
    assert "9,990 more" in str(fault.value)
    assert len(str(fault.value)) < 1000


@pytest.mark.parametrize(
    "options",
    [["--seed", str(2**70)], ["--n-agents", "100000"], ["--seed", "x"]],
    ids=["seed", "agents", "word"],
)
def test_options_have_the_bounds_of_the_params(options: list[str]) -> None:
    words = ["evaluate", "--benchmark", "svamp", "--n-agents", "3", *options]
    assert CliRunner().invoke(group, words).exit_code == 2


def econ(*words: Any, **how: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **how.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "econ", *words], env=environment, stderr=subprocess.PIPE, check=False, **how
    )


def test_an_argument_that_is_no_text_is_one_line() -> None:
    done = econ("solve", "--benchmark", "svamp", b"caf\xe9", env={"PYTHONUTF8": "1"})
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"is not UTF-8" in done.stderr


def test_an_output_that_knows_ascii_alone_ends_nothing() -> None:
    Path("params.yaml").write_text("method\u00e4: 1\n")
    done = econ("doctor", env={"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"})
    assert done.returncode == 1
    assert b"unknown key 'method" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_an_output_that_is_closed_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = econ("--help", stdout=writing)
    os.close(writing)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("home", ["", None])
def test_no_home_for_models_is_the_usual_one(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECON_HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("ECON_HOME", home)
    assert paths.home().is_absolute()
    assert paths.home().name == "econ"


def test_a_user_without_a_home_is_told_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("ECON_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(EconError, match="ECON_HOME"):
        paths.home()


def test_what_nobody_foresaw_is_one_line_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("of\nall \x1b[2Jthings")

    monkeypatch.setattr(group, "main", broken)
    monkeypatch.setattr(sys, "argv", ["econ"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert r"unforeseen ZeroDivisionError: of all \x1b[2Jthings" in said
    [log] = (paths.STATE / "errors").iterdir()
    assert "ZeroDivisionError" in log.read_text()
    assert paths.STATE.stat().st_mode & 0o777 == 0o700


def test_the_folder_of_calls_is_its_owners_alone() -> None:
    paths.STATE.mkdir(mode=0o755)
    paths.private()
    assert paths.STATE.stat().st_mode & 0o777 == 0o700


HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x07",
    "\x9b2J",
    "a\rb",
    "\u202eabc\u2066",
    "\x00",
    "\x7f",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_control_characters_of_a_model_are_shown_not_sent(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = Call(
        "executor", 0, 0, f"model{text}", ({"role": "user", "content": text},),
        Sampling(0.7, 1.0, 1.0, 10), 0, 0, f"say {text} so\n\tthere", 1, 1, False, None,
    )  # fmt: skip
    Turns(prompts=True)(call)
    with pytest.raises(SystemExit):
        cli.fail(f"the server says {text}")
    said = capsys.readouterr()
    assert printable(said.out) == said.out
    assert printable(said.err) == said.err


def test_plain_text_of_any_language_stays() -> None:
    text = "Zoë: 3 × 4 = 12 €,\n\tשלום, 你好, é, 👩\u200d🔬"
    assert printable(text) == text
