"""The eight commonsense constraints, true to the official evaluator, its oddities included.

Each takes a query, the days of a plan (at most as many as the query has) and a sandbox: pass or fail.
Keys that the evaluator indexes without a guard raise here too; :mod:`score` turns that into "malformed".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from econ.grading.travelplanner.sandbox import Leg, Sandbox, legs, plain

Query = Mapping[str, Any]
Day = Mapping[str, Any]
Days = Sequence[Day]

MEALS = ("breakfast", "lunch", "dinner")
CONTENT = ("transportation", *MEALS, "attraction", "accommodation")
_NO_NEED = "You don't need to fill in the information for this or later days."


def empty(value: Any) -> bool:
    """Nothing planned: the key absent, null, empty text or a dash."""
    return not value or value == "-"


def listed_attractions(day: Day) -> list[str]:
    """Each attraction closed by a semicolon; what follows the last one is never looked at."""
    value: Any = day.get("attraction")
    return [] if empty(value) else value.split(";")[:-1]


def travel(day: Day) -> Leg | None:
    """Both cities of a travel day, without their states; None: a stay day.

    Raises:
        KeyError, TypeError: no current city; a ``from`` without its ``to``.
    """
    if "from" not in day["current_city"]:
        return None
    origin, destination = legs(day["current_city"])
    return _city(origin), _city(destination)


def transport_leg(day: Day) -> tuple[str | None, str | None]:
    """The leg that the transportation names, else the one of the current city."""
    origin, destination = legs(day["transportation"])
    if origin is None or destination is None:
        origin, destination = legs(day["current_city"])
    return origin, destination


def _city(name: str | None) -> str:
    if name is None:
        raise TypeError("a travel day without both its cities")
    return plain(name)


def reasonable_city_route(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C1: a closed tour from the origin through cities of the destination, no city entered twice."""
    cities: list[str] = []
    for number, day in enumerate(days):
        ends = travel(day)
        if ends is None:
            cities.append(plain(day["current_city"]))
            continue
        if number == 0 and ends[0] != query["org"]:
            return False
        cities += ends
    if cities[0] != cities[-1] or not _valid_sequence(cities):
        return False
    return all(
        _known(city, query, sandbox)
        and (query["days"] <= 3 or not 0 < place < len(cities) - 1 or _in_destination(city, query, sandbox))
        for place, city in enumerate(cities)
    )


def _valid_sequence(cities: Sequence[str]) -> bool:
    if len(cities) < 3:
        return False
    seen: set[str] = set()
    place = 0
    for city, run in groupby(cities):
        length = len(list(run))
        last = place + length == len(cities)
        if city in seen and place != len(cities) - 1:
            return False
        if length == 1 and place > 0 and not last:
            return False
        seen.add(city)
        place += length
    return True


def _known(city: str, query: Query, sandbox: Sandbox) -> bool:
    if sandbox.states is not None:
        return city in sandbox.states
    # Without the list a city cannot be looked up. Three-day trips then pass: their cities are never compared.
    return query["days"] <= 3 or city == query["org"] or city in sandbox.cities


def _in_destination(city: str, query: Query, sandbox: Sandbox) -> bool:
    if sandbox.states is not None:
        return bool(sandbox.states[city] == query["dest"])
    return city in sandbox.cities


