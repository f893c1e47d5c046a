"""The five hard constraints and the cost of a plan. None: the query does not ask for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from econ.grading.travelplanner.commonsense import MEALS, Days, Query, empty, transport_leg
from econ.grading.travelplanner.sandbox import Row, Sandbox, flight_number, name_city, plain

_ROOM_TYPES = {"shared room": "Shared room", "private room": "Private room", "entire room": "Entire home/apt"}
_BARRED = {"no flight": "Flight", "no self-driving": "Self-driving"}
_SEATS = {"self-driving": 5, "taxi": 4}


def cost(query: Query, days: Days, sandbox: Sandbox) -> float:
    """Dollars for the whole party; what does not match costs nothing, as in the official evaluator."""
    people = query["people_number"]
    total = 0.0
    for day in days:
        total += _transport_cost(day, people, sandbox)
        total += sum(float(row["Average Cost"]) * people for row in _meals(day, sandbox))
        room = _room(day, sandbox)
        if room:
            total += float(room["price"]) * math.ceil(people / float(room["maximum occupancy"]))
    return total


def _transport_cost(day: Mapping[str, str], people: int, sandbox: Sandbox) -> float:
    text = day["transportation"]
    if empty(text):
        return 0.0
    origin, destination = transport_leg(day)
    if origin is None or destination is None:
        return 0.0
    leg = plain(origin), plain(destination)
    if "flight number" in text.lower():
        flights = sandbox.flights.get(flight_number(text), ())
        return float(flights[0]["Price"]) * people if flights else 0.0
    mode = drive_mode(text)
    price = sandbox.drive_cost(leg, mode) if mode else None
    return price * math.ceil(people / _SEATS[mode]) if price is not None and mode else 0.0


def drive_mode(text: str) -> str | None:
    """Self-driving or taxi, whichever the text names; None: neither."""
    return next((name for name in _SEATS if name in text.lower()), None)


def _meals(day: Mapping[str, str], sandbox: Sandbox) -> list[Row]:
    found = (sandbox.find("restaurants", day[meal]) for meal in MEALS if not empty(day.get(meal)))
    return [rows[0] for rows in found if rows]


def _room(day: Mapping[str, str], sandbox: Sandbox) -> Row | None:
    rows = [] if empty(day.get("accommodation")) else sandbox.find("accommodations", day["accommodation"])
    return rows[0] if rows else None


def _rooms(days: Days, sandbox: Sandbox) -> list[Row]:
    return [room for day in days if (room := _room(day, sandbox))]


def budget(query: Query, days: Days, sandbox: Sandbox) -> bool | None:
    return cost(query, days, sandbox) <= float(query["budget"])


def room_rule(query: Query, days: Days, sandbox: Sandbox) -> bool | None:
    rule = query["local_constraint"]["house rule"]
    if rule is None:
        return None
    return not any(f"No {rule}" in str(room["house_rules"]) for room in _rooms(days, sandbox))


def cuisine(query: Query, days: Days, sandbox: Sandbox) -> bool | None:
    """Every cuisine asked for is met; a meal in the origin city hides the rest of its day."""
    wanted = query["local_constraint"]["cuisine"]
    if not wanted:
        return None
    served = [cuisines for day in days for cuisines in _cuisines(day, query["org"], sandbox)]
    return all(any(name in cuisines for cuisines in served) for name in wanted)


def _cuisines(day: Mapping[str, str], origin: str, sandbox: Sandbox) -> list[str]:
    found = []
    for meal in MEALS:
        if empty(day.get(meal)):
            continue
        if name_city(day[meal])[1] == origin:
            break
        found += [str(row["Cuisines"]) for row in sandbox.find("restaurants", day[meal])[:1]]
    return found


def room_type(query: Query, days: Days, sandbox: Sandbox) -> bool | None:
    wanted = query["local_constraint"]["room type"]
    if wanted is None:
        return None
    types = {room["room type"] for room in _rooms(days, sandbox)}
    return "Shared room" not in types if wanted == "not shared room" else types <= {_ROOM_TYPES[wanted]}


def transportation(query: Query, days: Days, sandbox: Sandbox) -> bool | None:
    wanted = query["local_constraint"]["transportation"]
    if wanted is None:
        return None
    barred = _BARRED[wanted]
    return not any(barred in (day.get("transportation") or "") for day in days)


CONSTRAINTS: Mapping[str, Callable[[Query, Days, Sandbox], bool | None]] = {
    "valid_cuisine": cuisine,
    "valid_room_rule": room_rule,
    "valid_transportation": transportation,
    "valid_room_type": room_type,
    "valid_cost": budget,
}

LOCAL = {  # key of the query's local_constraint -> name of the constraint
    "house rule": "valid_room_rule",
    "cuisine": "valid_cuisine",
    "room type": "valid_room_type",
    "transportation": "valid_transportation",
}
