"""Mathematical expressions as answers: where they stand in a text, and whether two say the same.

Cheap comparisons come first (equal text, equal numbers, equal words). The rest is done by a process of its
own (:mod:`econ.grading._math_worker`): it works from any thread, has a limit on CPU time, and is killed when
even that does not end it. Nothing of an answer is ever evaluated as code.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from econ.grading import number
from econ.grading.canonical import canonical, is_oversized, is_words, sides, unit_power, words
from econ.grading.forms import last_boxed
from econ.grading.maths import leading
from econ.grading.said import NOTHING, Said
from econ.grading.symbols import to_latex
from econ.grading.text import first_sentence

_MATHS = re.compile(
    r"\$\$(?P<a>[^$]+?)\$\$|(?<![\\\d])\$(?P<b>(?:[^$\n\\]|\\.)+?)\$"
    r"|\\\((?P<c>.{1,2000}?)\\\)|\\\[(?P<d>.{1,2000}?)\\\]",
    re.DOTALL,
)
_JOINED = re.compile(r"\s*(?:,|and|or|,\s*and|,\s*or)\s*")
_LIST = re.compile(r"[^()\[\]{}=]+,[^()\[\]{}=]+")  # of plain values: "-1,6" is no interval (-1,6)
_TUPLE = re.compile(r"[(\[][^()\[\]]+,[^()\[\]]+[)\]]")
_MANY_WORDS = 4  # a longer run of plain words is prose, no answer
_SHORT_WORDS = 3  # a label may name an answer in so many plain words: "Final answer: even"
_PRICE = re.compile(r"\d[\d.,]*\s+\(?[A-Za-z]{2,}\b")  # "$5 for the book and $" is no mathematics
_STATED = re.compile(
    r"(?:\b(?:is|are|equals|be|gives?|gets?|makes?|obtain|total|answer|have)|[=:≈])\W{0,3}(?:about"
    r"|exactly|only)?\W{0,3}$",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"[,;(]\s*(?:or|i\.e\.,?|that is,?|which (?:is|equals)|namely)\s+(?=[-+$\\(]*\s*[\d\\])")
_ASIDE = re.compile(r"(?<=\w),\s+(?:of course|obviously|because|since|as|which|so|for|given|hence)\b.*")
_NO_ANSWER = re.compile(
    r"(?:clear(?:ly)?|verified|correct|right|wrong|incorrect|confirmed|obvious|checked|found|given"
    r"|shown|stated|see|as|above|below|here"
    r"|in|from|based|this|that|these|which|what|same|reasonable|consistent|unknown|simple|simplified"
    r"|unique|valid|exact|known|not|done"
    r"|your (?:final )?answer(?: here)?|answer(?: here)?|result|final answer|the result|value|number"
    r"|expression|(?:the )?simplified result(?: in latex)?|\.\.\.|…|well|now)\b",
    re.IGNORECASE,
)


def find(form: str) -> str | None:
    """The expression in an explicit form; None: nothing readable."""
    return said(form).answer


def said(form: str, *, is_box: bool = False, is_label: bool = True) -> Said:
    """The expression in an explicit form: between delimiters, else what its first sentence opens with.

    A box holds an expression and nothing else. Plain words are an answer where they are few: in a sentence
    ("the answer is even") an earlier form with an expression goes before them.
    """
    if is_box:
        return _whole(form)
    pieces = _pieces(form)
    sentence = first_sentence(form)
    if pieces and pieces[0].start() < len(sentence):
        before = form[: pieces[0].start()]
        if re.search(r"[\d)}]\Z", before) or re.match(r"\d", form[pieces[0].end() :]):
            sentence = sentence.replace("$", "")  # 2$\sqrt{3}$
        elif not re.search(r"\d", leading(before) or ""):
            return _named(_clean(_first_run(form, pieces)))
    if found := leading(number.outcome(sentence)):
        return _named(_clean(found))
    return _in_words(sentence, is_label)


def find_last(text: str) -> str | None:
    """The last mathematical expression of a text: maths between dollars or brackets, or a plain number.

    A number behind the last maths counts where it is called a value: "it is $G$, in 3 steps" is G.
    """
    pieces = _pieces(text)
    if not pieces:
        return number.find_last(text)
    told = next(
        (p for p in reversed(pieces) if not re.fullmatch(r"\W*[A-Za-z]\w?\W*", _content(p))), pieces[-1]
    )
    tail = text[told.end() :]
    bare = number.find_last(_MATHS.sub(" ", tail))
    if bare is None:
        return _clean(_content(told))
    return bare if _is_stated(tail) or told is not pieces[-1] else _clean(_content(told))


def gold_form(answer: object) -> str | None:
    """A data set's answer as LaTeX: itself, or the last box of a solution."""
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return None
    text = str(answer)
    return _clean(last_boxed(text) or "" if re.search(r"\\(?:boxed|fbox)\b", text) else text)


