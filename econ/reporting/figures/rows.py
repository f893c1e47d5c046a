"""Figures with a row per method: accuracy, its mean over benchmarks, differences, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from econ.params import Params, parse_method
from econ.reporting import show
from econ.reporting.catalogue import figure
from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Point, Series, unique
from econ.reporting.paper import reported as paper
from econ.reporting.tables.averages import FIVE
from econ.reporting.tables.comparisons import ALL, ECON

if TYPE_CHECKING:
    import pandas as pd

PAPER_COLUMNS = {column: model for model, column in paper.MODELS.items()}
GREY = "#555555"
Words = tuple[tuple[float, float, str], ...]


@figure(
    "Accuracy per benchmark, method and agent count, with 95 % intervals. Grey ticks: the "
    "paper's four models (figures 9 to 13; debate: its three models of table 3).",
    ("paper_accuracy",),
    "accuracy",
)
def accuracy(params: Params, frame: pd.DataFrame) -> Chart:
    return _rows(frame, "accuracy", Axis("Accuracy in %", -2, 102), PAPER_COLUMNS, "paper, 8x7B to 405B")


def _no_average(params: Params) -> str | None:
    if set(params.benchmarks) & set(FIVE):
        return None
    return "These params have none of the five benchmarks that the paper's figure 3 averages over."


@figure(
    "Figure 3 of the paper: accuracy as the mean over GSM8K, GSM-Hard, MATH, SVAMP and StrategyQA, or over "
    "those of them that these params have, with a 95 % interval. Grey ticks: the paper's four models, beside "
    "all five alone.",
    ("averages",),
    "accuracy",
    _no_average,
)
def averages(params: Params, frame: pd.DataFrame) -> Chart:
    many = int(frame["benchmarks"].max()) if len(frame) else 0
    told = "the five benchmarks" if many == len(FIVE) else f"{many} of the five benchmarks"
    frame = frame.assign(benchmark=f"Mean over {told}")
    return _rows(frame, "accuracy", Axis("Accuracy in %", -2, 102), PAPER_COLUMNS, "paper, 8x7B to 405B")


def _no_rival(params: Params) -> str | None:
    for benchmark in params.benchmarks:
        plain = [method for method in params.methods_on(benchmark) if parse_method(method)[1] is None]
        if ECON in plain and len(plain) > 1:
            return None
    return "These params have no rival to compare econ-bne with."


@figure(
    "ECON minus each rival in points, paired on the same problems, with a 95 % interval over problems.",
    ("paired",),
    "rivals",
    _no_rival,
)
def differences(params: Params, frame: pd.DataFrame) -> Chart:
    return _changes(frame.assign(method=frame["rival"]), "ECON (econ-bne) minus rival")


def _no_variant(params: Params) -> str | None:
    if any(parse_method(method)[1] for method in params.methods):
        return None
    return "These params have no variants to compare with their method."


@figure(
    "Each variant minus its method in points, paired on the same problems, with a 95 % "
    "interval over problems. Grey ticks: the mean change over the models of the paper's tables 2 to 6.",
    ("ablations",),
    "variants",
    _no_variant,
)
def ablations(params: Params, frame: pd.DataFrame) -> Chart:
    return _changes(
        frame[frame["difference"].notna()], "Variant minus method", {"paper_points": "mean of its models"}
    )


def _changes(frame: pd.DataFrame, what: str, reported: dict[str, str] | None = None) -> Chart:
    """Differences with their intervals; those ``reported`` in the paper as ticks."""
    import numpy as np

    columns = ["difference", "difference_low", "difference_high", *(reported or {})]
    reach = 104 * max(0.1, float(np.nanmax(frame[columns].abs().to_numpy(dtype=float))))
    return _rows(
        frame, "difference", Axis("Difference, points", -reach, reach), reported or {},
        "paper, mean of its models", f"{what}; bars: 95 % paired intervals (hollow: all problems alike)",
    )  # fmt: skip


def _rows(
    frame: pd.DataFrame,
    value: str,
    x: Axis,
    reported: dict[str, str],
    told: str,
    what: str = "Bars: 95 % intervals",
) -> Chart:
    """A panel per benchmark, a row per method, in it a place per agent count."""
    methods, counts = unique(list(frame["method"])), sorted(frame["n_agents"].unique())
    y = Axis("", len(methods) - 0.45, -0.55, ticks=tuple(methods))
    changes = value == "difference"
    panels = []
    for benchmark, part in frame.groupby("benchmark", sort=False):
        why = "one benchmark" if benchmark == ALL and changes else "not played"
        series = (*_reported(part, methods, reported), *_ours(part, value, methods, counts))
        title = str(benchmark) if "benchmarks" in part else style.name_of(str(benchmark))
        panels.append(Panel(title, series, x, y, zero=changes, words=absent(part, methods, why)))
    shapes = style.markers(counts)
    keys = [Key(f"N = {n}", GREY, shapes[n]) for n in counts]
    if any(series.reported for panel in panels for series in panel.series):
        keys.append(Key(told, style.PAPER, "|"))
    return Chart(
        tuple(panels), tuple(keys), along="x", height=0.55 + row_height(counts) * len(methods),
        **style.noted(f"{what}; {style.how_many(frame)}", frame),
    )  # fmt: skip


def row_height(counts: Sequence[int]) -> float:
    """Of a method's row, in inches."""
    return max(0.2, 0.095 * len(counts))


def absent(part: pd.DataFrame, methods: list[str], why: str = "not played") -> Words:
    """Words in an empty row, whose method does not play here."""
    played = set(part["method"])
    return tuple((0.03, y, why) for y, method in enumerate(methods) if method not in played)


def _ours(part: pd.DataFrame, value: str, methods: list[str], counts: list[int]) -> Iterator[Series]:
    shapes = style.markers(counts)
    shift = dict(zip(counts, style.offsets(len(counts), 0.72), strict=True))
    for row in show.records(part):
        low, high = 100 * row[f"{value}_low"], 100 * row[f"{value}_high"]
        known = low == low  # not NaN: an interval could be had
        place = methods.index(row["method"]) + shift[row["n_agents"]]
        point = Point(100 * row[value], place, low if known else None, high if known else None, int(row["n"]))
        n = row["n_agents"]
        yield Series(
            row["method"], (point,), style.look(row["method"])[0], shapes[n], None, not known, f"N = {n}",
            size=3.6,
        )  # fmt: skip


def _reported(part: pd.DataFrame, methods: list[str], columns: dict[str, str]) -> Iterator[Series]:
    for row in show.records(part.drop_duplicates("method")):
        values = [(100 * row[column], told) for column, told in columns.items() if row[column] == row[column]]
        place = methods.index(row["method"])
        points = tuple(Point(value, place, said=told) for value, told in values)
        if points:
            yield Series("paper", points, style.PAPER, "|", group=row["method"], reported=True, size=0.36)
