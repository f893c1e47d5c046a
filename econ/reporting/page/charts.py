"""Charts as the page's script reads them: the same data that the printed figures are drawn from."""

from __future__ import annotations

from typing import Any

from econ.reporting.figures.chart import Axis, Chart, Panel, Point, Series

DIGITS = 6  # of numbers on the page


def pack(chart: Chart) -> dict[str, Any]:
    """Without what has its default, points as lists."""
    return {
        "along": chart.along,
        "height": chart.height,
        "columns": chart.columns,
        "panels": [_panel(panel) for panel in chart.panels],
        "keys": [
            {
                "label": key.label, "colour": key.colour, "marker": key.marker, "dash": _dash(key.dash),
                "hollow": key.hollow or key.shade == "light", "bar": key.shade is not None,
            }
            for key in chart.keys
        ],
    }  # fmt: skip


def _panel(panel: Panel) -> dict[str, Any]:
    series = [_series(one) for one in panel.series]
    return {
        "title": panel.title, "x": _axis(panel.x), "y": _axis(panel.y), "zero": panel.zero, "series": series,
        "words": panel.words, "outline": panel.outline,
    }  # fmt: skip


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "label": axis.label, "low": _short(axis.low), "high": _short(axis.high), "log": axis.log,
        "whole": axis.whole, "ticks": axis.ticks,
    }  # fmt: skip


def _series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name, "group": series.group, "colour": series.colour, "marker": series.marker,
        "dash": _dash(series.dash), "hollow": series.hollow, "reported": series.reported, "size": series.size,
        "points": [_point(point) for point in series.points],
    }  # fmt: skip


def _point(point: Point) -> list[Any]:
    values = (point.x, point.y, point.low, point.high)
    return [*map(_short, values), point.n, point.said, _short(point.base), int(point.ring)]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _dash(dash: Any) -> list[float] | None:
    """Lengths of strokes and gaps; [] is a whole line, None none at all."""
    if dash is None:
        return None
    if isinstance(dash, tuple):
        return list(dash[1])
    return {"-": [], ":": [1, 1.5]}.get(dash, [4, 2])
