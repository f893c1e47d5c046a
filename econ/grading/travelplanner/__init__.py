"""TravelPlanner's evaluator: eight commonsense and five hard constraints, and the official rates."""

from econ.grading.travelplanner.enquiry import Enquiry, enquire
from econ.grading.travelplanner.plan import Plan, agreement, from_json, from_layout
from econ.grading.travelplanner.sandbox import STATES, Sandbox, from_database, from_reference, read_states
from econ.grading.travelplanner.score import Score, rates, score

__all__ = [
    "STATES",
    "Enquiry",
    "Plan",
    "Sandbox",
    "Score",
    "agreement",
    "enquire",
    "from_database",
    "from_json",
    "from_layout",
    "from_reference",
    "rates",
    "read_states",
    "score",
]
