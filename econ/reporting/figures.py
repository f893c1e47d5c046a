"""The figures, drawn from the tables' CSV files alone (training curves: from the checkpoints' logs)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from econ.params import Params
from econ.reporting import canvas, paper, show
from econ.reporting.outputs import FIGURES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PAPER_COLUMNS = tuple(paper.MODELS.values())


def draw_all(params: Params) -> list[str]:
    """Draw and write every figure of :data:`~econ.reporting.outputs.FIGURES`; their names.

    Raises:
        EconError: a table is not there yet.
    """
    from econ.reporting.curves import training

    makers: dict[str, Callable[[], Figure]] = {
        "accuracy": accuracy,
        "tokens": tokens,
        "scaling": scaling,
        "tradeoff": tradeoff,
        "differences": differences,
        "ablations": ablations,
        "training": lambda: training(params),
    }
    with canvas.styled():
        for name in FIGURES:
            canvas.save(makers[name](), name)
    return list(FIGURES)


def accuracy() -> Figure:
    """Dots with 95 % intervals, a row per method, an offset per agent count; the paper's models as ticks."""
    frame = show.read("paper_accuracy")
    methods, counts = _unique(frame, "method"), sorted(_unique(frame, "n_agents"))
    figure, axes = _method_panels(frame, methods, len(counts))
    for axis, (_, part) in zip(axes, _by_benchmark(frame), strict=True):
        _dots(axis, part, "accuracy", methods, counts, _method_colours(frame))
        _paper_ticks(axis, part, methods)
        axis.set(xlim=(-2, 102), xlabel="Accuracy in %")
    handles = _count_handles(counts)
    if frame[list(_PAPER_COLUMNS)].notna().any(axis=None):
        handles.append(canvas.marker("|", canvas.PAPER, "paper, 8x7B to 405B", markersize=7))
    canvas.legend(figure, handles)
    canvas.note(figure, f"{_n(frame)}; bars: 95 % intervals", show.is_simulated(frame))
    return figure


def differences() -> Figure:
    """ECON minus each rival in points, paired on the same problems."""
    frame = show.read("paired")
    if frame.empty:
        return canvas.message("These params have no rival to compare econ-bne with.")
    return _changes(frame.assign(method=frame["rival"]), "econ-bne minus rival, points")


def ablations() -> Figure:
    """Each variant minus its method in points, paired on the same problems; the paper's change as a tick."""
    frame = show.read("ablations")
    frame = frame[frame["difference"].notna()]
    if frame.empty:
        return canvas.message("These params have no variants to compare with their method.")
    return _changes(frame, "variant minus method, points", "paper_points")


def _changes(frame: pd.DataFrame, label: str, reported: str | None = None) -> Figure:
    """Differences with their intervals, a row per method; those ``reported`` in the paper as ticks."""
    import numpy as np

    methods, counts = _unique(frame, "method"), sorted(_unique(frame, "n_agents"))
    figure, axes = _method_panels(frame, methods, len(counts))
    columns = ["difference", "difference_low", "difference_high", *([reported] if reported else [])]
    reach = 104 * max(0.1, float(np.nanmax(frame[columns].abs().to_numpy(dtype=float))))
    handles = _count_handles(counts)
    for axis, (_, part) in zip(axes, _by_benchmark(frame), strict=True):
        axis.axvline(0, color="#444444", linewidth=0.7)
        _dots(axis, part, "difference", methods, counts, dict.fromkeys(methods, canvas.PALETTE[0]))
        if reported:
            _paper_ticks(axis, part, methods, (reported,))
        axis.set(xlim=(-reach, reach), xlabel=label)
    if reported and frame[reported].notna().any():
        handles.append(canvas.marker("|", canvas.PAPER, "paper, mean of its models", markersize=7))
    canvas.legend(figure, handles)
    text = f"{_n(frame)}; bars: 95 % paired bootstrap (hollow: all problems alike, no interval)"
    canvas.note(figure, text, show.is_simulated(frame))
    return figure


def tokens() -> Figure:
    """Stacked bars of prompt and completion tokens per problem; table 3's 70B model as a tick."""
    frame = show.read("paper_tokens")
    methods, counts = _unique(frame, "method"), sorted(_unique(frame, "n_agents"))
    colours = _method_colours(frame)
    figure, axes = _method_panels(frame, methods, len(counts), share_x=False)
    shift = dict(zip(counts, canvas.offsets(len(counts), 0.8), strict=True))
    for axis, (_, part) in zip(axes, _by_benchmark(frame), strict=True):
        limit = 1.42 * max(part["total_tokens"].max(), 1)  # room for the paper's marks
        for row in _rows(part):
            y, colour = methods.index(row["method"]) + shift[row["n_agents"]], colours[row["method"]]
            prompt, height = row["prompt_tokens"], 0.74 / len(counts)
            axis.barh(y, prompt, height, color=colour, alpha=0.38, linewidth=0)
            axis.barh(y, row["completion_tokens"], height, left=prompt, color=colour, linewidth=0)
            label = f"N={row['n_agents']}"
            axis.annotate(label, (0, y), (2, 0), textcoords="offset points", va="center", fontsize=5.5)
        _paper_tokens(axis, part, methods, limit)
        axis.set(xlim=(0, limit), xlabel="Tokens per problem")
        axis.grid(axis="y", visible=False)
    handles = [canvas.patch("#555555", 0.38, "prompt"), canvas.patch("#555555", 1, "completion")]
    if frame["paper_llama_70b"].notna().any():
        handles.append(canvas.marker("|", "#111111", "paper, table 3, 70B"))
    canvas.legend(figure, handles)
    canvas.note(
        figure,
        f"Means; {_n(frame)}; the paper does not define its unit; arrow: beyond the axis",
        show.is_simulated(frame),
    )
    return figure


