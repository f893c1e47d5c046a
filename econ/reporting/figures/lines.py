"""The figures with lines: against agents, against tokens, against rounds. A method has its look in all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from econ.params import Params, learns, parse_method
from econ.registry import METHODS
from econ.reporting import show
from econ.reporting.catalogue import figure
from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Point, Series, ringed, unique
from econ.reporting.figures.rows import GREY
from econ.reporting.paper import reported as paper

if TYPE_CHECKING:
    import pandas as pd

Rows = list[dict[str, Any]]
TURNED = "Turned per problem"
ROUNDS = {"Right, %": ("percent",), "Different answers": ("distinct",), TURNED: ("gained", "lost")}


def _one_count(params: Params) -> str | None:
    if len(params.n_agents) > 1:
        return None
    return "These params have one number of agents alone: accuracy against it needs two or more."


@figure(
    "Accuracy against the number of agents, with 95 % intervals. Grey: the paper's figures 4 "
    "(one coordinator) and 5 (several) as printed; their points restate other methods' results "
    "and are no targets.",
    ("scaling",),
    "agents",
    _one_count,
)
def scaling(params: Params, frame: pd.DataFrame) -> Chart:
    """A line per method that has a team; of those alone, where there are any."""
    counts = sorted(frame["n_agents"].unique())
    frame = _teams(frame)
    methods = unique(list(frame["method"]))
    shift = dict(zip(methods, style.offsets(len(methods), 0.4 * min(1, counts[1] - counts[0])), strict=True))
    x = Axis("Agents N", counts[0] - 0.5, counts[-1] + 0.5, whole=True)
    looks = style.looks(methods)
    panels, keys = [], [Key(method, *looks[method]) for method in methods]
    for benchmark, part in frame.groupby("benchmark", sort=False):
        series = [*_paper_scaling(str(benchmark))]
        for method, line in part.groupby("method", sort=False):
            points = [
                replace(_point(row, row["n_agents"] + shift[method]), said=f"N = {row['n_agents']}")
                for row in show.records(line.sort_values("n_agents"))
            ]
            series.append(Series(str(method), tuple(points), *looks[str(method)], "-"))
        panels.append(Panel(style.name_of(str(benchmark)), tuple(series), x, Axis("")))
    if any(series.reported for panel in panels for series in panel.series):
        keys += [Key(f"paper, fig. {n}, 70B", style.PAPER, dash=style.DASHES[n - 3]) for n in (4, 5)]
    text = (
        f"{style.how_many(frame)}; bars: 95 % intervals; the paper's figures 4 and 5 are no numeric targets"
    )
    return Chart(_from_zero(panels), tuple(keys), **style.noted(text, frame))


def _teams(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the methods that give the same at every agent count: they use one agent, or always two."""
    different = frame.drop_duplicates(["benchmark", "method", "accuracy", "total_tokens"])
    varying = different[different.duplicated(["benchmark", "method"])]["method"]
    return frame[frame["method"].isin(varying)] if len(varying) else frame


def _paper_scaling(benchmark: str) -> Iterator[Series]:
    for number, points in paper.scaling(benchmark).items():
        told = f"figure {number}"
        marks = tuple(Point(n, 100 * share, said=f"{told}, N = {n}") for n, share in points)
        yield Series("paper", marks, style.PAPER, "none", style.DASHES[number - 3], group=told, reported=True)


