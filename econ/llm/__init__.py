"""LLM calls: one async client for all backends. Public face: :func:`open_client`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econ.llm.base import Client, Progress
    from econ.params import Params

payer: ContextVar[str] = ContextVar("payer", default="")
"""Who pays for the calls made in this context: a name that is the same in every run of the same job, like
``svamp/econ-bne-n3-s0``. It is kept with each answer, so that a replay can tell whose answer it was."""


def open_client(params: Params, *, offline: bool = False, progress: Progress | None = None) -> Client:
    """The client that the params ask for; an async context manager.

    Args:
        params: ``params.llm`` chooses backend, models, limits; ``params.embedding`` the embedding model.
        offline: insist on the cache. No connection is made; what is missing is an error that names it.
        progress: told of each finished call.

    Raises:
        EconError: a key is missing, or a penalty is in use that the provider does not know.
    """
    if params.llm.backend == "simulated":
        from econ.simulation.client import SimulatedClient

        return SimulatedClient(params)
    from econ.llm.client import LLMClient

    return LLMClient(params, offline=offline, progress=progress)
