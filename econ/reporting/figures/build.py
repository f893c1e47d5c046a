"""The figures, drawn from the tables' CSV files alone (of training: from the checkpoints' logs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econ import paths
from econ.files import sweep
from econ.params import Params
from econ.reporting import catalogue, show
from econ.reporting.catalogue import FIGURE_FORMATS, Figure
from econ.reporting.figures import draw, style
from econ.reporting.figures.chart import Chart

if TYPE_CHECKING:
    import pandas as pd


def draw_all(params: Params) -> list[str]:
    """Draw and write every figure that these params have; their names. Those of other params are removed.

    Raises:
        EconError: a table is not there yet.
    """
    found = catalogue.drawn(params)
    frames = read(params, found)
    with style.styled():
        for name, figure in found.items():
            made = chart(figure, params, frames)
            style.save(draw.draw(made) if isinstance(made, Chart) else made, name)
    wanted = set(catalogue.figure_files(params))
    for ending in FIGURE_FORMATS:
        sweep(paths.FIGURES, f"*.{ending}")
        for path in paths.FIGURES.glob(f"*.{ending}"):
            if str(path) not in wanted:
                path.unlink()
    return list(found)


def read(params: Params, figures: dict[str, Figure]) -> dict[str, pd.DataFrame]:
    """The tables that these figures need."""
    tables = catalogue.tables(params)
    names = dict.fromkeys(name for figure in figures.values() for name in figure.tables)
    return {name: show.read(name, tables.get(name)) for name in names}


def chart(figure: Figure, params: Params, frames: dict[str, pd.DataFrame]) -> Chart | Any:
    """What the figure shows, or itself, drawn by a function of somebody's own."""
    return figure.draw(params, *(frames[name] for name in figure.tables))
