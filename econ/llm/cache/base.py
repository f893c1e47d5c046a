"""What the call cache and the limits stand on: one interface, behind it an embedded database or a server.

What is kept, counted and checked is the same code over both (:mod:`~econ.llm.cache.store`,
:mod:`~econ.llm.cache.admin`, :mod:`~econ.llm.cache.repair`, :mod:`~econ.llm.budget`). Queries are in the SQL
that both speak, with ``?`` for each value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any, Protocol, TypeVar

from econ.llm.cache.sums import Damaged

Row = tuple[Any, ...]
T = TypeVar("T")


class Statements(Protocol):
    """Statements of one connection."""

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]: ...

    def change(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""
        ...

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Whole rows of a table of :data:`~econ.llm.cache.rows.TABLES`; known keys stay as they are."""
        ...


class Limiter(Protocol):
    """Rates and numbered slots of one provider, shared by all processes; a dead process holds none."""

    poll: float  # seconds between looks at what another process holds

    def shift(self, rate: str, seconds: float) -> float:
        """Move the next free moment of a rate by ``seconds``; seconds until it was free before."""
        ...

    def take(self, free: Set[int]) -> int | None:
        """One of the slots that this process does not hold, if any is free; never waits."""
        ...

    def drop(self, slot: int) -> None: ...

    def hunger(self, waits: bool) -> None:
        """Say whether this process waits for a slot."""
        ...

    def others_wait(self) -> bool: ...

    def close(self) -> None: ...


class Store(Statements, Protocol):
    """Answers, facts and money of a project, shared by parallel processes and safe to kill at any moment."""

    where: str  # for people to read; never with a password
    far: bool  # a question is a journey: those that are asked side by side go together

    def find(self, select: str, keys: Sequence[bytes]) -> list[Row | Damaged | None]:
        """The rows of some keys; ``select`` is one of :data:`~econ.llm.cache.rows.KEYS`."""
        ...

    def each(self, query: str) -> Iterator[Row]:
        """Rows one by one, of a table of any size, as it stands at one moment."""
        ...

    def turn(self, work: Callable[[], T]) -> T:
        """Do ``work`` on this store in one transaction, and alone among all processes."""
        ...

    def write(self, work: Callable[[Statements], None], *, wait: bool) -> bool:
        """Do ``work`` in one transaction; when it returns, no kill can undo it. False: that would take a
        while, and ``wait`` does not allow it. May be called from one other thread than the rest."""
        ...

    def lock(self, key: bytes) -> bool:
        """Take a lock if nobody holds it. It is free again when its process, or its machine, dies."""
        ...

    def unlock(self, key: bytes) -> None: ...

    def limiter(self, name: str, slots: int) -> Limiter: ...

    def size(self) -> int:
        """Bytes that it takes."""
        ...

    def tidy(self) -> None:
        """Give back the space of what was deleted."""
        ...

    def faults(self) -> Iterator[str]:
        """What is wrong with the structure, whatever the rows hold."""
        ...

    def close(self) -> None: ...
