"""The figures with lines: against agents, against tokens, against rounds. A method has its look in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from econ.reporting import show
from econ.reporting.figures import style
from econ.reporting.paper import reported as paper

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = list[dict[str, Any]]


def scaling() -> Figure:
    """Accuracy against the number of agents, a line per method that has a team; the paper's figures 4 and 5
    faint behind."""
    from matplotlib.ticker import MaxNLocator

    frame = show.read("scaling")
    counts = sorted(frame["n_agents"].unique())
    if len(counts) < 2:
        return style.message("These params have one agent count alone: nothing to scale.")
    frame = _teams(frame)
    if frame.empty:
        return style.message("No method of these params depends on the number of agents.")
    methods = list(frame["method"].unique())
    figure, axes = _panels(frame, 1.85)
    shift = dict(zip(methods, style.offsets(len(methods), 0.4 * min(1, counts[1] - counts[0])), strict=True))
    reported = False
    for axis, (benchmark, part) in zip(axes, frame.groupby("benchmark", sort=False), strict=True):
        for number, points in paper.scaling(str(benchmark)).items():
            own, reported = "--" if number == 4 else ":", True
            axis.plot(*zip(*[(n, 100 * share) for n, share in points], strict=True), own, color="#b9b9b9")
        for method, line in part.groupby("method", sort=False):
            colour, shape = style.look(str(method))
            rows = show.records(line.sort_values("n_agents"))
            x = [row["n_agents"] + shift[method] for row in rows]
            axis.plot(x, _percent(rows, "accuracy"), "-", marker=shape, color=colour, markersize=3.6)
            _bars(axis, rows, x, colour)
        axis.set(xlim=(counts[0] - 0.5, counts[-1] + 0.5), xlabel="Agents N")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    _from_zero(axes)
    handles = [_handle(method) for method in methods]
    if reported:
        handles += [style.line("#b9b9b9", s, f"paper, fig. {n}, 70B") for n, s in ((4, "--"), (5, ":"))]
    style.legend(figure, handles)
    text = (
        f"{style.how_many(frame)}; bars: 95 % intervals; the paper's figures 4 and 5 are no numeric targets"
    )
    style.note_rows(figure, text, frame)
    return figure


def tradeoff() -> Figure:
    """Accuracy against tokens per problem (log scale): every method, and its way there by samples or rounds.

    Filled: the fewest agents. Table 3's 70B model as stars.
    """
    frame = _without_variants(show.read("budgets"))
    frame = frame.drop_duplicates(["benchmark", "method", "k", "accuracy", "total_tokens"])
    methods, counts = list(frame["method"].unique()), sorted(frame["n_agents"].unique())
    places = {n: place for place, n in enumerate(counts)}
    figure, axes = _panels(frame, 2.1)
    stars = 0
    for axis, (benchmark, part) in zip(axes, frame.groupby("benchmark", sort=False), strict=True):
        for (method, n), line in part.groupby(["method", "n_agents"], sort=False):
            _course(axis, show.records(line), str(method), places[n])
        stars += _paper_stars(axis, str(benchmark), methods)
        axis.set(xscale="log", xlabel="Tokens per problem")
        _log_ticks(axis)
    _from_zero(axes)
    handles = [_handle(method) for method in methods]
    if len(counts) > 1:
        handles += _count_handles(counts)
    if stars:
        star = {"markerfacecolor": "white", "markersize": 7}
        handles.append(style.marker("*", "#555555", "paper, table 3, 70B", **star))
    style.legend(figure, handles)
    text = f"{style.how_many(frame)}; bars: 95 % intervals; lines: fewer samples or rounds of the same calls"
    style.note_rows(figure, text, frame)
    return figure


def convergence() -> Figure:
    """Who is right, how many answers there are and who turns, round by round."""
    from matplotlib.ticker import MaxNLocator

    frame = _without_variants(show.read("convergence"))
    if frame.empty:
        return style.message("No method of these params went past its first round.")
    frame = frame.assign(gained=frame["gained"] / frame["n"], lost=-frame["lost"] / frame["n"])
    methods, counts = list(frame["method"].unique()), sorted(frame["n_agents"].unique())
    benchmarks = list(frame["benchmark"].unique())
    figure, axes = style.grid([style.name_of(benchmark) for benchmark in benchmarks], 3, 1.15)
    for column, benchmark in enumerate(benchmarks):
        right, answers, turns = (row[column] for row in axes)
        turns.axhline(0, color="#444444", linewidth=0.6)
        part = frame[frame["benchmark"] == benchmark]
        for (method, n), line in part.groupby(["method", "n_agents"], sort=False):
            own = _style(str(method), counts.index(n)) | {"markersize": 3}
            right.plot(line["round"], 100 * line["right"], **own)
            answers.plot(line["round"], line["distinct"], **own)
            for turned in ("gained", "lost"):
                turns.plot(line["round"], line[turned], **own)
        turns.set_xlabel("Round")
        turns.xaxis.set_major_locator(MaxNLocator(integer=True))
    for row, label in zip(axes, ("Right, %", "Answers", "Turned"), strict=True):
        row[0].set_ylabel(label)
    handles = [_handle(method) for method in methods]
    style.legend(figure, handles + (_count_handles(counts) if len(counts) > 1 else []))
    text = f"Participants after each round; {style.how_many(frame)}; a game that ended stands as it ended"
    style.note_rows(figure, text, frame)
    return figure


def _without_variants(frame: pd.DataFrame) -> pd.DataFrame:
    """They have a figure of their own."""
    return frame[~frame["method"].str.contains("+", regex=False)]


def _teams(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the methods that give the same at every agent count: they use one agent, or always two."""
    different = frame.drop_duplicates(["benchmark", "method", "accuracy", "total_tokens"])
    varying = different[different.duplicated(["benchmark", "method"])]["method"]
    return frame[frame["method"].isin(varying)]


