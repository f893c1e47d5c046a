"""LaTeX in one way of writing: without sizes, styles, spacings and units, with plain decimals and roots."""

from __future__ import annotations

import re

from econ.grading.symbols import to_latex

_STYLES = (
    "mathbf|boldsymbol|bm|mathit|mathsf|mathtt|mathnormal|mathbb(?=\\s*\\{\\s*\\d)|textbf|textit"
    "|textsf|texttt|emph|underline"
    "|displaystyle|textstyle|ensuremath|hbox|boxed|fbox|mathop|phantom(?!)"
)
_STYLE = re.compile(rf"\\(?:{_STYLES})\s*\{{")
_COLOUR = re.compile(r"\\(?:text)?color\s*\{[^{}]*\}")
_SIZES = re.compile(
    r"\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|textstyle|limits|rm|bf|it|mathstrut"
    r"|strut)(?![A-Za-z])"
)
_UNIT_POWER = re.compile(r"\\(?:text|textnormal|mathrm|mbox|rm)\s*\{[^{}]*\}\s*\^\s*\{?([23])\}?\s*\.?$")
_TEXT = r"\\(?:text|textnormal|textrm|mathrm|mbox|textbf|mathbf|operatorname)\s*\{([^{}]*)\}"
_TRIG = re.compile(
    r"(\\(?:sin|cos|tan|cot|sec|csc)(?:\^\{?-?\d\}?)?)\s*(?:\(\s*"
    r"|\{\s*)?(-?\d+(?:\.\d+)?)\s*(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°)(?:\s*\)|\s*\})?"
)
_REPEATING = re.compile(
    r"(?<![\d.])(\d*)\.(\d*?)(?:\\(?:overline|bar|dot|overset\{\\cdot\})\s*(?:\{(\d+)\}|(\d))"
    r"|\((\d+)\)|(\d)\6{2,}(?:\\[lc]?dots|\.\.\.))"
)
_PLAIN_NAMES = re.compile(
    r"(?<![A-Za-z\\])(sqrt|cbrt|arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|log|ln"
    r"|exp|pi|theta|alpha|beta|gamma|phi"
    r"|lambda|omega|infinity|infty|inf|union)(?![A-Za-z])"
)
_RENAMED = {"infinity": "infty", "inf": "infty", "union": "cup"}
_LONGEST = 1000  # characters; the longest answer in MATH has 159
_HUGE = re.compile(
    r"\^\{?-?\d{5}|\d{5}!|[^\d\s]\s*\^\{?-?\d{4}|\^\{?-?\d+[A-Za-z\\]*\d*!|!!"
)  # the largest in MATH is 2^{4950}
_TOWER = 3  # a power in a power in a power
_DEEPEST = 20  # braces and brackets in each other


def canonical(latex: str, *, is_equation: bool = False) -> str:
    """LaTeX without what carries no meaning: sizes, spacings, units, a leading ``x =``."""
    if len(latex) > 4 * _LONGEST:
        return latex
    text = _unwrapped(to_latex(latex).strip().strip("$").strip())
    text = re.sub(
        r"(?<!\\)\\[!,;: ]|~|\\q?quad(?![A-Za-z])|\\(?:hspace|hskip|phantom)\s*\{[^{}]*\}", " ", text
    ).replace("{,}", ",")
    text = _values(text)
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?|\\degree(?![A-Za-z])|°|\s+degrees?\b", "", text)
    text = re.sub(
        r"(?<=[\d}])\s*\\(?:text|textnormal|textrm|mathrm|mbox)\s*\{\s*(?!or\b|and\b"
        r"|,)[^{}]*\}(?:\s*\^\s*\{?[23]\}?)?\s*\.?\s*$",
        "",
        text,
    )
    text = (
        re.sub(r"\\(?:text|mbox|mathrm)\s*\{\s*,?\s*(?:and|or)\s*\}", ",", text)
        if re.search(r"\d", text)
        else text
    )
    text = re.sub(r",\s*,", ",", text)
    text = re.sub(r"([_^])\{(\w)\}", r"\1\2", text)
    text = re.sub(r"\\\$|(?<!\\)\$", "", text).replace("\\varnothing", "\\emptyset")
    text = text if is_equation else _unnamed(text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text) if _is_grouped(text) else text
    text = re.sub(r"^\s*(?:\\(?:approx|Rightarrow|implies|therefore)(?![A-Za-z])|=)\s*", "", text)
    return (
        re.sub(r"\s+", "" if "\\text" not in text and not is_words(text) else " ", text)
        .strip()
        .rstrip(".,;:")
    )


def _unnamed(text: str) -> str:
    """``x = 5`` and ``2x + 3 = y`` without the name of the value, also several with a comma between them."""
    name = r"[A-Za-z](?:_\{?\w\}?|\([A-Za-z]\))?"
    text = re.sub(rf"^\s*{name}\s*=\s*(?=[^=]+$)", "", text)
    text = re.sub(rf"^(?=[^=]*\d)([^=]+)=\s*{name}\s*$", r"\1", text)
    if several := re.match(rf"\s*({name})\s*=[^=,]+(?:,\s*\1\s*=[^=,]+)+$", text):
        text = re.sub(rf"(^|,)\s*{re.escape(several[1])}\s*=", r"\1", text)
    return text


def sides(text: str) -> list[str]:
    """The sides of a chain of equations, of which about-equal is one."""
    return [side for side in re.split(r"(?<![<>!\\])=(?!=)", text) if side.strip()]


def unit_power(latex: str) -> str | None:
    """2 or 3 where an expression ends in a square or a cubic unit."""
    match = _UNIT_POWER.search(latex)
    return match[1] if match else None


