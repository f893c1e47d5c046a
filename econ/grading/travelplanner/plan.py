"""Plans as text: the benchmark's JSON list of days, or the ``Day N:`` layout; and how alike two plans are."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

Plan = list[dict[str, Any]]

KEYS = ("current_city", "transportation", "breakfast", "attraction", "lunch", "dinner", "accommodation")
_MARKS = r"[^\w\n]{0,12}"  # bullets, bold, brackets, emoji
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_DAY = re.compile(
    rf"^{_MARKS}(?:\d{{1,2}}[.)][ \t]*)?{_MARKS}(?:(?:itinerary|plan|schedule)[ ](?:for|of)[ ])?"
    r"(?:[A-Z][a-z]{2,8}\.?[ ]\d{1,2}(?:st|nd|rd|th)?(?:,[ ]\d{4})?[ ]?\()?"
    rf"Days?[ \t]{{0,3}}[-#:]?[ \t]{{0,3}}(\d+|{'|'.join(_NUMBERS)})\b"
    r"[ \t]*(?:[-–—(,|/.\])`][^\n:]{0,80}|of\b[^\n:]{0,40})?[*_ \t)\]`]*(?::[*_]*|$)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE = re.compile(
    rf"^{_MARKS}(?:\d{{1,2}}[.)][ \t]*)?{_MARKS}([A-Za-z][A-Za-z _]{{0,30}}?)[ \t*_`]{{0,5}}"
    r"(?::|[ \t][-–—=](?=[ \t]))[ \t*_]*(.*?)[ \t*]*$",
    re.MULTILINE,
)
_ROW = re.compile(r"^[ \t>]*\|(.*)\|[ \t]*$", re.MULTILINE)
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
    """``Day N:`` blocks with lines such as ``Breakfast: …``, or a Markdown table of days; None: neither."""
    text = text.replace("\r\n", "\n")
    marks = list(_DAY.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)] * bool(marks)
    plans: list[Plan] = []
    for mark, end in zip(marks, ends, strict=True):
        number = _NUMBERS.get(mark[1].lower()) or int(mark[1])
        day = {"days": number, **_cells(text[mark.end() : end])}
        if len(day) == 1:
            continue
        if not plans or not _follows(plans[-1][-1], day):
            plans.append([])
        plans[-1].append(day)
    return _longest(plans) or _table(text)


def _table(text: str) -> Plan | None:
    """The rows of a Markdown table whose head names the cells of a day."""
    head: list[str] = []
    plan: Plan = []
    for row in _ROW.finditer(text):
        cells = [cell.strip().strip("*").strip() for cell in row[1].split("|")]
        names = ["_".join(cell.lower().split()) for cell in cells]
        number = re.fullmatch(r"(?i)(?:day\s*)?(\d+)", cells[0])
        if set(names) & set(KEYS):
            head = names
        elif head and number and len(cells) == len(head):
            known = {name: cell or "-" for name, cell in zip(head, cells, strict=True) if name in KEYS}
            plan.append({"days": int(number[1]), **known})
    return plan or None


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
        except (ValueError, RecursionError):  # also a number of more digits than Python takes
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
    except (ValueError, RecursionError):
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


_NAMED_DAY = re.compile(r"(?i)\s*(?:day[\s_-]*)?(\d+)\s*:?\s*")


def _plan(value: Any) -> Plan | None:
    """A list of days, or an object that holds one or names its days; either may be written in a text."""
    if isinstance(value, str):
        return from_json(value) if re.match(r"\s*[\[{]", value) else None
    if isinstance(value, dict):
        named = [(_NAMED_DAY.fullmatch(str(key)), day) for key, day in value.items()]
        if named and all(match and isinstance(day, dict) for match, day in named):
            return _plan([{"days": int(match[1]), **day} for match, day in named if match])
        held = [_plan(inner) for inner in value.values() if isinstance(inner, list | dict | str)]
        return _longest([plan for plan in held if plan])
    if not isinstance(value, list | tuple) or not value:
        return None
    if len(value) == 1 and isinstance(value[0], list):
        return _plan(value[0])
    if not all(isinstance(day, dict) for day in value):
        return None
    if all(len(day) == 1 and _NAMED_DAY.fullmatch(str(next(iter(day)))) for day in value):
        return _plan({key: cells for day in value for key, cells in day.items()})
    days = [_day(day) for day in value]
    if any(set(day) & set(KEYS) for day in days):
        return days
    return _longest([plan for plan in map(_plan, value) if plan]) if len(value) == 1 else None


def _day(day: dict[Any, Any]) -> dict[str, Any]:
    """A day by its official keys: "Current City" is current_city, "day" is days, "Day 2" is 2."""
    named = {_key(str(key)): value for key, value in day.items()}
    known = {str(key): value for key, value in day.items()}
    for key, value in named.items():
        name = "days" if key in ("day", "day_number") else key
        if name in (*KEYS, "days") and name not in known:
            known[name] = value
    told = known.get("days")
    if isinstance(told, str) and (number := re.fullmatch(r"(?i)\s*(?:day\s*)?(\d+)\s*:?\s*", told)):
        known["days"] = int(number[1])
    return {key: value for key, value in known.items() if key in named or key in (*KEYS, "days")}


def _key(name: str) -> str:
    """``currentCity``, ``Current City`` and ``current-city`` as ``current_city``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[\s_-]+", "_", words).lower()


def agreement(plan: Sequence[Any], others: Sequence[Sequence[Any]]) -> float:
    """Mean share of equal cells with the other plans, over days and the seven keys of a day."""
    return sum(_alike(plan, other) for other in others) / len(others) if others else 0.0


def _cells(block: str) -> dict[str, str]:
    cells = {}
    for name, value in _LINE.findall(block):
        key = "_".join(name.lower().split())
        if key in KEYS:
            quoted = re.fullmatch(r"([\"'`])(.*)\1", value)
            cells[key] = (quoted[2] if quoted else value) or "-"
    return cells


def _alike(a: Sequence[Any], b: Sequence[Any]) -> float:
    days = max(len(a), len(b))
    equal = sum(_cell(a, day, key) == _cell(b, day, key) is not None for day in range(days) for key in KEYS)
    return equal / (days * len(KEYS))


def _cell(plan: Sequence[Any], day: int, key: str) -> str | None:
    if day >= len(plan) or plan[day].get(key) is None:
        return None
    return " ".join(str(plan[day][key]).split()).casefold()
