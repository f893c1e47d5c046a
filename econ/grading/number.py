"""Numbers as answers: read with their units, compared exactly.

A tolerance would be wrong at both ends of GSM-Hard: an absolute one takes 0 for a target of 5e-7, a relative
one takes a wrong digit in a target of 9e12. So an integer gold must be met exactly, and any other gold exactly
or correctly rounded at the decimals that the answer shows.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from econ.grading.text import first_sentence

_WHOLE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?:{_WHOLE}(?:\.\d+)?|\.\d+)"
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER = re.compile(
    rf"""
    (?<![A-Za-z0-9_])(?P<sign>(?<![\d)])[-−–]\s?(?=[\d.$€£¥\\]))?\s*
    (?:\\?[$€£¥]\s?)?(?P<inner>[-−](?=[\d.]))?
    (?:
        (?:(?P<mixed>\d+)\s*)?\\[dt]?frac\s*(?:\{{\s*(?P<top>-?{_DECIMAL})\s*\}}\s*\{{\s*(?P<under>{_DECIMAL})\s*\}}
            |(?P<top1>\d)(?P<under1>\d))
      | (?P<mixed2>\d+)\s+(?P<top2>\d+)/(?P<under2>\d+)
      | (?P<a>{_DECIMAL})\s*/\s*(?P<b>{_DECIMAL})(?!\s*/)
      | (?P<mantissa>{_DECIMAL})\s*(?:\\times|\\cdot|[×x*])\s*10\s*(?:\^|\*\*)\s*\{{?(?P<power>[-−]?\d{{1,3}})\b\}}?
      | (?P<plain>{_DECIMAL})(?:[eE](?P<exponent>[-+]?\d{{1,3}})\b)?
    )
    (?P<percent>\s*(?:\\?%|per\s?cent\b))?
    (?:\s*(?P<scale>thousand|million|billion|trillion)\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What makes a number part of something unfinished: an operation, or an exponent past all limits.
_OPERATION = re.compile(r"[eE][-+]?\d|\s*(?:[-+*×÷^−]|\\times|\\cdot|\\div)\s*[({\\]?\s*\d")
_LONGEST = 400  # digits; nothing longer is an answer, and longer ones would take time


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written.

    ``readings`` are the values it can stand for, the plain one first: 25 % is 25 or 1/4, 5 million is
    5,000,000 or (of a question that asks in millions) 5. ``decimals`` shown, None for fractions and powers.
    """

    text: str
    readings: tuple[Fraction, ...]
    decimals: int | None

    @property
    def value(self) -> Fraction:
        return self.readings[0]


def find(text: str) -> str | None:
    """The value of an explicit form: of its first sentence, what follows the last ``=``, the first number."""
    said = _plain(first_sentence(text)).rpartition("=")[2]
    match = _NUMBER.search(said)
    if match is None or _OPERATION.match(said, match.end()):
        return None
    return _normal(match)


def find_last(text: str) -> str | None:
    """The last number of a text."""
    found = list(_NUMBER.finditer(_plain(text)))
    return _normal(found[-1]) if found else None


def read(text: str) -> Number | None:
    """A number that is all of ``text``, in any of the forms that answers take; None: it is not one."""
    match = _NUMBER.fullmatch(_plain(text).strip())
    return _number(match) if match else None


def gold_form(answer: object) -> str | None:
    """A data set's answer as a plain number: GSM8K's ``#### 72``, a float, text with separators."""
    if isinstance(answer, bool) or answer is None:
        return None
    if isinstance(answer, float):
        text = _float_text(answer)
    else:
        text = str(answer).rpartition("####")[2].strip()
    match = _NUMBER.fullmatch(_plain(text))
    return _normal(match) if match else None


def _float_text(value: float) -> str:
    """A float as a plain decimal, without the noise of its making: 0.30000000000000004 was meant as 0.3."""
    if not math.isfinite(value):
        return ""
    exact, short = Decimal(repr(value)), Decimal(format(value, ".15g")).normalize()
    return format(short if len(short.as_tuple().digits) <= 12 else exact, "f")


def matches(gold: str, answer: str) -> bool:
    """Does ``answer`` state the number ``gold``? Both in normal form."""
    target, said = read(gold), read(answer)
    if target is None or said is None:
        return False
    return any(_same(target, goal, said, value) for goal in target.readings for value in said.readings)


def equal(a: str, b: str) -> bool:
    """The same number, whatever the notation (the plain readings)."""
    first, second = read(a), read(b)
    return first is not None and second is not None and first.value == second.value


def _same(target: Number, goal: Fraction, said: Number, value: Fraction) -> bool:
    if value == goal:
        return True
    if goal.denominator == 1 or value == 0:
        return False
    if (
        said.decimals is not None
        and _is_rounding(value, said.decimals)
        and value in _rounded(goal, said.decimals)
    ):
        return True
    finer = said.decimals is None or (target.decimals is not None and said.decimals > target.decimals)
    return finer and _is_meant(target, goal, value)


def _is_meant(target: Number, goal: Fraction, value: Fraction) -> bool:
    """Is a finer value what the gold stands for? A gold is a float, or was rounded (GSM-Hard: at ten decimals)."""
    if abs(value - goal) <= 4 * Fraction(math.ulp(float(goal))):
        return True
    places = target.decimals or 0
    return places >= 6 and _digits(goal, places) >= 3 and goal in _rounded(value, places)


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
    """LaTeX's spacings and separators out of the way of the digits."""
    text = re.sub(r"\{,\}|,\\!", ",", text)
    text = re.sub(r"(?<=\d)(?:\\[!,;: ]|~)(?=\d{3})", "", text)
    text = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}", r" \1 ", text)
    return (
        text.replace("\\(", " ").replace("\\)", " ").replace("\\[", " ").replace("\\]", " ").replace("**", "")
    )


