"""Puts what is needed outside a clone into the package: workflow, params, records, the paper's numbers."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ALONG = (
    "workflow", "profiles", "params", "data/paper", "data/records", "params.yaml", "dvc.yaml", ".dvcignore",
    "LICENSE", "CITATION.cff",
)  # fmt: skip
OURS = shutil.ignore_patterns("__pycache__", ".snakemake")


class WithProject(build_py):
    """``econ/project`` of a wheel; in a clone the same files stand beside the package (econ/paths.py)."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in ALONG:
            target = Path(self.build_lib, "econ", "project", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if Path(name).is_dir():
                shutil.copytree(name, target, ignore=OURS, dirs_exist_ok=True)
            else:
                shutil.copy(name, target)


setup(cmdclass={"build_py": WithProject})