def scaling() -> Figure:
    """Accuracy against the number of agents, a line per method; the paper's figures 4 and 5 faint behind."""
    from matplotlib.ticker import MaxNLocator

    frame = show.read("scaling")
    if frame["n_agents"].nunique() < 2:
        frame = _without_variants(frame)  # they have a figure of their own
    methods, colours = _unique(frame, "method"), _method_colours(frame)
    benchmarks = _unique(frame, "benchmark")
    figure, axes = canvas.panels([canvas.name_of(b) for b in benchmarks], 1.75)
    shift = dict(zip(methods, canvas.offsets(len(methods), 0.5), strict=True))
    reported = False
    for axis, (benchmark, part) in zip(axes, _by_benchmark(frame), strict=True):
        for figure_number, points in paper.scaling(benchmark).items():
            style, reported = "--" if figure_number == 4 else ":", True
            axis.plot(*zip(*[(n, 100 * share) for n, share in points], strict=True), style, color="#b9b9b9")
        for method in methods:
            line = part[part["method"] == method].sort_values("n_agents")
            _errorbar(axis, line, line["n_agents"] + shift[method], colours[method])
        axis.set(ylim=(-3, 103), yticks=range(0, 101, 20), xlabel="Agents N")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axis in axes[:: _columns(axes)]:
        axis.set_ylabel("Accuracy in %")
    handles = [canvas.marker("o", colours[method], method, linestyle="-") for method in methods]
    if reported:
        handles.append(canvas.line("#b9b9b9", "--", "paper, fig. 4, 70B"))
        handles.append(canvas.line("#b9b9b9", ":", "paper, fig. 5, 70B"))
    canvas.legend(figure, handles)
    text = f"{_n(frame)}; bars: 95 % intervals; the paper's figures 4 and 5 are no numeric targets"
    canvas.note(figure, text, show.is_simulated(frame))
    return figure


def tradeoff() -> Figure:
    """Accuracy against tokens per problem (log scale), every method on it; table 3's 70B model as stars."""
    frame = _without_variants(show.read("accuracy")).merge(
        show.read("tokens")[["benchmark", "method", "n_agents", "total_tokens"]],
        on=["benchmark", "method", "n_agents"],
    )
    methods, colours = _unique(frame, "method"), _method_colours(frame)
    counts = sorted(_unique(frame, "n_agents"))
    shapes = canvas.markers(counts)
    # Smaller from method to method: of two that coincide, both are seen.
    sizes = {method: 7.5 - 4.5 * index / len(methods) for index, method in enumerate(methods)}
    benchmarks, stars = _unique(frame, "benchmark"), 0
    figure, axes = canvas.panels([canvas.name_of(b) for b in benchmarks], 1.75)
    for axis, (benchmark, part) in zip(axes, _by_benchmark(frame), strict=True):
        for n in counts:
            for row in _rows(part[part["n_agents"] == n]):
                _point(axis, row, colours[row["method"]], shapes[n], sizes[row["method"]])
        stars += _paper_stars(axis, benchmark, colours, methods)
        axis.set(xscale="log", ylim=(-6, 106), yticks=range(0, 101, 20), xlabel="Tokens per problem")
        _log_ticks(axis)
    for axis in axes[:: _columns(axes)]:
        axis.set_ylabel("Accuracy in %")
    handles = [canvas.patch(colours[method], 1, method) for method in methods]
    handles += [canvas.marker(shapes[n], "#555555", f"N = {n}") for n in counts]
    if stars:
        handles.append(
            canvas.marker("*", "#555555", "paper, table 3, 70B", markerfacecolor="white", markersize=7)
        )
    canvas.legend(figure, handles)
    canvas.note(figure, f"{_n(frame)}; bars: 95 % intervals", show.is_simulated(frame))
    return figure


def _method_panels(
    frame: pd.DataFrame, methods: list[str], counts: int, share_x: bool = True
) -> tuple[Figure, list[Axes]]:
    """Panels per benchmark with a labelled row per method, tall enough for every agent count."""
    row_height = max(0.2, 0.095 * counts)
    titles = [canvas.name_of(benchmark) for benchmark in _unique(frame, "benchmark")]
    figure, axes = canvas.panels(titles, 0.55 + row_height * len(methods), share_x=share_x)
    for axis in axes:
        axis.set_yticks(range(len(methods)), methods)
        axis.set_ylim(len(methods) - 0.45, -0.55)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="y", visible=False)
    return figure, axes


