"""The methods by name, and the settings of each baseline. A baseline's section has its name."""

from __future__ import annotations

from typing import Literal

from econ.params.base import NonNegative, Positive, Section

Domain = Literal["all", "questions", "plans"]  # what a method is defined on: plans are TravelPlanner's

ECON_METHODS = ("econ-baseline", "econ-bne")  # play from a checkpoint
BASELINES: dict[str, Domain] = {  # need none
    "debate": "all",
    "cot": "all",
}
METHODS = (*ECON_METHODS, *BASELINES)


def plays(method: str, benchmark: str) -> bool:
    """Is the method defined on this benchmark?"""
    domain = BASELINES.get(method, "all")
    return domain == "all" or (domain == "plans") == (benchmark == "travelplanner")


class Debate(Section):
    """Du et al. 2024: agents x rounds, the independent first answer included."""

    rounds: Positive = 3
    temperature: NonNegative = 1.0
