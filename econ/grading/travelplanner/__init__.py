"""TravelPlanner's evaluator: eight commonsense and five hard constraints, and the official rates."""

from econ.grading.travelplanner.plan import Plan, agreement, from_json, from_layout
from econ.grading.travelplanner.sandbox import Sandbox, from_database, from_reference
from econ.grading.travelplanner.score import Score, rates, score

__all__ = [
    "Plan",
    "Sandbox",
    "Score",
    "agreement",
    "from_database",
    "from_json",
    "from_layout",
    "from_reference",
    "rates",
    "score",
]
