r"""Backslashes in JSON strings as models write them: LaTeX with one backslash is no escape of JSON.

In ``"\frac{1}{2}"`` JSON reads a form feed, in ``"\sqrt{2}"`` nothing at all. Both are meant as LaTeX.
"""

from __future__ import annotations

import re

# LaTeX commands that begin like JSON's escapes for a new line, a carriage return and a tab. Those for a form
# feed and a backspace are never meant where a letter follows.
_COMMANDS = (
    "nabla|natural|ncong|nearrow|neg?|neq|newline|nexists|ngeq|ngtr|ni|nleq|nless|nmid|nolimits|nonumber|not"
    "|notin|nparallel|nrightarrow|nsim|nsubseteq|nu|nwarrow"
    "|raisebox|rangle|rbrace|rbrack|rceil|real|restriction|rfloor|rho|right|rightarrow|rightharpoonup"
    "|rightharpoondown|rightleftharpoons|rm|root|rtimes|rule|rVert|rvert"
    "|tag|tan|tanh|tau|tbinom|text[a-z]*|tfrac|therefore|theta|thickspace|thinspace|tilde|times|to|top"
    "|triangle[a-z]*|tiny"
)
_TEX = rf"[bf](?=[A-Za-z])|(?:{_COMMANDS})(?![A-Za-z])|u(?![0-9a-fA-F]{{4}})|[^\"'`/\\bfnrtu\n]"
_ESCAPE = re.compile(
    rf"\\(?:(?P<tex>{_TEX})|(?P<pair>\\)|u(?P<code>[0-9a-fA-F]{{4}})|(?P<plain>[\s\S]))", re.ASCII
)
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_DOUBLED = re.compile(r"\\{2,}(?=[A-Za-z]{2})")
_ENVIRONMENT = re.compile(r"(?<!\\)\\begin\b")


def has_latex(text: str) -> bool:
    """Does a backslash stand in JSON text that is meant as LaTeX's?"""
    return "\\" in text and any(match["tex"] for match in _ESCAPE.finditer(text))


def unescape(body: str) -> str:
    """What stands between the quotes of a JSON string, escapes undone and LaTeX left whole.

    One LaTeX command with a single backslash says that the whole string is written so; its double ones are
    then line breaks. Twice escaped commands are mended too.
    """
    if "\\" not in body:
        return body
    latex = has_latex(body)

    def undone(match: re.Match[str]) -> str:
        if match["tex"]:
            return match[0]
        if match["pair"]:
            return "\\\\" if latex else "\\"
        if match["code"]:
            return chr(int(match["code"], 16))
        return _PLAIN.get(match["plain"], match["plain"])

    text = _ESCAPE.sub(undone, body)
    # Halves of a surrogate pair find each other; one that is alone is no character.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text if _ENVIRONMENT.search(text) else _DOUBLED.sub(r"\\", text)