def _dots(
    axis: Axes,
    part: pd.DataFrame,
    value: str,
    methods: list[str],
    counts: list[int],
    colours: dict[str, str],
) -> None:
    shapes = canvas.markers(counts)
    shift = dict(zip(counts, canvas.offsets(len(counts), 0.72), strict=True))
    for row in _rows(part):
        y, colour = methods.index(row["method"]) + shift[row["n_agents"]], colours[row["method"]]
        low, high = 100 * row[f"{value}_low"], 100 * row[f"{value}_high"]
        known = low == low  # not NaN: an interval could be had
        if known:
            axis.plot([low, high], [y, y], color=colour, linewidth=1.0, alpha=0.75, solid_capstyle="butt")
        axis.plot(
            100 * row[value], y, shapes[row["n_agents"]], color=colour, markersize=3.6,
            markerfacecolor=colour if known else "white",
        )  # fmt: skip


def _paper_ticks(
    axis: Axes, part: pd.DataFrame, methods: list[str], columns: tuple[str, ...] = _PAPER_COLUMNS
) -> None:
    for row in _rows(part.drop_duplicates("method")):
        values = [100 * row[column] for column in columns if row[column] == row[column]]
        axis.vlines(
            values, methods.index(row["method"]) - 0.36, methods.index(row["method"]) + 0.36,
            color=canvas.PAPER, linewidth=0.9, zorder=0.9,
        )  # fmt: skip


def _paper_tokens(axis: Axes, part: pd.DataFrame, methods: list[str], limit: float) -> None:
    for row in _rows(part.drop_duplicates("method")):
        reported, y = row["paper_llama_70b"], methods.index(row["method"])
        if reported != reported:
            continue
        if reported <= limit:
            axis.vlines(reported, y - 0.42, y + 0.42, color="white", linewidth=2.6)
            axis.vlines(reported, y - 0.42, y + 0.42, color="#111111", linewidth=1.1)
        else:
            text = f"{reported:,.0f} →"
            axis.text(limit, y, text, ha="right", va="center", fontsize=6, color="#111111")


def _errorbar(axis: Axes, line: pd.DataFrame, x: Any, colour: str) -> None:
    y = 100 * line["accuracy"]
    errors = [y - 100 * line["accuracy_low"], 100 * line["accuracy_high"] - y]
    axis.errorbar(x, y, yerr=errors, fmt="o-", color=colour, elinewidth=0.8, markersize=3.2)


def _point(axis: Axes, row: dict[str, Any], colour: str, shape: str, size: float) -> None:
    y = 100 * row["accuracy"]
    if not row["total_tokens"]:  # nowhere on a logarithmic axis
        axis.axhline(y, color=colour, linestyle=":", linewidth=1.2)
        return
    errors = [[y - 100 * row["accuracy_low"]], [100 * row["accuracy_high"] - y]]
    axis.errorbar(
        row["total_tokens"], y, yerr=errors, fmt=shape, color=colour, elinewidth=size / 6, markersize=size
    )


def _paper_stars(axis: Axes, benchmark: str, colours: dict[str, str], methods: list[str]) -> int:
    """The paper's (tokens, accuracy) of its 70B model, where table 3 has both; how many there are."""
    reported, stars = paper.Reported(), 0
    for method in methods:
        spent = reported.tokens(benchmark, method).get("LLaMA3.1-70B")
        share = reported.table3_accuracy(benchmark, method).get("LLaMA3.1-70B")
        if spent is not None and share is not None:
            stars += 1
            axis.plot(spent, 100 * share, "*", color=colours[method], markerfacecolor="white", markersize=7)
    return stars


def _log_ticks(axis: Axes) -> None:
    """Few, plain ticks (1k, 2k, 5k) instead of powers of ten that a narrow range does not reach."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def _columns(axes: list[Axes]) -> int:
    spec = axes[0].get_subplotspec()
    return int(spec.get_gridspec().ncols) if spec is not None else 1


def _without_variants(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~frame["method"].str.contains("+", regex=False)]


def _method_colours(frame: pd.DataFrame) -> dict[str, str]:
    return canvas.colours(_unique(frame, "method"))


def _unique(frame: pd.DataFrame, column: str) -> list[Any]:
    return list(frame[column].unique())


def _by_benchmark(frame: pd.DataFrame) -> Any:
    return frame.groupby("benchmark", sort=False)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _n(frame: pd.DataFrame) -> str:
    fewest, most = int(frame["n"].min()), int(frame["n"].max())
    points = f"n = {fewest:,} per point" if fewest == most else f"n = {fewest:,} to {most:,} per point"
    return "; ".join(filter(None, [points, show.not_learned(frame)]))


def _count_handles(counts: list[int]) -> list[Any]:
    shapes = canvas.markers(counts)
    return [canvas.marker(shapes[n], "#555555", f"N = {n}") for n in counts]
