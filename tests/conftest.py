"""What tests of several folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("busy", deadline=None)  # a machine that is busy with a model is slow at times
settings.load_profile("busy")

_NAMED = os.environ.get("ECON_DATA_MIRROR")  # as the run was started; tests take it away
_BESIDE = Path(__file__).parents[2] / "shared" / "benchmarks"


@pytest.fixture
def mirror() -> Path:
    """The folder with the real benchmarks: the named one, or the one beside the repository."""
    folder = Path(_NAMED) if _NAMED else _BESIDE
    if not folder.is_dir():
        pytest.skip("no mirror of the benchmarks here (ECON_DATA_MIRROR names one)")
    return folder
