"""Yes and no as answers."""

from __future__ import annotations

import re

from econ.grading.said import NOTHING, UNCLEAR, Said
from econ.grading.symbols import is_mark
from econ.grading.text import first_sentence

_VERDICT = r"(?P<said>yes|no|true|false)\b"
_MARKS = re.compile(
    r"(?:[\s\"'*_`~({\[\]})$>=.,:;!|-]|\\(?:text\w*|math\w+|mbox)(?![A-Za-z])|\\[,;! ()\[\]]"
    r"|(?<!\w)[A-Da-d1-4][).:])*"
)
# What may stand before a verdict without changing it; "no doubt" and "no question" are no verdicts.
_LED = re.compile(
    r"(?:no\s+(?:doubt|question)(?:\s+about\s+it)?|(?!unlikely)[a-z]{2,}ly|most|very|quite|more"
    r"|almost|indeed|just|then|so|thus"
    r"|hence|therefore|still|also|in\s+(?:fact|short|conclusion|summary|general)|of\s+course"
    r"|for\s+sure|perhaps|maybe|overall"
    r"|without\s+(?:a\s+|any\s+)?(?:shadow\s+of\s+a\s+)?doubt|beyond\s+(?:a\s+|any\s+)?doubt|i(?:'d"
    r"|\s+would)?\s+(?:think|believe|say|guess|conclude)"
    r"|(?:i'm|i\s+am)\s+(?:sure|confident)|we\s+(?:can\s+)?(?:say|conclude)|it\s+is|it's|that's"
    r"|this\s+is|(?:to|would|must|should)\s+be"
    r"|that|it|be|is|a|an|the|my|answer|statement|claim|verdict|conclusion|final|resounding|definite"
    r"|clear|firm|strong|big|emphatic"
    r"|tentative|qualified|solid|hard|short|simple|straightforward|(?:based\s+on|given)\s+(?:this"
    r"|that|these))\b",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"{_VERDICT}(?!\s*(?:or\b|[/|])|[\"']\s*\|)(?!\s+(?:clear|definit\w+|single|simple|real|idea|consensus|answer"
    rf"|one|longer|way\s+to)\b)"
    r"|(?P<not>not)(?=\s*(?:[.,!;)}\"*]|$))",
    re.IGNORECASE,
)
# A sentence that ends in a verdict, whatever leads to it: "in my opinion, yes."
_ENDS = re.compile(rf"(?:[^\s]+\s+){{1,12}}?[\"'*_`({{\[]*{_VERDICT}[\"'*_`)}}\].!\s]*", re.IGNORECASE)
_OPEN = re.compile(
    r"\b(?:not|never|nor|neither|unlikely|hardly|whether|if|unless|or|cannot|say|means?|word|between|both|either)\b"
    r"|n't\b|[/|?]",
    re.IGNORECASE,
)
# Both verdicts in one sentence, joined to each other or each with its case.
_OTHER = (
    r"(?=[\"'*_`)}]*\s*(?:[.,;:!?)]|$|(?:if|when|in|for|otherwise|depending|at\s+the\s+same|to\s+some)\b))"
)
_SOMEWHAT = (
    r"(?:(?:also|then|partly|partially|sometimes|maybe|perhaps|possibly|in\s+(?:a"
    r"|some)\s+ways?)[\s,]+){0,2}"
)
_CASE = (
    r"\s+(?:if|when|in|for|under|depending|on|from|to)\b[^.\n]{0,80}?(?:[,;]|\b(?:and|but"
    r"|or)\b)\s*(?:(?:and|but|or)\s+)?"
)
_TO = (
    rf"(?:[\s\"'*_`,.;]*(?:and|or|/|\\|but|nor|&|as\s+well\s+as)[\s\"'*_`,]*{_SOMEWHAT}"
    rf"|[\"'*_`]*[,;]\s*{_SOMEWHAT}|{_CASE})"
)
_HEDGED = re.compile(
    rf"\b(?:yes|true){_TO}(?:no|false)\b{_OTHER}|\b(?:no|false){_TO}(?:yes|true)\b{_OTHER}"
    rf"|^\W*(?:either|neither|both)\b",
    re.IGNORECASE,
)
# Clear: the word stands alone before a stop, at the start of a clause or after "so", "is" and their like.
_CLEAR = re.compile(
    rf"(?:(?:^|[.!?\n:;,>]|\b(?:so|thus|therefore|hence|is"
    rf"|be)\b,?)[\s\"'*_`({{$\[]{{0,20}}(?:[A-D][).:]\s*)?"
    r"(?:(?:no\s+doubt|(?!unlikely)[a-z]{2,20}ly|most|very|quite|almost|of\s+course|in\s+fact|it\s+is"
    r"|a|an)\b,?\s+){0,3})"
    rf"{_VERDICT}(?=[\"'*_`)}}$\]]*\s*(?:[.,;:!?\n<—–-]|$))",
    re.IGNORECASE,
)


def said(form: str) -> Said:
    """The verdict that an explicit form opens with; both verdicts in one sentence are unclear."""
    form = _without_marks(form)
    if _HEDGED.search(first_sentence(form)):
        return UNCLEAR
    match = _opening(form)
    if match is None:
        return _ending(first_sentence(form))
    return Said("no" if match["not"] else _normal(match["said"]))


def find(form: str) -> str | None:
    """The verdict that an explicit form opens with."""
    return said(form).answer


def find_last(text: str) -> str | None:
    """The last clear yes, no, true or false; "there is no proof" is none."""
    found = [match["said"] for match in _CLEAR.finditer(_without_marks(text))]
    return _normal(found[-1]) if found else None


def gold_form(answer: object) -> str | None:
    """A data set's answer (bool, yes/no, true/false) as ``yes`` or ``no``."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    said = str(answer).strip().lower()
    return _normal(said) if said in {"yes", "no", "true", "false"} else None


def _opening(form: str) -> re.Match[str] | None:
    """The verdict after at most eight words or phrases that leave it as it is."""
    at = 0
    for _ in range(9):
        if marks := _MARKS.match(form, at):
            at = marks.end()
        led = _LED.match(form, at)
        if led is None:
            return _SAID.match(form, at)
        at = led.end()
    return None


def _ending(sentence: str) -> Said:
    """The one verdict of a short sentence, where it ends with that and nothing turns it round."""
    match = _ENDS.fullmatch(sentence)
    if match is None or len(re.findall(r"\b(?:yes|no|true|false)\b", sentence, re.IGNORECASE)) > 1:
        return NOTHING
    verdict, turned = _normal(match["said"]), _OPEN.search(sentence)
    denied = turned is not None and turned[0].lower() == "not" and verdict == "no"
    if (turned and not denied) or sentence[: match.start("said")].rstrip().endswith("not"):
        return NOTHING
    return Said(verdict, firm=False)


def _without_marks(text: str) -> str:
    """Emoji, arrows and ticks out of the way of the words."""
    return text if text.isascii() else "".join(" " if sign > "~" and is_mark(sign) else sign for sign in text)


def _normal(said: str) -> str:
    return "yes" if said.lower() in {"yes", "true"} else "no"
