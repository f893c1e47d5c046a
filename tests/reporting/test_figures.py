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
from econ.params import Params, about
from econ.records import Job
from econ.registry import METHODS
from econ.reporting import catalogue as outputs
from econ.reporting import manifest, show
from econ.reporting.figures import build as figures
from econ.reporting.figures import curves, lines, style
from econ.reporting.page import build as page
from econ.reporting.page import overview, verdicts
from tests.reporting.synthetic import coin, write_job, write_run

PAPER = Path(__file__).parents[2] / "data/paper"
DRAWN = (
    figures.accuracy, figures.tokens, figures.differences, lines.scaling, lines.tradeoff, lines.convergence,
)  # fmt: skip


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


def curve(folder: Path, name: str, values: list[float]) -> None:
    path = folder / "curve/plots/metrics" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{8 * step}\t{value}" for step, value in enumerate(values, start=1)]
    path.write_text("\n".join([f"step\t{path.stem}", *rows]) + "\n")


def test_figures_and_page_are_whole_linked_and_repeat_byte_for_byte(project: Path) -> None:
    write_run(project, 2, benchmarks=["svamp"], n_agents=[3], methods=["econ-bne", "cot"], simulated=True)
    curve(paths.checkpoint("svamp", 3, 0), "reward/team", [0.1, 0.3])
    run("aggregate", "figures", "report")
    names = [*outputs.figure_files(), "results/report/index.html"]
    first = {name: Path(name).read_bytes() for name in names}
    assert {str(path) for path in Path("results/figures").iterdir()} == set(outputs.figure_files())
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
    frames = {name: show.read(name) for name in outputs.TABLES}
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
    shown = [name for part in page.PARTS for name in part.tables]
    assert sorted([*shown, "problems"]) == sorted(outputs.TABLES)
    assert sorted(name for part in page.PARTS for name in part.figures) == sorted(outputs.FIGURES)


def test_the_head_of_the_page_says_what_was_run_and_how_it_came_out(project: Path) -> None:
    methods = ["econ-bne", "cot", "greedy-search"]
    params, _ = write_run(project, 4, benchmarks=["svamp", "travelplanner"], n_agents=[3, 4], methods=methods)
    run("aggregate")
    frames = {name: show.read(name) for name in outputs.TABLES}
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
    write_run(project, 2, benchmarks=["svamp"], n_agents=[3, 4], methods=methods, **how)
    run("aggregate", "figures", "report")
    assert how.get("recorded", "") in Path("results/report/index.html").read_text()
    with style.styled():
        for draw in DRAWN:
            text = draw().get_suptitle()
            assert mark in " ".join(text.split())
            assert "n = 2" in text


def test_every_method_has_a_look_of_its_own_whatever_else_is_run() -> None:
    assert all(about(method).look for method in METHODS)
    looks = [style.look(method) for method in METHODS]
    assert len({colour for colour, _ in looks}) == len(looks)
    assert style.look("econ-bne+no-strategy")[0] == style.look("econ-bne")[0]


def test_fewer_samples_and_rounds_are_lines_and_a_single_agent_is_drawn_once(project: Path) -> None:
    methods = ["econ-bne", "debate", "cot", "self-consistency"]
    write_run(project, 9, benchmarks=["svamp"], n_agents=[3, 4], methods=methods)
    run("aggregate")
    with style.styled():
        [axis] = lines.tradeoff().axes
    courses = [line for line in axis.lines if line.get_marker() == "none"]
    # econ-bne and debate with 3 and 4 agents; of self-consistency 20 samples, of cot its one point.
    assert sorted(len(line.get_xdata()) for line in courses) == [1, 3, 3, 3, 3, 20]
    assert all(list(line.get_xdata()) == sorted(line.get_xdata()) for line in courses)


def test_methods_without_a_team_do_not_scale(project: Path) -> None:
    write_run(project, 9, benchmarks=["svamp"], n_agents=[3, 4], methods=["econ-bne", "debate", "cot"])
    run("aggregate")
    with style.styled():
        figure = lines.scaling()
    assert {text.get_text() for text in figure.legends[0].get_texts()} >= {"econ-bne", "debate"}
    assert "cot" not in {text.get_text() for text in figure.legends[0].get_texts()}


def test_one_method_alone_still_gives_every_figure(project: Path) -> None:
    params, _ = write_run(project, 1, benchmarks=["travelplanner"], n_agents=[3], methods=["cot"])
    run("aggregate")
    with style.styled():
        for draw in DRAWN:
            draw().draw_without_rendering()
        curves.training(params).draw_without_rendering()


def test_a_method_that_asks_no_model_is_in_every_table_and_figure(project: Path) -> None:
    changes = {"benchmarks": ["travelplanner"], "n_agents": [3], "methods": ["greedy-search", "cot"]}
    params, _ = write_run(project, 2, **changes)
    job = Job("travelplanner", "greedy-search", 3, 0)
    silent = [replace(one, calls=(), rounds=0) for one in coin(job, 2)]
    write_job(params, job, silent)
    run("aggregate", "figures", "report")
    row = show.read("tokens").set_index("method").loc["greedy-search"]
    assert (row["calls"], row["total_tokens"], row["models"]) == (0, 0, "none")
    with style.styled():
        [axis] = lines.tradeoff().axes
    assert [line for line in axis.lines if line.get_linestyle() == ":"]
    write_run(project, 2, **{**changes, "methods": ["greedy-search"]})
    write_job(params, job, silent)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run("aggregate", "figures")


def test_curves_are_found_by_metric_and_absent_ones_left_out(project: Path) -> None:
    params = Params.model_validate({"benchmarks": ["gsm8k", "svamp"], "n_agents": [3]})
    assert curves.find(params) == {}
    folder = paths.checkpoint("svamp", 3, 0)
    for name in ("loss/total", "reward/TS", "action/policy/T_1", "action/policy/T_2", "action/sent/T_1"):
        curve(folder, name, [1.0, 0.5])
    found = curves.find(params)
    assert list(found) == ["reward/TS", "loss/total", "action/policy/T"]
    assert found["loss/total"] == [("svamp", 3, [(8.0, 1.0), (16.0, 0.5)])]
    assert len(found["action/policy/T"]) == 2


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
    manifest.write([])
    result = CliRunner().invoke(group, ["figures"])
    assert "budgets.csv is of another version - make the tables again" in str(result.exception)
