"""The page in a browser: the system's Chromium by its command line; skipped where there is none."""

import base64
import csv
import gzip
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from click.testing import CliRunner

from econ import paths
from econ.cli import group
from econ.params import Params
from econ.records import Job
from econ.reporting.page import episodes
from tests.reporting.synthetic import call, coin, trace, write_job, write_run

ROOT = Path(__file__).parents[2]
HOSTILE = '<img src=x onerror="document.title=1">\x1b[2J<script>alert(1)</script> $\\frac{1}{2}$ </pre>'


def test_calls_stand_in_the_order_of_events() -> None:
    asked = {"strategy": "How to solve it?", "commitment": 'Reply with JSON: "final_answer"'}

    def said(role: str, round: int, agent: int = 0, asks: str = "strategy") -> dict[str, object]:
        message = {"role": "user", "content": asked[asks]}
        return {"role": role, "round": round, "agent": agent, "messages": [message]}

    calls = [
        said("coordinator", 0, asks="commitment"), said("coordinator", 0, 1, "commitment"),
        said("coordinator", 0), said("executor", 0), said("executor", 0, 1),
        said("coordinator", 1, asks="commitment"), said("executor", 1), said("executor", 1, 1),
    ]  # fmt: skip
    told = [(c["role"], c["round"], c["agent"]) for c in episodes.in_order(calls)]
    executors = [("executor", 0, 0), ("executor", 0, 1)]
    first = [("coordinator", 0, 0), *executors, ("coordinator", 0, 1), ("coordinator", 0, 0)]
    assert told == [*first, ("executor", 1, 0), ("executor", 1, 1), ("coordinator", 1, 0)]


def test_blocks_hold_every_episode_and_are_the_same_bytes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params, _ = write_run(tmp_path, 5, benchmarks=["svamp"], methods=["cot", "debate"], n_agents=[3])
    packed = episodes.pack(params, tmp_path / "report")
    assert packed == episodes.pack(params, tmp_path / "report")
    for job in orjson.loads(packed.index):
        content = orjson.loads(gzip.decompress(base64.b64decode(packed.blocks[job["block"]])))
        assert list(content["episodes"]) == [entry[0] for entry in job["episodes"]]
        assert "Which <side>?" in content["texts"]


def test_blocks_too_large_for_the_page_stand_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(episodes, "EMBEDDED", 100)
    params, _ = write_run(tmp_path, 5, benchmarks=["svamp"], methods=["cot"], n_agents=[3])
    packed = episodes.pack(params, tmp_path / "report")
    assert packed.beside
    assert packed.blocks == {}
    files = sorted(path.name for path in (tmp_path / "report" / "episodes").iterdir())
    assert files == ["job-0.js", "problems-svamp.js"]


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


def shown(page: Path, address: str, profile: Path) -> str:
    """The page's elements once its scripts have run; and no request has left the machine."""
    command = [
        chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile}", "--virtual-time-budget=8000", "--timeout=20000",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", f"{page.as_uri()}#{address}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)


