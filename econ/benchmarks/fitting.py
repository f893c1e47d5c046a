"""TravelPlanner's reference information, tens of thousands of tokens, fitted to fewer by a stated rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from econ import tokens as estimate
from econ.benchmarks.travelplanner import Reference, Rows, prompt
from econ.errors import EconError
from econ.records import Json, Problem

CountTokens = Callable[[str], int]

# A fitted table keeps the columns that a plan and its cost are made from; the heading names city, leg, date.
_FITTED_COLUMNS = {
    "Attractions": ("Name",),
    "Restaurants": ("Name", "Average Cost", "Cuisines"),
    "Accommodations": (
        "NAME",
        "price",
        "room type",
        "house_rules",
        "minimum nights",
        "maximum occupancy",
    ),
    "Flight": ("Flight Number", "Price", "DepTime", "ArrTime"),
}


def fit(problem: Problem, tokens: int | None, count: CountTokens = estimate.upper) -> Problem:
    """The problem with its reference information fitted to ``tokens``, as counted by ``count``.

    The rule, in this order, stopping at the first that fits:

    1. whole, unchanged (always, when ``tokens`` is None);
    2. the first r rows of every attraction, restaurant and accommodation table, r as large as fits, columns
       reduced to those that a plan needs; all flights and all drives;
    3. r = 1, and the first f flights of every leg, f as large as fits.

    A shortened table says so in its heading ("3 of 17 rows"). ``meta.reference`` says ``whole`` or ``fitted``
    and counts the rows.

    Raises:
        EconError: not even one row of every table fits; the message gives the number that would.
    """
    text: dict[str, str] = problem.meta["reference_text"]
    tables: Reference = problem.meta["reference_tables"]
    if tokens is None or count("\n\n".join(text.values())) <= tokens:
        return _with(problem, problem.prompt, {"form": "whole"})
    longest = max((len(rows) for rows in tables.values() if isinstance(rows, list)), default=1)

    def size(places: int, flights: int) -> int:
        return count(_body(shorten(tables, places, flights)))

    def largest(fits: Callable[[int], bool]) -> int:
        low, high = 0, longest  # low fits (0: nothing does), everything above high does not
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return low

    places, flights = largest(lambda r: size(r, longest) <= tokens), longest
    if not places:
        places, flights = 1, largest(lambda f: size(1, f) <= tokens)
    if not flights:
        raise EconError(
            f"{problem.id}: reference information cannot be fitted to {tokens} tokens",
            f"set data.reference_tokens to {size(1, 1)} or more (null: whole)",
        )
    fitted = shorten(tables, places, flights)
    kept, whole = _rows(shorten_rows(tables, places, flights)), _rows(tables)
    note = (
        f" (tables are shortened to their first rows and main columns; {kept} of {whole} rows are shown, and "
        "each heading says how many of its own)"
    )
    facts = {
        "form": "fitted", "tokens": tokens, "places": places, "flights": flights,
        "rows_kept": kept, "rows_dropped": whole - kept,
    }  # fmt: skip
    return _with(problem, prompt(problem.meta["query"], fitted, note), facts)


def shown(problem: Problem) -> Reference:
    """The reference tables as far as the problem's prompt shows them; {}: it has none."""
    tables: Reference = problem.meta.get("reference_tables", {})
    facts = problem.meta.get("reference", {})
    return shorten_rows(tables, facts["places"], facts["flights"]) if "places" in facts else tables


def shorten_rows(tables: Reference, places: int, flights: int) -> Reference:
    """The first ``places`` rows of every table of places and the first ``flights`` of every leg's flights."""
    limit = {"Flight": flights}
    return {
        heading: rows[: limit.get(heading.split(" ")[0], places)] if isinstance(rows, list) else rows
        for heading, rows in tables.items()
    }


def shorten(tables: Reference, places: int, flights: int) -> dict[str, str]:
    """The shortened tables as text under headings that say how many rows are left."""
    short = {}
    for heading, rows in shorten_rows(tables, places, flights).items():
        if isinstance(rows, str):
            short[heading] = rows.rpartition("duration: ")[1] + rows.rpartition("duration: ")[2]
            continue
        whole = len(tables[heading])
        left = "" if len(rows) == whole else f" ({len(rows)} of {whole} rows)"
        short[f"{heading}{left}"] = _compact(heading, rows)
    return short


def _compact(heading: str, rows: Rows) -> str:
    columns = _FITTED_COLUMNS[heading.split(" ")[0]]
    lines = [" | ".join(str(row[name]) for name in columns) for row in rows]
    return "\n".join([" | ".join(columns), *lines])


def _body(pieces: dict[str, str]) -> str:
    return "\n\n".join(f"{heading}:\n{content}" for heading, content in pieces.items())


def _rows(tables: Reference) -> int:
    return sum(len(rows) for rows in tables.values() if isinstance(rows, list))


def _with(problem: Problem, text: str, facts: Json) -> Problem:
    return replace(problem, prompt=text, meta={**problem.meta, "reference": facts})
