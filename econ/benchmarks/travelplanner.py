"""TravelPlanner, sole-planning: rows to problems, and reference information fitted to a number of tokens."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from econ.benchmarks.sources import Raw
from econ.errors import EconError
from econ.records import Json, Problem

Rows = list[dict[str, Any]]
Reference = dict[str, Rows | str]  # description -> table rows, or a sentence
CountTokens = Callable[[str], int]

QUERY_FIELDS = (
    "org",
    "dest",
    "days",
    "visiting_city_number",
    "date",
    "people_number",
    "local_constraint",
    "budget",
    "level",
)
_COLUMNS = {
    "Attractions": ("Name", "Latitude", "Longitude", "Address", "Phone", "Website", "City"),
    "Restaurants": ("Name", "Average Cost", "Cuisines", "Aggregate Rating", "City"),
    "Accommodations": (
        "NAME",
        "price",
        "room type",
        "house_rules",
        "minimum nights",
        "maximum occupancy",
        "review rate number",
        "city",
    ),
    "Flight": (
        "Flight Number",
        "Price",
        "DepTime",
        "ArrTime",
        "ActualElapsedTime",
        "FlightDate",
        "OriginCityName",
        "DestCityName",
        "Distance",
    ),
}
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
_TEXT_COLUMNS = {"Name", "NAME", "Cuisines", "room type", "house_rules", "Address", "Phone", "Website"}


def estimate_tokens(text: str) -> int:
    """Tokens of ``text`` where no tokenizer is at hand: one per 3.5 characters, rounded up."""
    return -(-len(text) * 2 // 7)


def reader(raw: Raw, references: Raw | None) -> Callable[[Json, int], tuple[str, str | None, Json]]:
    """Reads rows of ``raw``; ``references`` holds the same rows' reference information as JSON, in order.

    Without that file the tables are read from the fixed-width text of ``reference_information``.
    """
    if references is not None and len(references.rows) != len(raw.rows):
        raise EconError(
            f"{references.name} has {len(references.rows)} rows, {raw.name} has {len(raw.rows)}",
            "both must hold the same queries in the same order",
        )

    def read(row: Json, number: int) -> tuple[str, str | None, Json]:
        meta = query_of(row)
        query, text = str(row["query"]).strip(), dict(_pairs(row["reference_information"]))
        if references:
            meta["reference_tables"] = references.rows[number - 1]
        if set(meta["reference_tables"]) != set(text):
            raise ValueError("the reference information as JSON and as text have different headings")
        return prompt(query, text), _annotated(row), {**meta, "query": query, "reference_text": text}

    return read


def query_of(row: Json) -> Json:
    """What the evaluator needs of a row as the hub has it: its fields, and its reference tables.

    Raises:
        EconError: a field is missing or is not what it should be; the message names it.
    """
    missing = [name for name in (*QUERY_FIELDS, "reference_information") if name not in row]
    if missing:
        raise EconError(f"field '{missing[0]}' is missing from the TravelPlanner problem")
    try:
        fields = {name: literal(row[name]) for name in QUERY_FIELDS}
        information = _pairs(row["reference_information"])
    except (ValueError, SyntaxError, KeyError, TypeError) as fault:
        raise EconError(f"a field of the TravelPlanner problem cannot be read: {fault}") from None
    _check(fields)
    tables = {head: read_table(head, body) if isinstance(body, str) else body for head, body in information}
    for heading, rows in tables.items():
        _check_rows(heading, rows)
    return {**fields, "reference_tables": tables}


_DEMANDS: dict[str, tuple[str, ...]] = {
    "house rule": ("smoking", "parties", "children under 10", "visitors", "pets"),
    "room type": ("shared room", "not shared room", "private room", "entire room"),
    "transportation": ("no flight", "no self-driving"),
}


def _check(fields: Json) -> None:
    for name in ("days", "people_number", "visiting_city_number", "budget"):
        if isinstance(fields[name], bool) or not isinstance(fields[name], int | float):
            raise EconError(f"'{name}' is not a number")
    if fields["level"] not in ("easy", "medium", "hard"):
        raise EconError("'level' is not easy, medium or hard")
    asked = fields["local_constraint"]
    if not isinstance(asked, dict) or {*_DEMANDS, "cuisine"} - set(asked):
        raise EconError(f"'local_constraint' needs the keys {', '.join([*_DEMANDS, 'cuisine'])}")
    for name, known in _DEMANDS.items():
        if asked[name] is not None and asked[name] not in known:
            raise EconError(f"local constraint '{name}' is {asked[name]!r}", f"known: {', '.join(known)}")


def _check_rows(heading: str, rows: Any) -> None:
    needed = set(_COLUMNS.get(heading.split(" ")[0], ()))
    if isinstance(rows, str) or (
        isinstance(rows, list) and all(isinstance(row, dict) and needed <= set(row) for row in rows)
    ):
        return
    raise EconError(f"the reference table '{heading}' is no list of rows with {', '.join(sorted(needed))}")


def literal(value: Any) -> Any:
    """A field that arrives as the text of a Python literal, read without running it."""
    if not isinstance(value, str) or value[:1] not in "[{(":
        return value
    return ast.literal_eval(value)


def _pairs(information: str | list[Json]) -> list[tuple[str, Any]]:
    listed = literal(information)
    if isinstance(listed, dict):  # the form of the *_ref_info.jsonl files
        return list(listed.items())
    if not isinstance(listed, list):
        raise ValueError("reference_information is not a list of descriptions and contents")
    return [(entry["Description"], entry["Content"]) for entry in listed]


def _annotated(row: Json) -> str | None:
    if not row.get("annotated_plan"):
        return None
    return json.dumps([day for day in literal(row["annotated_plan"])[1] if day], ensure_ascii=False)


def prompt(query: str, reference: dict[str, str], note: str = "") -> str:
    """All that a model may see: the query, then each piece of reference information under its heading."""
    pieces = "\n\n".join(f"{heading}:\n{content}" for heading, content in reference.items())
    return f"{query}\n\nReference information:{note}\n\n{pieces}"


# --- reading the fixed-width text -------------------------------------------------------------------------


def read_table(heading: str, content: str) -> Rows | str:
    """The rows inside a table's text, or the sentence that it is.

    Columns are right-aligned, so a column ends where its heading ends.
    """
    columns = _COLUMNS.get(heading.split(" ")[0], ())
    header, *lines = content.split("\n")
    ends = _column_ends(header, columns)
    if not ends:
        return content
    starts = [0, *ends[:-1]]
    rows = [[line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in lines]
    if all(re.match(r"\d+\s", line) for line in lines):  # restaurants mostly carry a row number, at the left
        rows = [[re.sub(r"^\d+\s+", "", row[0]), *row[1:]] for row in rows]
    return [{name: _cell(name, cell) for name, cell in zip(columns, row, strict=True)} for row in rows]


def _column_ends(header: str, columns: Sequence[str]) -> list[int]:
    ends: list[int] = []
    for name in columns:
        at = header.find(name, ends[-1] if ends else 0)
        if at < 0:
            return []
        ends.append(at + len(name))
    return ends


def _cell(name: str, text: str) -> str | int | float:
    if name in _TEXT_COLUMNS:
        return text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


# --- fitting ----------------------------------------------------------------------------------------------


def fit(problem: Problem, tokens: int | None, count: CountTokens = estimate_tokens) -> Problem:
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
    facts = {"form": "fitted", "tokens": tokens, "rows_kept": kept, "rows_dropped": whole - kept}
    return _with(problem, prompt(problem.meta["query"], fitted, note), facts)


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
