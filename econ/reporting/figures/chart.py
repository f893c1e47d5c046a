"""What a figure shows, as data: :mod:`econ.reporting.figures.draw` draws it for paper, a script on the page.

So that both show the same, a figure's function says what is drawn and leaves how to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

TOUCHING = 0.01  # share of a panel's width or height within which one marker hides another


@dataclass(frozen=True, slots=True)
class Point:
    """``low``, ``high``: its interval, along the axis of the value. ``n``: answers behind it. ``base``: where
    its bar begins, of a bar. ``said``: what else is to be read of it."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    said: str = ""
    base: float | None = None
    ring: bool = False  # lies on a point drawn before, and is drawn around it


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together. ``dash``: how their line is drawn, None without one. ``hollow``: markers
    are outlines. ``group``: what tells it from others of its name (``N = 3``). ``reported``: of the paper."""

    name: str
    points: tuple[Point, ...]
    colour: str
    marker: str = "o"
    dash: Any = None
    hollow: bool = False
    group: str = ""
    reported: bool = False
    size: float = 4.0


@dataclass(frozen=True, slots=True)
class Axis:
    """``ticks``: names of the places 0, 1, 2, … of an axis without numbers."""

    label: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False  # ticks at whole numbers alone
    ticks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """``zero``: a line at which nothing differs, across the axis of the value. ``words``: (x, y, text), x as
    a share of the panel's width. ``outline``: (x, y, name) of the corners of a shape that bounds the points
    and stands in place of axes."""

    title: str
    series: tuple[Series, ...]
    x: Axis
    y: Axis
    zero: bool = False
    words: tuple[tuple[float, float, str], ...] = ()
    outline: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend. ``shade``: of a bar, in place of a marker."""

    label: str
    colour: str
    marker: str = "none"
    dash: Any = None
    hollow: bool = False
    shade: Literal["light", "dark"] | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: its panels row by row, legend, and the line above that says what the points are.

    ``along``: the axis of the value, which intervals and bars follow. ``height``: of a panel, in inches.
    ``columns``: panels beside each other, at most. ``recorded``: by whom the answers were given before.
    """

    panels: tuple[Panel, ...]
    keys: tuple[Key, ...]
    note: str
    along: Literal["x", "y"] = "y"
    height: float = 2.0
    columns: int = 3
    share_x: bool = True
    share_y: bool | Literal["row"] = True
    simulated: bool = False
    recorded: str | None = None


def ringed(series: Sequence[Series], x: Axis, y: Axis) -> tuple[Series, ...]:
    """The series, each point that would hide an earlier one marked as its ring."""
    seen: list[tuple[float, float]] = []
    found = []
    for one in series:
        places = [(_share(point.x, x), _share(point.y, y)) for point in one.points]
        hides = [any(math.dist(place, other) < TOUCHING for other in seen) for place in places]
        if one.marker != "none" and not one.reported:
            seen += places
        points = tuple(replace(point, ring=ring) for point, ring in zip(one.points, hides, strict=True))
        found.append(replace(one, points=points))
    return tuple(found)


def _share(value: float, axis: Axis) -> float:
    """Where a value stands between the ends of an axis."""
    low, high = axis.low or 0.0, axis.high or 1.0
    if axis.log:
        low, high, value = math.log(low), math.log(high), math.log(max(value, low))
    return (value - low) / (high - low or 1.0)


def unique(values: Sequence[Any]) -> list[Any]:
    """In the order that they appear in."""
    return list(dict.fromkeys(values))
