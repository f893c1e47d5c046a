"""How large the page gets, and how fast it is: 6 benchmarks x 15 methods x 200 problems.

    python perf/page.py [--problems 200]

An answer has some 60 words. Chromium opens the page from disk, in real time, and tells a server on loopback
how long it took: to be ready (all scripts run, the first figures drawn), to list the episodes of a benchmark,
and to show an episode, of a job not looked at before and of the same job.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from econ import paths
from econ.params import Params, load
from econ.reporting import catalogue, manifest, show
from econ.reporting.figures.build import draw_all
from econ.reporting.gather import gather, jobs
from econ.reporting.page.build import write_page
from econ.reporting.tables.build import build
from tests.reporting.synthetic import coin, write_job

ROOT = Path(__file__).parents[1]
METHODS = (
    "econ-baseline", "econ-bne", "debate", "sparse-debate", "mad", "direct", "cot", "few-shot-cot",
    "self-consistency", "best-of-n", "moa", "tot", "rap", "react", "greedy-search",
)  # fmt: skip
WORDS = "we first add the number of apples to what is left and so each child gets half of them".split()  # noqa: SIM905
MEASURE = Path(__file__).with_suffix(".js")


def said(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=60)) + f" #### {rng.randrange(1000)}"


def make(problems: int) -> Params:
    """Traces, metrics, tables and figures, below the current folder."""
    shutil.copytree(ROOT / paths.PAPER, paths.PAPER)
    file = Path("params.yaml")
    file.write_text(json.dumps({"n_agents": [3], "methods": METHODS}))
    params, rng = load(file), random.Random(0)
    for job in jobs(params):
        traces = [
            replace(trace, calls=tuple(replace(call, text=said(rng)) for call in trace.calls))
            for trace in coin(job, problems)
        ]
        write_job(params, job, traces)
    found = gather(params, file)
    frames = build(found, params)
    for name, table in catalogue.tables(params).items():
        show.write(name, table, frames[name])
    manifest.write(found, params)
    draw_all(params)
    return params


def opened(page: Path) -> dict[str, Any]:
    """What Chromium tells of the page."""
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    server.timeout = 240
    begin, end = page.read_text().rsplit("</body>", 1)
    script = MEASURE.read_text().replace("PORT", str(server.server_port))
    copy = page.with_name("measured.html")
    copy.write_text(f"{begin}<script>{script}</script></body>{end}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--window-size=1440,1600", "--remote-debugging-port=0", f"--user-data-dir={profile}",
            copy.resolve().as_uri(),
        ]  # fmt: skip
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.handle_request()
        browser.terminate()
        browser.wait()
    if not heard:
        raise SystemExit("Chromium told nothing within four minutes")
    return heard[0]


def rows(told: dict[str, Any]) -> Iterator[str]:
    yield f"ready {told['ready']:,.0f} ms; list of a benchmark {told['list']:,.0f} ms"
    for name, what in (("fresh", "of a job not looked at before"), ("same", "of the same job")):
        times = told[name]
        yield f"episode {what}: median {median(times):.0f} ms, slowest {max(times):.0f} ms, n = {len(times)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        params = make(options.problems)
        start = time.process_time()
        page = write_page(params, Path("params.yaml"))
        beside = sum(path.stat().st_size for path in page.parent.rglob("*.js"))
        print(
            f"{len(jobs(params)) * options.problems:,} episodes, written in "
            f"{time.process_time() - start:.1f} s of CPU; "
            f"page {page.stat().st_size / 1e6:.1f} MB, files beside it {beside / 1e6:.1f} MB"
        )
        print("\n".join(rows(opened(page))))
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