def _normal(match: re.Match[str]) -> str | None:
    number = _number(match)
    return number.text if number else None


def _number(match: re.Match[str]) -> Number | None:
    part = match.groupdict()
    if len(match.group()) > _LONGEST:
        return None
    sign = "-" if bool(part["sign"]) != bool(part["inner"]) else ""
    top = part["top"] or part["top1"] or part["top2"] or part["a"]
    under = part["under"] or part["under1"] or part["under2"] or part["b"]
    decimals = None
    if top and under:
        bottom = _fraction(under)
        if bottom == 0:
            return None
        value = _fraction(top) / bottom + int(part["mixed"] or part["mixed2"] or 0)
        text = f"{value.numerator}/{value.denominator}" if value.denominator > 1 else str(value)
    elif part["mantissa"]:
        value = _fraction(part["mantissa"]) * Fraction(10) ** int(part["power"].replace("−", "-"))
        text = _written(value)
    else:
        text = part["plain"].replace(",", "")
        text = f"0{text}" if text.startswith(".") else text
        decimals = len(text.partition(".")[2])
        value = Fraction(text)
        if part["exponent"]:
            value *= Fraction(10) ** int(part["exponent"])
            text = _written(value)
            decimals = len(text.partition(".")[2])
    return _dressed(part, sign, text, -value if sign else value, decimals)


def _dressed(
    part: dict[str, str | None], sign: str, text: str, value: Fraction, decimals: int | None
) -> Number:
    readings = [value]
    suffix = ""
    if part["percent"]:
        suffix = "%"
        readings.append(value / 100)
    if part["scale"]:
        word = part["scale"].lower()
        suffix += f" {word}"
        readings.insert(0, value * _SCALES[word])
    if suffix:
        decimals = None
    if value == 0:
        sign = ""
    if not sign and text.startswith("-"):
        return Number(text + suffix, tuple(readings), decimals)
    return Number(sign + text.lstrip("-") + suffix, tuple(readings), decimals)


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def _written(value: Fraction) -> str:
    """A fraction with a power of ten below it, as a plain decimal."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    places = 0
    while value.denominator != 1:
        value, places = value * 10, places + 1
    digits = str(value.numerator).rjust(places + 1, "0")
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