def is_oversized(text: str) -> bool:
    """Longer than any answer, or a number that nobody could write out: not worth its time limit."""
    if len(text) > _LONGEST or text.count("|") > _DEEPEST or _HUGE.search(text):
        return True
    powers, before, chain, depth = [0], "", 0, 0  # how deep in powers each open brace is
    for sign in text:
        depth += (sign in "{([") - (sign in "})]")
        if sign == "{":
            powers.append(powers[-1] + (before == "^"))
        elif sign == "}" and len(powers) > 1:
            powers.pop()
        elif sign == "^":
            chain += 1
            if powers[-1] + chain >= _TOWER:
                return True
        elif not sign.isalnum():
            chain = 0
        if depth > _DEEPEST:
            return True
        before = sign
    return False


def is_words(text: str) -> bool:
    bare = re.sub(_TEXT, r"\1", text)
    if re.fullmatch(r"\(?[A-Za-z][A-Za-z ,.'()-]*", bare) is None:
        return False
    return bare != text or re.search(r"[A-Za-z]{3}", bare) is not None  # "p - q" is none, nor is "xy"


def words(text: str) -> str:
    bare = re.sub(_TEXT, r" \1 ", text)
    return " ".join(re.sub(r"[().,$\\]", " ", bare).split()).casefold()


def _unwrapped(text: str) -> str:
    """Without styles, colours and sizes, and without braces around braces."""
    text = _SIZES.sub("", _COLOUR.sub("", text))
    text = re.sub(r"\\frac\s*(?=\\[dt]?frac)", r"\\frac", re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text))
    while match := _STYLE.search(text):
        end = closing(text, match.end() - 1)
        if end is None:
            break
        inside = text[match.end() : end]
        keep = re.match(r"[A-Za-z ]*$", inside) and match[0].startswith(("\\textbf", "\\textit", "\\emph"))
        text = text[: match.start()] + (f"\\text{{{inside}}}" if keep else inside) + text[end + 1 :]
    while (fewer := re.sub(r"\{\{([^{}]*)\}\}", r"{\1}", text)) != text:
        text = fewer
    text = re.sub(r"\\text\s*\{\s*([-+]?[\d.,/]+)\s*\}", r"\1", text)
    while re.fullmatch(r"\{[^{}]*\}", text.strip()):
        text = text.strip()[1:-1]
    return re.sub(r"(?<![\w}\]\\^_])\{(-?\d+(?:\.\d+)?)\}(?!\s*[{^_])", r"\1", text)


def closing(text: str, at: int) -> int | None:
    """Where the brace at ``at`` is closed."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, at):
        depth += (match[0] == "{") - (match[0] == "}")
        if not depth and match[0] == "}":
            return match.start()
    return None


def _values(text: str) -> str:
    """Numbers, roots and names in the way that the parser reads: 0.(3) as a fraction, sine of degrees."""
    text = re.sub(r"\\(?:mathrm|text|operatorname|rm)\s*\{\s*([eiπ])\s*\}", r"\1", text)
    text = re.sub(
        r"\\operatorname\*?\s*\{\s*(arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|log|ln|lcm|gcd)\s*\}",
        r"\\\1 ",
        text,
    )
    text = _plain_names(_REPEATING.sub(_fraction, text))
    text = _TRIG.sub(r"\1(\\frac{\2\\pi}{180})", text)
    text = re.sub(r"(?<![\d.,])(\d+)\.0+(?!\d)", r"\1", text)
    text = re.sub(r"(?<![\d.,])(\d*\.\d*[1-9])0+(?!\d)", r"\1", text)
    text = re.sub(r"(?<![\w.}/])(\d+)\s+(\d+)\s*/\s*(\d+)(?![\d/])", r"\1\\frac{\2}{\3}", text)
    text = re.sub(r"(?<![\w.}/])(\d+)\s+(?=\\frac)", r"\1", text)
    text = re.sub(r"\\frac\s*(\w)\s*(\w)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s*(\d)\s*(?=\{)", r"\\frac{\1}", text)
    text = re.sub(r"(\\frac\s*\{[^{}]*\})\s*(\w)", r"\1{\2}", text)
    return re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)


def _plain_names(text: str) -> str:
    """``sqrt(13)``, ``pi/4``, ``<=`` and ``**`` as LaTeX."""
    if "\\text" in text or "\\m" in text or is_words(text):
        return text
    text = _PLAIN_NAMES.sub(lambda m: f"\\{_RENAMED.get(m[1], m[1])} ", text)
    text = re.sub(r"\\cbrt\s*\(([^()]*)\)", r"\\sqrt[3]{\1}", text)
    while match := re.search(r"\\sqrt\s*\(", text):
        depth = 0
        for end in range(match.end() - 1, len(text)):
            depth += (text[end] == "(") - (text[end] == ")")
            if not depth:
                break
        else:
            break
        text = f"{text[: match.start()]}\\sqrt{{{text[match.end() : end]}}}{text[end + 1 :]}"
    return text.replace("**", "^").replace("<=", "\\le ").replace(">=", "\\ge ").replace("*", "\\cdot ")


def _fraction(match: re.Match[str]) -> str:
    """0.1\\overline{6} as 15/90."""
    whole, fixed = match[1] or "0", match[2] or ""
    again = match[3] or match[4] or match[5] or match[6]
    top = int(whole + fixed + again) - int(whole + fixed)
    return f"\\frac{{{top}}}{{{'9' * len(again)}{'0' * len(fixed)}}}"


def _is_grouped(text: str) -> bool:
    return re.fullmatch(r"[-+$]?\s*\d{1,3}(?:,\d{3})+(?:\.\d+)?\D*", text) is not None