def diverse_restaurants(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C2: no restaurant twice, by its very text."""
    meals = [day[meal] for day in days for meal in MEALS if not empty(day.get(meal))]
    return len(set(meals)) == len(meals)


def diverse_attractions(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C3: no attraction twice, by its very text."""
    attractions = [name for day in days for name in listed_attractions(day)]
    return len(set(attractions)) == len(attractions)


def minimum_nights_stay(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C4: a stay is as long as its room asks; checked only where exactly one room matches."""
    if any("accommodation" not in day for day in days):
        return False
    for place, run in groupby(day["accommodation"] for day in days):
        nights = len(list(run))
        if place is None:
            raise TypeError("accommodation is null")
        rooms = [] if empty(place) else sandbox.find("accommodations", place)
        if len(rooms) == 1 and nights < rooms[0]["minimum nights"]:
            return False
    return True


def mode(transportation: str) -> str | None:
    """Taxi, self-driving or flight; None: some other text."""
    lowered = transportation.lower()
    return next((name for name in ("taxi", "self-driving", "flight") if name in lowered), None)


def non_conflicting_transportation(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C5: the trip starts somehow, and nobody leaves a car of their own behind."""
    if empty(days[0]["transportation"]):
        return False
    texts = [day.get("transportation") for day in days]
    modes = {mode(text) for text in texts if not empty(text) and text}
    return not ("self-driving" in modes and modes & {"flight", "taxi"})


def within_current_city(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C6 as the official code has it: on a stay day it tests the letters of the city's name, one by one."""
    return all(_names_its_cities(day, letters=True) for day in days)


def within_current_city_strict(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C6 as it was meant: a stay day's entries name the whole city. Reported beside, counted nowhere."""
    return all(_names_its_cities(day, letters=False) for day in days)


def _names_its_cities(day: Day, letters: bool) -> bool:
    ends = travel(day)
    city = plain(day["current_city"])
    cities: Sequence[str] = ends or (city if letters else (city,))
    transportation, accommodation = day.get("transportation"), day.get("accommodation")
    if not empty(transportation) and any(name not in str(transportation) for name in cities):
        return False
    entries = [str(day[meal]) for meal in MEALS if not empty(day.get(meal))] + listed_attractions(day)
    if any(all(name not in entry for name in cities) for entry in entries):
        return False
    return empty(accommodation) or cities[-1] in str(accommodation)


def within_sandbox(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C7: every flight, drive, meal, attraction and room exists."""
    return all(_exists(day, sandbox) for day in days)


def _exists(day: Day, sandbox: Sandbox) -> bool:
    if not empty(day["transportation"]) and not _transport_exists(day, sandbox):
        return False
    meals = (day[meal] for meal in MEALS if not empty(day.get(meal)))
    if not all(sandbox.find("restaurants", meal) for meal in meals):
        return False
    if not all(sandbox.find("attractions", name) for name in listed_attractions(day)):
        return False
    return empty(day.get("accommodation")) or bool(sandbox.find("accommodations", day["accommodation"]))


def _transport_exists(day: Day, sandbox: Sandbox) -> bool:
    text, (origin, destination) = day["transportation"], transport_leg(day)
    lowered = text.lower()
    if "flight number" in lowered:
        if origin is None or destination is None:
            raise ValueError("a flight without its cities")
        return sandbox.flies(text, (plain(origin), plain(destination)))
    if "self-driving" in lowered or "taxi" in lowered:
        if origin is None or destination is None:
            return False
        return (plain(origin), plain(destination)) in sandbox.kilometres
    return True


def complete_information(query: Query, days: Days, sandbox: Sandbox) -> bool:
    """C8: as many days as asked, all the cities asked for, nothing left out."""
    filled = [day for day in days if day and day["current_city"] != _NO_NEED]
    if len(filled) != query["days"] or len(_visited(query, days)) != query["visiting_city_number"]:
        return False
    if not all(_is_complete(day, last=number == query["days"]) for number, day in enumerate(days, 1)):
        return False
    cells = sum(1 for day in days for value in day.values() if value and value != "-")
    return bool(cells >= 3 * query["days"])


def _visited(query: Query, days: Days) -> set[str]:
    cities: set[str] = set()
    for number, day in enumerate(days):
        ends = travel(day)
        if number == 0 and ends is not None and ends[0] != query["org"]:
            return set()
        cities |= set(ends or (plain(day["current_city"]),))
    return cities - {query["org"]}


def _is_complete(day: Day, last: bool) -> bool:
    if any(key not in day for key in CONTENT):
        return False
    city = day["current_city"]
    missing = {key for key in CONTENT if day[key] in ("", "-")}
    if ("from " in city or "to " in city) and "transportation" in missing:
        return False
    if "from " not in city and " to " not in city and "attraction" in missing:
        return False
    if not last and "accommodation" in missing:
        return False
    return "from " in city or not missing & set(MEALS)


CONSTRAINTS: Mapping[str, Callable[[Query, Days, Sandbox], bool]] = {
    "is_reasonable_visiting_city": reasonable_city_route,
    "is_valid_restaurants": diverse_restaurants,
    "is_valid_attractions": diverse_attractions,
    "is_valid_accommodation": minimum_nights_stay,
    "is_valid_transportation": non_conflicting_transportation,
    "is_valid_information_in_current_city": within_current_city,
    "is_valid_information_in_sandbox": within_sandbox,
    "is_not_absent": complete_information,
}
