"""The bank of recorded answers: the grid of actions that it holds, and what is measured on it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from econ.params.base import Positive, Section

Axis = Annotated[tuple[float, ...], Field(min_length=1)]
Policy = Literal["trained", "uniform", "untrained"]


class Bank(Section):
    """Cells are all pairs (temperature, second); ``second`` means what ``action.second`` says."""

    temperature: Axis = (0.1, 0.4, 0.7, 1.0, 1.3)
    second: Axis = (1.0, 1.1)
    # Played from it, an action between cells is one of those around it at random, or the nearest.
    between: Literal["mixed", "nearest"] = "mixed"
    samples: Positive = 8  # answers of each problem in each cell; at least one more than there are executors

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("temperature", "second"):
            values = getattr(self, name)
            if list(values) != sorted(set(values)):
                raise ValueError(f"{name} must rise from value to value, not {list(values)}")
            if min(values) < 0 or max(values) > 2:
                raise ValueError(f"{name} must lie between 0 and 2")
        return self

    @property
    def cells(self) -> tuple[tuple[float, float], ...]:
        """All cells, the corners of the grid first: with these alone a bank can be played from already."""
        ends = [{values[0], values[-1]} for values in (self.temperature, self.second)]
        grid = [(t, p) for p in self.second for t in self.temperature]
        return tuple(sorted(grid, key=lambda cell: (cell[0] not in ends[0]) + (cell[1] not in ends[1])))


class Certify(Section):
    """What a pipeline measures on the banks that it plays from; by default nothing."""

    policies: tuple[Policy, ...] = ()  # that get a certificate, for every agent count (trained: and seed)
    horizons: tuple[Positive, ...] = ()  # episodes of training whose regrets are compared
    seeds: Annotated[int, Field(ge=2)] = 10  # trainings a horizon

    @model_validator(mode="after")
    def _horizons_rise(self) -> Self:
        if list(self.horizons) != sorted(set(self.horizons)) or len(self.horizons) == 1:
            raise ValueError(f"horizons must be two or more rising numbers, not {list(self.horizons)}")
        return self
