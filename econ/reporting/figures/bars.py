"""Tokens per problem as bars: prompts hatched, completions full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from econ.params import Params
from econ.reporting import show
from econ.reporting.catalogue import figure
from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Point, Series, unique
from econ.reporting.figures.rows import GREY, Words, absent, row_height

if TYPE_CHECKING:
    import pandas as pd

REACH = 2.5  # the paper's marks widen the axis up to so many times our largest bar
BLACK = "#111111"


@figure(
    "Mean tokens per problem, prompt (hatched) and completion (full), their sum beside them. Black tick: the "
    "paper's table 3 for LLaMA3.1-70B, whose unit is not defined and fits completions best; where it lies "
    "beyond the axis it is written beside.",
    ("paper_tokens",),
    "tokens",
)
def tokens(params: Params, frame: pd.DataFrame) -> Chart:
    methods, counts = unique(list(frame["method"])), sorted(frame["n_agents"].unique())
    y = Axis("", len(methods) - 0.45, -0.55, ticks=tuple(methods))
    panels = []
    for benchmark, part in frame.groupby("benchmark", sort=False):
        ours = max(float(part["total_tokens"].max()), 1.0)
        seen = part["paper_llama_70b"][part["paper_llama_70b"] <= REACH * ours]
        limit = 1.05 * max(ours, float(seen.max()) if len(seen) else 0.0)
        series, words = _panel(part, methods, counts, limit)
        panels.append(
            Panel(
                style.name_of(str(benchmark)), tuple(series), Axis("Tokens per problem", 0, limit), y,
                words=(*words, *absent(part, methods)),
            )
        )  # fmt: skip
    keys = [Key("prompt", GREY, shade="light"), Key("completion", GREY, shade="dark")]
    said = [f"Means; {style.how_many(frame)}"]
    if len(counts) > 1:
        said.append(f"a method's bars from above: {', '.join(f'N = {n}' for n in counts)}")
    if frame["paper_llama_70b"].notna().any():
        keys.append(Key("paper, table 3, 70B", BLACK, "|"))
    return Chart(
        tuple(panels), tuple(keys), along="x", height=0.55 + row_height(counts) * len(methods), share_x=False,
        **style.noted("; ".join(said), frame),
    )  # fmt: skip


def _panel(
    part: pd.DataFrame, methods: list[str], counts: list[int], limit: float
) -> tuple[list[Series], Words]:
    shift = dict(zip(counts, style.offsets(len(counts), 0.8), strict=True))
    series: list[Series] = []
    words = []
    for row in show.records(part):
        place = methods.index(row["method"]) + shift[row["n_agents"]]
        series += _bars(row["method"], f"N = {row['n_agents']}", row, place, 0.74 / len(counts))
        words.append((1.02, place, f"{row['total_tokens']:,.0f}"))
    for row in show.records(part.drop_duplicates("method")):
        reported, place = row["paper_llama_70b"], methods.index(row["method"])
        if reported <= limit:
            point = Point(reported, place, said="table 3, LLaMA3.1-70B")
            series.append(
                Series("paper", (point,), BLACK, "|", group=row["method"], reported=True, size=0.42)
            )
        elif reported == reported:
            first = next(i for i, (_, y, _) in enumerate(words) if round(y) == place)
            words[first] = (1.02, words[first][1], f"{words[first][2]} (paper {reported:,.0f})")
    return series, tuple(words)


def _bars(method: str, group: str, row: dict[str, float], place: float, height: float) -> Iterator[Series]:
    colour, _ = style.look(method)
    prompt, total = row["prompt_tokens"], row["total_tokens"]
    for name, base, end, hollow in (("prompt", 0.0, prompt, True), ("completion", prompt, total, False)):
        point = Point(end, place, n=int(row["n"]), base=base, said=f"{end - base:,.0f} {name} tokens")
        yield Series(method, (point,), colour, "s", hollow=hollow, group=group, size=height)