@lru_cache(maxsize=65536)
def equal(a: str, b: str) -> bool:
    """Do two expressions say the same? Order in a pair or interval counts, order in a set does not."""
    powers = {power for power in map(unit_power, (a, b)) if power}
    if len(powers) > 1:
        return False  # square and cubic units; one that is left out is forgiven
    first, second = canonical(a), canonical(b)
    if ("=" in first) != ("=" in second):
        both = all("=" in text for text in (a, b))
        first, second = (canonical(x, is_equation=True) if both else _value(canonical(x)) for x in (a, b))
    if first == second:
        return True
    if (verdict := _same_number(first, second)) is not None:
        return verdict
    if is_words(first) or is_words(second):
        return words(first) == words(second)
    if _unlike(first, second) or is_oversized(first) or is_oversized(second):
        return False
    from econ.grading import judge

    return judge.same(first, second)


def _value(text: str) -> str:
    """What a chain of equations comes to: the number that it opens with, else its last side."""
    parts = sides(text)
    return parts[0] if len(parts) > 1 and number.read(parts[0]) else parts[-1]


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


def _pieces(text: str) -> list[re.Match[str]]:
    """Maths between delimiters; "$5 for the one and $" is none."""
    found = []
    for match in _MATHS.finditer(text):
        if match["b"] is None or not _PRICE.match(match["b"]):
            found.append(match)
    return found


def _whole(form: str) -> Said:
    found = _clean(to_latex(form))
    bare = re.sub(r"\\text\w*\{([^{}]*)\}", r"\1", found or "").strip(" []<>.")
    return NOTHING if found is None or bare == "X" or _NO_ANSWER.fullmatch(bare) else Said(found)


def _named(found: str | None) -> Said:
    """No place-holder of an instruction."""
    return NOTHING if found is None or _NO_ANSWER.fullmatch(found) else Said(found)


def _in_words(sentence: str, is_label: bool) -> Said:
    """An answer in plain words: "Evelyn", "no solution"; not "clear from the above"."""
    said_again = _AGAIN.search(sentence)
    if said_again and (found := leading(sentence[said_again.end() :])):
        return _named(_clean(found))
    sentence = _ASIDE.sub("", sentence)
    found = _clean(to_latex(sentence))
    plain = re.findall(r"[A-Za-z]{2,}", sentence)
    if found is None or _NO_ANSWER.match(found) or ("\\" not in found and len(plain) > _MANY_WORDS):
        return NOTHING if found is None or not re.search(r"\d", found) else Said(found, firm=False)
    is_name = "\\" in found or found[:1].isupper()
    return Said(found, firm=is_name or (is_label and len(plain) <= _SHORT_WORDS))


def _is_stated(tail: str) -> bool:
    """Is the last number of a text said to be the value of something?"""
    found = list(re.finditer(r"\d[\d.,/]*", tail))
    return bool(found) and _STATED.search(re.sub(r"[$\\(*_ -]*$", " ", tail[: found[-1].start()])) is not None


def _first_run(form: str, pieces: list[re.Match[str]]) -> str:
    """The first expression, and what is joined to it by a comma, "and" or "or"."""
    run = [_content(pieces[0])]
    for before, after in pairwise(pieces):
        if not _JOINED.fullmatch(form[before.end() : after.start()]):
            break
        run.append(_content(after))
    return to_latex(",".join(run))


def _content(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _clean(text: str) -> str | None:
    said = text.strip().strip("*`").strip()
    said = re.sub(r"(?<=\S)[.,;:]+$", "", said).strip()
    return said if re.search(r"[A-Za-z0-9]", said) else None
