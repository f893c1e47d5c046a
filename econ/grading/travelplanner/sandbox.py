"""The tables that a plan is checked against: a query's own reference information, or the full database."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from econ.errors import EconError

Row = Mapping[str, Any]
Leg = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Tables for look-ups. Rows of one city keep the order of their table.

    ``kilometres`` holds the usable legs alone. ``states`` maps a city to its state; None: no list is there,
    so the reference cities are taken to lie in the query's destination and its origin to be known.
    """

    name: str
    restaurants: Mapping[str, list[Row]]
    accommodations: Mapping[str, list[Row]]
    attractions: Mapping[str, list[Row]]
    flights: Mapping[str, list[Row]]  # by flight number
    kilometres: Mapping[Leg, float]
    states: Mapping[str, str] | None = None
    cities: frozenset[str] = field(default=frozenset())

    def find(self, table: str, text: str) -> list[Row]:
        """All rows of the named city whose name contains the given one."""
        name, city = name_city(text)
        key = "NAME" if table == "accommodations" else "Name"
        rows: Mapping[str, list[Row]] = getattr(self, table)
        return [row for row in rows.get(city, ()) if name in str(row[key])]

    def flies(self, text: str, leg: Leg) -> bool:
        """Is there a flight of the number in ``text`` between these cities? Its date is not compared."""
        rows = self.flights.get(flight_number(text), ())
        return any((row["OriginCityName"], row["DestCityName"]) == leg for row in rows)

    def drive_cost(self, leg: Leg, mode: str) -> int | None:
        """Whole dollars per vehicle; None: the leg is not usable."""
        if leg not in self.kilometres:
            return None
        return math.floor(self.kilometres[leg] * (0.05 if mode == "self-driving" else 1))


def legs(text: str) -> tuple[str | None, str | None]:
    """Both ends of ``from X to Y``: X as short as can be, Y up to the next comma."""
    match = re.search(r"from\s+(.+?)\s+to\s+([^,]+)(?=[,\s]|$)", text)
    return (match[1], match[2]) if match else (None, None)


def plain(city: str) -> str:
    """A city without its bracketed state; not trimmed, as in the official evaluator."""
    match = re.match(r"(.*?)\([^)]*\)", city)
    return match[1] if match else city


def name_city(text: str) -> tuple[str, str]:
    """Name and city of ``Name, City(State)``; both ``-`` without a comma."""
    name, comma, city = text.rpartition(",")
    if not comma:
        return "-", "-"
    return name.strip(), plain(city.strip()).strip()


def flight_number(text: str) -> str:
    """What follows ``Flight Number: `` up to the comma.

    Raises:
        IndexError: the text does not have that form (as in the official evaluator).
    """
    return text.split("Flight Number: ")[1].split(",")[0]


def from_reference(tables: Mapping[str, Any], states: Mapping[str, str] | None = None) -> Sandbox:
    """What a query's own reference information holds: ``reference`` scorer.

    ``states`` is used only where it knows the reference cities: an invented world is none of its business.
    """
    rows: dict[str, list[Row]] = defaultdict(list)
    kilometres: dict[Leg, float] = {}
    for heading, content in tables.items():
        kind = heading.split(" ")[0]
        if isinstance(content, list):
            rows[kind] += content
        elif kind in {"Self-driving", "Taxi"} and (found := _drive(content)):
            kilometres[_leg(heading)] = found
    cities = {heading.partition(" in ")[2] for heading in tables if heading.startswith("Attractions in ")}
    known = states is not None and all(city in states for city in cities)
    return _build("reference", rows, kilometres, states if known else None, frozenset(cities))


def _leg(heading: str) -> Leg:
    origin, _, destination = heading.partition("from ")[2].rpartition(" to ")
    return origin, destination


def _drive(sentence: str) -> float | None:
    distance = re.search(r"distance:\s*([\d,.]+)\s*km", sentence)
    duration = re.search(r"duration:\s*([^,]+)", sentence)
    if not distance or not duration or "day" in duration[1]:
        return None
    return float(distance[1].replace(",", ""))


def _build(
    name: str,
    rows: Mapping[str, Iterable[Row]],
    kilometres: Mapping[Leg, float],
    states: Mapping[str, str] | None,
    cities: frozenset[str],
) -> Sandbox:
    return Sandbox(
        name,
        _by(rows.get("Restaurants", ()), "City"),
        _by(rows.get("Accommodations", ()), "city"),
        _by(rows.get("Attractions", ()), "City"),
        _by(rows.get("Flight", ()), "Flight Number"),
        kilometres,
        states,
        cities,
    )


def _by(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    """Rows by one column; a row with an empty cell does not exist for the evaluator."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if all(value is not None and value != "" for value in row.values()):
            grouped[str(row[key])].append(row)
    return dict(grouped)


STATES = "citySet_with_states.txt"
_FILES = {
    "Restaurants": "clean_restaurant_2022.csv.gz",
    "Accommodations": "clean_accommodations_2022.csv.gz",
    "Attractions": "attractions.csv.gz",
    "Flight": "flights_subset.csv.gz",
}
_NUMBERS = ("Average Cost", "price", "minimum nights", "maximum occupancy", "Price")


@cache
def from_database(folder: Path) -> Sandbox:
    """The evaluator's own tables, as ``travelplanner/sandbox`` of a mirror holds them: ``database`` scorer.

    Raises:
        EconError: a table is not there.
    """
    rows = {kind: [_numbers(row) for row in _table(folder / name)] for kind, name in _FILES.items()}
    kilometres = {}
    for row in _table(folder / "distance.csv.gz"):
        if row["distance"] and row["duration"] and "day" not in row["duration"]:
            kilometres[row["origin"], row["destination"]] = float(row["distance"].split()[0].replace(",", ""))
    return _build("database", rows, kilometres, read_states(folder), frozenset())


@cache
def read_states(folder: Path) -> dict[str, str]:
    """City to state, as ``citySet_with_states.txt`` lists them."""
    path = folder / STATES
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as fault:
        raise EconError(f"{path} cannot be read: {fault.strerror}", _WAY_OUT) from None
    return dict(line.split("\t") for line in lines if line)


_WAY_OUT = "name a mirror that has travelplanner/sandbox, or set data.scorer: reference"


def _table(path: Path) -> list[dict[str, str]]:
    try:
        content = gzip.decompress(path.read_bytes()).decode("utf-8")
    except OSError as fault:
        raise EconError(f"{path} cannot be read: {fault.strerror or fault}", _WAY_OUT) from None
    return list(csv.DictReader(io.StringIO(content)))


def _numbers(row: dict[str, str]) -> dict[str, Any]:
    return {key: float(value) if key in _NUMBERS and value else value for key, value in row.items() if key}
