"""What was measured on banks: which documents the params list, and their content.

Light on purpose (no pandas): the pipeline's graph imports it for the exact names.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from econ import paths, seals
from econ.params import Params
from econ.records import Json


def certificates(params: Params) -> list[Path]:
    """The certificates that the params list."""
    found = []
    for benchmark in params.benchmarks:
        for n in params.n_agents:
            for policy in params.certify.policies:
                if policy == "trained":
                    found += [paths.equilibrium(benchmark, n, seed) for seed in params.seeds]
                else:
                    found.append(paths.control(benchmark, n, policy))
    return found


def regrets(params: Params) -> list[Path]:
    """The documents of regret that the params list."""
    if not params.certify.horizons:
        return []
    return [paths.regret(benchmark, n) for benchmark in params.benchmarks for n in params.n_agents]


def read(files: Iterable[Path]) -> tuple[Json, ...]:
    """Their content.

    Raises:
        EconError: one is not there, or is damaged.
    """
    return tuple(seals.read(path, f"make it with: snakemake --cores all {path}") for path in files)


def no_certificate(params: Params) -> str | None:
    """Why there is no figure of certificates."""
    if params.certify.policies:
        return None
    return "These params certify no policy (certify.policies, with llm.backend: bank)."


def no_training(params: Params) -> str | None:
    """Why there is no figure of certificates over training."""
    if "trained" in params.certify.policies:
        return None
    return "These params certify no trained policy (certify.policies, with llm.backend: bank)."


def no_regret(params: Params) -> str | None:
    """Why there is no figure of regret."""
    if params.certify.horizons:
        return None
    return "These params measure no regret (certify.horizons, with llm.backend: bank)."
