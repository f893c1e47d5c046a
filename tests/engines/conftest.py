"""A project folder of its own for each test that runs an engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PIPELINE = (
    "Snakefile", "workflow", "profiles", "dvc.yaml", ".dvcignore", ".gitignore", "data/paper", "econ",
)  # fmt: skip
NO_CACHES = shutil.ignore_patterns("__pycache__")
SMALL = {"benchmarks": ["svamp", "math"], "n_agents": [3], "methods": ["econ-bne", "debate", "cot"]}


@dataclass
class Project:
    """A folder with the pipeline in it, and the environment its commands run in."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.folder, env={**self.environment, **environment}, capture_output=True, text=True,
            timeout=600,
        )  # fmt: skip

    def ok(self, *words: str, **environment: str) -> str:
        """What a command says, both streams together, having made sure that it worked."""
        done = self.run(*words, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def snakemake(self, *words: str) -> str:
        return self.ok("snakemake", "--cores", "2", *words)

    def calls(self) -> list[str]:
        """The fake's calls so far, those that only show something apart."""
        file = self.folder / "calls.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if not line.startswith(("timing", "results"))]

    def params(self, **sections: object) -> None:
        """Write params.yaml anew: the repo's, with these top-level keys put in or, if mappings, merged."""
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        for key, value in {**SMALL, **sections}.items():
            params[key] = {**params[key], **value} if isinstance(value, dict) else value
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params))


def lay_out(folder: Path) -> Project:
    """Copy the pipeline to ``folder`` and make it a Git repository, as a clone would be."""
    for name in (*PIPELINE, ".dvc/config", ".dvc/.gitignore"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=NO_CACHES) if source.is_dir() else shutil.copy(source, target)
    told = {"NAME": "a", "EMAIL": "a@b", "DATE": "1767225600 +0000"}  # equal commits of equal projects
    who = {f"GIT_{role}_{what}": said for role in ("AUTHOR", "COMMITTER") for what, said in told.items()}
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("ECON_", "GIT_", "SNAKEMAKE"))
    }
    project = Project(
        folder,
        {
            **kept, **who,
            "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site"),
            "CI": "true",
        },
    )  # fmt: skip
    project.params()
    project.ok("git", "init", "--quiet")
    project.ok("git", "add", ".")
    project.ok("git", "commit", "--quiet", "--message", "start")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose ``econ`` is the fake."""
    return faked(lay_out(tmp_path))


def faked(project: Project) -> Project:
    """With the fake in the place of ``econ``."""
    command = project.folder / "bin" / "econ"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).parent / "fake_econ.py"}" "$@"\n'
    )
    command.chmod(0o755)
    return project


@pytest.fixture
def real_project(tmp_path: Path) -> Project:
    """A project with the real ``econ``."""
    project = lay_out(tmp_path)
    command = tmp_path / "bin" / "econ"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m econ "$@"\n')
    command.chmod(0o755)
    return project