@figure(
    "Accuracy against tokens per problem (logarithmic), every method, with 95 % intervals. Lines: the "
    "same method given fewer samples or rounds. Dotted: a method that asks no model. One that uses a "
    "single agent is drawn once. Around another: two methods at one point. Stars in a method's colour: the "
    "paper's table 3 for LLaMA3.1-70B, its tokens in a unit of its own.",
    ("budgets",),
    "budgets",
)
def tradeoff(params: Params, frame: pd.DataFrame) -> Chart:
    """Every method, and its way there by samples or rounds. Filled: the fewest agents."""
    frame = _without_variants(frame)
    frame = frame.drop_duplicates(["benchmark", "method", "k", "accuracy", "total_tokens"])
    methods, counts = unique(list(frame["method"])), sorted(frame["n_agents"].unique())
    panels = []
    for benchmark, part in frame.groupby("benchmark", sort=False):
        stars = list(_paper_stars(str(benchmark), methods))
        spent = [float(value) for value in part["total_tokens"] if value > 0]
        spent += [point.x for series in stars for point in series.points]
        x = Axis("Tokens per problem", min(spent, default=1) / 1.4, max(spent, default=10) * 1.4, log=True)
        series = [
            one
            for (method, n), line in part.groupby(["method", "n_agents"], sort=False)
            for one in _course(show.records(line), str(method), counts.index(n), x)
        ]
        panels.append(Panel(style.name_of(str(benchmark)), (*stars, *series), x, Axis("")))
    keys = [_key(method) for method in methods] + _count_keys(counts)
    if any(series.reported for panel in panels for series in panel.series):
        keys.append(Key("paper, table 3, 70B", GREY, "*", hollow=True))
    text = f"{style.how_many(frame)}; bars: 95 % intervals; lines: fewer samples or rounds of the same calls"
    return Chart(_from_zero(panels), tuple(keys), height=2.1, share_x=False, **style.noted(text, frame))


def _course(rows: Rows, method: str, place: int, x: Axis) -> Iterator[Series]:
    """A method as run, and the line by which it gets there."""
    *_, whole = rows
    own = _style(method, place) | {"group": f"N = {whole['n_agents']}"}
    if not whole["total_tokens"]:  # nowhere on a logarithmic axis
        ends = [_point(whole, place) for place in (x.low or 1.0, x.high or 10.0)]
        yield Series(method, (replace(ends[0], low=None, high=None), ends[1]), own["colour"], "none", ":")
        return
    points = [replace(_point(row, row["total_tokens"]), said=row["at"]) for row in rows]
    yield Series(method, tuple(replace(p, low=None, high=None) for p in points), **own | {"marker": "none"})
    own["dash"] = None
    small = [point for point, row in zip(points, rows, strict=True) if row["shown"]][:-1]
    if small:
        bare = tuple(replace(point, low=None, high=None) for point in small)
        yield Series(method, bare, **own, size=2.2)
    yield Series(method, tuple(points[-1:]), **own, size=4.6)


def _paper_stars(benchmark: str, methods: Sequence[str]) -> Iterator[Series]:
    """The paper's (tokens, accuracy) of its 70B model, where table 3 has both."""
    reported = paper.Reported()
    for method in methods:
        spent = reported.tokens(benchmark, method).get("LLaMA3.1-70B")
        share = reported.table3_accuracy(benchmark, method).get("LLaMA3.1-70B")
        if spent is not None and share is not None:
            point = Point(spent, 100 * share, said="table 3, LLaMA3.1-70B")
            colour = style.look(method)[0]
            yield Series("paper", (point,), colour, "*", hollow=True, group=method, reported=True, size=7)


def _one_round(params: Params) -> str | None:
    """Of a method that is not built in it is not known."""
    for name in params.methods:
        base, variant = parse_method(name)
        rounds = getattr(params.settings_of(base), "rounds", 1)
        refined = learns(base) and base != "econ-baseline" and params.bne.max_iterations_infer > 0
        if variant is None and (rounds > 1 or refined or base not in METHODS.built_in):
            return None
    return "No method of these params plays more than one round."


