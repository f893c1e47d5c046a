"""Figures and the page: always the same files and bytes, SIMULATED where it is so, no network needed."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from click.testing import CliRunner

from econ import paths
from econ.cli import group
from econ.errors import EconError
from econ.params import Params, about, load
from econ.records import Job
from econ.registry import FIGURES, METHODS, TABLES
from econ.reporting import catalogue as outputs
from econ.reporting import manifest, show
from econ.reporting.figures import build as figures
from econ.reporting.figures import curves, draw, learning, style
from econ.reporting.figures.chart import Chart
from econ.reporting.page import build as page
from econ.reporting.page import overview, verdicts
from tests.reporting.synthetic import coin, write_job, write_run

PAPER = Path(__file__).parents[2] / "data/paper"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(PAPER, tmp_path / paths.PAPER)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    plt.close("all")


def run(*commands: str) -> None:
    for command in commands:
        result = CliRunner().invoke(group, [command])
        assert result.exit_code == 0, result.exception


def charts(params: Params) -> dict[str, Chart]:
    """What every figure of the params shows."""
    found = outputs.drawn(params)
    frames = figures.read(params, found)
    return {name: figures.chart(figure, params, frames) for name, figure in found.items()}


def curve(folder: Path, name: str, values: list[float]) -> None:
    path = folder / "curve/plots/metrics" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{8 * step}\t{value}" for step, value in enumerate(values, start=1)]
    path.write_text("\n".join([f"step\t{path.stem}", *rows]) + "\n")


def test_figures_and_page_are_whole_linked_and_repeat_byte_for_byte(project: Path) -> None:
    write_run(project, 2, benchmarks=["svamp"], n_agents=[3], methods=["econ-bne", "cot"], simulated=True)
    curve(paths.checkpoint("svamp", 3, 0), "reward/team", [0.1, 0.3])
    run("aggregate", "figures", "report")
    params = load(project / "params.yaml")
    names = [*outputs.figure_files(params), "results/report/index.html"]
    first = {name: Path(name).read_bytes() for name in names}
    assert {str(path) for path in Path("results/figures").iterdir()} == set(outputs.figure_files(params))
    check_page(Path("results/report/index.html").read_text())
    run("aggregate", "figures", "report")
    assert {name: Path(name).read_bytes() for name in names} == first


def check_page(text: str) -> None:
    """It needs no network, escapes what models wrote, says SIMULATED and links to what is there."""
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
    assert "<side>" not in text  # what models wrote is packed; tests/reporting/test_page.py reads it back
    assert "<side>" not in text
    assert "SIMULATED" in text
    links = set(re.findall(r'href="(\.\.[^"]+)"', text))
    assert links
    assert all((Path("results/report") / link).resolve().exists() for link in links)
    assert set(re.findall(r'href="#([^"/][^"]*)"', text)) <= set(re.findall(r'id="([^"]+)"', text))


def test_the_first_lines_compare_econ_with_each_rival_by_the_tables_numbers(project: Path) -> None:
    write_run(project, benchmarks=["gsm8k", "svamp"], methods=["econ-bne", "debate", "cot"], n_agents=[3])
    run("aggregate")
    frames = {name: show.read(name) for name in TABLES}
    found = verdicts.verdicts(frames)
    assert [v.where for v in found] == ["all benchmarks"] * 2 + ["GSM8K", "SVAMP"] * 2
    assert [v.whole for v in found] == [True, True] + [False] * 4
    rows = {(row["benchmark"], row["rival"]): row for row in show.records(frames["paired"])}
    row = rows["all", "debate"]
    assert f"{100 * row['difference']:+.1f} points" in found[0].text
    assert f"n = {row['n']}" in found[0].text
    tokens = frames["tokens"].groupby("method")["total_tokens"].mean()
    assert f"at {tokens['econ-bne'] / tokens['debate']:.2f} × the tokens" in found[0].text
    expected = "better" if row["difference_low"] > 0 else "worse" if row["difference_high"] < 0 else "open"
    assert found[0].outcome == expected


def test_every_table_and_figure_has_its_place_on_the_page() -> None:
    changes = {
        "n_agents": [3, 4], "methods": ["econ-bne", "econ-bne+bare", "debate"], "llm": {"backend": "bank"},
        "certify": {"policies": ["trained"], "horizons": [8, 16]},
    }  # fmt: skip
    params = Params.model_validate({**changes, "variants": {"bare": {"team": {"strategy": "none"}}}})
    parts = page.parts(params)
    assert sorted([*(name for part in parts for name in part.tables), "problems"]) == sorted(TABLES)
    assert sorted(name for part in parts for name in part.figures) == sorted(FIGURES)
    assert not any(part.missing for part in parts)


def test_a_figure_that_params_do_not_have_is_not_made_and_the_page_says_why(project: Path) -> None:
    write_run(project, 2, benchmarks=["travelplanner"], n_agents=[3], methods=["cot", "direct"])
    paths.FIGURES.mkdir(parents=True)
    (paths.FIGURES / "scaling.png").write_bytes(b"of other params")
    run("aggregate", "figures", "report")
    made = {path.stem for path in paths.FIGURES.iterdir()}
    assert made == {"accuracy", "tradeoff", "tokens"}
    text = Path("results/report/index.html").read_text()
    for reason in ("one number of agents", "no rival", "no variants", "more than one round", "is trained"):
        assert re.search(f"No figure: [^<]*{reason}", text), reason


def test_the_head_of_the_page_says_what_was_run_and_how_it_came_out(project: Path) -> None:
    methods = ["econ-bne", "cot", "greedy-search"]
    params, _ = write_run(project, 4, benchmarks=["svamp", "travelplanner"], n_agents=[3, 4], methods=methods)
    run("aggregate")
    frames = {name: show.read(name) for name in TABLES}
    facts = overview.facts(params, frames)
    assert facts["Answers"].startswith(f"{4 * (4 + 4 + 2)}, of them")
    assert "smollm2-135m-instruct" in facts["Models"]
    entries = overview.matrix(params, frames)
    assert [(e.method, e.n_agents) for e in entries] == [
        ("econ-bne", 3), ("econ-bne", 4), ("cot", None), ("greedy-search", None),
    ]  # fmt: skip
    cot = frames["accuracy"].set_index(["benchmark", "method", "n_agents"]).loc[("svamp", "cot", 3)]
    text, place = entries[2].cells[0]
    assert text.startswith(f"{100 * cot['accuracy']:.1f} [")
    assert place == "jobs-svamp-cot-3"
    assert entries[3].cells[0] == (show.NOTHING, None)
    assert entries[3].tokens == "0"


@pytest.mark.parametrize(
    ("mark", "how"),
    [
        ("SIMULATED (no language model)", {"simulated": True}),
        ("RECORDED, by model (engine, day)", {"recorded": "model (engine, day)"}),
        ("n = 2", {}),
    ],
)
def test_a_figure_says_n_and_where_its_answers_come_from(
    project: Path, mark: str, how: dict[str, Any]
) -> None:
    methods = ["econ-bne", "debate", "cot", "self-consistency"]
    params, _ = write_run(project, 2, benchmarks=["svamp"], n_agents=[3, 4], methods=methods, **how)
    run("aggregate", "figures", "report")
    assert how.get("recorded", "") in Path("results/report/index.html").read_text()
    with style.styled():
        for name, chart in charts(params).items():
            if FIGURES.find(name).tables:
                text = draw.draw(chart).get_suptitle()
                assert mark in " ".join(text.split())
                assert "n = 2" in text


def test_every_method_has_a_look_of_its_own_whatever_else_is_run() -> None:
    assert all(about(method).look for method in METHODS)
    looks = [style.look(method) for method in METHODS]
    assert len({colour for colour, _ in looks}) == len({shape for _, shape in looks}) == len(looks)
    assert all(style.contrast(colour) >= 3 for colour, _ in looks)
    assert all(style.contrast(style.dark_enough(colour)) >= 3 for colour in (*style.PALETTE, "#FFFFFF"))
    assert style.look("econ-bne+no-strategy")[0] == style.look("econ-bne")[0]


def test_fewer_samples_and_rounds_are_lines_and_a_single_agent_is_drawn_once(project: Path) -> None:
    methods = ["econ-bne", "debate", "cot", "self-consistency"]
    params, _ = write_run(project, 9, benchmarks=["svamp"], n_agents=[3, 4], methods=methods)
    run("aggregate")
    [panel] = charts(params)["tradeoff"].panels
    courses = [[point.x for point in one.points] for one in panel.series if one.dash and not one.reported]
    # econ-bne and debate with 3 and 4 agents; of self-consistency 20 samples, of cot its one point.
    assert sorted(map(len, courses)) == [1, 3, 3, 3, 3, 20]
    assert all(course == sorted(course) for course in courses)


def test_a_point_on_another_one_is_drawn_around_it(project: Path) -> None:
    """ECON without refinement is ECON's first point with it, of the same calls."""
    params, _ = write_run(
        project, 9, benchmarks=["svamp"], n_agents=[3], methods=["econ-baseline", "econ-bne", "cot"]
    )
    job, same = Job("svamp", "econ-bne", 3, 0), Job("svamp", "econ-baseline", 3, 0)
    write_job(params, same, [replace(one, method=same.method) for one in coin(job, 9)])
    run("aggregate")
    [panel] = charts(params)["tradeoff"].panels
    assert {one.name for one in panel.series for point in one.points if point.ring} == {"econ-bne"}
    assert panel.series.index(next(one for one in panel.series if one.name == "econ-baseline")) == 0


