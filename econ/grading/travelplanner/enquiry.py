"""What one day of a plan costs: the one tool of TravelPlanner's ReAct and Reflexion agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from econ.grading.travelplanner import hard
from econ.grading.travelplanner.commonsense import MEALS, empty, transport_leg
from econ.grading.travelplanner.sandbox import Sandbox, flight_number, plain

_PRICED = ("transportation", *MEALS, "accommodation")


@dataclass(frozen=True, slots=True)
class Enquiry:
    """``dollars`` for the whole party, or the keys of the day that have no price (``people_number`` too)."""

    dollars: float | None
    unknown: tuple[str, ...] = ()


def enquire(day: Mapping[str, Any], sandbox: Sandbox) -> Enquiry:
    """The cost of a day with its own ``people_number``, by the scorer's rules and a query's public tables.

    What the day leaves out or marks with a dash is free. What the tables do not have makes the cost unknown,
    where the scorer would count nothing for it. Nothing else is judged.
    """
    people = day.get("people_number")
    entries = {key: _text(day.get(key)) for key in ("current_city", *_PRICED)}
    unknown = [key for key in _PRICED if not empty(entries[key]) and not _known(key, entries, sandbox)]
    if isinstance(people, bool) or not isinstance(people, int) or people < 1:
        unknown.append("people_number")
    if unknown:
        return Enquiry(None, tuple(unknown))
    return Enquiry(hard.cost({"people_number": people}, [entries], sandbox))


def _text(value: Any) -> str:
    return "-" if value is None else str(value)


def _known(key: str, day: Mapping[str, str], sandbox: Sandbox) -> bool:
    text = day[key]
    if key != "transportation":
        return bool(sandbox.find("accommodations" if key == "accommodation" else "restaurants", text))
    origin, destination = transport_leg(day)
    if origin is None or destination is None:
        return False
    if "flight number" in text.lower():
        return "Flight Number: " in text and flight_number(text) in sandbox.flights
    mode = hard.drive_mode(text)
    return mode is None or sandbox.drive_cost((plain(origin), plain(destination)), mode) is not None
