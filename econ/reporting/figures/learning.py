"""What ECON learned, as it moved: the weights of its rewards on their simplex, the executors' actions."""

from __future__ import annotations

import math
from collections.abc import Iterator

from econ.params import Params
from econ.reporting.catalogue import figure
from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Point, Series, unique
from econ.reporting.figures.curves import NO_CURVES, Log, find, looks, nothing_learned, said
from econ.reporting.figures.rows import GREY

HEIGHT = math.sqrt(3) / 2
LABELS = {
    "temperature": "Temperature T",
    "repetition_penalty": "Repetition penalty p",
    "top_p": "Top-p p",
}
# Corners of the simplex: the whole weight on one reward.
CORNERS = {"AL": (0.0, 0.0), "TS": (1.0, 0.0), "CC": (0.5, HEIGHT)}


def _weights_given(params: Params) -> str | None:
    if not params.reward.learn_alpha:
        return "reward.learn_alpha is off: the weights of the rewards stay as they are given."
    return nothing_learned(params)


@figure(
    "The weights α of the rewards AL, TS and CC while they are learned, on their simplex: a corner is the "
    "whole weight on one reward, the middle of the triangle the same weight on each. Large: the last update.",
    section="training",
    missing=_weights_given,
)
def weights(params: Params) -> Chart:
    """A panel per benchmark, a path per training."""
    logs = [log for log in find(params) if all(f"alpha/{name}" in log.curves for name in CORNERS)]
    counts = sorted(params.n_agents)
    panels = []
    for benchmark in unique([log.benchmark for log in logs]) or list(params.benchmarks[:1]):
        series = [
            one
            for log in logs
            if log.benchmark == benchmark
            for one in _path(
                _on_simplex(log), looks(params.benchmarks)[benchmark], counts.index(log.n_agents),
                f"N = {log.n_agents}, seed {log.seed}", style.name_of(benchmark),
            )
        ]  # fmt: skip
        corners = tuple((x, y, f"{name} alone") for name, (x, y) in CORNERS.items())
        x, y = Axis("", -0.1, 1.1), Axis("", -0.12, HEIGHT + 0.12)
        panels.append(Panel(style.name_of(benchmark), tuple(series), x, y, outline=corners))
    text = "A point per update" if logs else NO_CURVES
    return Chart(tuple(panels), tuple(_count_keys(counts)), height=1.6, columns=4, **said(text, params))


def _on_simplex(log: Log) -> list[Point]:
    found = []
    shares = [log.curves[f"alpha/{name}"] for name in CORNERS]
    for parts in zip(*shares, strict=False):
        values = [value for _, value in parts]
        x = sum(value * corner[0] for value, corner in zip(values, CORNERS.values(), strict=True))
        y = sum(value * corner[1] for value, corner in zip(values, CORNERS.values(), strict=True))
        told = ", ".join(f"{name} {value:.3f}" for name, value in zip(CORNERS, values, strict=True))
        found.append(Point(x, y, said=f"episode {parts[0][0]:g}: {told}"))
    return found


@figure(
    "The executors' actions while they are learned: temperature and second sampling parameter of the policy "
    "itself, without exploration, as the mean over each update's episodes. A path per executor; large: the "
    "last update. The panel is the range that an action can take. Where one of the two is held, the other "
    "stands against episodes.",
    section="training",
    missing=nothing_learned,
)
def actions(params: Params) -> Chart:
    """A panel per benchmark and agent count, a path per executor and seed."""
    logs = [log for log in find(params) if "action/policy/T_1" in log.curves]
    axes = {
        name: Axis(LABELS[name], *_range(bounds.low, bounds.high))
        for name, bounds in params.action.dimensions.items()
        if name not in params.action.fixed
    }
    last = max((log.curves["action/policy/T_1"][-1][0] for log in logs), default=1.0)
    episode = Axis("Episode", *_range(0.0, last), whole=True)
    x, y = axes.values() if len(axes) == 2 else (episode, *(axes.values() or [Axis("Temperature T")]))
    free = [name != "temperature" for name in axes]
    panels = []
    for benchmark, n in unique([(log.benchmark, log.n_agents) for log in logs]):
        series = [
            one
            for log in logs
            if (log.benchmark, log.n_agents) == (benchmark, n)
            for agent in range(n)
            for one in _path(
                _moves(log, agent, free),
                style.numbered(agent),
                0,
                f"seed {log.seed}",
                f"Executor {agent + 1}",
            )
        ]
        panels.append(Panel(f"{style.name_of(benchmark)}, N = {n}", tuple(series), x, y))
    most = max((log.n_agents for log in logs), default=0)
    keys = [Key(f"Executor {agent + 1}", *style.numbered(agent)) for agent in range(most)]
    text = "A point per update" if logs else NO_CURVES
    panels = panels or [Panel(style.name_of(params.benchmarks[0]), (), x, y)]
    return Chart(tuple(panels), tuple(keys), height=1.6, columns=4, **said(text, params))


def _range(low: float, high: float) -> tuple[float, float]:
    room = 0.04 * (high - low)
    return low - room, high + room


def _moves(log: Log, agent: int, free: list[bool]) -> list[Point]:
    """``free``: which of T (False) and p (True) move; of one alone against episodes."""
    temperature, second = (log.curves[f"action/policy/{name}_{agent + 1}"] for name in ("T", "p"))
    found = []
    for (episode, t), (_, p) in zip(temperature, second, strict=False):
        values = [(t, p)[one] for one in free]
        x, y = values if len(values) == 2 else (episode, *(values or [t]))
        found.append(Point(x, y, said=f"episode {episode:g}: T {t:.3f}, p {p:.3f}"))
    return found


def _path(points: list[Point], look: tuple[str, str], place: int, group: str, name: str) -> Iterator[Series]:
    """A line with a small mark at each update, and a large one at the last."""
    colour, marker = look
    dash = style.DASHES[place % len(style.DASHES)]
    if len(points) > 1:
        yield Series(name, tuple(points[:-1]), colour, marker, None, place > 0, group, size=2.2)
        yield Series(name, tuple(points), colour, "none", dash, False, group)
    yield Series(name, tuple(points[-1:]), colour, marker, None, place > 0, group, size=4.6)


def _count_keys(counts: list[int]) -> Iterator[Key]:
    if len(counts) > 1:
        for place, n in enumerate(counts):
            yield Key(f"N = {n}", GREY, "o", style.DASHES[place % len(style.DASHES)], hollow=place > 0)
