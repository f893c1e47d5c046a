"""Plans as text: the benchmark's JSON list of days, or the ``Day N:`` layout; and how alike two plans are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Plan = list[dict[str, Any]]

KEYS = ("current_city", "transportation", "breakfast", "attraction", "lunch", "dinner", "accommodation")
_DAY = re.compile(
    r"^[ \t*#>-]*Day\s+(\d+)\s*[:.*]*[ \t]*$|^[ \t*#>-]*Day\s+(\d+)\s*:", re.IGNORECASE | re.MULTILINE
)
_LINE = re.compile(r"^[ \t*#>-]*([A-Za-z][A-Za-z _]{0,30}?)[ \t*]{0,5}:[ \t*]*(.*?)[ \t*]*$", re.MULTILINE)


def from_json(text: str) -> Plan | None:
    """The last JSON list of day objects in a text; None: there is none."""
    decoder = json.JSONDecoder()
    found, at = None, text.find("[")
    while at >= 0:
        end = at + 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            value = None
        if _is_plan(value):
            found = value
        at = text.find("[", end)
    return found


def from_layout(text: str) -> Plan | None:
    """``Day N:`` blocks with lines such as ``Breakfast: …``; None: there are none."""
    marks = list(_DAY.finditer(text))
    blocks = [text[m.end() : n.start()] for m, n in pairwise(marks)]
    blocks += [text[marks[-1].end() :]] if marks else []
    plan = [
        {"days": int(mark[1] or mark[2]), **_cells(block)} for mark, block in zip(marks, blocks, strict=True)
    ]
    plan = [day for day in plan if len(day) > 1]
    return plan or None


def agreement(plan: Sequence[Any], others: Sequence[Sequence[Any]]) -> float:
    """Mean share of equal cells with the other plans, over days and the seven keys of a day."""
    return sum(_alike(plan, other) for other in others) / len(others) if others else 0.0


def _is_plan(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(day, dict) for day in value) and any(set(day) & set(KEYS) for day in value)


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
