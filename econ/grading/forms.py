"""Where an answer stands in a text: the explicit final forms, of which the last readable one counts.

The forms are ``#### X``, ``\\boxed{X}``, ``<answer>X</answer>``, "the (final) answer is X" and "Answer: X".
What only repeats this project's own instruction is none, nor is a numbered heading, nor what follows the
answer as a next question of the model's own making."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![A-Za-z])\s*")
# Not a form: "so our answer is correct", "we check our answer: ...".
_EDGE = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"  # of a word; Markdown's underscores are none of it
_LINE_START = r"^[ \t*_#>•-]{0,10}"
_LED = rf"(?:{_EDGE[0]}(?:the|final|correct|my|so|thus|hence)[ \t,*_]{{1,6}}|{_LINE_START})"
_NAMED = (
    r"(?:(?:final|correct|numerical|numeric|overall|short|required|desired|requested|resulting|exact|right"
    r"|complete|total|simplified|expected)[ \t*_]{1,6}){0,2}(?:answer|ans(?=[ \t*_]*[:.]))"
)
_ASIDE = r"(?:[ \t]*\([^()\n]{1,40}\)|[ \t]+(?:to|for|in|of)[ \t][\w' -]{1,40}?)?"
_SEPARATOR = r"(?::|=(?![=>]|[^.!\n]{0,40}\?)|[=-]>|→|⇒)"
_FAULTS = r"(?:not|correct|right|wrong|incorrect|verified|confirmed|checked)\b(?!\s*:)"
_QUALIFIED = (
    r"(?:,?[ \t]+(?:to|for|in|of|we|you|that|which|therefore|thus|then|hence|here|rounded|as"
    r"|expressed|after)\b[^.\n:=?!]{0,60}?,?)?"
)
_VERB = (
    r"(?:is|was|equals|becomes|(?:would|should|must|will|can|has to)[ \t]+(?:only[ \t]+)?be"
    r"|comes[ \t]+(?:out[ \t]+)?to(?:[ \t]+be)?|turns[ \t]+out[ \t]+to[ \t]+be)"
)
_PHRASE = re.compile(
    rf"(?P<label>(?:{_LED}{_NAMED}|{_EDGE[0]}(?-i:A)nswer){_EDGE[1]}{_ASIDE}[ \t*_\"']*{_SEPARATOR}[ \t*_]*"
    rf"|{_LINE_START}(?:the[ \t]+)?{_NAMED}[ \t*_]*(?:[ \t]-|[ \t]?[–—])[ \t*_]+"
    rf"|{_LINE_START}(?:the[ \t]+)?(?:final[ \t]+)?answer[ \t*_:]*\n)"
    rf"|{_LED}{_NAMED}{_EDGE[1]}[ \t*_\"']*{_QUALIFIED}[ \t*_\"']*{_EDGE[0]}{_VERB}{_EDGE[1]}"
    rf"(?!\s+{_FAULTS})[ \t*_]*(?:equal[ \t]+to\b[ \t]*)?:?",
    re.IGNORECASE | re.MULTILINE,
)
_HASHES = re.compile(r"(?<!#)####(?!#)")
_TAGGED = re.compile(r"<answer>(.{0,4000}?)(?:</answer>|\Z)", re.IGNORECASE | re.DOTALL)
_MARKUP = " \t\r\n*_:"
_UNDERLINE = re.compile(r"\A[-=]{3,}[ \t]*\n\s*")  # of a heading
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"))
_HEADING = re.compile(
    r"[*_]*\(?(?:\d{1,2}(?:\.\d{1,2})?[.):]\)?:?|\d{1,2}\s*[–-]|\d{1,2}\.\d{1,2}(?=[ *_]+[A-Z])"
    r"|[IVX]{1,4}[.):])[ *_]+(?P<words>[A-Za-z].*)"
)
_NUMBERED = re.compile(r"^(#{1,6}[ \t*_]*)\(?\d[\d.]*(?=[.):–-]?\)?[ *_:–-]+([A-Za-z].*))", re.MULTILINE)
_BETWEEN = re.compile(
    r"\}?[\s$.]*(?:,|;|\band\b|,\s*and\b|&|\\text\s*\{\s*,?\s*and\s*\})(?:[\s$]|\\q?quad"
    r"|\\[,; ])*(?:[A-Za-z]\w?\s*=\s*)?"
)
_VERDICT_LINE = re.compile(r"(?:yes|no|true|false)\W*", re.IGNORECASE)

_MOST_FORMS = 300  # a text with more of them repeats itself
_LONGEST_LINE = 4000  # characters; no line of the instruction is longer
_QUOTE = r"[\"'`*_]{0,4}"
_QUOTED = r"[\"'`*]{1,4}[^\"'\n]{1,40}[\"'`*]{1,4}"
_SHOWN = rf"{_QUOTE}(?:the[ ]+)?(?:final[ ]+)?answer[ ]*(?::|is)[ ]*{_QUOTE}"
_HOLDER = (
    r"(?:\\boxed\{[^{}\n]{0,20}\}|[\[<{(]?[XN](?![A-Za-z0-9])[\]>})]?|\.\.\.|…|___+"
    r"|[\[<{(][A-Za-z _-]{1,30}[\]>})])"
)
# What the prompts of this project ask for, said again.
_ECHO = re.compile(
    rf"(?:(?:end|finish|conclude|close)\w*[ ]with[ ](?:(?:the|a|one)[ ])?(?:final[ ]"
    rf"|single[ ])?line:?[ ]*)?"
    rf"(?:{_SHOWN}yes\.?{_QUOTE}[ ]*(?:,|or|and|/)[ ]*(?:(?:or|and)[ ])?{_SHOWN}no\.?{_QUOTE}"
    rf"|{_SHOWN}no\.?{_QUOTE}[ ]*(?:,|or|and|/)[ ]*(?:(?:or|and)[ ])?{_SHOWN}yes\.?{_QUOTE}"
    rf"|{_SHOWN}{_HOLDER}\.?[\"'`*_]{{0,4}},?[ ]*(?:(?:X|N|which|it|where[ ](?:X|N))[ ](?:being|is"
    rf"|are)[ ][^\n.]{{0,80}}\.?)"
    rf"|(?:end|finish|conclude|close)\w*[ ]with[ ](?:(?:the|a|one)[ ])?(?:final[ ]"
    rf"|single[ ])?(?:line:?[ ]*)?{_QUOTED}(?:[ ]*(?:,|or|and|/)[ ]*{_QUOTED}){{0,2}})\.?"
    r"|use[ ]at[ ]most[ ]\d+[ ]words\.?",
    re.IGNORECASE,
)
_NEXT_QUESTION = re.compile(
    r"^[ \t*#]*(?:(?:new[ \t]+|next[ \t]+|another[ \t]+)?(?:question|problem"
    r"|exercise)[ \t]*\d{0,3}[ \t]*[*]*:|Q\d{0,3}[:.]|(?:human|user|instruction)[*]*:)",
    re.IGNORECASE | re.MULTILINE,
)


class Form(NamedTuple):
    """Where a form begins, what stands in it, and whether it labels an answer ("Answer:", a box) or is a
    sentence ("the answer is clear from step 2")."""

    start: int
    content: str
    is_label: bool = True
    is_box: bool = False
    is_cut: bool = False


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
    return next((form.content for form in forms(text)), None)


def forms(text: str) -> Iterator[Form]:
    """The explicit final forms, from the last to the first."""
    boxes = _boxes(text)
    starts = [box.start for box in boxes]
    ends = [*accumulate((len(text) if box.end is None else box.end for box in boxes), max)]

    def boxed(at: int) -> bool:
        before = bisect_left(starts, at)
        return before > 0 and ends[before - 1] > at

    places: list[tuple[int, Callable[[], Form | None]]] = [
        *((run[0].start, partial(_boxed, text, run)) for run in _joined(text, boxes)),
        *((m.start(), partial(_after, text, m)) for m in _phrases(text) if not boxed(m.start())),
        *((m.start(), partial(_result, text, m)) for m in _HASHES.finditer(text)),
        *((m.start(), partial(_tagged, m)) for m in _TAGGED.finditer(text)),
    ]
    for _, read in sorted(places, key=itemgetter(0), reverse=True)[:_MOST_FORMS]:
        if (form := read()) is not None:
            yield form._replace(content=form.content.strip())


def own_words(text: str) -> str:
    """A text without what it repeats of the instruction, and without a next question after its answer."""
    lines = [_ECHO.sub(" ", line) if _may_echo(line.lower()) else line for line in text.split("\n")]
    text = "\n".join(lines)
    text = _NUMBERED.sub(lambda heading: "### " if _is_numbered_heading(heading) else heading[0], text)
    if not _NEXT_QUESTION.search(text):
        return text
    first = min((form.start for form in forms(text)), default=len(text))
    asked = _NEXT_QUESTION.search(text, first)
    return text[: asked.start()] if asked else text


def _may_echo(line: str) -> bool:
    is_told = "answer" in line or "use at most" in line or ("boxed" in line and " with " in line)
    return is_told and len(line) < _LONGEST_LINE


def _phrases(text: str) -> Iterator[re.Match[str]]:
    """The phrases, looked for in the lines that can have one."""
    at = 0
    for line in text.split("\n"):
        end = at + len(line) + 1
        if "ans" in line.lower():
            yield from _PHRASE.finditer(text, at, end)
        at = end


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


def _joined(text: str, boxes: list[_Box]) -> Iterator[list[_Box]]:
    """Boxes that make one answer: a root in each, with a comma or "and" between them."""
    run: list[_Box] = []
    for box in boxes:
        if run and (run[-1].end is None or not _BETWEEN.fullmatch(text, run[-1].end, box.start)):
            yield run
            run = []
        run.append(box)
    if run:
        yield run


def _boxed(text: str, run: list[_Box]) -> Form:
    """A box that is never closed holds nothing and hides what was said before it: the model was cut."""
    contents = dict.fromkeys(filter(None, (_inside(text, box) for box in run)))
    is_cut = run[-1].end is None
    return Form(run[0].start, "" if is_cut else ", ".join(contents), is_box=True, is_cut=is_cut)


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


def _after(text: str, phrase: re.Match[str]) -> Form | None:
    """The value after a phrase: the rest of its line, or of the next one; display maths whole. None: a box,
    which is a form of its own."""
    rest = _UNDERLINE.sub("", text[phrase.end() : phrase.end() + _LONGEST_LINE].lstrip(_MARKUP))
    if _BOX.match(rest):
        return None
    is_label = phrase["label"] is not None
    for opening, closing in _DELIMITERS:
        end = rest.find(closing, len(opening))
        if rest.startswith(opening) and end > 0:
            return Form(phrase.start(), rest[len(opening) : end], is_label)
    return Form(phrase.start(), _line(rest), is_label)


def _line(text: str) -> str:
    return text.split("\n", 1)[0].strip(_MARKUP)


def _tagged(match: re.Match[str]) -> Form | None:
    """What ``<answer>`` holds; None: it holds a form of its own, which is read there."""
    content = match[1].strip()
    return None if _BOX.search(content) or _PHRASE.search(content) else Form(match.start(), content)


def _result(text: str, hashes: re.Match[str]) -> Form | None:
    """What follows ``####`` on its line. None: a Markdown heading, ``#### Step 2`` or ``#### 2. Money``."""
    line, _, below = text[hashes.end() : hashes.end() + _LONGEST_LINE].partition("\n")
    words = line.strip(_MARKUP)
    if below.strip() and re.match(r"[A-Za-z]", words) and not _VERDICT_LINE.fullmatch(words):
        return None
    return None if _is_numbered(words, below) else Form(hashes.start(), words)


def _is_numbered_heading(line: re.Match[str]) -> bool:
    words, _, below = line.string[line.end(1) : line.end(1) + _LONGEST_LINE].partition("\n")
    return _is_numbered(words.strip(_MARKUP), below)


def _is_numbered(words: str, below: str) -> bool:
    heading = _HEADING.fullmatch(words)
    return heading is not None and bool(below.strip() or _is_title(heading["words"]))


def _is_title(words: str) -> bool:
    """A few words without the full stop of a sentence."""
    return len(words.split()) <= 6 and not words.rstrip("*_ ").endswith(".")
