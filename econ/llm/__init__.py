"""LLM calls: one async client for all backends. Public face: :func:`open_client`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from econ.llm.base import current_job
from econ.registry import BACKENDS

if TYPE_CHECKING:
    from econ.llm.base import Client, Progress
    from econ.params import Params

__all__ = ["current_job", "open_client"]


def open_client(params: Params, *, offline: bool = False, progress: Progress | None = None) -> Client:
    """The client that the params ask for; an async context manager.

    Args:
        params: ``params.llm`` chooses backend, models, limits; ``params.embedding`` the embedding model.
        offline: insist on the cache. No connection is made; what is missing is an error that names it.
        progress: told of each finished call.

    Raises:
        EconError: a key is missing, or a penalty is in use that the provider does not know.
    """
    backend = BACKENDS.find(params.llm.backend)
    if hasattr(backend, "complete"):  # a whole client: it needs neither cache nor limits
        whole: Client = backend(params)
        return whole
    from econ.llm.client import LLMClient

    return LLMClient(params, backend, offline=offline, progress=progress)
