"""JSON objects in what models say: loose ones, after other braces, cut at the end.

``json-repair`` was tried first: it reads ``3*4`` as 3, and 40 kB of ``{'`` keep it busy for a minute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from econ.grading.escapes import has_latex, unescape
from econ.records import Json

MOST = 200_000  # characters of a text that are looked at, from its end
DEEPEST = 40
_EFFORT = (
    20  # characters read per character of the text, at most: objects that fail are read again from inside
)

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
_WORD = r"[A-Za-z_][\w -]{0,60}"
# A brace of JSON: a key behind it, and no LaTeX before it.
_START = re.compile(rf"\{{(?=\s*+[\"'“‘`])|(?<![A-Za-z\\^_}}])\{{(?=\s*+{_WORD}:)")
_SKIP = re.compile(r"(?:\s++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+")
_INSIDE = {mark: re.compile(rf"\\[\s\S]|{mark}") for mark in set(_QUOTES.values())}
_KEY = re.compile(rf"([\"'“‘`])(?P<quoted>[^\"'”’`{{}}\n]{{1,80}})[\"'”’`]|(?P<bare>{_WORD})(?=\s*[:=])")
_CUT_KEY = re.compile(r"[\"'“‘`]?[\w -]{0,80}$")
_COLON = re.compile(r"\s*(?::=?|=>?|：)")
_NEXT_KEY = r"(?:[\"'“‘`]|[A-Za-z_][\w -]{0,60}[:=])"
# Where a string of an object and of a list ends: at a quote that is followed so.
_END = r"[}\]]|//|$"
_AFTER = {
    "}": re.compile(rf"\s*+(?:{_END}|[,;]\s*+(?:{_END}|{_NEXT_KEY})|[\"'“‘`]{_WORD}[\"'”’`]\s*+:)"),
    "]": re.compile(rf"\s*+(?:{_END}|,)"),
}
_SEPARATOR = {"}": re.compile(rf"[,;]\s*+(?:{_END}|{_NEXT_KEY})"), "]": re.compile(",")}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_NAMES: dict[str, Any] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip


class Unreadable(Exception):
    """No object begins here."""


class Found(NamedTuple):
    """An object and where it stands; ``whole``: it is closed, else the text ended within it."""

    value: Json
    start: int
    end: int
    whole: bool


def find(text: str, key: str | None = None) -> Json | None:
    """The last complete object with ``key`` (None: with any); else one that is cut, read as far as it goes.

    Keys come back in small letters with underscores. A value that is cut is left out, never guessed; one that
    is no JSON (``1/2``, ``3*4``) is the text that stands there, never a part of it. Numbers are exact: int or
    Decimal.
    """
    found = list(_with_key(text, key))
    return next((one.value for one in reversed(found) if one.whole), found[-1].value if found else None)


def outside(text: str) -> str | None:
    """What stands outside of objects in a text; None: there is no attempt at one."""
    start = _START.search(text)
    if start is None:
        return None
    _, _, after = text[start.end() :].rpartition("}")
    return f"{text[: start.start()]}\n{after}" if "}" in text[start.end() :] else text[: start.start()]


def _with_key(text: str, key: str | None) -> Iterator[Found]:
    for one in objects(text):
        for value in _within(one.value):
            run_on = (key or "").replace("_", "")
            if run_on in value and key not in value:  # "finalanswer"
                value[key or ""] = value.pop(run_on)
            if key is None or key in value:
                yield one._replace(value=value)
                break


def _within(value: Any) -> Iterator[Json]:
    """An object and those in it, outermost first."""
    if isinstance(value, dict):
        yield {_name(key): part for key, part in value.items()}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _within(part)


def _name(key: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip(" \t\n:："))
    return re.sub(r"[\s-]+", "_", words).lower()


def objects(text: str) -> Iterator[Found]:
    """The outermost objects, in order."""
    strict = _strict(text)
    if strict is not None:
        yield Found(strict, 0, len(text), whole=True)
        return
    text = text[-MOST:]
    reader = _Reader(text)
    at = 0
    while (start := _START.search(text, at)) is not None:
        at = start.end()
        try:
            reader.cut = False
            value, at = reader.object(start.start(), 0)
        except Unreadable:
            continue
        yield Found(value, start.start(), at, not reader.cut)


def _strict(text: str) -> Json | None:
    """The object, where the whole text is one as JSON has it."""
    if has_latex(text) or "\\ud" in text or "\\uD" in text:  # halves of surrogate pairs may be alone
        return None
    try:
        value = json.loads(text, strict=False, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "\\\\\\\\" not in text else None


class _Reader:
    """Reads values from places in one text; ``cut`` says that the text ended within the last one."""

    def __init__(self, text: str) -> None:
        self.text, self.cut = text, False
        self.effort = _EFFORT * len(text) + 1000

    def object(self, at: int, depth: int) -> tuple[Json, int]:
        """The object whose brace stands at ``at``, and where it ends."""
        self._deeper(depth)
        value: Json = {}
        at = self._skip(at + 1)
        while not self._closes(at, "}"):
            key, at = self._key(at)
            if self.cut:
                break
            part, at = self._value(at, depth, "}")
            if part is not _CUT:
                value[key] = part
            at = self._skip(at, ",;")
        return value, min(at + 1, len(self.text))

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        self._deeper(depth)
        value: list[Any] = []
        at = self._skip(at + 1)
        while not self._closes(at, "]"):
            part, at = self._value(at, depth, "]")
            if part is not _CUT:
                value.append(part)
            at = self._skip(at, ",")
        return value, min(at + 1, len(self.text))

    def _closes(self, at: int, mark: str) -> bool:
        self.cut = self.cut or at >= len(self.text)
        return self.cut or self.text[at] == mark

    def _deeper(self, depth: int) -> None:
        self._spend(50)
        if depth > DEEPEST:
            raise Unreadable

    def _skip(self, at: int, separators: str = "") -> int:
        """Past blanks, comments and one separator."""
        at = self._match(_SKIP, at)
        if separators and self.text[at : at + 1] in tuple(separators):
            at = self._match(_SKIP, at + 1)
        return at

    def _match(self, pattern: re.Pattern[str], at: int) -> int:
        match = pattern.match(self.text, at)
        return match.end() if match else at

    def _key(self, at: int) -> tuple[str, int]:
        """A key and where its value begins."""
        key = _KEY.match(self.text, at)
        if key is None and _CUT_KEY.match(self.text, at):
            self.cut = True
            return "", len(self.text)
        if key is None:
            raise Unreadable
        at = key.end()
        colon = _COLON.match(self.text, at)
        if colon is None and at < len(self.text):
            raise Unreadable
        at = self._skip(colon.end() if colon else at)
        self.cut = self.cut or at >= len(self.text)
        return unescape(key["quoted"] or key["bare"]), at

    def _value(self, at: int, depth: int, closing: str) -> tuple[Any, int]:
        mark = self.text[at]
        if mark == "{" and _START.match(self.text, at):
            return self.object(at, depth + 1)
        if mark == "[":
            return self._list(at, depth + 1)
        if mark in _QUOTES:
            return self._string(at, closing)
        return self._bare(at, closing)

    def _string(self, at: int, closing: str) -> tuple[Any, int]:
        """The string that opens at ``at``: to a quote behind which ``closing`` can follow."""
        self._spend(0)
        quote = _QUOTES[self.text[at]]
        after = _AFTER[closing]
        for match in _INSIDE[quote].finditer(self.text, at + 1):
            if match[0] == quote and after.match(self.text, match.end()):
                self._spend(match.end() - at)
                return unescape(self.text[at + 1 : match.start()]), match.end()
        self._spend(len(self.text) - at)
        self.cut = True
        return _CUT, len(self.text)

    def _bare(self, at: int, closing: str) -> tuple[Any, int]:
        """A value without quotes, to the end of its pair: a number, a name, or the text that stands there."""
        depth, start, separator = 0, at, _SEPARATOR[closing]
        while at < len(self.text):
            mark = self.text[at]
            if depth == 0 and (mark in "}]\n" or (mark in ",;" and separator.match(self.text, at))):
                break
            depth += (mark in "{([") - (mark in "})]" and depth > 0)
            at += 1
        self._spend(at - start)
        if at >= len(self.text):
            self.cut = True
            return _CUT, at
        return _named(re.sub(r"\s*//.*", "", self.text[start:at]).strip()), at

    def _spend(self, characters: int) -> None:
        self.effort -= characters + 1
        if self.effort < 0:
            raise Unreadable


_CUT = object()  # in place of a value that the text ends in


def _named(text: str) -> Any:
    if not text:
        raise Unreadable
    if text in _NAMES:
        return _NAMES[text]
    if _NUMBER.fullmatch(text) and len(text) < 300:
        return Decimal(text) if re.search(r"[.eE]", text) else int(text)
    return unescape(text)
