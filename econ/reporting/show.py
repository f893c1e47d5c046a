"""The one place where a table's numbers become text, and where tables become files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from econ import paths
from econ.files import write_atomic
from econ.registry import TABLES
from econ.reporting import manifest
from econ.reporting.catalogue import Column, Kind, Table

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "–"
SIMULATED = "SIMULATED"
RECORDED = "RECORDED"
LEFT = ("text", "digest")  # aligned to the left
PAGE_ROWS, PAGE_COLUMNS = 45, 10  # of an upright LaTeX page
HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px/1.45 system-ui, sans-serif; margin: 1rem; color-scheme: light dark; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
caption {{ caption-side: bottom; text-align: left; padding-top: .6rem; max-width: 70em; }}
th, td {{ padding: .15rem .7rem .15rem 0; text-align: left !important; border-bottom: 1px solid #8886; }}
</style>
<h1>{title}</h1>
{table}
</html>
"""
FIT = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}"  # narrower, never wider


def number(value: Any, kind: Kind) -> str:
    """A cell's text. Shares are shown in %, differences of shares in points; None and NaN as a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    match kind:
        case "count":
            return f"{int(value):,}"
        case "percent":
            return f"{100 * value:.1f}"
        case "points":
            return f"{100 * value:+.1f}"
        case "tokens":
            return f"{value:,.0f}"
        case "mean":
            return f"{value:.1f}"
        case "value":
            return f"{value:.3f}"
        case "usd":
            return f"{value:.4f}"
        case "p":
            return "<0.001" if value < 0.001 else f"{value:.3f}"
        case "digest":
            return str(value)[:12]
        case "text":
            return str(value)


def cells(table: Table, frame: pd.DataFrame) -> list[list[str]]:
    """Rows of text, one cell per shown column; an interval stands in brackets after its value.

    Rows that a table marks as not ``shown`` are left to its CSV.
    """
    shown = frame[frame["shown"]] if "shown" in frame else frame
    return [[_cell(row, name, column) for name, column in table.columns.items()] for row in records(shown)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _cell(row: dict[str, Any], name: str, column: Column) -> str:
    text = number(row[name], column.kind)
    if name == "method" and row.get("simulated") is True:
        text = f"{text} ({SIMULATED})"
    elif name == "method" and isinstance(row.get("recorded"), str):
        text = f"{text} ({RECORDED})"
    if name == "method" and isinstance(row.get("fixed"), str):
        text = f"{text} ({row['fixed']})"
    if text == NOTHING or column.low is None or column.high is None:
        return text
    low, high = number(row[column.low], column.kind), number(row[column.high], column.kind)
    return text if NOTHING in (low, high) else f"{text} [{low}, {high}]"


def caption(table: Table, frame: pd.DataFrame) -> str:
    """The table's caption with the models and how many problems stand behind it, and SIMULATED where so."""
    text = table.caption
    if frame.empty:
        return f"{text} Nothing of these params falls under this table."
    ours = frame[~frame["method"].str.endswith("*")] if "method" in frame else frame
    if "n" in ours:
        fewest, most = int(ours["n"].min()), int(ours["n"].max())
        text += f" Here n = {fewest:,}" + (f" to {most:,}." if most > fewest else ".")
    if remark := not_learned(frame):
        text += f" {remark}."
    if is_simulated(frame):
        return f"{SIMULATED} (no language model): {text}"
    if told := recorded(frame):
        text = f"{RECORDED}, by {told}: {text}"
    if "models" in frame:
        text += f" Models: {', '.join(dict.fromkeys(frame['models']))}."
    return text


def held(fixed: Mapping[str, float]) -> str | None:
    """Says which dimensions of the action were held at a value; None: none."""
    return ", ".join(f"{name} fixed at {value:g}" for name, value in fixed.items()) or None


def not_learned(frame: pd.DataFrame) -> str | None:
    """The same of all rows of a table."""
    texts = frame["fixed"].dropna().unique() if "fixed" in frame else ()
    return "; ".join(f"ECON's {text}, not learned" for text in texts) or None


