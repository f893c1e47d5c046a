"""Numbers as answers: read with their units, compared exactly.

A tolerance would be wrong at both ends of GSM-Hard: an absolute one takes 0 for a target of 5e-7, a relative
one takes a wrong digit in one of 9e12. So an integer gold must be met exactly, and any other gold exactly or
correctly rounded at the decimals that the answer shows.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction

from econ.grading.numeral import DECIMAL, NUMBER, Reading, normal, plain, read, spaced, values
from econ.grading.said import NOTHING, UNCLEAR, Said
from econ.grading.text import first_sentence

__all__ = ["equal", "find", "find_last", "gold_form", "matches", "read", "said", "values"]

# What makes a number part of something unfinished: an operation, an exponent past all limits, a group of a
# wrong number of digits, a range, a multiple of a root.
_OPERATION = re.compile(
    r"[eE][-+]?\d|,\d|\s*(?:[-+*×÷^−–·⋅±]|\\times|\\cdot|\\div|\\pm)\s*[({\\]?\s*\d|\s+to\s+\\?[$€£]?\d"
    r"|\s*~\s*\d|\s*(?:\\?(?:sqrt|cbrt|pi)(?![A-Za-z])|[√π])|[xyzabn]\s*(?:[-+*/=]\s*\(?\d|\^)"
    r"|\s+(?:plus|minus|times|(?:multiplied|divided)\s+by)\s+\$?\d"
)
_UNDER = re.compile(
    r"(?:√|\\sqrt(?:\[\w*\])?)\s*\{?\s*$|\bbetween\s*\$?$|\b(?:sum|product|difference"
    r"|quotient)\s+of\s+\$?$",
    re.IGNORECASE,
)
# A larger token that a number is a piece of: a time, a ratio, a date, a version, feet and inches, a code.
_TOKEN = re.compile(
    r"(?<![\w.])(?:\d{1,2}\.\d\d\s?[ap]\.?m\b|\d+(?::\d+)+|\d+\s+:\s+\d+|\d+(?:/\d+){2,}|\d+(?:\.\d+){2,}|\d{4}-\d{2}-\d{2}|\d+'\d+"
    r"|\d+h\d+|0x[0-9a-f]+|\d+(?!e\d|st\b|nd\b|rd\b|th\b)[a-z]+\d\w*|\d+\.?\d*\\(?:overline|bar"
    r"|dot)\b)(?!\d)",
    re.IGNORECASE,
)
# A word is read whole (possessive): a long one must not be tried in all its pieces.
_UNITS = r"(?:\s*(?!or\b|and\b|if\b)\\?[A-Za-z%°][\w%°./-]*+){0,4}"  # "square metres per hour"
_MONEY = r"\\?[$€£¥]?\s?"
_AMOUNT = rf"-?{_MONEY}{DECIMAL}(?:\s*/\s*{DECIMAL})?"
# Two values of which neither is chosen. "1.5 hours, or 90 minutes" says one value twice: the units differ.
_HEDGE = re.compile(
    rf"(?<![\w.,^])(?P<a>{_AMOUNT})(?P<a_unit>{_UNITS})[\s,;]*\(?(?:(?:and/)?or|vs\.?)\s+(?:else\s+"
    rf"|maybe\s+|perhaps\s+|possibly\s+|even\s+|about\s+|(?:[a-z]\s*=\s*)?)"
    rf"(?P<b>{_AMOUNT})(?![\d:])(?!\s*(?:[-+*×÷/^·]|\\times|\\cdot|x|times|plus|minus)\s*\d)(?P<b_unit>{_UNITS})"
    rf"|(?<![\w.,^])(?P<c>{_AMOUNT})(?P<c_unit>{_UNITS})\s*,\s*(?:maybe|perhaps"
    rf"|possibly)\s+(?P<d>{_AMOUNT})(?P<d_unit>{_UNITS})",
    re.IGNORECASE,
)
_EITHER = re.compile(
    rf"\beither\b[^.]{{0,60}}?\d|{_MONEY}\d[\d.,]*(?:;\s*|,\s+|\s+and\s+|,\s+and\s+){_MONEY}\d[\d.,]*\W*$",
    re.IGNORECASE,
)
# A quantity in two units: "5 dollars and 50 cents", "2 hours 30 minutes" are not 5, nor 2.
_COMPOUND = re.compile(
    r"\d\s*(?:dollars?|pounds?|euros?|hours?|hrs?|h|minutes?|mins?|days?|weeks?|years?|months?|feet"
    r"|foot|ft|yards?|kilometers?|km|meters?|kg|lbs?)"
    r"(?:,?\s+and\s+|,?\s+)\d+(?:\.\d+)?\s*(?:cents?|pence|minutes?|mins?|seconds?|secs?|hours?|days?"
    r"|weeks?|months?|inch(?:es)?|in|feet|ft|meters?|m|cm|centimeters?|grams?|g|ounces?|oz)\b",
    re.IGNORECASE,
)
# A calculation and what says its result: "90 + 80, which equals 170", "9 * 2, or 18".
_COUNT = r"(?:\d|(?:two|three|four|five|six|seven|eight|nine|ten|twelve)\b)"
_CALCULATION = re.compile(
    r"\d[\w$%,.]*\s*(?:[a-z]+\s+){0,3}(?:[-+*×÷/^−–·⋅x]|\\times|\\cdot|\\div|\\frac|plus|minus|times"
    r"|(?:multiplied|divided)\s+by|more\s+than|less\s+than|less|added\s+to|[a-z]+\s+of"
    rf"|subtracted\s+from)\s*(?:[a-z]+\s+){{0,2}}[(\\$]*\s*{_COUNT}"
    r"|\d\s+(?:doubled|tripled|quadrupled|halved|squared|cubed)\b"
    r"|\b(?:sum|product|difference|quotient|average|mean|total)\s+of\b[^.]*\d[^.]*\d|(?:%|\bpercent"
    r"|\bhalf|\bthird|\bquarter|\btwice|\bdouble|\btriple)\s+(?:of\s+)?\D{0,12}\d"
    r"|\\frac",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    r"\d\s+(?:times|plus|minus|(?:multiplied|divided)\s+by|more\s+than|less\s+than)\s+\$?\d", re.IGNORECASE
)
_EQUALS = re.compile(r"=\s*\$?\d[\d.,]*(?:\s+[a-z]+){0,3}\s*\Z", re.IGNORECASE)
_RESULT = re.compile(
    r"(?:[\s,;(–—-]+(?:which|that|this|it)(?:'s|\s+(?:is|equals?|makes?|gives?|leaves?|totals?|yields?"
    r"|(?:comes|adds?|works|amounts?|simplifies|evaluates|reduces|sums?)(?:\s+(?:up|out))?\s+to"
    r"|results?\s+in|would\s+be|means?))"
    r"|[\s,;(]+(?:i\.?\s?e\.?,?|or|so|namely|that\s+is,?|giving|making|leaving|total(?:l)?ing"
    r"|equal(?:l)?ing|equal\s+to|equals|yielding|resulting\s+in|(?:for|making)\s+a\s+total\s+of|meaning|thus|hence|therefore|is"
    r"|gives|makes|comes\s+to|totals)"
    r"|\s*\((?=\$?\d[\d.,]*\))|:(?=\s)|\s*(?:→|⇒|=>|->|≈|\\approx|\\Rightarrow|\\to))(?:\s+(?:us|equal\s+to|exactly|simply|just"
    r"|a\s+total\s+of|about|approximately))?[\s:]*(?=\D{0,12}\d)",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r",\s|;|:\s|\s(?:because|since|as|where|when|with|if|so|which|for|given|and|after)\s|\s[–—|]\s"
)
_THEN = re.compile(r"[,;]?\s(?:so|thus|hence|therefore|then|and|with|which)\s")
_VARIABLE = re.compile(r"(?<![A-Za-z])(?!a\s)[a-z](?![A-Za-z'’])(?!\s*\d)|\d[a-z]\b")
_POINTER = re.compile(
    r"\W*(?:please\s+)?(?:see|refer\s+to|cf\.?|step|section|part|equation|line)\b", re.IGNORECASE
)
_BECAUSE = re.compile(r"[,;]?\s(?:because|since|where|when|if|given|as|for)\s")
_ASIDE = re.compile(r"\s*\([^()]*[=A-Za-z][^()]*\)|\s*\[[^\[\]]*=[^\[\]]*\]")
_LEAD = re.compile(
    r"(?:[^\w\\]|\\(?:\$|approx|text|mathrm|mathbf|textbf)|\b(?:about|approximately|approx|roughly"
    r"|around|nearly|exactly|precisely|only|just|simply|thus|therefore|hence|so"
    r"|then|also|still|now|indeed|clearly|equal|to|equals|at|least|most|a|an|the|total|of|that|is|are"
    r"|be|number|value|amount|sum|answer|option|choice|final|usd|rs|eur|us|inr"
    r"|there|it|she|he|they|we|you|i|has|have|had|was|were|will|would|can|cost|costs|needs?|makes?"
    r"|gets?|pays?|earns?|spends?|total|minus|negative|[a-z](?=\s*=))\b)*",
    re.IGNORECASE,
)


def find(text: str) -> str | None:
    """The value of an explicit form."""
    return said(text).answer


def said(form: str) -> Said:
    """The value of an explicit form: of its first sentence, the first number, where it stands by itself.

    Where the sentence opens with an equation it is the last side's, where it opens with a calculation the
    result's. Two values of which none is chosen, and a piece of a time or a date, are unclear.
    """
    sentence = _outcome(spaced(plain(first_sentence(form))))
    if not (number := NUMBER.search(sentence)) and not _TOKEN.search(sentence):
        return NOTHING
    sides = _sides(_ASIDE.sub(" ", sentence)) or [sentence]
    opens = len(sides) > 1 or number is None or _LEAD.fullmatch(sentence, 0, number.start()) is not None
    if _is_hedged(sentence):
        return UNCLEAR if opens or _EITHER.match(sentence) else NOTHING
    if not opens and _POINTER.match(sentence):
        return NOTHING
    return Said(next(filter(None, map(_first, reversed(sides))), None), opens)


def outcome(sentence: str) -> str:
    """What a calculation in words comes to ("9 times 2, which is 18"), where the sentence says so."""
    return _outcome(sentence) if _IN_WORDS.search(sentence) else sentence


def _outcome(sentence: str) -> str:
    """What a calculation comes to, where the sentence says so."""
    for match in _RESULT.finditer(sentence):
        if _EQUALS.search(sentence, 0, match.start()):  # said already: "20 - 2 = 18, so x = 3"
            return sentence
        if _CALCULATION.search(sentence, 0, match.start()):
            return sentence[match.end() :]
    return sentence


def _sides(sentence: str) -> list[str]:
    """The sides of the equation that a sentence opens with; none: the value stands before any equals sign.

    "18 minutes = 0.3 hours", "18, as x = 9" are no equations,
    "6 * 3 = 18" and "Total for 3 days = 18" are.
    """
    left, equals, rest = sentence.partition("=")
    number = NUMBER.search(left)
    if not equals:
        return []
    if number and _LEAD.fullmatch(left, 0, number.start()):
        if end := _BREAK.search(left, number.end()):
            return [left[: end.start()]]
        if _OPERATION.match(left, number.end()) is None and re.fullmatch(
            _UNITS + r"\W*", left[number.end() :]
        ):
            return [left]
    rest = _BECAUSE.split(rest, maxsplit=1)[0]
    if number and not _VARIABLE.search(left):  # "20 - 2 = 18, so x = 3" has said it at the first sign
        rest = _THEN.split(rest, maxsplit=1)[0]
    return [left, *rest.split("=")]


def _is_hedged(sentence: str) -> bool:
    if _EITHER.search(sentence) or _COMPOUND.search(sentence):
        return True
    return any(map(_are_alternatives, _HEDGE.finditer(sentence)))


def _are_alternatives(match: re.Match[str]) -> bool:
    a, b = (match[f"{name}"] or match[f"{other}"] for name, other in ("ac", "bd"))
    units = [(match[f"{x}_unit"] or match[f"{y}_unit"] or "").split() for x, y in ("ac", "bd")]
    first, second = read(a), read(b)
    if (
        first is None
        or second is None
        or {r.value for r in first.readings} & {r.value for r in second.readings}
    ):
        return False
    return not all(units) or units[0][0].rstrip("s.") == units[1][0].rstrip("s.")


def _first(said: str) -> str | None:
    """The first number, where it stands by itself."""
    match, token = NUMBER.search(said), _TOKEN.search(said)
    if match is None or (token and token.start() <= match.start()):
        return None
    if match["percent"] and re.match(r"\s+of\s+(?:the\s+)?\$?\d", said[match.end() :]):
        return None
    if _OPERATION.match(said, match.end()) or _UNDER.search(said, 0, match.start()):
        return None
    return normal(match)


def find_last(text: str) -> str | None:
    """The last number of a text that is no piece of a larger token, nor one of two alternatives."""
    text = plain(text)
    in_token = _within(_TOKEN.finditer(text))
    in_hedge = _within(match for match in _HEDGE.finditer(text) if _are_alternatives(match))
    for match in reversed(list(NUMBER.finditer(text))):
        if not in_token(match.start()) and not re.match(r"\s*\^", text[match.end() : match.end() + 3]):
            return None if in_hedge(match.start()) else normal(match)
    return None


def _within(matches: Iterable[re.Match[str]]) -> Callable[[int], bool]:
    """Does a place lie in one of the matches, which follow each other?"""
    spans = [match.span() for match in matches]
    starts = [start for start, _ in spans]

    def holds(at: int) -> bool:
        before = bisect_right(starts, at)
        return before > 0 and at < spans[before - 1][1]

    return holds


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
