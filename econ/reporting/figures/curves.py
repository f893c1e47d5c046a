"""Training curves, from the logs that DVCLive leaves beside the checkpoints."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from econ import paths
from econ.params import Params, learns
from econ.reporting import show
from econ.reporting.catalogue import figure
from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Point, Series
from econ.reporting.figures.rows import GREY

Curve = list[tuple[float, float]]  # (episode, value)

NO_CURVES = "No curves beside the checkpoints of these params"
# What is drawn of the logs, in this order: its title, and what its axis counts.
REWARD, VALUE, SHARE = "Reward", "Value", "Share of ends"
PANELS = {
    "reward/team": ("Team", REWARD),
    "reward/executors": ("Executors", REWARD),
    "reward/commitment": ("Commitment", REWARD),
    "reward/AL": ("AL: agreement", REWARD),
    "reward/TS": ("TS: right", REWARD),
    "reward/CC": ("CC: contribution", REWARD),
    "value/q_policy": ("Q_tot of the policy", VALUE),
    "value/q_refined": ("Q_tot, refined", VALUE),
    "loss/total": ("Loss of Q_tot", "Reward squared"),
    "stop/same_commitment": ("Same commitment", SHARE),
    "stop/small_step": ("Small step", SHARE),
    "stop/oscillation": ("Oscillation", SHARE),
    "stop/max_iterations": ("All rounds played", SHARE),
}


@dataclass(frozen=True, slots=True)
class Log:
    """What one training has left: curves by metric."""

    benchmark: str
    n_agents: int
    seed: int
    curves: dict[str, Curve]


def find(params: Params) -> list[Log]:
    """The logs of the params' trainings, variants aside; one that has none is left out.

    DVCLive writes a file per metric, ``plots/metrics/NAME.tsv``, with columns step and the metric.
    """
    found = [
        Log(benchmark, n_agents, seed, dict(_curves(paths.checkpoint(benchmark, n_agents, seed))))
        for benchmark in params.benchmarks
        for n_agents in params.n_agents
        for seed in params.seeds
    ]
    return [log for log in found if log.curves]


def _curves(checkpoint: Path) -> Iterator[tuple[str, Curve]]:
    root = checkpoint / "curve" / "plots" / "metrics"
    for path in sorted(root.glob("**/*.tsv")):
        if curve := _read(path):
            yield path.relative_to(root).with_suffix("").as_posix(), curve


def _read(path: Path) -> Curve:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    values = [key for key in (rows[0] if rows else {}) if key not in ("step", "timestamp")]
    return [(float(row["step"]), float(row[values[0]])) for row in rows if values and row[values[0]]]


def nothing_learned(params: Params) -> str | None:
    """Why there is no figure of training."""
    if any(map(learns, params.methods)):
        return None
    return "No method of these params is trained."


@figure(
    "Training, a point per update: rewards (0 to R_max) of the team, of the executors with their parts AL, "
    "TS and CC, and of the commitment; the critic's values and its loss; how refinement ended. Means over an "
    "update's episodes; a line per training, by benchmark and number of agents.",
    section="training",
    missing=nothing_learned,
)
def training(params: Params) -> Chart:
    """A panel per metric, a line per training, its look by benchmark, its dashes by agent count."""
    logs = find(params)
    last = max((curve[-1][0] for log in logs for curve in log.curves.values()), default=1.0)
    x = Axis("Episode", -0.04 * last, 1.04 * last, whole=True)
    panels = []
    for name, (title, label) in PANELS.items():
        some = [log for log in logs if any(value for _, value in log.curves.get(name, []))]
        series = tuple(_line(log, name, params) for log in some)
        if series:
            panels.append(Panel(title, series, x, _values(series, label)))
    text = "Means over each update's episodes" if panels else NO_CURVES
    panels = panels or [Panel("Team", (), x, Axis(REWARD, 0, 1))]
    return Chart(
        tuple(panels), tuple(_keys(params)), height=1.4, columns=4, share_x=False, share_y=False,
        **said(text, params),
    )  # fmt: skip


def _line(log: Log, name: str, params: Params) -> Series:
    colour, marker = looks(params.benchmarks)[log.benchmark]
    place = sorted(params.n_agents).index(log.n_agents)
    points = tuple(Point(episode, value, said=f"episode {episode:g}") for episode, value in log.curves[name])
    group = f"N = {log.n_agents}, seed {log.seed}"
    dash = style.DASHES[place % len(style.DASHES)]
    return Series(
        style.name_of(log.benchmark), points, colour, marker, dash, place > 0, group,
        size=3.2 if len(points) < 12 else 1.8,
    )  # fmt: skip


def _values(series: Sequence[Series], label: str) -> Axis:
    values = [point.y for one in series for point in one.points]
    low, high = min(values), max(values)
    if label in (REWARD, SHARE):
        low, high = min(0.0, low), max(1.0, high)
    room = 0.06 * (high - low or abs(high) or 1.0)
    return Axis(label, low - room, high + room)


def looks(benchmarks: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each benchmark."""
    return {name: style.numbered(i) for i, name in enumerate(benchmarks)}


def _keys(params: Params) -> Iterator[Key]:
    for benchmark, (colour, marker) in looks(params.benchmarks).items():
        yield Key(style.name_of(benchmark), colour, marker)
    counts = sorted(params.n_agents)
    if len(counts) > 1:
        for place, n in enumerate(counts):
            yield Key(f"N = {n}", GREY, "o", style.DASHES[place % len(style.DASHES)], hollow=place > 0)


def said(text: str, params: Params) -> dict[str, Any]:
    """What a chart of training says above its panels."""
    llm = params.llm
    return {
        "note": "; ".join(filter(None, [text, show.held(params.action.fixed)])),
        "simulated": llm.backend == "simulated",
        "recorded": ", ".join(PurePath(model).name for model in llm.executors)
        if llm.backend == "bank"
        else None,
    }