def test_methods_without_a_team_do_not_scale(project: Path) -> None:
    methods = ["econ-bne", "debate", "cot"]
    params, _ = write_run(project, 9, benchmarks=["svamp"], n_agents=[3, 4], methods=methods)
    run("aggregate")
    named = {key.label for key in charts(params)["scaling"].keys}
    assert named >= {"econ-bne", "debate"}
    assert "cot" not in named


def test_one_method_alone_still_gives_every_figure(project: Path) -> None:
    params, _ = write_run(project, 1, benchmarks=["travelplanner"], n_agents=[3], methods=["cot"])
    run("aggregate")
    with style.styled():
        for chart in charts(params).values():
            draw.draw(chart).draw_without_rendering()


def test_a_method_that_asks_no_model_is_in_every_table_and_figure(project: Path) -> None:
    changes = {"benchmarks": ["travelplanner"], "n_agents": [3], "methods": ["greedy-search", "cot"]}
    params, _ = write_run(project, 2, **changes)
    job = Job("travelplanner", "greedy-search", 3, 0)
    silent = [replace(one, calls=(), rounds=0) for one in coin(job, 2)]
    write_job(params, job, silent)
    run("aggregate", "figures", "report")
    row = show.read("tokens").set_index("method").loc["greedy-search"]
    assert (row["calls"], row["total_tokens"], row["models"]) == (0, 0, "none")
    [panel] = charts(params)["tradeoff"].panels
    assert [one for one in panel.series if one.dash == ":" and one.name == "greedy-search"]
    write_run(project, 2, **{**changes, "methods": ["greedy-search"]})
    write_job(params, job, silent)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run("aggregate", "figures")


