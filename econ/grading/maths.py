"""A mathematical expression that stands in a sentence without delimiters: how far it goes."""

from __future__ import annotations

import re

from econ.grading.symbols import to_latex

_FUNCTIONS = (
    "sqrt|cbrt|arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|log|ln|exp|pi|theta|alpha"
    "|beta|gamma|phi"
    "|lambda|omega|infinity|infty|inf|mod|gcd|lcm|union|cup|cap"
)
_UNITS = (
    "cm|mm|km|nm|ft|in|kg|mg|lb|lbs|mi|mph|kph|min|sec|hr|hrs|ml|oz|yd|sq|units?|deg|rad|pm|am|th|st|nd|rd"
)
_ITEM = re.compile(
    rf"""\s*(?:
      \\(?:text|mathrm|mbox|textbf|mathbf|operatorname|begin|end)\s*\{{[^{{}}]*\}}
    | \\[A-Za-z]+ | \\[,;:!{{}}%$|\\ ]
    | \d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)? | \d+(?:\.\d+)? | \.\d+
    | (?:{_FUNCTIONS})(?![A-Za-z])
    | (?<=[\d)}}^_+*/=-])(?!(?:{_UNITS})\b)[A-Za-z]{{1,3}}(?![A-Za-z])
    | (?<![A-Za-z])(?!(?:{_UNITS})(?![A-Za-z]))[A-Za-z]{{1,3}}(?=[\^_+*/=(]|\s[-+*/^=<>]|\s\\(?:le|ge|in)\b)
    | (?<![A-Za-z])(?!a\s+[A-Za-z]{{2}}|I\s)[A-Za-z](?![A-Za-z'’])
    | [-+*/^_=<>!|(){{}}\[\]%°&'$]
    | [,;:](?=\s*(?:[-+\\(\[{{$.\d]|[A-Za-z](?![A-Za-z]))) | :(?=\d)
    )""",
    re.VERBOSE,
)
_UNIT_LETTER = re.compile(r"(?<=\d)\s+(?:m|g|s|h|L|l|J|N|K|W|V|A|C|F|d)\s*(?:\^\s*\{?[23]\}?|\\\^[23])?$")
_NAME = re.compile(
    r"(?:the\s+)?[A-Za-z][A-Za-z ]{2,40}?\s*(?:=|\bis\b|\bequals\b)\s*(?!not\b)(?=[-+\d\\(\[{.$√π]"
    r"|[A-Za-z]\b)"
)
_LEAD = re.compile(
    r"(?:(?:about|approximately|roughly|exactly|only|just|simply|thus|therefore|hence|so|then|now"
    r"|indeed|clearly|equal|to|that|is|are|be|either|both|option|choice|indeed|(?:the|a|an)\s+(?:ordered\s+)?"
    r"(?:point|pair|triple|interval|set|number|value|integer|fraction|ratio|expression|equation|line|vector|matrix"
    r"|polynomial|function|product|angle)(?:\s+of)?(?=\s+[^A-Za-z]))\s+)+",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"\s*(?:is|equals|must\s+be|has\s+to\s+be|are)\s+", re.IGNORECASE)
_WORD_JOIN = re.compile(r"\s*,?\s*\b(?:and|or)\b\s*", re.IGNORECASE)
_CALCULATION = re.compile(r"[\d)}]\s*(?:[-+*/]|\\cdot|\\times|\\div)\s*[\d({\\]")


def leading(sentence: str) -> str | None:
    """The expression that a sentence opens with, up to its first word; None: it opens with words.

    ``12 square units`` is 12, ``5 because both terms are odd`` is 5, ``x = 3 or x = -3`` both of them.
    """
    text = to_latex(sentence).strip()
    if led := _LEAD.match(text):
        text = text[led.end() :]
    if name := _NAME.match(text):
        text = text[name.end() :]
    end = _run(text, 0)
    found = text[:end].strip()
    if re.fullmatch(r"\W*[A-Za-z]\W*", found) and (again := _AGAIN.match(text, end)):
        rest = _run(text, again.end())
        if rest > again.end():
            text, end = text[again.end() : rest], rest - again.end()
            found = text.strip()
    if not re.search(r"[\dA-Za-z]", found):
        return None
    while (join := _WORD_JOIN.match(text, end)) and (further := _run(text, join.end())) > join.end():
        more = text[join.end() : further]
        if not re.search(r"\d|\\[a-z]", more) or _CALCULATION.search(found):
            break
        found, end = f"{found},{more.strip()}", further
    return _trimmed(found) or None


def _run(text: str, at: int) -> int:
    while item := _ITEM.match(text, at):
        at = item.end()
    return at


def _trimmed(found: str) -> str:
    """Without what begins something: an operator or a bracket that nothing follows."""
    before = None
    while found != before:
        before = found
        found = re.sub(r"\s+\([^()]*=[^()]*\)$", "", found)
        found = re.sub(r"[\s,;:=<>+*/^_-]+$", "", _UNIT_LETTER.sub("", found))
        found = re.sub(r"(?:[(\[]|(?<!\\)\{)+$", "", found)
        opened = found.rfind("(")
        if opened > 0 and ")" not in found[opened:] and "]" not in found[opened:]:
            found = found[:opened]  # "18 (x = 9 ...": the bracket goes on in words
    return found
