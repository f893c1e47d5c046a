"""Yes and no as answers."""

from __future__ import annotations

import re

_VERDICT = r"(?P<said>yes|no|true|false)"
_EDGE = r"[\s\"'*_`({$]{0,20}"
_LEADING = re.compile(
    rf"{_EDGE}(?:\\text\s*\{{\s*)?(?:it\s+is\s+)?{_VERDICT}\b(?!\s*(?:or\b|/))", re.IGNORECASE
)
# Clear: the word stands alone before a stop, at the start of a clause or after "so", "is" and their like.
_CLEAR = re.compile(
    rf"(?:(?:^|[.!?\n:;,>]|\b(?:so|thus|therefore|hence|is|be)\b,?){_EDGE}){_VERDICT}"
    r"(?=[\"'*_`)}$]*\s*(?:[.,;:!?\n<—–-]|$))",
    re.IGNORECASE,
)


def find(text: str) -> str | None:
    """The verdict that an explicit form opens with."""
    match = _LEADING.match(text)
    return _normal(match["said"]) if match else None


def find_last(text: str) -> str | None:
    """The last clear yes, no, true or false; "there is no proof" is none."""
    said = [match["said"] for match in _CLEAR.finditer(text)]
    return _normal(said[-1]) if said else None


def gold_form(answer: object) -> str | None:
    """A data set's answer (bool, yes/no, true/false) as ``yes`` or ``no``."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    said = str(answer).strip().lower()
    return _normal(said) if said in {"yes", "no", "true", "false"} else None


def _normal(said: str) -> str:
    return "yes" if said.lower() in {"yes", "true"} else "no"
