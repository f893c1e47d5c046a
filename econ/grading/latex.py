"""Mathematical expressions as answers: read from LaTeX or plain text, compared by math-verify.

Cheap comparisons come first (equal text, equal numbers, equal words). The rest is done by a process of its
own (:mod:`econ.grading._math_worker`): it works from any thread, has a limit on CPU time, and is killed when
even that does not end it. Nothing of an answer is ever evaluated as code.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from econ.grading import number
from econ.grading.text import first_sentence, last_boxed

_MATHS = re.compile(
    r"\$\$(?P<a>[^$]+?)\$\$|(?<![\\\d])\$(?P<b>[^$\n]+?)(?<!\\)\$"
    r"|\\\((?P<c>.{1,2000}?)\\\)|\\\[(?P<d>.{1,2000}?)\\\]",
    re.DOTALL,
)
_UNIT_POWER = re.compile(r"\\(?:text|mathrm|mbox)\s*\{[^{}]*\}\s*\^\s*\{?([23])\}?\s*$")
_JOINED = re.compile(r"\s*(?:,|and|or|,\s*and|,\s*or)\s*")
_LIST = re.compile(r"[^()\[\]{}=]+,[^()\[\]{}=]+")  # of plain values: "-1,6" is no interval (-1,6)
_TUPLE = re.compile(r"[(\[][^()\[\]]+,[^()\[\]]+[)\]]")
_LONGEST = 1000  # characters; the longest answer in MATH has 159
_HUGE = re.compile(r"\^\{?-?\d{5}|\d{5}!")  # the largest power in MATH is 2^{4950}
_TOWER = 3  # a power in a power in a power
_MANY_WORDS = 4  # a longer run of plain words is prose, no answer


def find(form: str) -> str | None:
    """The expression in an explicit form; None: nothing readable."""
    pieces = list(_MATHS.finditer(form))
    if pieces:
        return _clean(_first_run(form, pieces))
    said = first_sentence(form)
    return None if _is_prose(said) else _clean(said)


def find_last(text: str) -> str | None:
    """The last mathematical expression of a text: maths between dollars or brackets, or a plain number."""
    pieces = list(_MATHS.finditer(text))
    tail = text[pieces[-1].end() :] if pieces else text
    return number.find_last(tail) or (_clean(_content(pieces[-1])) if pieces else None)


def gold_form(answer: object) -> str | None:
    """A data set's answer as LaTeX: itself, or the last box of a solution."""
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return None
    text = str(answer)
    return _clean(last_boxed(text) or "" if re.search(r"\\(?:boxed|fbox)\b", text) else text)


@lru_cache(maxsize=65536)
def equal(a: str, b: str) -> bool:
    """Do two expressions say the same? Order in a pair or interval counts, order in a set does not."""
    powers = {match[1] for match in map(_UNIT_POWER.search, (a, b)) if match}
    if len(powers) > 1:
        return False  # square and cubic units; one that is left out is forgiven
    first, second = canonical(a), canonical(b)
    if first == second:
        return True
    if (verdict := _same_number(first, second)) is not None:
        return verdict
    if _is_words(first) or _is_words(second):
        return _words(first) == _words(second)
    if _unlike(first, second) or any(map(_is_oversized, (first, second))):
        return False
    from econ.grading import judge

    return judge.same(first, second)


def canonical(latex: str) -> str:
    """LaTeX without what carries no meaning: sizes, spacings, units, a leading ``x =``."""
    text = latex.strip().strip("$").strip()
    text = re.sub(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits)(?![A-Za-z])", "", text)
    text = re.sub(r"(?<!\\)\\[!,;: ]|~|\\q?quad(?![A-Za-z])", " ", text).replace("{,}", ",")
    text = re.sub(r"\\[dt]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\w)\s*(\w)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?|\\degree(?![A-Za-z])|°|\s+degrees?\b", "", text)
    text = re.sub(r"(?<=\d)\s*\\(?:text|mathrm|mbox)\s*\{[^{}]*\}(?:\s*\^\s*\{?[23]\}?)?\s*$", "", text)
    text = re.sub(r"([_^])\{(\w)\}", r"\1\2", text)
    text = re.sub(r"\\\$", "", text).replace("\\varnothing", "\\emptyset")
    text = re.sub(r"^\s*[A-Za-z](?:\([A-Za-z]\))?\s*=\s*(?=[^=]+$)", "", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text) if _is_grouped(text) else text
    return re.sub(r"\s+", "" if "\\text" not in text and not _is_words(text) else " ", text).rstrip(".,;:")


def _is_grouped(text: str) -> bool:
    return re.fullmatch(r"[-+$]?\s*\d{1,3}(?:,\d{3})+(?:\.\d+)?\D*", text) is not None


def _same_number(a: str, b: str) -> bool | None:
    first, second = number.read(a), number.read(b)
    if first is None or second is None:
        return None
    values = [{reading.value for reading in found.readings} for found in (first, second)]
    return bool(values[0] & values[1])


def _unlike(a: str, b: str) -> bool:
    """What math-verify takes for equal and is not: numbers in different bases; a list, a set and a tuple."""
    if any(re.search(r"\d_\{?\d", text) for text in (a, b)):
        return True
    if any(_LIST.fullmatch(text) for text in (a, b)) and any(_TUPLE.fullmatch(text) for text in (a, b)):
        return True
    return {a[:1], b[:1]} == {"(", "\\"} and any(text.startswith("\\{") for text in (a, b))


def _is_oversized(text: str) -> bool:
    """Longer than any answer, or a number that nobody could write out: not worth its time limit."""
    if len(text) > _LONGEST or _HUGE.search(text):
        return True
    powers, before = [0], ""  # how deep in powers each open brace is
    for sign in text:
        if sign == "{":
            powers.append(powers[-1] + (before == "^"))
        elif sign == "}" and len(powers) > 1:
            powers.pop()
        elif sign == "^" and powers[-1] + 1 >= _TOWER:
            return True
        before = sign
    return False


def _is_words(text: str) -> bool:
    bare = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}", r"\1", text)
    if re.fullmatch(r"\(?[A-Za-z][A-Za-z ,.'()-]*", bare) is None:
        return False
    return bare != text or re.search(r"[A-Za-z]{3}", bare) is not None  # "p - q" is none, nor is "xy"


def _words(text: str) -> str:
    bare = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}", r" \1 ", text)
    return " ".join(re.sub(r"[().,$\\]", " ", bare).split()).casefold()


def _is_prose(text: str) -> bool:
    return (
        "\\" not in text
        and len(re.findall(r"[A-Za-z]{2,}", text)) > _MANY_WORDS
        and not re.search(r"\d", text)
    )


def _first_run(form: str, pieces: list[re.Match[str]]) -> str:
    """The first expression, and what is joined to it by a comma, "and" or "or"."""
    run = [_content(pieces[0])]
    for before, after in pairwise(pieces):
        if not _JOINED.fullmatch(form[before.end() : after.start()]):
            break
        run.append(_content(after))
    return ",".join(run)


def _content(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _clean(text: str) -> str | None:
    said = text.strip().strip("*`").strip()
    said = re.sub(r"(?<=\S)[.,;:]+$", "", said).strip()
    return said if re.search(r"[A-Za-z0-9]", said) else None
