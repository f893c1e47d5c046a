"""What a table and a figure are, and which files there are of them.

Each stands as one object beside the function that makes its rows or draws it, and is found by its name
(:data:`econ.registry.TABLES`, :data:`econ.registry.FIGURES`). Light on purpose (no pandas, no Matplotlib):
the pipeline's graph asks here for the exact files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from econ.errors import EconError
from econ.params import Params
from econ.registry import FIGURES, TABLES, Registry

if TYPE_CHECKING:
    from econ.reporting.figures.chart import Chart
    from econ.reporting.pool import Row, Run

TABLE_FORMATS = ("csv", "tex", "md", "html")
FIGURE_FORMATS = ("pdf", "svg", "png")

Kind = Literal["text", "digest", "count", "mean", "percent", "points", "tokens", "usd", "p", "value"]

STRATEGY_FACTS = {
    "given": "Given",
    "regenerated": "Asked again",
    "cut": "Cut",
    "states_answer": "Stated",
    "withheld": "Withheld",
    "tells_gold": "Gold",
    "commitments": "Commitments",
    "valid": "Valid",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as shown: its heading, how its numbers read, and the columns of its interval, if any."""

    heading: str
    kind: Kind = "text"
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the function that makes its rows.

    The CSV holds every column unrounded; ``columns`` picks those that are shown elsewhere. ``section``: the
    part of the page that it stands in.
    """

    title: str
    caption: str
    columns: dict[str, Column]
    rows: Callable[[Run], Iterable[Row]]
    section: str = "more"


def table(
    title: str, caption: str, columns: dict[str, Column], section: str = "more"
) -> Callable[[Callable[[Run], Iterable[Row]]], Table]:
    """Makes a :class:`Table` of the function below it, which makes its rows from a run's results."""
    return lambda rows: Table(title, caption, columns, rows, section)


def always(params: Params) -> str | None:
    """Nothing is missing."""
    return None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and the function that draws it from the params and the ``tables`` that it needs.

    ``missing``: why these params have no such figure; None: they have. It is then not made at all.
    """

    caption: str
    draw: Callable[..., Chart | Any]
    tables: tuple[str, ...] = ()
    section: str = "more"
    missing: Callable[[Params], str | None] = always


def figure(
    caption: str,
    tables: tuple[str, ...] = (),
    section: str = "more",
    missing: Callable[[Params], str | None] = always,
) -> Callable[[Callable[..., Chart | Any]], Figure]:
    """Makes a :class:`Figure` of the function below it.

    The function is given the params and a data frame of each table; it returns a
    :class:`~econ.reporting.figures.chart.Chart`, or a figure of Matplotlib's.
    """
    return lambda draw: Figure(caption, draw, tables, section, missing)


def tables(params: Params) -> dict[str, Table]:
    """Every table by its name."""
    return _found(TABLES, params.report.tables, Table)


def figures(params: Params) -> dict[str, Figure]:
    """Every figure by its name, those too that these params have not."""
    return _found(FIGURES, params.report.figures, Figure)


def drawn(params: Params) -> dict[str, Figure]:
    """The figures that these params have."""
    return {name: found for name, found in figures(params).items() if found.missing(params) is None}


def names(registry: Registry, own: Iterable[str]) -> dict[str, str]:
    """Names of files -> what is looked up: built in, then installed, then the params' ``module:function``.

    Raises:
        EconError: two have one name.
    """
    found = {name: name for name in registry}
    for place in own:
        name = place.rpartition(":")[2]
        if found.setdefault(name, place) != place:
            raise EconError(
                f"report.{registry.kind}s: '{place}' would be written over '{name}'", "rename the function"
            )
    return found


def _found(registry: Registry, own: Iterable[str], kind: type[Any]) -> dict[str, Any]:
    made = {name: registry.find(place) for name, place in names(registry, own).items()}
    for name, one in made.items():
        if not isinstance(one, kind):
            raise EconError(
                f"{registry.kind} '{name}' is no econ.{registry.kind}",
                f"put @econ.{registry.kind}(...) above its function",
            )
    return made


def table_files(params: Params) -> list[str]:
    """Paths of all table files and of their manifest, in a stable order."""
    files = [f"{name}.{ending}" for name in names(TABLES, params.report.tables) for ending in TABLE_FORMATS]
    return [f"results/tables/{file}" for file in (*files, "manifest.json")]


def figure_files(params: Params) -> list[str]:
    """Paths of all figure files that these params have, in a stable order."""
    return [f"results/figures/{name}.{ending}" for name in drawn(params) for ending in FIGURE_FORMATS]
