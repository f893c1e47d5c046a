"""The figures, drawn from the tables' CSV files alone (training curves: from the checkpoints' logs)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from econ.params import Params
from econ.reporting import show
from econ.reporting.catalogue import FIGURES
from econ.reporting.figures import style
from econ.reporting.paper import reported as paper
from econ.reporting.tables.comparisons import ALL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PAPER_COLUMNS = tuple(paper.MODELS.values())


def draw_all(params: Params) -> list[str]:
    """Draw and write every figure of :data:`~econ.reporting.catalogue.FIGURES`; their names.

    Raises:
        EconError: a table is not there yet.
    """
    from econ.reporting.figures.curves import training
    from econ.reporting.figures.lines import convergence, scaling, tradeoff

    makers: dict[str, Callable[[], Figure]] = {
        "accuracy": accuracy,
        "tokens": tokens,
        "scaling": scaling,
        "tradeoff": tradeoff,
        "differences": differences,
        "ablations": ablations,
        "convergence": convergence,
        "training": lambda: training(params),
    }
    with style.styled():
        for name in FIGURES:
            style.save(makers[name](), name)
    return list(FIGURES)


def accuracy() -> Figure:
    """Dots with 95 % intervals, a row per method, an offset per agent count; the paper's models as ticks."""
    frame = show.read("paper_accuracy")
    methods, counts = _unique(frame, "method"), sorted(_unique(frame, "n_agents"))
    figure, axes = _method_panels(frame, methods, len(counts))
    for axis, (_, part) in zip(axes, _by_benchmark(frame), strict=True):
        _dots(axis, part, "accuracy", methods, counts, style.colours(_unique(frame, "method")))
        _paper_ticks(axis, part, methods)
        _absent(axis, set(part["method"]), methods)
        axis.set(xlim=(-2, 102), xlabel="Accuracy in %")
    handles = _count_handles(counts)
    if frame[list(_PAPER_COLUMNS)].notna().any(axis=None):
        handles.append(style.marker("|", style.PAPER, "paper, 8x7B to 405B", markersize=7))
    style.legend(figure, handles)
    style.note_rows(figure, f"{style.how_many(frame)}; bars: 95 % intervals", frame)
    return figure


def differences() -> Figure:
    """ECON minus each rival in points, paired on the same problems."""
    frame = show.read("paired")
    if frame.empty:
        return style.message("These params have no rival to compare econ-bne with.")
    return _changes(frame.assign(method=frame["rival"]), "econ-bne minus rival")


def ablations() -> Figure:
    """Each variant minus its method in points, paired on the same problems; the paper's change as a tick."""
    frame = show.read("ablations")
    frame = frame[frame["difference"].notna()]
    if frame.empty:
        return style.message("These params have no variants to compare with their method.")
    return _changes(frame, "variant minus method", "paper_points")


def _changes(frame: pd.DataFrame, what: str, reported: str | None = None) -> Figure:
    """Differences with their intervals, a row per method; those ``reported`` in the paper as ticks."""
    import numpy as np

    methods, counts = _unique(frame, "method"), sorted(_unique(frame, "n_agents"))
    figure, axes = _method_panels(frame, methods, len(counts))
    columns = ["difference", "difference_low", "difference_high", *([reported] if reported else [])]
    reach = 104 * max(0.1, float(np.nanmax(frame[columns].abs().to_numpy(dtype=float))))
    handles = _count_handles(counts)
    for axis, (benchmark, part) in zip(axes, _by_benchmark(frame), strict=True):
        axis.axvline(0, color="#444444", linewidth=0.7)
        _dots(axis, part, "difference", methods, counts, dict.fromkeys(methods, style.PALETTE[0]))
        if reported:
            _paper_ticks(axis, part, methods, (reported,))
        axis.set(xlim=(-reach, reach), xlabel="Difference, points")
        _absent(axis, set(part["method"]), methods, "one benchmark" if benchmark == ALL else "not played")
    if reported and frame[reported].notna().any():
        handles.append(style.marker("|", style.PAPER, "paper, mean of its models", markersize=7))
    style.legend(figure, handles)
    text = f"{what}; bars: 95 % paired bootstrap (hollow: all problems alike, no interval)"
    style.note_rows(figure, f"{text}; {style.how_many(frame)}", frame)
    return figure


