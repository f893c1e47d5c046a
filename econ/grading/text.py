"""Where an answer stands in a text: the explicit final forms, of which the last one counts.

The forms are ``#### X``, ``\\boxed{X}``, "the (final) answer is X" and "Answer: X".
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
# Not a form: "so our answer is correct", "we check our answer: ...".
_EDGE = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"  # of a word; Markdown's underscores are none of it
_LED = rf"(?:{_EDGE[0]}(?:the|final|correct|my)\s+|^[ \t*_#>-]{{0,10}})"
_PHRASE = re.compile(
    rf"(?:{_LED}answer|{_EDGE[0]}(?-i:A)nswer){_EDGE[1]}[ \t*_\"']*:[ \t*_]*"
    rf"|{_LED}answer{_EDGE[1]}[ \t*_\"']*{_EDGE[0]}is{_EDGE[1]}"
    r"(?!\s+(?:not|correct|right|wrong)\b)[ \t*_]*:?",
    re.IGNORECASE | re.MULTILINE,
)
_HASHES = re.compile(r"(?<!#)####(?!#)")
_MARKUP = " \t\r\n*_:"
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"))


class _Box(NamedTuple):
    """Where a box begins, and where its content does and ends; ``end`` None: it is never closed."""

    start: int
    inside: int
    end: int | None


def last_boxed(text: str) -> str | None:
    r"""Content of the last ``\boxed`` or ``\fbox``; None: there is none, or it is not closed."""
    boxes = _boxes(text)
    return _inside(text, boxes[-1]) if boxes and boxes[-1].end is not None else None


def final_form(text: str) -> str | None:
    """What stands in the last explicit final form; None: there is no form; empty: the form holds nothing."""
    return next((content for _, content in forms(text)), None)


def forms(text: str) -> Iterator[tuple[int, str]]:
    """The explicit final forms, from the last to the first: where each begins, and what stands in it."""
    boxes = _boxes(text)
    starts = [box.start for box in boxes]
    ends = [*accumulate((len(text) if box.end is None else box.end for box in boxes), max)]

    def boxed(at: int) -> bool:
        before = bisect_left(starts, at)
        return before > 0 and ends[before - 1] > at

    places: list[tuple[int, Callable[[], str | None]]] = [
        *((box.start, partial(_inside, text, box)) for box in boxes),
        *(
            (m.start(), partial(_after, text, m.end()))
            for m in _PHRASE.finditer(text)
            if not boxed(m.start())
        ),
        *((m.start(), partial(_result, text, m.end())) for m in _HASHES.finditer(text)),
    ]
    for start, read in sorted(places, key=itemgetter(0), reverse=True):
        if (content := read()) is not None:
            yield start, content.strip()


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence, or the end of the line."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n", text.strip(), maxsplit=1)[0]


def _boxes(text: str) -> list[_Box]:
    """Every box. ``\\boxed 5`` takes the next token."""
    matches = list(_BOX.finditer(text))
    closings = _closings(text) if matches else {}
    boxes = []
    for match in matches:
        at = match.end()
        if text[at : at + 1] == "{":
            boxes.append(_Box(match.start(), at + 1, closings.get(at)))
        else:
            token = re.match(r"\S*", text[at : at + 100])
            boxes.append(_Box(match.start(), at, at + len(token.group().rstrip("$.,")) if token else at))
    return boxes


def _inside(text: str, box: _Box) -> str:
    return "" if box.end is None else text[box.inside : box.end].strip()


def _closings(text: str) -> dict[int, int]:
    """Where each opening brace is closed; ``\\{`` and ``\\}`` are no braces."""
    closings: dict[int, int] = {}
    open_braces: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if match.group() == "{":
            open_braces.append(match.start())
        elif match.group() == "}" and open_braces:
            closings[open_braces.pop()] = match.start()
    return closings


def _after(text: str, at: int) -> str:
    """The value after a phrase: the rest of its line, or of the next one; display maths whole."""
    rest = text[at:].lstrip(_MARKUP)
    for opening, closing in _DELIMITERS:
        end = rest.find(closing, len(opening))
        if rest.startswith(opening) and end > 0:
            return rest[len(opening) : end]
    return _line(rest, 0)


def _line(text: str, at: int) -> str:
    return text[at:].split("\n", 1)[0].strip(_MARKUP)


def _result(text: str, at: int) -> str | None:
    """What follows ``####`` on its line. None: ``#### Step 2`` above further text is a Markdown heading."""
    line, _, below = text[at:].partition("\n")
    words = line.strip(_MARKUP)
    is_heading = bool(below.strip()) and re.match(r"[A-Za-z]", words) and not _is_verdict(words)
    return None if is_heading else words


def _is_verdict(words: str) -> bool:
    return re.fullmatch(r"(?i)(yes|no|true|false)\W*", words) is not None
