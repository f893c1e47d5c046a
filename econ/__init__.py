"""ECON: executor LLMs coordinated by beliefs, driven to a Bayesian Nash equilibrium (Yi et al., 2025).

What can be used from here, and is kept as it is: a :class:`Method` of your own answers a :class:`Session`'s
problem with a :class:`Solution`; a :class:`Grader` reads a kind of answer, a :class:`Backend` gives answers,
a :class:`Benchmark` has problems; :func:`table` and :func:`figure` show results in a way of your own;
:func:`play` and :func:`train` work on :class:`Problem`\\ s with :class:`Params`. See docs/extending.md.
Each is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from econ.api import play, train
    from econ.benchmarks.registry import Benchmark, Source
    from econ.grading.kinds import Grader
    from econ.llm.backends.base import Backend
    from econ.methods.base import Method, Session, Solution
    from econ.params import Params, load
    from econ.records import Problem, Trace
    from econ.reporting.catalogue import Column, figure, table

__version__ = "0.1.0"

_HOMES = {
    "Backend": "econ.llm.backends.base",
    "Benchmark": "econ.benchmarks.registry",
    "Column": "econ.reporting.catalogue",
    "Grader": "econ.grading.kinds",
    "Method": "econ.methods.base",
    "Params": "econ.params",
    "Problem": "econ.records",
    "Session": "econ.methods.base",
    "Solution": "econ.methods.base",
    "Source": "econ.benchmarks.registry",
    "Trace": "econ.records",
    "figure": "econ.reporting.catalogue",
    "load": "econ.params",
    "play": "econ.api",
    "table": "econ.reporting.catalogue",
    "train": "econ.api",
}
__all__ = [
    "Backend",
    "Benchmark",
    "Column",
    "Grader",
    "Method",
    "Params",
    "Problem",
    "Session",
    "Solution",
    "Source",
    "Trace",
    "__version__",
    "figure",
    "load",
    "play",
    "table",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'econ' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
