"""A number as it is written: with its sign, unit of account, separators, fraction, percent or scale."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple
from unicodedata import normalize

from econ.grading.symbols import powers_in_ascii

_WHOLE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
DECIMAL = rf"(?:{_WHOLE}(?:\.\d+)?|\.\d+)"
_SCALES = {
    "dozen": 12,
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_LETTERS = {"k": "thousand", "m": "million"}
NUMBER = re.compile(
    rf"""
    (?<![A-Za-z0-9_^])(?<!\^\{{)(?:(?P<sign>(?<![\d)])[-−–](?=\s?[\d.$€£¥\\]))\s?)?
    (?:\\?[$€£¥]\s?)?(?P<inner>[-−](?=[\d.]))?
    (?:
        (?:(?P<mixed>\d+)\s*)?\\[dt]?frac\s*
        (?:\{{\s*(?P<top>-?{DECIMAL})\s*\}}\s*\{{\s*(?P<under>{DECIMAL})\s*\}}|(?P<top1>\d)(?P<under1>\d))
      | (?P<mixed2>\d+)\s+(?P<top2>\d+)/(?P<under2>\d+)
      | (?P<a>{DECIMAL})\s*/\s*(?P<b>{DECIMAL})(?!\s*/)
      | (?P<mantissa>{DECIMAL})\s*(?:\\times|\\cdot|[×x*·⋅∙•✕])\s*10\s*
        (?:\^|\*\*)\s*\{{?(?P<power>[-−]?\d{{1,3}})\b\}}?
      | (?P<plain>{DECIMAL})(?:[eE](?P<exponent>[-+]?\d{{1,3}})\b)?
    )
    (?P<percent>\s*(?:\\?%|per\s?cent\b))?
    (?:\s*(?P<scale>dozen|hundred|thousand|million|billion|trillion)\b|(?P<letter>k|(?-i:M))\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SPACES = "\u00a0\u2009\u202f"  # that separate thousands
_FRACTIONS = str.maketrans(
    {sign: f" {normalize('NFKC', sign).replace('⁄', '/')}" for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
)
_ENDLESS = re.compile(r"\d{401,}")
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


def read(text: str) -> Number | None:
    """A number that is all of ``text``, in any of the forms that answers take; None: it is not one."""
    match = NUMBER.fullmatch(plain(text).strip())
    return _number(match) if match else None


def values(text: str) -> set[Fraction]:
    """Every number of a text, in its plain reading."""
    found = map(_number, NUMBER.finditer(plain(text)))
    return {number.readings[0].value for number in found if number}


def plain(text: str) -> str:
    """LaTeX's spacings, separators and brackets out of the way of the digits."""
    text = _ENDLESS.sub("0:0", text)  # a piece of no number
    text = powers_in_ascii(re.sub(rf"(?<=\d)[{_SPACES}](?=\d{{3}}(?!\d))", "", text)).translate(_FRACTIONS)
    text = re.sub(r"(?<=\d)\s+and\s+a\s+half\b", " 1/2", re.sub(r"\{,\}|,\\!", ",", text))
    text = re.sub(r"(?<=\d)(?:\\[!,;: ]|~)(?=\d{3})", "", text)
    text = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(
        r"(?<![\d.,'])\d{1,3}(?:'\d{3})+(?![\d'])|(?<!\w)\d{1,3}(?:_\d{3})+(?!\w)", _ungrouped, text
    )
    text = re.sub(
        r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3}){2,}(?:,\d+)?(?![\d.]*\d)|(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3})+,\d{1,2}(?![\d.,]*\d)",
        _european,
        text,
    )
    text = re.sub(r"(?<=[\d)])\s*\*\*\s*(?=[\d(])", "^", text)  # a power; others are bold
    return re.sub(r"\\[()\[\]]", " ", text).replace("**", "").replace("__", " ")


def spaced(said: str) -> str:
    """1 234 567 as 1234567."""
    return re.sub(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d.,/]*\d)", lambda m: m[0].replace(" ", ""), said)


def normal(match: re.Match[str]) -> str | None:
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
    return Number(text, tuple(readings)) if len(text) <= _LONGEST else None


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


def _ungrouped(match: re.Match[str]) -> str:
    """1'800 and 1_800 as 1800."""
    return re.sub(r"['_]", "", match[0])


def _european(match: re.Match[str]) -> str:
    """1.234.567,8 as 1234567.8."""
    return match[0].replace(".", "").replace(",", ".")
