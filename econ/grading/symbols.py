"""One table of signs: full-width letters, odd spaces and HTML for every grader, Unicode to LaTeX for MATH."""

from __future__ import annotations

import re
from unicodedata import category, normalize

_FULL_WIDTH: dict[int | str, int | str | None] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_GONE: dict[int | str, int | str | None] = dict.fromkeys(
    [0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD, 0x200E, 0x200F, 0xFE0E, 0xFE0F, 0xFFFD]
)
_PLAIN = str.maketrans(
    {
        **_FULL_WIDTH, **_GONE, "、": ", ", "。": ". ", "﹣": "-", "‐": "-", "‑": "-", "⁻": "⁻",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "′": "'",
    }
)  # fmt: skip
_STYLED = re.compile(r"[\U0001D400-\U0001D7FF]")  # 𝟙𝟪, 𝑥: mathematical letters and digits
_TAGS = re.compile(
    r"</?(?:b|i|u|em|strong|span|div|p|mark|code|center|font|h\d)(?:\s[^<>]{0,200})?>", re.IGNORECASE
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_SUP = re.compile(r"<(sup|sub)>([^<>]{1,40})</\1>", re.IGNORECASE)

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ", "0123456789+-=()nix")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙₐₓ", "0123456789+-=()nax")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ]+")
_LOWERED = re.compile(r"[₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙₐₓ]+")
_ROOT = re.compile(r"(?P<index>[²³⁴⁵⁶⁷⁸⁹ⁿ])?(?P<sign>[√∛∜])\s*")
_INDEX = {"√": "", "∛": "[3]", "∜": "[4]"}
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi",
    "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_OPERATORS = {
    "∞": "infty", "·": "cdot", "⋅": "cdot", "∙": "cdot", "•": "cdot", "×": "times", "✕": "times",
    "∗": "cdot", "÷": "div", "±": "pm", "∓": "mp", "≤": "le", "⩽": "le", "≦": "le", "≥": "ge", "⩾": "ge",
    "≧": "ge", "≠": "ne", "≈": "approx", "≡": "equiv", "∪": "cup", "∩": "cap", "∈": "in", "∉": "notin",
    "⊂": "subset", "⊆": "subseteq", "∅": "emptyset", "∖": "setminus", "⌊": "lfloor", "⌋": "rfloor",
    "⌈": "lceil", "⌉": "rceil", "⟨": "langle", "⟩": "rangle", "∠": "angle", "△": "triangle", "…": "ldots",
    "⋯": "ldots", "∧": "wedge", "∨": "vee", "∑": "sum", "∏": "prod", "∫": "int",
}  # fmt: skip
_NAMED = {**_GREEK, **_OPERATORS}
_SIGNS = str.maketrans(
    {
        **{sign: f"\\{name} " for sign, name in _NAMED.items()},
        "−": "-", "–": "-", "—": "-", "⁄": "/", "∕": "/", "°": "^\\circ ",
        "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}",
        "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "ℂ": "\\mathbb{C}", "∣": "|", "ℯ": "e", "ⅇ": "e", "ⅈ": "i",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2061": "", "\u2062": "", "⟦": "[", "⟧": "]",
    }
)  # fmt: skip
_VULGAR = re.compile("[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒]")


def plain(text: str) -> str:
    """Text in plain characters: full-width and styled letters, quotes, HTML marks, what has no width."""
    if not text.isascii():
        text = _STYLED.sub(lambda sign: normalize("NFKC", sign[0]), text.translate(_PLAIN))
    if "<" in text:
        text = _SUP.sub(lambda m: ("^" if m[1].lower() == "sup" else "_") + f"{{{m[2]}}}", text)
        text = _TAGS.sub("", _BREAK.sub("\n", text))
    return text


def to_latex(text: str) -> str:
    """Unicode mathematics as LaTeX: roots, powers, fractions, Greek letters, operators."""
    if text.isascii():
        return text
    text = _roots(text)
    text = _RAISED.sub(lambda run: f"^{{{run[0].translate(SUPERSCRIPTS)}}}", text)
    text = _LOWERED.sub(lambda run: f"_{{{run[0].translate(SUBSCRIPTS)}}}", text)
    text = _VULGAR.sub(lambda sign: "\\frac{{{}}}{{{}}}".format(*normalize("NFKC", sign[0]).split("⁄")), text)
    text = text.translate(_SIGNS)
    return re.sub(r"(\\[A-Za-z]+) (?![A-Za-z])", r"\1", text)


def powers_in_ascii(text: str) -> str:
    """``10¹¹`` as ``10^11``; a power of a unit (m²) stays as it is."""
    return re.sub(r"(?<=[\d)])[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda run: "^" + run[0].translate(SUPERSCRIPTS), text)


def is_mark(sign: str) -> bool:
    """An emoji, an arrow or another sign that says nothing."""
    return category(sign) in ("So", "Sk", "Sm", "Cf", "Mn", "Po", "Ps", "Pe")


def _roots(text: str) -> str:
    """``√13``, ``√(x+1)``, ``³√8``: the root of the number, name or bracket behind the sign."""
    made, at = "", 0
    while match := _ROOT.search(text, at):
        index = match["index"]
        kind = f"[{index.translate(SUPERSCRIPTS)}]" if index else _INDEX[match["sign"]]
        content, end = _radicand(text, match.end())
        made += f"{text[at : match.start()]}\\sqrt{kind}{{{content}}}"
        at = end
    return made + text[at:]


def _radicand(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] in ("(", "{") and (end := _closing(text, at)) is not None:
        return text[at + 1 : end], end + 1
    found = re.compile(r"\d+(?:\.\d+)?|\\[A-Za-z]+|\w|").match(text, at)
    return (found.group(), found.end()) if found else ("", at)


def _closing(text: str, at: int) -> int | None:
    pairs, depth = {"(": ")", "{": "}"}, 0
    for place in range(at, min(len(text), at + 500)):
        depth += (text[place] == text[at]) - (text[place] == pairs[text[at]])
        if not depth:
            return place
    return None