def browser_alone(params: Params, folder: Path) -> Path:
    """A page of nothing but its browser of episodes."""
    from jinja2 import Environment, PackageLoader

    packed = episodes.pack(params, folder)
    environment = Environment(loader=PackageLoader("econ.reporting.page", "templates"), autoescape=True)
    blocks = "".join(
        f'<script type="text/plain" id="block-{name}">{block}</script>'
        for name, block in packed.blocks.items()
    )
    text = environment.from_string(
        '<div id="report"><h1>Report</h1></div><main id="browser" hidden></main>'
        '<script type="application/json" id="episode-index">{{ index | safe }}</script>'
        '{{ blocks | safe }}<script>{% include "episodes.js" %}</script>'
    ).render(index=packed.index, blocks=blocks)
    path = folder / "index.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>page</title>{text}")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Params]:
    """Two methods, one of whose answers is hostile."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        params, _ = write_run(folder, 4, benchmarks=["svamp"], methods=["cot", "debate"], n_agents=[3])
        job = Job("svamp", "cot", 3, 0)
        hostile = call(role="solver", text=HOSTILE)
        first = trace(job, 0, correct=False, calls=[hostile], answer=HOSTILE)
        write_job(params, job, [first, *coin(job, 4)[1:]])
        path = browser_alone(params, folder)
    return path, params


def test_an_episode_is_found_by_its_address_and_shows_what_was_said_as_text(
    page: tuple[Path, Params], tmp_path: Path
) -> None:
    dom = shown(page[0], "/episode/svamp/cot/n3-s0/p0", tmp_path)
    assert "<title>page</title>" in dom
    assert "<img" not in dom
    assert HOSTILE.replace("\x1b", "") in unescape(dom).replace("\x1b", "")
    assert "next →" in dom
    assert 'class="badge wrong"' in dom


def test_a_debate_is_told_round_by_round_and_beside_another_method(
    page: tuple[Path, Params], tmp_path: Path
) -> None:
    dom = shown(page[0], f"/episode/svamp/debate/n3-s0/p1?with={quote('cot/n3-s0')}", tmp_path)
    assert [dom.index(f"Round {k}") for k in (1, 2, 3)] == sorted(dom.index(f"Round {k}") for k in (1, 2, 3))
    assert 'class="columns two"' in dom


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole report of a run that trained, debated and drew samples."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        shutil.copytree(ROOT / paths.PAPER, paths.PAPER)
        methods = ["econ-baseline", "econ-bne", "debate", "cot", "self-consistency"]
        write_run(folder, 40, benchmarks=["svamp"], n_agents=[3], methods=methods)
        for command in ("aggregate", "figures", "report"):
            assert CliRunner().invoke(group, [command]).exit_code == 0
    return folder / "results" / "report" / "index.html"


def with_script(page: Path, *scripts: str) -> Path:
    """A copy of the page, beside it, that runs these scripts too; what one finds it puts into #found."""
    begin, end = page.read_text().rsplit("</body>", 1)
    copy = page.with_name("scripted.html")
    copy.write_text(begin + "".join(f"<script>{script}</script>" for script in scripts) + "</body>" + end)
    return copy


FOUND = """
const tell = (what) => {
  const node = document.createElement("pre"); node.id = "found"; node.textContent = JSON.stringify(what);
  document.documentElement.append(node);
};
addEventListener("error", (event) => tell({ error: event.message }));
"""
HOVER = """
addEventListener("load", () => setTimeout(() => {
  const over = document.querySelector("#figure-tradeoff .u-over"), box = over.getBoundingClientRect();
  const tips = new Set(), tip = over.querySelector(".tip");
  over.dispatchEvent(new MouseEvent("mouseenter"));
  for (let x = 2; x < box.width; x += 8) for (let y = 2; y < box.height; y += 8) {
    over.dispatchEvent(new MouseEvent("mousemove", { clientX: box.left + x, clientY: box.top + y }));
    if (!tip.hidden) tips.add([...tip.children].map((line) => line.textContent).join("|"));
  }
  tell([...tips]);
}, 1500));
"""
AXE = """
addEventListener("load", () => setTimeout(async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const grave = violations.filter((one) => ["serious", "critical"].includes(one.impact));
  tell(grave.map((one) => [one.id, one.nodes[0].html]));
}, 1500));
"""


def found(page: Path, address: str, profile: Path) -> Any:
    told = re.search(r'<pre id="found">(.*?)</pre>', shown(page, address, profile), re.DOTALL)
    assert told is not None
    return orjson.loads(unescape(told[1]))


def test_a_point_of_a_figure_says_its_method_interval_and_n(report: Path, tmp_path: Path) -> None:
    tips = found(with_script(report, FOUND, HOVER), "", tmp_path)
    [debate] = {tip for tip in tips if tip.startswith("debate, N = 3|") and "[" in tip}
    row = show_row(report, "debate")
    accuracy, low, high = (100 * float(row[name]) for name in ("accuracy", "accuracy_low", "accuracy_high"))
    assert f"Accuracy in %: {accuracy:.4g} [{low:.4g}, {high:.4g}]" in debate
    assert debate.endswith("|3 rounds|n = 40")


