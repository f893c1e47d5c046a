"""Training curves, from the logs that DVCLive leaves beside the checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from econ import paths
from econ.params import Params
from econ.reporting import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = list[tuple[float, float]]  # (step, value)


def find(params: Params) -> dict[str, dict[tuple[str, int, int], Curve]]:
    """Curves by metric, then by (benchmark, agents, seed); what is absent is left out.

    DVCLive writes one file per metric, ``plots/metrics/NAME.tsv``, with columns step and NAME.
    """
    curves: dict[str, dict[tuple[str, int, int], Curve]] = {}
    for benchmark in params.benchmarks:
        for n_agents in params.n_agents:
            for seed in params.seeds:
                folder = paths.checkpoint(benchmark, n_agents, seed)
                for path in sorted(folder.glob("**/plots/metrics/**/*.tsv")):
                    name = str(path.relative_to(_metrics_folder(path)).with_suffix(""))
                    curve = _read(path)
                    if curve:
                        curves.setdefault(name, {})[benchmark, n_agents, seed] = curve
    return curves


def _metrics_folder(path: Path) -> Path:
    return next(parent for parent in path.parents if parent.name == "metrics")


def _read(path: Path) -> Curve:
    import pandas as pd

    frame = pd.read_csv(path, sep="\t")
    value = [column for column in frame.columns if column not in ("step", "timestamp")]
    if "step" not in frame.columns or not value:
        return []
    points = frame[["step", value[0]]].apply(pd.to_numeric, errors="coerce").dropna()
    return [(float(step), float(y)) for step, y in points.itertuples(index=False)]


def training(params: Params) -> Figure:
    """A panel per metric, a line per benchmark and agent count."""
    curves = find(params)
    if not curves:
        return canvas.message("No training curves beside the checkpoints of these params.")
    benchmarks = list(params.benchmarks)
    colours = dict(zip(benchmarks, canvas.PALETTE * len(benchmarks), strict=False))
    styles = dict(zip(sorted(params.n_agents), ("-", "--", ":", "-.") * len(params.n_agents), strict=False))
    figure, axes = canvas.panels(list(curves), 1.5, share_x=False, share_y=False)
    for axis, lines in zip(axes, curves.values(), strict=True):
        for (benchmark, n_agents, _), curve in lines.items():
            steps, values = zip(*curve, strict=True)
            axis.plot(steps, values, styles[n_agents], color=colours[benchmark], linewidth=0.9)
        axis.set_xlabel("Episode")
    handles = [canvas.line(colours[b], "-", canvas.name_of(b)) for b in benchmarks]
    handles += [canvas.line("#555555", style, f"N = {n}") for n, style in styles.items()]
    canvas.legend(figure, handles)
    return figure
