"""What is measured on a bank, in tables, figures and on the page. SIMULATED."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from econ.params import Params, load
from econ.reporting import catalogue, measured
from econ.reporting.figures import build as figures
from econ.reporting.figures import draw, style
from econ.reporting.page import equilibrium as page
from econ.reporting.pool import Run
from econ.reporting.tables.build import framed
from tests.certify.test_commands import JOB, PARAMS, econ, made, project, vectors

__all__ = ["made", "project", "vectors"]
MEASURED: dict[str, Any] = {
    "llm": {"backend": "bank"},
    "certify": {"policies": ["trained", "uniform"], "horizons": [4, 8], "seeds": 2},
}


@pytest.fixture
def params(project: Path) -> Params:
    """Params that list what has been measured here."""
    for words in (
        ["equilibrium", *JOB],
        ["equilibrium", *JOB, "--policy", "uniform", "--out", "results/equilibrium/svamp/n3-uniform.json"],
        ["regret", *JOB, "--seeds", "2", "--horizons", "4,8"],
    ):
        result = econ(*words)
        assert result.exit_code == 0, (words, result.exception)
    Path("bank.yaml").write_text(yaml.safe_dump({**PARAMS, **MEASURED}))
    return load(Path("bank.yaml"))


def test_what_was_measured_is_in_tables_figures_and_words(params: Params) -> None:
    documents = (measured.read(listed(params)) for listed in (measured.certificates, measured.regrets))
    run = Run((), *documents)
    tables = {n: t for n, t in catalogue.tables(params).items() if t.section == "equilibrium"}
    frames = {name: framed(table, table.rows(run)) for name, table in tables.items()}
    assert len(frames.pop("equilibrium_seeds")) == 0  # of one seed
    assert len(frames) == 6
    assert all(frame["simulated"].all() and len(frame) for frame in frames.values())
    certificates, deviations = frames["certificates"], frames["deviations"]
    assert len(certificates) == 2 * 2 * 3  # policies, classes of deviations, payoffs
    assert (certificates["lower"] <= certificates["epsilon"]).all()
    assert set(certificates["seed"].dropna()) == {0}
    assert len(deviations) == 2 * 3 * 3 * 6  # policies, payoffs, agents, cells
    assert (deviations["gain_low"] <= deviations["gain"]).all()
    best = deviations.groupby(["policy", "payoff"])["gain"].max().clip(lower=0)
    naive = certificates[certificates["deviations"] == "D0"].set_index(["policy", "payoff"])["naive"]
    assert (best - naive).abs().max() < 1e-9
    assert list(frames["equilibrium_training"]["episodes"].unique()) == [4, 8]
    assert set(frames["regret"]["horizon"]) == {4, 8}
    assert frames["welfare"]["value"].between(-1, 1).all()
    worth = frames["learned"].set_index("learner")["value"]
    assert worth["untrained"] <= worth["best uniform"] <= worth["best joint"] + 0.02
    assert (worth["econ"] <= worth["best joint"] + 0.05).all()
    other = [{**made, "seed": 1} for made in run.certificates if made["policy"] == "trained"]
    seeds = list(tables["equilibrium_seeds"].rows(Run((), (*run.certificates, *other))))
    assert {row["seeds"] for row in seeds} == {2}
    assert len(seeds) == 2 * 3

    found = {n: f for n, f in catalogue.drawn(params).items() if f.section == "equilibrium"}
    assert set(found) == {"deviations", "welfare", "nash_conv", "regret", "learned"}
    with style.styled():
        for name, one in found.items():
            chart = figures.chart(one, params, frames)
            assert chart.simulated, name
            assert any(np.isfinite(point.y) for s in chart.panels[0].series for point in s.points)
            style.save(draw.draw(chart), name)
    [panel] = page.panels(params)
    assert panel.facts["Coordinator"] == "vote"
    assert panel.facts["Size"] == "24 problems of 24 source questions, 5 samples in each of 6 cells"
    assert "nobody has held this bank" in panel.facts["Calibration"]
    assert {"Payoff: own", "Payoff: team", "Payoff: accuracy", "Policy"} <= set(panel.facts)


def test_without_anything_listed_the_page_says_why(params: Params) -> None:
    other = Params.model_validate(PARAMS)
    assert not any(figure.section == "equilibrium" for figure in catalogue.drawn(other).values())
    assert page.panels(other) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"llm": {"backend": "simulated"}}, "certify measures on banks: set llm.backend: bank"),
        ({"bank": {**PARAMS["bank"], "samples": 3}}, "certify needs bank.samples of at least 4 for 3 agents"),
        ({"certify": {"horizons": [8, 4]}}, r"horizons must be two or more rising numbers, not \[8, 4\]"),
        ({"certify": {"policies": ["best"]}}, "certify.policies"),
    ],
)
def test_what_cannot_be_measured_is_said_at_once(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Params.model_validate({**PARAMS, **MEASURED, **changes})
