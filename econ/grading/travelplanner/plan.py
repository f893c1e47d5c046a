"""Plans as text: the benchmark's JSON list of days, or the ``Day N:`` layout; and how alike two plans are."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

Plan = list[dict[str, Any]]

KEYS = ("current_city", "transportation", "breakfast", "attraction", "lunch", "dinner", "accommodation")
_BULLET = r"^[ \t*_#>•-]*(?:\d{1,2}[.)][ \t]*)?[*_]*"
_DAY = re.compile(
    rf"{_BULLET}Day\s+(\d+)\b[ \t]*(?:[-–—(,|/][^\n:]{{0,80}}|of\b[^\n:]{{0,40}})?[*_ \t)]*(?::[*_]*|$)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE = re.compile(
    rf"{_BULLET}([A-Za-z][A-Za-z _]{{0,30}}?)[ \t*_]{{0,5}}:[ \t*_]*(.*?)[ \t*]*$", re.MULTILINE
)
_MOST_FAULTS = 300  # brackets that open nothing readable
_LONGEST = 100_000  # characters of a list in Python's writing


def from_json(text: str) -> Plan | None:
    """The list with the most days in a text, the last of equally long ones; None: there is none.

    Days may stand in a JSON list, in Python's writing (the data set's own), with a trailing comma, one object
    per line, or by name (``{"Day 1": {…}}``); keys in any case, with spaces or underscores.
    """
    plans: list[Plan] = []
    loose: Plan = []
    for value in _values(text):
        if (plan := _plan(value)) is not None:
            plans.append(plan)
        elif isinstance(value, dict) and set(day := _day(value)) & set(KEYS):
            if loose and not _follows(loose[-1], day):
                plans.append(loose)
                loose = []
            loose.append(day)
    return _longest([*plans, loose] if loose else plans)


def from_layout(text: str) -> Plan | None:
    """``Day N:`` blocks with lines such as ``Breakfast: …``; None: there are none."""
    marks = list(_DAY.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)] * bool(marks)
    plans: list[Plan] = []
    for mark, end in zip(marks, ends, strict=True):
        day = {"days": int(mark[1]), **_cells(text[mark.end() : end])}
        if len(day) == 1:
            continue
        if not plans or not _follows(plans[-1][-1], day):
            plans.append([])
        plans[-1].append(day)
    return _longest(plans)


def _longest(plans: Sequence[Plan]) -> Plan | None:
    return max(reversed(plans), key=len, default=None)


def _follows(before: dict[str, Any], day: dict[str, Any]) -> bool:
    last, number = before.get("days"), day.get("days")
    return not (isinstance(last, int) and isinstance(number, int)) or number > last


def _values(text: str) -> Iterator[Any]:
    """What stands in the brackets and braces of a text, outermost first, in JSON or in Python's writing."""
    decoder, ends, faults, past = json.JSONDecoder(), _closings(text), 0, 0
    for opening in re.finditer(r"[\[{]", text):
        at = opening.start()
        if at < past or faults > _MOST_FAULTS:
            continue
        try:
            value, past = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            value, end = _literal(text, at, ends.get(at)), ends.get(at, at)
            past = at + 1 if value is None else end + 1
        faults += value is None
        if value is not None:
            yield value


def _literal(text: str, at: int, end: int | None) -> Any:
    """A list or object with a trailing comma, or as Python writes it; None: neither."""
    if end is None or end - at > _LONGEST:
        return None
    written = text[at : end + 1]
    try:
        return json.loads(re.sub(r",(\s*[\]}])", r"\1", written))
    except (json.JSONDecodeError, RecursionError):
        return _python(written)


def _python(written: str) -> Any:
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _closings(text: str) -> dict[int, int]:
    """Where each bracket is closed; brackets within strings are counted too."""
    closings: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"[\[\]{}]", text):
        if match[0] in "[{":
            opened.append(match.start())
        elif opened and text[opened[-1]] + match[0] in ("[]", "{}"):
            closings[opened.pop()] = match.start()
    return closings


def _plan(value: Any) -> Plan | None:
    """A list of days, or an object that holds one or names its days."""
    if isinstance(value, dict):
        named = [(re.fullmatch(r"(?i)\s*day[\s_-]*(\d+)\s*", str(key)), day) for key, day in value.items()]
        if named and all(match and isinstance(day, dict) for match, day in named):
            return _plan([{"days": int(match[1]), **day} for match, day in named if match])
        held = [_plan(inner) for inner in value.values() if isinstance(inner, list | dict)]
        return _longest([plan for plan in held if plan])
    if not isinstance(value, list) or not value or not all(isinstance(day, dict) for day in value):
        return None
    days = [_day(day) for day in value]
    if any(set(day) & set(KEYS) for day in days):
        return days
    return _longest([plan for plan in map(_plan, value) if plan]) if len(value) == 1 else None


def _day(day: dict[Any, Any]) -> dict[str, Any]:
    """A day by its official keys: "Current City" is current_city, "day" is days, "Day 2" is 2."""
    named = {re.sub(r"[\s_-]+", "_", str(key).strip().lower()): value for key, value in day.items()}
    known = {str(key): value for key, value in day.items()}
    for key, value in named.items():
        name = "days" if key in ("day", "day_number") else key
        if name in (*KEYS, "days") and name not in known:
            known[name] = value
    told = known.get("days")
    if isinstance(told, str) and (number := re.fullmatch(r"(?i)\s*(?:day\s*)?(\d+)\s*", told)):
        known["days"] = int(number[1])
    return {key: value for key, value in known.items() if key in named or key in (*KEYS, "days")}


def agreement(plan: Sequence[Any], others: Sequence[Sequence[Any]]) -> float:
    """Mean share of equal cells with the other plans, over days and the seven keys of a day."""
    return sum(_alike(plan, other) for other in others) / len(others) if others else 0.0


def _cells(block: str) -> dict[str, str]:
    cells = {}
    for name, value in _LINE.findall(block):
        key = "_".join(name.lower().split())
        if key in KEYS:
            cells[key] = value or "-"
    return cells


def _alike(a: Sequence[Any], b: Sequence[Any]) -> float:
    days = max(len(a), len(b))
    equal = sum(_cell(a, day, key) == _cell(b, day, key) is not None for day in range(days) for key in KEYS)
    return equal / (days * len(KEYS))


def _cell(plan: Sequence[Any], day: int, key: str) -> str | None:
    if day >= len(plan) or plan[day].get(key) is None:
        return None
    return " ".join(str(plan[day][key]).split()).casefold()