@figure(
    "Round by round, means over all problems: the share of participants who are right, how many different "
    "answers they give, and how many per problem turned right (above zero) or away from it (below).",
    ("convergence",),
    "rounds",
    _one_round,
)
def convergence(params: Params, frame: pd.DataFrame) -> Chart:
    """Who is right, how many answers there are and who turns, round by round."""
    frame = _without_variants(frame)
    if frame.empty:
        x, words = Axis("Round", 0.5, 2.5, whole=True), ((0.1, 50.0, "every game ended in its first round"),)
        empty = Panel("All benchmarks", (), x, Axis("Right, %", 0, 100), words=words)
        return Chart((empty,), (), note="No answer went past its first round")
    frame = frame.assign(
        percent=100 * frame["right"], gained=frame["gained"] / frame["n"], lost=-frame["lost"] / frame["n"]
    )
    methods, counts = unique(list(frame["method"])), sorted(frame["n_agents"].unique())
    benchmarks = unique(list(frame["benchmark"]))
    x = Axis("Round", 0.8, float(frame["round"].max()) + 0.2, whole=True)
    panels: list[Panel] = []
    for label, columns in ROUNDS.items():
        first = not panels
        row = []
        for benchmark in benchmarks:
            part = frame[frame["benchmark"] == benchmark]
            series = tuple(_by_round(part, columns, counts))
            title = style.name_of(benchmark) if first else ""
            row.append(
                Panel(title, series, replace(x, label="Round" if "Turned" in label else ""), Axis(label))
            )
        panels += _alike(row, zero=label == TURNED)
    text = f"Participants after each round; {style.how_many(frame)}; a game that ended stands as it ended"
    return Chart(
        tuple(panels), tuple([_key(method) for method in methods] + _count_keys(counts)), height=1.3,
        columns=len(benchmarks), share_y="row", **style.noted(text, frame),
    )  # fmt: skip


def _by_round(part: pd.DataFrame, columns: Iterable[str], counts: list[int]) -> Iterator[Series]:
    for key, line in part.groupby(["method", "n_agents"], sort=False):
        method, n = cast("tuple[str, int]", key)
        for column in columns:
            rows = [row for row in show.records(line) if row[column] == row[column]]
            points = tuple(
                Point(row["round"], row[column], n=int(row["n"]), said=f"round {row['round']}")
                for row in rows
            )
            if points:
                own = _style(method, counts.index(n)) | {"group": f"N = {n}"}
                yield Series(method, points, **own, size=3.0)


def _alike(row: list[Panel], zero: bool) -> list[Panel]:
    """Panels with one y axis, its ends a little beyond all their points."""
    values = [point.y for panel in row for series in panel.series for point in series.points] or [0.0, 1.0]
    low, high = min([*values, 0.0] if zero else values), max([*values, 0.0] if zero else values)
    room = 0.1 * (high - low or 1.0)
    low, high = low - room, high + room
    found = [replace(panel, y=replace(panel.y, low=low, high=high), zero=zero) for panel in row]
    return [replace(panel, series=ringed(panel.series, panel.x, panel.y)) for panel in found]


def _without_variants(frame: pd.DataFrame) -> pd.DataFrame:
    """They have a figure of their own."""
    return frame[~frame["method"].str.contains("+", regex=False)]


def _from_zero(panels: list[Panel]) -> tuple[Panel, ...]:
    """Accuracies upwards, from 0 % to what there is: 100 % where it is needed."""
    points = [point for panel in panels for series in panel.series for point in series.points]
    top = min(104.0, 1.06 * max((point.high or point.y for point in points), default=100.0))
    y = Axis("Accuracy in %", -0.04 * top, max(top, 10.0))
    return tuple(replace(panel, y=y, series=ringed(panel.series, panel.x, y)) for panel in panels)


def _point(row: dict[str, Any], x: float) -> Point:
    low, high = 100 * row["accuracy_low"], 100 * row["accuracy_high"]
    return Point(x, 100 * row["accuracy"], low, high, int(row["n"]))


def _style(method: str, place: int) -> dict[str, Any]:
    """A method with the first, second, … number of agents: the first is filled, its line whole."""
    colour, shape = style.look(method)
    dash = style.DASHES[place % len(style.DASHES)]
    return {"colour": colour, "marker": shape, "hollow": place > 0, "dash": dash}


def _key(method: str) -> Key:
    colour, shape = style.look(method)
    return Key(method, colour, shape)


def _count_keys(counts: Sequence[int]) -> list[Key]:
    if len(counts) < 2:
        return []
    return [
        Key(f"N = {n}", GREY, "o", style.DASHES[place % len(style.DASHES)], hollow=place > 0)
        for place, n in enumerate(counts)
    ]
