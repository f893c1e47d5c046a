"""Numbers as answers: read with their units, compared exactly.

A tolerance would be wrong at both ends of GSM-Hard: an absolute one takes 0 for a target of 5e-7, a relative
one takes a wrong digit in one of 9e12. So an integer gold must be met exactly, and any other gold exactly or
correctly rounded at the decimals that the answer shows.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from unicodedata import normalize

from econ.grading.text import first_sentence

_WHOLE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?:{_WHOLE}(?:\.\d+)?|\.\d+)"
_SCALES = {
    "dozen": 12,
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_LETTERS = {"k": "thousand", "m": "million"}
_NUMBER = re.compile(
    rf"""
    (?<![A-Za-z0-9_])(?:(?P<sign>(?<![\d)])[-−–](?=\s?[\d.$€£¥\\]))\s?)?
    (?:\\?[$€£¥]\s?)?(?P<inner>[-−](?=[\d.]))?
    (?:
        (?:(?P<mixed>\d+)\s*)?\\[dt]?frac\s*
        (?:\{{\s*(?P<top>-?{_DECIMAL})\s*\}}\s*\{{\s*(?P<under>{_DECIMAL})\s*\}}|(?P<top1>\d)(?P<under1>\d))
      | (?P<mixed2>\d+)\s+(?P<top2>\d+)/(?P<under2>\d+)
      | (?P<a>{_DECIMAL})\s*/\s*(?P<b>{_DECIMAL})(?!\s*/)
      | (?P<mantissa>{_DECIMAL})\s*(?:\\times|\\cdot|[×x*])\s*10\s*
        (?:\^|\*\*)\s*\{{?(?P<power>[-−]?\d{{1,3}})\b\}}?
      | (?P<plain>{_DECIMAL})(?:[eE](?P<exponent>[-+]?\d{{1,3}})\b)?
    )
    (?P<percent>\s*(?:\\?%|per\s?cent\b))?
    (?:\s*(?P<scale>dozen|hundred|thousand|million|billion|trillion)\b|(?P<letter>k|(?-i:M))\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What makes a number part of something unfinished: an operation, an exponent past all limits, a group of a
# wrong number of digits, a range, an alternative, a multiple of a root.
_OPERATION = re.compile(
    r"[eE][-+]?\d|,\d|\s*(?:[-+*×÷^−–]|\\times|\\cdot|\\div)\s*[({\\]?\s*\d"
    r"|\s+(?:or|to)\s+\\?[$€£]?\d|\s*(?:\\(?:sqrt|pi)(?![A-Za-z])|[√π])"
)
_UNDER = re.compile(r"(?:√|\\sqrt(?:\[\w*\])?)\s*\{?\s*$|\bbetween\s*$", re.IGNORECASE)
_SPACES = "\u00a0\u2009\u202f"  # that separate thousands
_FRACTIONS = str.maketrans(
    {sign: f" {normalize('NFKC', sign).replace('⁄', '/')}" for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
)
_LONGEST = 400  # characters; nothing longer is an answer


class Reading(NamedTuple):
    """A value, and how many decimals its writing shows (None: a fraction, or a round figure in words)."""

    value: Fraction
    decimals: int | None


class Number(NamedTuple):
    """A number as written, in normal form, and the values it can stand for, the plain one first.

    25 % is 25 or 1/4; 5 million is 5,000,000 or, where a question asks in millions, 5.
    """

    text: str
    readings: tuple[Reading, ...]


def find(text: str) -> str | None:
    """The value of an explicit form: of its first sentence, the equation's last side, the first number."""
    said = _plain(first_sentence(text))
    said = re.sub(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d.,/]*\d)", lambda m: m[0].replace(" ", ""), said)
    return next(filter(None, map(_first, reversed(said.split("=")))), None)


def _first(said: str) -> str | None:
    """The first number, where it stands by itself."""
    match = _NUMBER.search(said)
    if match is None or _OPERATION.match(said, match.end()) or _UNDER.search(said, 0, match.start()):
        return None
    return _normal(match)


def find_last(text: str) -> str | None:
    """The last number of a text."""
    found = list(_NUMBER.finditer(_plain(text)))
    return _normal(found[-1]) if found else None


def values(text: str) -> set[Fraction]:
    """Every number of a text, in its plain reading."""
    found = map(_number, _NUMBER.finditer(_plain(text)))
    return {number.readings[0].value for number in found if number}


def read(text: str) -> Number | None:
    """A number that is all of ``text``, in any of the forms that answers take; None: it is not one."""
    match = _NUMBER.fullmatch(_plain(text).strip())
    return _number(match) if match else None


def gold_form(answer: object) -> str | None:
    """A data set's answer as a plain number: GSM8K's ``#### 72``, a float, text with separators."""
    if isinstance(answer, bool) or answer is None:
        return None
    number = read(_float_text(answer) if isinstance(answer, float) else str(answer).rpartition("####")[2])
    return number.text if number else None


def matches(gold: str, answer: str) -> bool:
    """Does ``answer`` state the number ``gold``? Both in normal form."""
    target, said = read(gold), read(answer)
    if target is None or said is None:
        return False
    return any(_states(goal, reading) for goal in target.readings for reading in said.readings)


def equal(a: str, b: str) -> bool:
    """The same number, whatever the notation (the plain readings)."""
    first, second = read(a), read(b)
    return first is not None and second is not None and first.readings[0].value == second.readings[0].value


def _states(goal: Reading, said: Reading) -> bool:
    if said.value == goal.value:
        return True
    if goal.value.denominator == 1 or said.value == 0:
        return False
    if said.decimals is None or (goal.decimals is not None and said.decimals > goal.decimals):
        return _is_meant(goal, said.value)
    return _is_rounding(said.value, said.decimals) and said.value in _rounded(goal.value, said.decimals)


def _is_meant(goal: Reading, value: Fraction) -> bool:
    """Is a finer value what the gold stands for? A gold is a float, or rounded (GSM-Hard's at ten places)."""
    if abs(value - goal.value) <= 4 * Fraction(math.ulp(float(goal.value))):
        return True
    places = goal.decimals or 0
    return places >= 6 and _digits(goal.value, places) >= 3 and goal.value in _rounded(value, places)


def _float_text(value: float) -> str:
    """A float as a plain decimal, without the noise of its making: 0.30000000000000004 was meant as 0.3."""
    if not math.isfinite(value):
        return ""
    exact, short = Decimal(repr(value)), Decimal(format(value, ".15g")).normalize()
    return format(short if len(short.as_tuple().digits) <= 12 else exact, "f")


def _is_rounding(value: Fraction, decimals: int) -> bool:
    """Enough is left of the number to call it a rounding: 0.33 or 66.7 are, 0.3 and 0.00 are not."""
    digits = _digits(value, decimals)
    return (decimals >= 2 and digits >= 2) or (decimals >= 1 and digits >= 3)


def _digits(value: Fraction, decimals: int) -> int:
    """Significant digits of a value with that many decimals."""
    return len(str(abs(int(value * 10**decimals))))


def _rounded(value: Fraction, decimals: int) -> tuple[Fraction, Fraction]:
    """Rounded at a decimal place, half to even and half away from zero."""
    scaled = abs(value) * 10**decimals
    sign = -1 if value < 0 else 1
    half_up = int(scaled + Fraction(1, 2))
    return sign * Fraction(round(scaled), 10**decimals), sign * Fraction(half_up, 10**decimals)


def _plain(text: str) -> str:
    """LaTeX's spacings, separators and brackets out of the way of the digits."""
    text = re.sub(rf"(?<=\d)[{_SPACES}](?=\d{{3}}(?!\d))", "", text).translate(_FRACTIONS)
    text = re.sub(r"(?<=\d)\s+and\s+a\s+half\b", " 1/2", re.sub(r"\{,\}|,\\!", ",", text))
    text = re.sub(r"(?<=\d)(?:\\[!,;: ]|~)(?=\d{3})", "", text)
    text = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}", r" \1 ", text)
    return re.sub(r"\\[()\[\]]", " ", text).replace("**", "").replace("__", " ")


