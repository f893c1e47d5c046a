"""Calls and their tokens, counted by model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from econ.params import Params


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls, and their tokens."""

    calls: float = 0.0
    prompt: float = 0.0
    completion: float = 0.0

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.calls + other.calls, self.prompt + other.prompt, self.completion + other.completion)

    def times(self, factor: float) -> Tally:
        return Tally(self.calls * factor, self.prompt * factor, self.completion * factor)

    def less(self, other: Tally) -> Tally:
        """What of it remains beside ``other``; as many tokens a call as it has itself."""
        remaining = max(0.0, self.calls - other.calls)
        return self.times(remaining / self.calls) if self.calls else Tally()


Needs = dict[str, Tally]  # by model


def add(needs: Needs, model: str, tally: Tally) -> None:
    needs[model] = needs.get(model, Tally()) + tally


def merged(parts: Iterable[Needs]) -> Needs:
    """The sum of several."""
    sums: Needs = {}
    for part in parts:
        for model, tally in part.items():
            add(sums, model, tally)
    return sums


def times(needs: Needs, factor: float) -> Needs:
    return {model: tally.times(factor) for model, tally in needs.items()}


def total(needs: Needs) -> Tally:
    return sum(needs.values(), Tally())


def usd(needs: Needs, params: Params) -> float | None:
    """Money for it; None where a model has no price in params."""
    prices = params.llm.prices
    if any(model not in prices for model in needs):
        return None
    return sum(prices[model].usd(tally.prompt, tally.completion) for model, tally in needs.items())
