"""What is wrong with a params file, in one line."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError

from econ.registry import METHODS

MOST = 10  # faults that are told one by one


def explain(fault: ValidationError, schema: type[BaseModel], where: str = "") -> str:
    """All faults of a validation on one line, each with its dotted key (below ``where``)."""
    errors: list[dict[str, Any]] = [dict(error) for error in fault.errors()]
    places = [error["loc"] for error in errors]
    # A list of which one value is wrong also counts as too short: that says nothing more.
    above = {place[:end] for place in places for end in range(1, len(place))}
    causes = [e for e in errors if e["loc"] not in above]
    told = "; ".join(_one(error, schema, where) for error in causes[:MOST])
    return told + (f"; and {len(causes) - MOST:,} more" if len(causes) > MOST else "")


def _one(error: dict[str, Any], schema: type[BaseModel], where: str) -> str:
    place = [str(part) for part in error["loc"]]
    key = ".".join([where, *place] if where else place)
    if error["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_suggest(place, schema)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"'{key}': {message}" if key else message


def _suggest(place: list[str], schema: type[BaseModel]) -> str:
    *parents, last = place
    if not parents and (method := last.replace("_", "-")) in METHODS:
        return f" (a method's settings stand in 'settings.{method}')"
    for name in parents:
        annotation = schema.model_fields[name].annotation if name in schema.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ""
        schema = annotation
    close = difflib.get_close_matches(last, schema.model_fields, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
