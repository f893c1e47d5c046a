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

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
# Not a form: "so our answer is correct", "we check our answer: ...".
_LED = r"(?:\b(?:the|final|correct|my)\s+|^[ \t*_#>-]{0,10})"
_PHRASE = re.compile(
    rf"(?:{_LED}answer|\b(?-i:A)nswer)\b[ \t*_\"']*:[ \t*_]*"
    rf"|{_LED}answer\b[ \t*_\"']*\bis\b(?!\s+(?:not|correct|right|wrong)\b)[ \t*_]*:?",
    re.IGNORECASE | re.MULTILINE,
)
_HASHES = re.compile(r"(?<!#)####(?!#)")
_MARKUP = " \t\r\n*_:"
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"))


def last_boxed(text: str) -> str | None:
    r"""Content of the last ``\boxed`` or ``\fbox``; None: there is none, or it is not closed."""
    boxes = _boxes(text)
    return boxes[-1][2] if boxes else None


def final_form(text: str) -> str | None:
    """What stands in the last explicit final form; None: there is no form; empty: the form holds nothing."""
    return next((content for _, content in forms(text)), None)


def forms(text: str) -> Iterator[tuple[int, str]]:
    """The explicit final forms, from the last to the first: where each begins, and what stands in it."""
    boxes = _boxes(text)
    starts, ends = [box[0] for box in boxes], [*accumulate((box[1] for box in boxes), max)]

    def boxed(at: int) -> bool:
        before = bisect_left(starts, at)
        return before > 0 and ends[before - 1] > at

    places: list[tuple[int, Callable[[], str | None]]] = [
        *((start, partial(str, content or "")) for start, _, content in boxes),
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


def _boxes(text: str) -> list[tuple[int, int, str | None]]:
    """Start, end and content of every box; content None: never closed. ``\\boxed 5`` takes the next token."""
    matches = list(_BOX.finditer(text))
    closings = _closings(text) if matches else {}
    boxes: list[tuple[int, int, str | None]] = []
    for match in matches:
        start = match.end()
        if text[start : start + 1] == "{":
            end = closings.get(start)
            content = None if end is None else text[start + 1 : end].strip()
            boxes.append((match.start(), len(text) if end is None else end, content))
        else:
            token = re.match(r"\S*", text[start : start + 100])
            content = token.group().rstrip("$.,") if token else ""
            boxes.append((match.start(), start + len(content), content))
    return boxes


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
