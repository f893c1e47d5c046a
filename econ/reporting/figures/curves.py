"""Training curves, from the logs that DVCLive leaves beside the checkpoints."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from econ import paths
from econ.params import Params
from econ.reporting import show
from econ.reporting.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = list[tuple[float, float]]  # (episode, value)
# (benchmark, agents, curve): one per seed, and per executor where it has one
Lines = list[tuple[str, int, Curve]]
# The groups that are drawn, in this order. Actions as sent hold the exploration's noise: left to the log.
GROUPS = ("reward/", "value/", "loss/", "alpha/", "action/policy/", "stop/")


def find(params: Params) -> dict[str, Lines]:
    """Curves by metric, team reward and total loss first in their groups; a job without any is left out.

    DVCLive writes a file per metric, ``plots/metrics/NAME.tsv``, with columns step and the metric. Metrics
    that differ in the executor's number alone (``T_1``, ``T_2``) share a name.
    """
    found: dict[str, Lines] = {}
    for benchmark in params.benchmarks:
        for n_agents in params.n_agents:
            for seed in params.seeds:
                for name, curve in _curves(paths.checkpoint(benchmark, n_agents, seed)):
                    found.setdefault(name, []).append((benchmark, n_agents, curve))
    order = [
        name
        for group in GROUPS
        for name in sorted(found, key=lambda name: (not name.endswith(("/team", "/total")), name))
        if name.startswith(group)
    ]
    return {name: found[name] for name in order}


def _curves(checkpoint: Path) -> Iterator[tuple[str, Curve]]:
    root = checkpoint / "curve" / "plots" / "metrics"
    for path in sorted(root.glob("**/*.tsv")):
        curve = _read(path)
        if curve:
            name = path.relative_to(root).with_suffix("").as_posix()
            yield re.sub(r"_\d+$", "", name), curve


def _read(path: Path) -> Curve:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    values = [key for key in (rows[0] if rows else {}) if key not in ("step", "timestamp")]
    return [(float(row["step"]), float(row[values[0]])) for row in rows if values and row[values[0]]]


def training(params: Params) -> Figure:
    """A panel per metric, a line per run, coloured by benchmark, its dashes by agent count."""
    from matplotlib.ticker import MaxNLocator

    curves = find(params)
    if not curves:
        return style.message("No training curves beside the checkpoints of these params.")
    benchmarks = list(params.benchmarks)
    colours = dict(zip(benchmarks, style.PALETTE * len(benchmarks), strict=False))
    dashes = ("-", "--", ":", "-.")
    styles = {n: dashes[index % 4] for index, n in enumerate(sorted(params.n_agents))}
    titles = [name.replace("_", " ") for name in curves]
    figure, axes = style.panels(titles, 1.2, share_x=False, share_y=False, columns=4)
    for axis, lines in zip(axes, curves.values(), strict=True):
        for benchmark, n_agents, curve in lines:
            steps, values = zip(*curve, strict=True)
            axis.plot(steps, values, styles[n_agents], color=colours[benchmark], linewidth=0.8, alpha=0.85)
        axis.set_xlabel("Episode")
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    handles = [style.line(colours[b], "-", style.name_of(b)) for b in benchmarks]
    handles += [style.line("#555555", dash, f"N = {n}") for n, dash in styles.items()]
    style.legend(figure, handles)
    what = "Means over each update's episodes; action/: the policy's own, a line per executor"
    style.note(
        figure,
        "; ".join(filter(None, [what, show.held(params.action.fixed)])),
        params.llm.backend == "simulated",
        ", ".join(params.llm.executors) if params.llm.backend == "bank" else None,
    )
    return figure
