"""The project as a package, and packages of others: built, installed, used outside any clone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from econ.cli.init import stages
from tests.engines.conftest import ROOT
from tests.engines.test_extending import quiz, written

NOT_OURS = shutil.ignore_patterns(
    ".git", ".venv", ".econ", ".dvc", ".snakemake", "__pycache__", "build", "dist", "results", "benchmarks",
    "*.egg-info", ".hypothesis", ".*_cache",
)  # fmt: skip
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def run(*words: str, folder: Path, target: Path | None = None) -> str:
    """What a command says, with the packages in ``target`` before all others and none of this clone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ECON_", "PYTHONPATH"))}
    if target is not None:
        beside = Path(sys.executable).parent
        kept |= {"PYTHONPATH": str(target), "PATH": f"{target / 'bin'}:{beside}:{os.environ['PATH']}"}
    kept["ECON_HOME"] = str(folder / "home")
    done = subprocess.run(words, cwd=folder, env=kept, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was made from nothing but that."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "clone", ignore=NOT_OURS)
    rooms = Path("econ", "benchmarks")
    shutil.copytree(ROOT / rooms, folder / "clone" / rooms, dirs_exist_ok=True)
    make = f"from setuptools.build_meta import build_sdist; build_sdist({str(folder)!r})"
    run(sys.executable, "-c", make, folder=folder / "clone")
    [sdist] = folder.glob("econ_bne-*.tar.gz")
    shutil.unpack_archive(sdist, folder / "unpacked")
    [source] = (folder / "unpacked").iterdir()
    run(*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(source),
        folder=folder)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package alone; what it builds on comes from the environment."""
    target = tmp_path_factory.mktemp("bare")
    [wheel] = built.glob("*.whl")
    run(*PIP, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel), folder=built)
    return target


def test_a_wheel_holds_all_that_runs_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    along = ("workflow/", "profiles/", "params/", "data/paper/", "data/records/", "params.yaml", "dvc.yaml")
    missing = [name for name in tracked if name.startswith("econ/") and name not in names]
    missing += [name for name in tracked if name.startswith(along) and f"econ/project/{name}" not in names]
    assert missing == []
    assert any(re.fullmatch(r"econ_bne-\S+\.dist-info/licenses/LICENSE", name) for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "econ", "econ_bne",
    }  # fmt: skip
    assert not any("__pycache__" in name for name in names)


def test_a_folder_is_made_and_played_in_without_a_clone(installed: Path, tmp_path: Path) -> None:
    said = run("econ", "solve", "--set", "llm.backend=simulated", "What is 2 + 2?",
               folder=tmp_path, target=installed)  # fmt: skip
    assert "SIMULATED" in said
    assert "econ doctor" in run("econ", "init", "my-study", folder=tmp_path, target=installed)
    study = tmp_path / "my-study"
    place = run(sys.executable, "-c", "import econ.paths; print(econ.paths.project())", folder=study,
                target=installed)  # fmt: skip
    assert place.strip() == str(installed / "econ" / "project")
    params = yaml.safe_load((study / "params.yaml").read_text())
    params |= {"benchmarks": ["svamp"], "n_agents": [3], "methods": ["cot"]}
    params["llm"]["backend"], params["data"]["source"] = "simulated", "shipped"
    (study / "params.yaml").write_text(yaml.safe_dump(params))
    assert "Draw the figures" in run("snakemake", "-n", folder=study, target=installed)
    run("snakemake", "--cores", "2", "aggregate", folder=study, target=installed)
    assert "Nothing to be done" in run("snakemake", "-n", "aggregate", folder=study, target=installed)
    run("git", "init", "--quiet", folder=study)
    run("dvc", "init", "--quiet", folder=study, target=installed)
    assert "evaluate@svamp" in run("dvc", "stage", "list", folder=study, target=installed)
    again = subprocess.run(
        [sys.executable, "-m", "econ", "init", "my-study"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert again.returncode == 1
    assert "is there already - name another folder" in again.stderr


def test_a_study_has_the_clones_stages_with_the_version_for_the_code() -> None:
    whole = (ROOT / "dvc.yaml").read_text()
    ours, study = yaml.safe_load(whole), yaml.safe_load("\n".join(stages(whole)))
    for name, stage in ours["stages"].items():
        deps = stage.pop("deps", [])
        kept = [dep for dep in deps if not dep.startswith("econ/")]
        told = study["stages"][name].pop("deps", [])
        assert sorted(told) == sorted([*kept, "requirements.txt"] if kept != deps else kept)
    assert study == ours


PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "econ-strangers"
version = "1.0"

[project.entry-points."econ.methods"]
second-look = "second_look:SecondLook"

[project.entry-points."econ.graders"]
letter = "letters:Letter"

[project.entry-points."econ.backends"]
parrot = "parrot:Parrot"

[tool.setuptools]
py-modules = ["second_look", "letters", "parrot"]
"""


def test_an_installed_package_adds_methods_graders_and_backends(tmp_path: Path) -> None:
    package, target, study = tmp_path / "package", tmp_path / "target", tmp_path / "study"
    for folder in (package, study):
        folder.mkdir()
    written(package)
    (package / "pyproject.toml").write_text(PROJECT)
    run(*PIP, "install", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(target),
        str(package), folder=tmp_path)  # fmt: skip
    quiz(study)
    params = {
        "benchmarks": ["quiz"], "n_agents": [3], "methods": ["second-look"],
        "data": {"test_problems": 3, "custom": {"quiz": {"kind": "letter", "test": "quiz.jsonl"}}},
        "llm": {"backend": "parrot", "coordinator": "parrot", "executors": ["parrot"]},
    }  # fmt: skip
    (study / "params.yaml").write_text(yaml.safe_dump(params))
    beside = f"{target}:{ROOT}"
    job = ["--benchmark", "quiz", "--method", "second-look", "--n-agents", "3"]
    for words in (["download"], ["evaluate", *job]):
        run(sys.executable, "-m", "econ", *words, folder=study, target=Path(beside))
    lines = (study / "results/traces/quiz/second-look-n3-s0.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert all('"answer":"A"' in line for line in lines)