def _normal(match: re.Match[str]) -> str | None:
    number = _number(match)
    return number.text if number else None


def _number(match: re.Match[str]) -> Number | None:
    if len(match.group()) > _LONGEST:
        return None
    part = match.groupdict()
    plain = _value(part)
    if plain is None:
        return None
    if bool(part["sign"]) != bool(part["inner"]):
        plain = plain._replace(value=-plain.value)
    text, readings = _written(plain), [plain]
    if part["percent"]:
        text += "%"
        shown = None if plain.decimals is None else plain.decimals + 2
        readings.append(Reading(plain.value / 100, shown))
    if scale := (part["scale"] or _LETTERS.get((part["letter"] or "").lower(), "")).lower():
        text += f" {scale}"
        readings.insert(0, Reading(plain.value * _SCALES[scale], None))
    return Number(text, tuple(readings))


def _value(part: dict[str, str | None]) -> Reading | None:
    """Without its sign. None: a division by zero."""
    top = part["top"] or part["top1"] or part["top2"] or part["a"]
    under = part["under"] or part["under1"] or part["under2"] or part["b"]
    if top and under:
        if not _fraction(under):
            return None
        whole = Fraction(part["mixed"] or part["mixed2"] or 0)
        return Reading(whole + _fraction(top) / _fraction(under), None)
    digits, power = part["mantissa"] or part["plain"] or "", part["power"] or part["exponent"]
    value, decimals = _fraction(digits), len(digits.partition(".")[2])
    if power:
        shift = int(power.replace("−", "-"))
        value, decimals = value * Fraction(10) ** shift, max(0, decimals - shift)
    return Reading(value, decimals)


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def _written(number: Reading) -> str:
    value, places = number
    if places is None:
        return str(value)
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