def test_the_papers_items_stand_beside_ours(report: Path) -> None:
    text = report.read_text()
    for item in (
        *(f"table-{i}" for i in range(1, 7)),
        *(f"figure-{i}" for i in (3, 4, 5, 9, 10, 11, 12, 13)),
    ):
        assert f'<details id="{item}">' in text
    svamp = text.split('<details id="figure-12">')[1].split("</details>")[0]
    assert "ours beside 3 of 9 rows" in svamp
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", svamp.split("<td>ECON</td>")[1])[:5]
    row = show_row(report, "econ-bne")
    assert cells[:4] == ["87.80", "92.30", "96.80", "97.20"]
    assert cells[4].startswith(f"{100 * float(row['accuracy']):.1f} [")


def show_row(report: Path, method: str) -> dict[str, str]:
    with (report.parents[1] / "tables" / "accuracy.csv").open() as lines:
        return next(row for row in csv.DictReader(lines) if row["method"] == method)


@pytest.mark.parametrize("address", ["", "/episodes", "/episode/svamp/debate/n3-s0/p1?with=cot/n3-s0"])
def test_axe_finds_nothing_serious(report: Path, tmp_path: Path, address: str) -> None:
    axe = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("no axe-core here: npm install --no-save axe-core")
    assert found(with_script(report, axe.read_text(), FOUND, AXE), address, tmp_path) == []


SAID = {"tot": "Answer: 12", "rap": "Sub-question: How many bags?", "rstar": "so 12"}
TREES = {  # one node of each search, below its root
    "tot": {"id": 1, "parent": 0, "text": "3 * 4 = 12", "answer": "12", "value": 0.9},
    "rap": {"id": 1, "parent": 0, "visits": 2, "question": "How many bags?", "answer": "12", "useful": 0.7},
    "rstar": {
        "id": 1,
        "parent": 0,
        "visits": 2,
        "action": "A1",
        "question": None,
        "text": "so 12",
        "value": 0.5,
    },
}


def test_a_search_stands_as_its_tree_and_a_plan_day_by_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = {"benchmarks": ["svamp"], "n_agents": [3], "methods": [*TREES, "cot"]}
    params, _ = write_run(tmp_path, 2, **chosen)
    for method, node in TREES.items():
        job = Job("svamp", method, 3, 0)
        first = trace(job, 0, correct=True, detail={"tree": [{"id": 0, "parent": None}, node]})
        write_job(params, job, [first, *coin(job, 2)[1:]])
    days = orjson.dumps([{"days": 1, "transportation": "Flight F1", "lunch": HOSTILE}]).decode()
    job = Job("svamp", "cot", 3, 0)
    found = {"constraints": {"is_valid_cost": False, "is_not_absent": True}}
    plan = replace(trace(job, 0, correct=False, detail=found), answer=days)
    write_job(params, job, [plan, *coin(job, 2)[1:]])
    browser = browser_alone(params, tmp_path)
    for method, said in SAID.items():
        dom = unescape(shown(browser, f"/episode/svamp/{method}/n3-s0/p0", tmp_path / method))
        tree = dom.split('<ul class="tree">', 1)[1]
        assert "(the problem)" in tree
        assert said in tree
    dom = shown(browser, "/episode/svamp/cot/n3-s0/p0", tmp_path / "plan")
    assert "Flight F1</td>" in dom
    assert "<img" not in dom
    assert 'class="wrong">is valid cost: not met' in dom


def test_the_list_filters_and_an_unknown_address_says_so(page: tuple[Path, Params], tmp_path: Path) -> None:
    dom = shown(page[0], "/episodes?b=svamp&n=3&s=0&f=wrong", tmp_path)
    rows = dom.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    assert rows
    assert all("wrong" in row for row in rows)
    assert "<img" not in dom
    assert "There is no episode" in shown(page[0], "/episode/svamp/cot/n3-s0/nobody", tmp_path)
    assert "<h1>Report</h1>" in shown(page[0], "", tmp_path)
