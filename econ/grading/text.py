"""Where an answer stands in a text: the explicit final forms, of which the last one counts.

The forms are ``#### X``, ``\\boxed{X}``, "the (final) answer is X" and "Answer: X".
"""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_PHRASE = re.compile(r"\banswer\b[ \t*_\"']*(?::|\bis\b(?!\s+not\b))[ \t*_]*:?", re.IGNORECASE)
_HASHES = re.compile(r"(?<!#)####(?!#)")
_MARKUP = " \t\r\n*_:"
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"))


def last_boxed(text: str) -> str | None:
    r"""Content of the last ``\boxed`` or ``\fbox``; None: there is none, or it is not closed."""
    boxes = list(_BOX.finditer(text))
    return _box_content(text, boxes[-1])[0] if boxes else None


def final_form(text: str) -> str | None:
    """What stands in the last explicit final form; None: there is no form; empty: the form holds nothing."""
    boxes = [(match.start(), *_box_content(text, match)) for match in _BOX.finditer(text)]
    found = [(start, content or "") for start, content, _ in boxes]
    inside = [(start, end) for start, _, end in boxes]
    for match in _PHRASE.finditer(text):
        if not any(start < match.start() < end for start, end in inside):
            found.append((match.start(), _after(text, match.end())))
    found += [
        (match.start(), _line(text, match.end()))
        for match in _HASHES.finditer(text)
        if not _is_heading(text, match.end())
    ]
    return max(found)[1].strip() if found else None


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence, or the end of the line."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n", text.strip(), maxsplit=1)[0]


def _box_content(text: str, match: re.Match[str]) -> tuple[str | None, int]:
    """Content of a box and where it ends. ``\\boxed 5`` takes the next token."""
    start = match.end()
    if text[start : start + 1] != "{":
        token = re.match(r"\S+", text[start:])
        return (token.group().rstrip("$.,") if token else None), start + (token.end() if token else 0)
    depth = 0
    for at in range(start, len(text)):
        escaped = text[at - 1] == "\\" and text[at - 2 : at] != "\\\\"
        if text[at] in "{}" and not escaped:
            depth += 1 if text[at] == "{" else -1
            if depth == 0:
                return text[start + 1 : at].strip(), at
    return None, len(text)


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


def _is_heading(text: str, at: int) -> bool:
    """``#### Step 2`` above further text is a Markdown heading, no answer."""
    line, _, below = text[at:].partition("\n")
    words = line.strip(_MARKUP)
    return bool(below.strip()) and bool(re.match(r"[A-Za-z]", words)) and not _is_verdict(words)


def _is_verdict(words: str) -> bool:
    return re.fullmatch(r"(?i)(yes|no|true|false)\W*", words) is not None