def test_curves_are_found_by_metric_and_a_single_update_is_a_point(project: Path) -> None:
    params = Params.model_validate({"benchmarks": ["gsm8k", "svamp"], "n_agents": [3]})
    assert curves.find(params) == []
    folder = paths.checkpoint("svamp", 3, 0)
    for name in ("loss/total", "reward/TS", "alpha/AL", "alpha/TS", "alpha/CC"):
        curve(folder, name, [0.4, 0.3])
    for agent in (1, 2, 3):
        curve(folder, f"action/policy/T_{agent}", [0.7])
        curve(folder, f"action/policy/p_{agent}", [1.1])
    [log] = curves.find(params)
    assert (log.benchmark, log.n_agents, log.curves["loss/total"]) == ("svamp", 3, [(8.0, 0.4), (16.0, 0.3)])
    shown = curves.training.draw(params)
    assert [panel.title for panel in shown.panels] == ["TS: right", "Loss of Q_tot"]
    [panel] = learning.weights.draw(params).panels
    assert {round(point.x, 3) for one in panel.series for point in one.points} == {0.6, 0.45}  # TS + CC / 2
    [panel] = learning.actions.draw(params).panels
    assert [[(p.x, p.y) for p in one.points] for one in panel.series] == [[(0.7, 1.1)]] * 3
    held = Params.model_validate({**params.model_dump(), "action": {"fixed": {"repetition_penalty": 1.1}}})
    [panel] = learning.actions.draw(held).panels
    assert (panel.x.label, panel.y.label) == ("Episode", "Temperature T")
    assert {(p.x, p.y) for one in panel.series for p in one.points} == {(8.0, 0.7)}
    with style.styled():
        for figure in (curves.training, learning.weights, learning.actions):
            drawn = draw.draw(figure.draw(params))
            assert any(line.get_marker() not in ("none", "") for axis in drawn.axes for line in axis.lines)


OF_BANKS = {"deviations", "learned", "nash_conv", "regret", "welfare"}  # tests/certify draws these


def test_every_axis_of_every_figure_says_what_it_counts(project: Path) -> None:
    methods = ["econ-bne", "econ-bne+bare", "debate", "self-consistency"]
    params, _ = write_run(
        project, 9, benchmarks=["svamp", "gsm8k"], n_agents=[3, 4], methods=methods,
        variants={"bare": {"team": {"strategy": "none"}}},
    )  # fmt: skip
    curve(paths.checkpoint("svamp", 3, 0), "reward/team", [0.1])
    run("aggregate")
    found = charts(params)
    assert set(found) == set(FIGURES) - OF_BANKS
    for name, chart in found.items():
        for panel in chart.panels:
            assert panel.outline or panel.x.label or panel.x.ticks or name == "convergence", name
            assert panel.outline or panel.y.label or panel.y.ticks, name


def test_figures_before_tables_name_the_way_out(project: Path) -> None:
    Path("params.yaml").write_text("seeds: [0]\n")
    result = CliRunner().invoke(group, ["figures"])
    assert isinstance(result.exception, EconError)
    assert "econ aggregate" in str(result.exception)


def test_tables_of_another_version_name_the_way_out(project: Path) -> None:
    write_run(project, 2, benchmarks=["svamp"], n_agents=[3], methods=["econ-bne", "cot"])
    run("aggregate")
    (paths.TABLES / "budgets.csv").write_text("benchmark,method\nsvamp,cot\n")
    result = CliRunner().invoke(group, ["figures"])
    assert "budgets.csv is damaged or from another run" in str(result.exception)
    manifest.write([], load(project / "params.yaml"))
    result = CliRunner().invoke(group, ["figures"])
    assert "budgets.csv is of another version - make the tables again" in str(result.exception)
