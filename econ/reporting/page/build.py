"""The report: one HTML page that needs no network, with every number traced to the calls behind it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from econ import __version__, paths
from econ.errors import EconError
from econ.files import write_atomic
from econ.params import Params
from econ.records import Job
from econ.reporting import catalogue, results, show
from econ.reporting.catalogue import Table
from econ.reporting.doubts import of_results
from econ.reporting.figures import build as figures
from econ.reporting.figures.chart import Chart
from econ.reporting.gather import jobs
from econ.reporting.page import charts, episodes, equilibrium, overview, spending, verdicts
from econ.reporting.paper.items import items
from econ.reporting.results import remake

if TYPE_CHECKING:
    import pandas as pd

UP = "../../"  # from results/report to the project folder
CONSTRAINTS = Path("constraints.txt")
PIXELS_PER_POINT = 1.8
VENDOR = Path(__file__).with_name("vendor") / "uplot"
UPLOT = ("uPlot.min.css", "uPlot.iife.min.js")
# Versions that can move a number, where there is no constraints file.
_LIBRARIES = ("datasets", "math-verify", "numpy", "sentence-transformers", "torch", "xllamacpp")


# Parts of the page, each for one question; one that a table or figure names beside these comes last.
SECTIONS = {
    "accuracy": "Accuracy",
    "rivals": "ECON against its rivals",
    "budgets": "At equal tokens",
    "tokens": "Tokens and money",
    "paper": "Beside the paper",
    "agents": "Number of agents",
    "variants": "Variants",
    "rounds": "Rounds",
    "benchmarks": "TravelPlanner and GSM-Hard",
    "readable": "INVALID answers, strategies",
    "training": "Training",
    "equilibrium": "The equilibrium, measured",
}
APART = "origins"  # its tables stand at the end, where the jobs are


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: figures and tables by name, and why some figures are not there."""

    id: str
    title: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A table ready for the page."""

    name: str
    title: str
    caption: str
    headings: list[tuple[str, bool]]  # text, is a number
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure ready for the page. ``width`` in pixels, so that text is as large in all of them. ``chart``:
    what the page's script draws in its place; None: a picture alone."""

    name: str
    caption: str
    address: str
    width: int
    chart: dict[str, Any] | None = None


def write_page(params: Params, params_file: Path) -> Path:
    """Write ``results/report/index.html``; its path.

    Raises:
        EconError: a table or figure is not there yet, or a job's files are gone.
    """
    import yaml
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("econ.reporting.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tables = catalogue.tables(params)
    frames = {name: show.read(name, table) for name, table in tables.items()}
    text = environment.get_template("report.html.j2").render(
        version=__version__,
        recorded=show.joined(map(show.recorded, frames.values())),
        simulated=any(show.is_simulated(frame) for frame in frames.values()),
        verdicts=verdicts.verdicts(frames),
        doubts=of_results(params),
        facts={**overview.facts(params, frames), "Code": _code(params)},
        headings=overview.headings(params, frames),
        matrix=overview.matrix(params, frames),
        parts=parts(params),
        panels=equilibrium.panels(params),
        items=items(params, frames),
        tables={name: _table(name, tables[name], frame) for name, frame in frames.items()},
        spending=_spending(params),
        figures=_pictures(params),
        uplot={name: (VENDOR / name).read_text(encoding="utf-8") for name in UPLOT},
        params=yaml.safe_dump(params.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        params_file=params_file.name,
        versions=_versions(),
        jobs=[_job(job, params_file) for job in jobs(params)],
        episodes=episodes.pack(params, paths.REPORT),
        up=UP,
    )
    path = paths.REPORT / "index.html"
    write_atomic(path, [text.encode()])
    return path


def parts(params: Params) -> list[Part]:
    """The parts of the page, with all tables and figures of the params; an empty one is left out."""
    tables, figures = catalogue.tables(params), catalogue.figures(params)
    reasons = {name: figure.missing(params) for name, figure in figures.items()}
    others = [table.section for table in tables.values()] + [one.section for one in figures.values()]
    titles = SECTIONS | {name: name.capitalize() for name in others if name not in (*SECTIONS, APART)}
    found = []
    for section, title in titles.items():
        here = [name for name, figure in figures.items() if figure.section == section]
        part = Part(
            section, title,
            tuple(name for name in here if reasons[name] is None),
            tuple(name for name, table in tables.items() if table.section == section),
            tuple(dict.fromkeys(reason for name in here if (reason := reasons[name]))),
        )  # fmt: skip
        if part.figures or part.tables or part.missing:
            found.append(part)
    return found


def _table(name: str, table: Table, frame: pd.DataFrame) -> Shown:
    headings = [(column.heading, column.kind not in show.LEFT) for column in table.columns.values()]
    return Shown(name, table.title, show.caption(table, frame), headings, show.cells(table, frame))


def _spending(params: Params) -> Shown:
    headings = [(heading, kind not in show.LEFT) for heading, kind in spending.HEADINGS.items()]
    try:
        rows, caption = spending.spending(params), spending.CAPTION
    except EconError as fault:  # results without their problems: the rest of the page stands
        rows, caption = [], f"There is no estimate here: {fault}."
    return Shown("spending", "Estimate and actual", caption, headings, rows)


def _pictures(params: Params) -> dict[str, Picture]:
    found = catalogue.drawn(params)
    frames = figures.read(params, found)
    shown = {}
    for name, figure in found.items():
        made = figures.chart(figure, params, frames)
        chart = charts.pack(made) if isinstance(made, Chart) else None
        shown[name] = replace(_picture(name, figure.caption), chart=chart)
    return shown


def _picture(name: str, caption: str) -> Picture:
    """The SVG as a data address: identifiers of two figures on one page cannot meet."""
    path = paths.FIGURES / f"{name}.svg"
    if not path.exists():
        raise EconError(f"{path} does not exist", "draw the figures first with: econ figures")
    content = path.read_bytes()
    points = re.search(rb'<svg[^>]* width="([\d.]+)pt"', content)
    width = round(PIXELS_PER_POINT * float(points[1])) if points else 0
    address = "data:image/svg+xml;base64," + base64.b64encode(content).decode()
    return Picture(name, caption, address, width)


def _versions() -> list[str]:
    """The pinned versions that the results were made with, else those that are installed."""
    if CONSTRAINTS.exists():
        lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line and not line.startswith("#")]
    return [f"{name}=={metadata.version(name)}" for name in _LIBRARIES]


def _code(params: Params) -> str:
    """The commits that the results were made at, and how many digests of code there are among them."""
    made = [results.metrics(job) for job in jobs(params)]
    commits = dict.fromkeys(str(metrics["commit"]) for metrics in made if metrics.get("commit"))
    digests = {metrics["code"] for metrics in made if metrics.get("code")}
    where = f"commit {', '.join(commits)}" if commits else "no commit is known"
    return f"{where} (+: with changes); {len(digests)} digests of prompts, methods, graders and learner"


def _job(job: Job, params_file: Path) -> dict[str, Any]:
    return {
        "job": job,
        "place": overview.place(job.benchmark, job.method, job.n_agents),
        "metrics": paths.metrics(job),
        "trace": paths.trace(job),
        "command": remake(job, params_file),
    }
