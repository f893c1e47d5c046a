"""A chart drawn with Matplotlib, to be read in grey, and with any common colour-vision deficiency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Series

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINED = "x+12_|"  # markers without a face
HATCH = "//////"
RING = 1.9  # size of a marker around another one


def draw(chart: Chart) -> Figure:
    """The figure, within :func:`style.styled`."""
    titles = [panel.title for panel in chart.panels]
    figure, axes = style.panels(
        titles, chart.height, share_x=chart.share_x, share_y=chart.share_y, columns=chart.columns
    )
    for axis, panel in zip(axes, chart.panels, strict=True):
        _panel(axis, panel, chart)
    if chart.keys:
        style.legend(figure, [_handle(key) for key in chart.keys])
    style.note(figure, chart.note, chart.simulated, chart.recorded)
    return figure


def _panel(axis: Axes, panel: Panel, chart: Chart) -> None:
    if panel.zero:
        (axis.axvline if chart.along == "x" else axis.axhline)(0, color="#444444", linewidth=0.7, zorder=0.8)
    if panel.outline:
        _outline(axis, panel)
    _axis(axis, "x", panel.x)
    _axis(axis, "y", panel.y)
    for series in sorted(panel.series, key=lambda one: not one.reported):
        _series(axis, series, chart.along)
    for x, y, text in panel.words:
        axis.annotate(
            text, (x, y), xycoords=axis.get_yaxis_transform(), va="center", fontsize=6, color=style.FAINT,
            annotation_clip=False,
        )  # fmt: skip
    if panel.outline:  # a shape of its own in place of axes
        axis.set_aspect("equal")
        axis.set_axis_off()


def _axis(axis: Axes, which: str, about: Axis) -> None:
    one = axis.xaxis if which == "x" else axis.yaxis
    if about.log:
        (axis.set_xscale if which == "x" else axis.set_yscale)("log")
    if about.low is not None and about.high is not None:
        (axis.set_xlim if which == "x" else axis.set_ylim)(about.low, about.high)
    place = axis.get_subplotspec()
    if which == "x" or about.ticks or place is None or place.is_first_col() or not _shares(axis):
        one.set_label_text(about.label)
    if about.ticks:
        one.set_ticks(range(len(about.ticks)), about.ticks)
        axis.tick_params(axis="y" if which == "y" else "x", length=0)
        one.grid(visible=False)
    elif about.whole:
        from matplotlib.ticker import MaxNLocator

        one.set_major_locator(MaxNLocator(5, integer=True))
    elif about.log:
        _log_ticks(axis)


def _shares(axis: Axes) -> bool:
    """Does the panel have its y axis in common with the one to its left?"""
    return len(axis.get_shared_y_axes().get_siblings(axis)) > 1


def _log_ticks(axis: Axes) -> None:
    """Few, plain ticks (1k, 2k, 5k) instead of powers of ten that a narrow range does not reach."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_xlim()
    subs = (1,) if high > 200 * low else (1, 3) if high > 30 * low else (1, 2, 5)
    axis.xaxis.set_major_locator(LogLocator(subs=subs))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def _outline(axis: Axes, panel: Panel) -> None:
    corners = [(x, y) for x, y, _ in panel.outline]
    axis.plot(*zip(*corners, corners[0], strict=True), color="#444444", linewidth=0.7, zorder=0.8)
    for x, y, name in panel.outline:
        if name:
            below = y <= min(corner[1] for corner in corners)
            axis.annotate(
                name, (x, y), (0, -3 if below else 3), textcoords="offset points", fontsize=7, ha="center",
                va="top" if below else "bottom", annotation_clip=False,
            )  # fmt: skip


def _series(axis: Axes, series: Series, along: str) -> None:
    if any(point.base is not None for point in series.points):
        _bars(axis, series)
        return
    order = 1.5 if series.reported else 2.0
    if along == "x" and series.marker == "|":
        for point in series.points:
            foot, head = point.y - series.size, point.y + series.size
            for colour, width in (("white", 2.4), (series.colour, 1.0)):  # above bars, below our own points
                axis.vlines(point.x, foot, head, color=colour, linewidth=width, zorder=1.4)
        return
    x, y = [point.x for point in series.points], [point.y for point in series.points]
    axis.plot(
        x, y, color=series.colour, linestyle=series.dash or "none", marker="none", zorder=order,
        linewidth=0.9 if series.reported else 1.1,
    )  # fmt: skip
    for point in series.points:
        if point.low is not None and point.high is not None:
            ends = [point.low, point.high]
            side = ([point.x, point.x], ends) if along == "y" else (ends, [point.y, point.y])
            axis.plot(*side, color=series.colour, linewidth=0.8, zorder=order, solid_capstyle="butt")
    if series.marker != "none":
        _markers(axis, series, order)


def _markers(axis: Axes, series: Series, order: float) -> None:
    lined = series.marker in LINED
    look: dict[str, Any] = {"color": series.colour, "linestyle": "none", "zorder": order + 0.5}
    for ring in (False, True):
        some = [point for point in series.points if point.ring is ring]
        if not some:
            continue
        hollow = "none" if ring else "white" if series.hollow else series.colour
        axis.plot(
            [point.x for point in some], [point.y for point in some], marker=series.marker, **look,
            markersize=series.size * (RING if ring else 1), markerfacecolor=hollow,
            markeredgewidth=1.1 if lined else 0.8,
        )  # fmt: skip


def _bars(axis: Axes, series: Series) -> None:
    """From each point's base; hollow ones are hatched, so that grey tells them apart."""
    for point in series.points:
        base = point.base or 0.0
        axis.barh(
            point.y, point.x - base, series.size, left=base, linewidth=0.5, edgecolor=series.colour,
            facecolor="white" if series.hollow else series.colour, hatch=HATCH if series.hollow else None,
        )  # fmt: skip


def _handle(key: Key) -> Artist:
    if key.shade is not None:
        return style.patch(key.colour, key.label, HATCH if key.shade == "light" else None)
    face = "white" if key.hollow else key.colour
    return style.marker(
        key.marker, key.colour, key.label, key.dash or "none", markerfacecolor=face,
        markersize=7 if key.marker in "|*" else 4.6, markeredgewidth=1.1 if key.marker in LINED else 0.8,
    )  # fmt: skip
