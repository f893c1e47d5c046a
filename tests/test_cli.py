"""What a user types, and what is said when it is wrong."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from econ.cli import explained

ROOT = Path(__file__).parent.parent


def econ(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("TOGETHER", "OPENAI"))
    }
    return subprocess.run(
        [sys.executable, "-m", "econ", *words],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with problems and default params; no server, no checkpoint."""
    (tmp_path / "params.yaml").write_text("data: {source: shipped}\n")
    assert econ("download", "--benchmark", "svamp", folder=tmp_path).returncode == 0
    return tmp_path


def test_help_lists_every_command_without_importing_the_heavy_packages() -> None:
    script = (
        "import sys, econ.cli; econ.cli.group.main(['--help'], standalone_mode=False);"
        "heavy = {'torch', 'pandas', 'numpy', 'pydantic', 'matplotlib', 'datasets', 'aiohttp', 'jinja2'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip().endswith("[]")
    for command in (
        "download",
        "train",
        "evaluate",
        "debate",
        "aggregate",
        "figures",
        "report",
        "bank",
        "solve",
        "doctor",
    ):
        assert f"  {command} " in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "download",
        "train",
        "evaluate",
        "debate",
        "aggregate",
        "figures",
        "report",
        "solve",
        "grade",
        "estimate",
        "doctor",
    ],
)
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    done = econ(command, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert "Example: econ" in done.stdout


DEBATE = ("debate", "--benchmark", "svamp", "--n-agents", "3")


@pytest.mark.parametrize(
    ("words", "params", "told"),
    [
        (DEBATE, "n_agent: [3]", "unknown key 'n_agent'"),
        (("debate", "--benchmark", "gsm9k", "--n-agents", "3"), "", "unknown benchmark 'gsm9k'"),
        ((*DEBATE, "--method", "debt"), "", "unknown method 'debt'"),
        ((*DEBATE, "--method", "econ-bne"), "", "econ train"),
        ((*DEBATE, "--method", "nowhere:Mine"), "", "is nowhere.py in the folder"),
        ((*DEBATE, "--method", "json:dumps"), "", "no class with a solve"),
        (("evaluate", "--benchmark", "svamp", "--n-agents", "3"), "", "econ train"),
        (DEBATE, "llm: {backend: together, coordinator: m, executors: [m]}", "TOGETHER_API_KEY"),
        (
            DEBATE,
            "llm: {backend: openai, base_url: 'http://127.0.0.1:9/v1', dialect: vllm, patience_seconds: 0.5}",
            "127.0.0.1:9",
        ),
        (("solve",), "", "QUESTION"),
    ],
)
def test_bad_input_is_one_line_and_a_non_zero_exit(
    folder: Path, words: tuple[str, ...], params: str, told: str
) -> None:
    kept = folder / "results" / "metrics" / "svamp" / "debate-n3-s0.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    (folder / "params.yaml").write_text(params)
    done = econ(*words, folder=folder)
    assert done.returncode not in (0, None)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("econ: error: ")
    assert told in last
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "{}"


def test_a_damaged_cache_met_by_tasks_that_run_together_is_one_line() -> None:
    inner = ExceptionGroup("tasks", [sqlite3.DatabaseError("database disk image is malformed")])
    line = explained(ExceptionGroup("tasks", [inner]))
    assert "call cache" in line
    assert "malformed" in line
    with pytest.raises(ExceptionGroup):
        explained(ExceptionGroup("tasks", [inner, ValueError("of our own")]))