def tokens() -> Figure:
    """Stacked bars of prompt and completion tokens per problem; table 3's 70B model as a tick."""
    frame = show.read("paper_tokens")
    methods, counts = _unique(frame, "method"), sorted(_unique(frame, "n_agents"))
    colours = style.colours(_unique(frame, "method"))
    figure, axes = _method_panels(frame, methods, len(counts), share_x=False)
    shift = dict(zip(counts, style.offsets(len(counts), 0.8), strict=True))
    for axis, (_, part) in zip(axes, _by_benchmark(frame), strict=True):
        limit = 1.42 * max(part["total_tokens"].max(), 1)  # room for the paper's marks
        for row in show.records(part):
            y, colour = methods.index(row["method"]) + shift[row["n_agents"]], colours[row["method"]]
            prompt, height = row["prompt_tokens"], 0.74 / len(counts)
            axis.barh(y, prompt, height, color=colour, alpha=0.38, linewidth=0)
            axis.barh(y, row["completion_tokens"], height, left=prompt, color=colour, linewidth=0)
            _at_end(axis, row["total_tokens"], y)
        _paper_tokens(axis, part, methods, limit)
        _absent(axis, set(part["method"]), methods)
        axis.set(xlim=(0, limit), xlabel="Tokens per problem")
        axis.grid(axis="y", visible=False)
    handles = [style.patch("#555555", 0.38, "prompt"), style.patch("#555555", 1, "completion")]
    said = [f"Means; {style.how_many(frame)}"]
    if len(counts) > 1:
        said.append(f"a method's bars from above: {', '.join(f'N = {n}' for n in counts)}")
    if frame["paper_llama_70b"].notna().any():
        handles.append(style.marker("|", "#111111", "paper, table 3, 70B"))
        said.append("the paper does not define its unit; arrow: beyond the axis")
    style.legend(figure, handles)
    style.note_rows(figure, "; ".join(said), frame)
    return figure


def _method_panels(
    frame: pd.DataFrame, methods: list[str], counts: int, share_x: bool = True
) -> tuple[Figure, list[Axes]]:
    """Panels per benchmark with a labelled row per method, tall enough for every agent count."""
    row_height = max(0.2, 0.095 * counts)
    titles = [style.name_of(benchmark) for benchmark in _unique(frame, "benchmark")]
    figure, axes = style.panels(titles, 0.55 + row_height * len(methods), share_x=share_x)
    for axis in axes:
        axis.set_yticks(range(len(methods)), methods)
        axis.set_ylim(len(methods) - 0.45, -0.55)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="y", visible=False)
    return figure, axes


def _absent(axis: Axes, played: set[str], methods: list[str], why: str = "not played") -> None:
    """Say in an empty row that its method does not play here."""
    for y, method in enumerate(methods):
        if method not in played:
            axis.annotate(
                why, (0.03, y), xycoords=axis.get_yaxis_transform(), va="center", fontsize=5.5,
                color="#9a9a9a",
            )  # fmt: skip


def _dots(
    axis: Axes,
    part: pd.DataFrame,
    value: str,
    methods: list[str],
    counts: list[int],
    colours: dict[str, str],
) -> None:
    shapes = style.markers(counts)
    shift = dict(zip(counts, style.offsets(len(counts), 0.72), strict=True))
    for row in show.records(part):
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
    for row in show.records(part.drop_duplicates("method")):
        values = [100 * row[column] for column in columns if row[column] == row[column]]
        axis.vlines(
            values, methods.index(row["method"]) - 0.36, methods.index(row["method"]) + 0.36,
            color=style.PAPER, linewidth=0.9, zorder=0.9,
        )  # fmt: skip


def _at_end(axis: Axes, value: float, y: float) -> None:
    """A bar's value as a number beside its end."""
    axis.annotate(
        f"{value:,.0f}", (value, y), (2, 0), textcoords="offset points", va="center", fontsize=5.5,
        color="#444444",
    )  # fmt: skip


def _paper_tokens(axis: Axes, part: pd.DataFrame, methods: list[str], limit: float) -> None:
    for row in show.records(part.drop_duplicates("method")):
        reported, y = row["paper_llama_70b"], methods.index(row["method"])
        if reported != reported:
            continue
        if reported <= limit:
            axis.vlines(reported, y - 0.42, y + 0.42, color="white", linewidth=2.6)
            axis.vlines(reported, y - 0.42, y + 0.42, color="#111111", linewidth=1.1)
        else:
            text = f"{reported:,.0f} →"
            axis.text(limit, y, text, ha="right", va="center", fontsize=6, color="#111111")


def _unique(frame: pd.DataFrame, column: str) -> list[Any]:
    return list(frame[column].unique())


def _by_benchmark(frame: pd.DataFrame) -> Any:
    return frame.groupby("benchmark", sort=False)


def _count_handles(counts: list[int]) -> list[Any]:
    shapes = style.markers(counts)
    return [style.marker(shapes[n], "#555555", f"N = {n}") for n in counts]
