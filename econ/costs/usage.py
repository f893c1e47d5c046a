"""Calls and their tokens, counted by model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from econ.params import Params
from econ.records import NO_TOKENS, Tokens


@dataclass(frozen=True, slots=True)
class Amount:
    """Calls, and their tokens."""

    calls: float = 0.0
    tokens: Tokens = NO_TOKENS

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.calls + other.calls, self.tokens + other.tokens)

    def times(self, factor: float) -> Amount:
        return Amount(self.calls * factor, self.tokens.times(factor))

    def less(self, other: Amount) -> Amount:
        """What of it remains beside ``other``; as many tokens a call as it has itself."""
        remaining = max(0.0, self.calls - other.calls)
        return self.times(remaining / self.calls) if self.calls else Amount()


Needs = dict[str, Amount]  # by model


def add(needs: Needs, model: str, amount: Amount) -> None:
    needs[model] = needs.get(model, Amount()) + amount


def merged(parts: Iterable[Needs]) -> Needs:
    """The sum of several."""
    sums: Needs = {}
    for part in parts:
        for model, amount in part.items():
            add(sums, model, amount)
    return sums


def times(needs: Needs, factor: float) -> Needs:
    return {model: amount.times(factor) for model, amount in needs.items()}


def total(needs: Needs) -> Amount:
    return sum(needs.values(), Amount())


def usd(needs: Needs, params: Params) -> float | None:
    """Money for it; None where a model has no price in params."""
    prices = params.llm.prices
    if any(model not in prices for model in needs):
        return None
    return sum(prices[model].usd(amount.tokens) for model, amount in needs.items())
