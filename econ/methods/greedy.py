"""TravelPlanner's greedy search (Xie et al. 2024): the cheapest of everything, without a language model."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from econ.grading.travelplanner import Sandbox, from_reference
from econ.methods.base import Method, Session, Solution
from econ.prompts import CONTENT_KEYS
from econ.records import Json, stable_seed

Row = Mapping[str, Any]

_LEG = re.compile(r"Flight from (.+) to (.+) on (\d{4}-\d\d-\d\d)")


class GreedySearch(Method):
    """Leg by leg the cheapest way for one person, for every meal the cheapest restaurant, for every night the
    cheapest room; a random attraction a day, drawn by the run's seed. As in the benchmark's code, budget and
    demands are not looked at and the same restaurant serves every meal. It knows the tables that the prompt
    shows, and nothing else; the origin has none there, so nothing is eaten after the way back.
    """

    name, look = "greedy-search", ("#666666", "_")
    domain = "plans"

    async def solve(self, session: Session) -> Solution:
        legs = route(session.reference)
        if not legs:
            return Solution("", rounds=0, stop="no plan", error="no reference information to search in")
        draw = random.Random(stable_seed(session.seed, session.problem_id, self.name))  # noqa: S311
        plan = _Planner(session.reference, draw).plan(legs)
        return Solution(orjson.dumps(plan).decode(), rounds=0, stop="searched")


@dataclass(frozen=True, slots=True)
class Leg:
    """``flights``: the table of its day; drives are found by origin and destination."""

    origin: str
    destination: str
    day: date
    flights: Sequence[Row]


def route(reference: Mapping[str, Any]) -> list[Leg]:
    """The legs that the reference information is about, in order: from the origin, round, and back to it."""
    legs = []
    for heading, content in reference.items():
        if found := _LEG.fullmatch(heading):
            flights = content if isinstance(content, list) else []
            legs.append(Leg(found[1], found[2], date.fromisoformat(found[3]), flights))
    return legs


class _Planner:
    def __init__(self, reference: Mapping[str, Any], draw: random.Random) -> None:
        self.tables: Sandbox = from_reference(reference)
        self.draw = draw

    def plan(self, legs: Sequence[Leg]) -> list[Json]:
        """A day object for every day from the first leg to the last."""
        travel = {leg.day: leg for leg in legs}
        first, last = legs[0].day, legs[-1].day
        days = (last - first).days + 1
        return [self._day(first + timedelta(n), n, travel, n == days - 1) for n in range(days)]

    def _day(self, today: date, number: int, travel: Mapping[date, Leg], last: bool) -> Json:
        leg = travel.get(today)
        city = max((one for one in travel.values() if one.day <= today), key=lambda one: one.day).destination
        meal = self._cheapest(self.tables.restaurants.get(city, ()), "Name", "Average Cost", city)
        room = self._cheapest(self.tables.accommodations.get(city, ()), "NAME", "price", city)
        seen = self.tables.attractions.get(city)
        return {
            "days": number + 1,
            **dict.fromkeys(CONTENT_KEYS, "-"),
            "current_city": f"from {leg.origin} to {leg.destination}" if leg else city,
            "transportation": self._way(leg) if leg else "-",
            "breakfast": meal,
            "attraction": f"{self.draw.choice(seen)['Name']}, {city};" if seen else "-",
            "lunch": meal,
            "dinner": meal,
            "accommodation": "-" if last else room,
        }

    def _way(self, leg: Leg) -> str:
        """The cheapest way for one person, of equal ones the first of flight, self-driving and taxi."""
        ends = f"from {leg.origin} to {leg.destination}"
        ways = [
            (
                float(row["Price"]),
                f"Flight Number: {row['Flight Number']}, {ends}, "
                f"Departure Time: {row['DepTime']}, Arrival Time: {row['ArrTime']}",
            )
            for row in leg.flights
        ]
        for mode in ("Self-driving", "Taxi"):
            price = self.tables.drive_cost((leg.origin, leg.destination), mode.lower())
            if price is not None:
                ways.append((float(price), f"{mode}, {ends}"))
        return min(ways, key=lambda way: way[0])[1] if ways else "-"

    @staticmethod
    def _cheapest(rows: Sequence[Row], name: str, price: str, city: str) -> str:
        """The first row of the lowest price, as a plan names it; a dash where there is none."""
        best = min(rows, key=lambda row: float(row[price]), default=None)
        return "-" if best is None else f"{best[name]}, {city}"
