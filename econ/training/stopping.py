"""When training may stop (paper 3.5): three criteria held with patience, or one metric without thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from econ.params import EarlyStopping


@dataclass
class Stopper:
    """Checked once per update. Its fields are its whole state: a resumed run stops where it would have.

    With thresholds: all that are given must hold, ``patience`` checks in a row. With none: the metric must
    not improve for ``patience`` checks.
    """

    params: EarlyStopping
    held: int = 0
    last_loss: float | None = None
    best: float | None = None

    def check(self, episodes: int, commitment_change: float | None, reward: float, loss: float) -> str | None:
        """The reason to stop, or None.

        Args:
            episodes: played so far.
            commitment_change: mean distance between a problem's commitment and the one before; None while
                there is none before, which counts as not held.
            reward: mean r_tot of the episodes since the last check.
            loss: L_tot of this update.
        """
        p = self.params
        change = None if self.last_loss is None else abs(loss - self.last_loss)
        self.last_loss = loss
        if p.commitment_change is None and p.reward is None and p.loss_change is None:
            return self._metric(episodes, reward if p.metric == "reward" else -loss)
        holds = (
            (p.commitment_change is None or _at_most(commitment_change, p.commitment_change))
            and (p.reward is None or reward >= p.reward)
            and (p.loss_change is None or _at_most(change, p.loss_change))
        )
        return self._count(holds, episodes, "commitments, reward and loss have settled")

    def _metric(self, episodes: int, value: float) -> str | None:
        better = self.best is None or value > self.best
        if better:
            self.best = value
        return self._count(not better, episodes, f"no better {self.params.metric}")

    def _count(self, holds: bool, episodes: int, reason: str) -> str | None:
        counts = holds and episodes > self.params.warmup
        self.held = self.held + 1 if counts else 0
        if not self.params.enabled or self.held < self.params.patience:
            return None
        return f"early: {reason} for {self.held} checks"

    def state(self) -> dict[str, float | None]:
        return {"held": self.held, "last_loss": self.last_loss, "best": self.best}

    def load(self, state: dict[str, float | None]) -> None:
        self.held = int(state["held"] or 0)
        self.last_loss, self.best = state["last_loss"], state["best"]


def _at_most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit
