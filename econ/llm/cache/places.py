"""Where the call cache is: an SQLite file of the project, or a PostgreSQL database for many machines."""

from __future__ import annotations

import os
from pathlib import Path

from econ.errors import EconError
from econ.llm.cache.base import Store
from econ.llm.cache.embedded import NAME, Embedded

VARIABLE = "ECON_CACHE_URL"


def address(url: str | None) -> str | None:
    """The database's URL: the params', else that of the environment; None: the embedded store."""
    return url or os.environ.get(VARIABLE) or None


def opened(folder: Path, url: str | None, *, create: bool = True) -> Store:
    """The project's store.

    Raises:
        EconError: it cannot be opened, or there is none yet and ``create`` is not set.
    """
    if (named := address(url)) is not None:
        return _postgres(named, "cache.url" if url else VARIABLE)
    if not create and not (folder / NAME).exists():
        raise EconError(f"there is no call cache at {folder / NAME}", "it comes with the first answer")
    return Embedded(folder)


def _postgres(url: str, key: str) -> Store:
    try:
        from econ.llm.cache.postgres import Postgres
    except ImportError:
        raise EconError(f"{key} names a database, and psycopg is not installed",
                        "pip install 'econ-bne[postgres]'") from None  # fmt: skip
    try:
        return Postgres(url)
    except ValueError as fault:
        raise EconError(f"{key}: {fault}") from None
