"""The page in a browser: the system's Chromium by its command line; skipped where there is none."""

import base64
import gzip
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from econ.params import Params
from econ.records import Job
from econ.reporting.page import episodes
from tests.reporting.synthetic import call, coin, trace, write_job, write_run

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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Params]:
    """A page of nothing but its browser of episodes; whole reports are in test_figures.py."""
    from jinja2 import Environment, PackageLoader

    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        params, _ = write_run(folder, 4, benchmarks=["svamp"], methods=["cot", "debate"], n_agents=[3])
        job = Job("svamp", "cot", 3, 0)
        hostile = call(role="solver", text=HOSTILE)
        write_job(params, job, [trace(job, 0, correct=True, calls=[hostile]), *coin(job, 4)[1:]])
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
    return path, params


def test_an_episode_is_found_by_its_address_and_shows_what_was_said_as_text(
    page: tuple[Path, Params], tmp_path: Path
) -> None:
    dom = shown(page[0], "/episode/svamp/cot/n3-s0/p0", tmp_path)
    assert "<title>page</title>" in dom
    assert "<img" not in dom
    assert HOSTILE.replace("\x1b", "") in unescape(dom).replace("\x1b", "")
    assert "next →" in dom
    assert 'class="badge right"' in dom


def test_a_debate_is_told_round_by_round_and_beside_another_method(
    page: tuple[Path, Params], tmp_path: Path
) -> None:
    dom = shown(page[0], f"/episode/svamp/debate/n3-s0/p1?with={quote('cot/n3-s0')}", tmp_path)
    assert [dom.index(f"Round {k}") for k in (1, 2, 3)] == sorted(dom.index(f"Round {k}") for k in (1, 2, 3))
    assert 'class="columns two"' in dom


def test_the_list_filters_and_an_unknown_address_says_so(page: tuple[Path, Params], tmp_path: Path) -> None:
    dom = shown(page[0], "/episodes?b=svamp&n=3&s=0&f=wrong", tmp_path)
    rows = dom.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    assert rows
    assert all("wrong" in row for row in rows)
    assert "There is no episode" in shown(page[0], "/episode/svamp/cot/n3-s0/nobody", tmp_path)
    assert "<h1>Report</h1>" in shown(page[0], "", tmp_path)