def joined(texts: Iterable[str | None]) -> str | None:
    """Different texts in one line; None: there are none."""
    return "; ".join(dict.fromkeys(text for text in texts if text)) or None


def recorded(frame: pd.DataFrame) -> str | None:
    """Whose recorded answers stand behind a table, engine and date too; None: it was all played live."""
    return joined(frame["recorded"].dropna()) if "recorded" in frame else None


def is_simulated(frame: pd.DataFrame) -> bool:
    return "simulated" in frame and bool((frame["simulated"] == True).any())  # noqa: E712 - elementwise


def write(name: str, table: Table, frame: pd.DataFrame) -> None:
    """Write one table as .csv (all columns, shares unrounded), .tex, .md and .html (as shown)."""
    texts = {
        "csv": frame.to_csv(index=False, lineterminator="\n", float_format="%.6g"),
        "tex": latex(name, table, frame),
        "md": markdown(table, frame),
        "html": html(table, frame),
    }
    for ending, text in texts.items():
        write_atomic(paths.TABLES / f"{name}.{ending}", [text.encode()])


def latex(name: str, table: Table, frame: pd.DataFrame) -> str:
    """The table as shown: within a page's width, and over several pages where it is long."""
    shown = _shown(table, frame)
    long = len(shown) > PAGE_ROWS
    text = shown.to_latex(
        index=False, escape=True, caption=_tex(caption(table, frame)), label=f"tab:{name}",
        column_format="".join(
            _side(column, shown.iloc[:, place]) for place, column in enumerate(table.columns.values())
        ),
        position="htbp", longtable=long,
    )  # fmt: skip
    text = text.replace(NOTHING, "--").replace("<", r"\textless{}")
    if long:
        wide = "landscape" if len(shown.columns) > PAGE_COLUMNS else "center"
        small = rf"\begin{{{wide}}}\scriptsize\setlength{{\tabcolsep}}{{2.5pt}}"
        return f"% needs booktabs, longtable and lscape\n{small}\n{text}\\end{{{wide}}}\n"
    text = text.replace(r"\begin{tabular}", f"{FIT}{{%\n\\begin{{tabular}}")
    return "% needs booktabs and graphicx\n" + text.replace(r"\end{tabular}", "\\end{tabular}}")


def _side(column: Column, texts: pd.Series[str]) -> str:
    """Numbers to the right, text to the left; long text in lines."""
    if column.kind not in LEFT:
        return "r"
    return "p{2.8cm}" if texts.str.len().max() > 40 else "l"


def markdown(table: Table, frame: pd.DataFrame) -> str:
    """The table as shown, in Markdown, with its caption above it."""
    sides = ["left" if column.kind in LEFT else "right" for column in table.columns.values()]
    text = _shown(table, frame).to_markdown(index=False, disable_numparse=True, colalign=sides)
    return f"**{table.title}.** {caption(table, frame)}\n\n{text}\n"


def html(table: Table, frame: pd.DataFrame) -> str:
    """The table as shown, alone on a page."""
    rows = _shown(table, frame).to_html(index=False, border=0, escape=True)
    head = f"<caption>{escape(caption(table, frame))}</caption>\n  <thead>"
    return HTML.format(title=escape(table.title), table=rows.replace("<thead>", head, 1))


def _shown(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(cells(table, frame), columns=[column.heading for column in table.columns.values()])


def read(name: str, table: Table | None = None) -> pd.DataFrame:
    """A table back from its CSV; ``table`` where it is not among those that are found by name.

    Raises:
        EconError: it has not been made yet, by another version, or is damaged.
    """
    import pandas as pd

    from econ.errors import EconError

    path = paths.TABLES / f"{name}.csv"
    content = BytesIO(manifest.table(path))
    frame = pd.read_csv(content, keep_default_na=False, na_values=[""])  # a name may be "null"
    if not set((table or TABLES.find(name)).columns) <= set(frame.columns):
        raise EconError(f"{path} is of another version", "make the tables again with: econ aggregate")
    return frame


def _tex(text: str) -> str:
    """Text with LaTeX's special characters escaped (pandas escapes cells only, not captions)."""
    for character in "&%#_":
        text = text.replace(character, f"\\{character}")
    return text
