"""The budget of a run, kept by all jobs that share its cache."""

from __future__ import annotations

import asyncio
import hashlib
import uuid

from econ.errors import EconError
from econ.llm.cache.base import Store
from econ.llm.cache.rows import run_name
from econ.llm.cache.store import add_spent
from econ.params import Budget

LOOK_AGAIN = 0.1  # seconds until the next look at what other calls in flight gave back
# Both in one statement: an answer that is kept meanwhile moves from the second to the first.
_TAKEN = (
    "SELECT 1 AS place, calls, tokens, usd FROM spent WHERE run = ? UNION ALL"
    " SELECT 2, COUNT(*), CAST(COALESCE(SUM(tokens), 0) AS BIGINT), COALESCE(SUM(usd), 0.0) FROM reserved"
    " WHERE run = ? ORDER BY place"
)


class BudgetGuard:
    """What a run may spend, and has.

    A call reserves its upper cost before it is sent and is charged what it cost when its answer is kept. A
    call that a killed job had in flight counts as made: it may have been paid for.
    """

    def __init__(self, budget: Budget, store: Store) -> None:
        self._budget = budget
        self._store = store
        self._owner = f"owner-{uuid.uuid4().hex}"
        self.active = budget != Budget()
        if self.active:
            store.lock(_digest(self._owner))

    async def reserve(self, tokens: int, usd: float) -> str | None:
        """Set aside an upper cost; waits while other calls in flight hold what may come free.

        Raises:
            EconError: the budget is spent.
        """
        if not self.active:
            return None
        while (  # noqa: ASYNC110 - others set no event here
            reservation := self._store.turn(lambda: self._try(tokens, usd))
        ) is None:
            await asyncio.sleep(LOOK_AGAIN)
        return reservation

    def release(self, reservation: str | None) -> None:
        if reservation is not None:
            self._store.change("DELETE FROM reserved WHERE id = ?", [(reservation,)])

    def charge(self, reservation: str | None, tokens: int, usd: float) -> None:
        """Count what an answer cost that is not kept."""
        if reservation is None:
            return

        def work() -> None:
            self.release(reservation)
            add_spent(self._store, run_name(), 1, tokens, usd)

        self._store.turn(work)

    def _try(self, tokens: int, usd: float) -> str | None:
        run = run_name()
        self._bury_dead(run)
        *spent, held = (row[1:] for row in self._store.rows(_TAKEN, (run, run)))
        for name, limit, used, waiting, more in zip(
            ("calls", "tokens", "usd"),
            (self._budget.calls, self._budget.tokens, self._budget.usd),
            spent[0] if spent else (0, 0, 0.0), held, (1, tokens, usd), strict=True,
        ):  # fmt: skip
            if limit is not None and used + waiting + more > limit:
                if held[0] == 0 or name == "calls":
                    raise _spent(name, limit, used, waiting, more, run)
                return None
        reservation = uuid.uuid4().hex
        self._store.insert("reserved", [(reservation, self._owner, run, tokens, usd)])
        return reservation

    def _bury_dead(self, run: str) -> None:
        owners = self._store.rows("SELECT DISTINCT owner FROM reserved WHERE run = ?", (run,))
        for (owner,) in owners:
            if owner != self._owner and self._store.lock(_digest(owner)):
                [lost] = self._store.rows(
                    "SELECT COUNT(*), CAST(COALESCE(SUM(tokens), 0) AS BIGINT), COALESCE(SUM(usd), 0.0)"
                    " FROM reserved WHERE owner = ?",
                    (owner,),
                )
                add_spent(self._store, run, *lost)
                self._forget(owner)
                self._store.unlock(_digest(owner))

    def _forget(self, owner: str) -> None:
        self._store.change("DELETE FROM reserved WHERE owner = ?", [(owner,)])

    def close(self) -> None:
        if self.active:
            self._forget(self._owner)
            self._store.unlock(_digest(self._owner))


def _digest(owner: str) -> bytes:
    return hashlib.sha256(owner.encode()).digest()


def _spent(name: str, limit: float, used: float, waiting: float, more: float, run: str) -> EconError:
    flying = f" and {waiting:g} in flight" if waiting else ""
    following = "" if name == "calls" else f", and the next call may take {more:g}"
    return EconError(
        f"the budget of run '{run}' is reached: llm.budget.{name} is {limit:g}, {used:g} are spent{flying}"
        f"{following}",
        f"every answer is kept: raise llm.budget.{name} and run again, or name a new run with ECON_RUN",
    )
