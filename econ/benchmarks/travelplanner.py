"""TravelPlanner, sole-planning: from rows to problems."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from econ.benchmarks.sources import Raw
from econ.errors import EconError
from econ.records import Json

Rows = list[dict[str, Any]]
Reference = dict[str, Rows | str]  # description -> table rows, or a sentence

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
_TEXT_COLUMNS = {"Name", "NAME", "Cuisines", "room type", "house_rules", "Address", "Phone", "Website"}


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
        fields = {name: _whole(literal(row[name])) for name in QUERY_FIELDS}
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
    for name in ("days", "people_number", "visiting_city_number"):
        if isinstance(fields[name], bool) or not isinstance(fields[name], int) or fields[name] < 1:
            raise EconError(f"'{name}' is not a whole number of at least 1")
    budget = fields["budget"]
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not math.isfinite(budget):
        raise EconError("'budget' is not a number")
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


def _whole(value: Any) -> Any:
    """3.0, as tables with gaps give it, is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


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