def _panels(frame: pd.DataFrame, height: float) -> tuple[Figure, list[Axes]]:
    """A panel per benchmark, accuracies upwards."""
    titles = [style.name_of(benchmark) for benchmark in frame["benchmark"].unique()]
    figure, axes = style.panels(titles, height)
    for axis in axes:
        spec = axis.get_subplotspec()
        if spec is not None and spec.is_first_col():
            axis.set_ylabel("Accuracy in %")
    return figure, axes


def _from_zero(axes: Sequence[Axes]) -> None:
    """From 0 % to what there is: 100 % where it is needed. Panels share the axis."""
    top = min(104.0, axes[0].get_ylim()[1])
    axes[0].set_ylim(-0.04 * top, top)


def _course(axis: Axes, rows: Rows, method: str, place: int) -> None:
    """A method as run, and the line by which it gets there."""
    *_, whole = rows
    own = _style(method, place)
    if not whole["total_tokens"]:  # nowhere on a logarithmic axis
        axis.axhline(100 * whole["accuracy"], color=own["color"], linestyle=":", linewidth=1.2)
        return
    x = [row["total_tokens"] for row in rows]
    axis.plot(x, _percent(rows, "accuracy"), **own | {"marker": "none", "linewidth": 0.9, "alpha": 0.8})
    dots = [row for row in rows if row["shown"] and row is not whole]
    small = own | {"linestyle": "none", "markersize": 1.8}
    axis.plot([row["total_tokens"] for row in dots], _percent(dots, "accuracy"), **small)
    axis.plot(x[-1:], _percent([whole], "accuracy"), **own, markersize=4.6)
    _bars(axis, [whole], x[-1:], own["color"])


def _style(method: str, place: int) -> dict[str, Any]:
    """A method with the first, second, … number of agents: the first is filled, its line whole."""
    colour, shape = style.look(method)
    return {
        "color": colour,
        "marker": shape,
        "markerfacecolor": "white" if place else colour,
        "markeredgewidth": 0.8,
        "linestyle": style.DASHES[place % len(style.DASHES)],
        "linewidth": 1.0,
    }


def _bars(axis: Axes, rows: Rows, x: Sequence[float], colour: str) -> None:
    low, high = _percent(rows, "accuracy_low"), _percent(rows, "accuracy_high")
    axis.vlines(x, low, high, color=colour, linewidth=0.8, alpha=0.45)


def _percent(rows: Rows, name: str) -> list[float]:
    return [100 * row[name] for row in rows]


def _paper_stars(axis: Axes, benchmark: str, methods: Sequence[str]) -> int:
    """The paper's (tokens, accuracy) of its 70B model, where table 3 has both; how many there are."""
    reported, stars = paper.Reported(), 0
    for method in methods:
        spent = reported.tokens(benchmark, method).get("LLaMA3.1-70B")
        share = reported.table3_accuracy(benchmark, method).get("LLaMA3.1-70B")
        if spent is not None and share is not None:
            stars += 1
            colour, _ = style.look(method)
            axis.plot(spent, 100 * share, "*", color=colour, markerfacecolor="white", markersize=7)
    return stars


def _log_ticks(axis: Axes) -> None:
    """Few, plain ticks (1k, 2k, 5k) instead of powers of ten that a narrow range does not reach."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_xlim()
    wide = high > 200 * low
    axis.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def _handle(method: str) -> Artist:
    colour, shape = style.look(method)
    return style.marker(shape, colour, method, markersize=4.6)


def _count_handles(counts: Sequence[int]) -> list[Artist]:
    grey = "#555555"
    return [
        style.marker(
            "o", grey, f"N = {n}", style.DASHES[place % len(style.DASHES)],
            markerfacecolor="white" if place else grey,
        )
        for place, n in enumerate(counts)
    ]  # fmt: skip
