"""The whole pipeline against a fake server that fails, and killed again and again: nothing must change.

    python perf/chaos.py faults                  # every failure alone and all mixed, one attempt in five
    python perf/chaos.py kills [20]              # kill -9 at random moments, parallel jobs under Snakemake;
                                                 # minutes, most of them for jobs that start

Both compare metrics, tables, traces and checkpoints byte for byte with those of an undisturbed run.
``faults`` also counts INVALID against the failures that last. ``kills`` looks at the server's log: an answer
that was given is asked for again only if it was on its way, or had just arrived, at a kill.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import orjson
import yaml
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))

from econ.cli import group
from econ.llm.cache.admin import Ledger
from econ.params.runtime import MaxTokens
from tests.engines.conftest import Project, lay_out
from tests.llm.fake_server import Body, FakeServer, Faults, no_fault

METHODS = ["econ-baseline", "econ-bne", "debate", "cot"]
IN_FLIGHT, LATENCY = 4, 1.0  # of the runs that are killed: most of the time calls are in flight
TARGET = "aggregate"  # of the runs that are killed: all that asks a model, and the tables
SHARE = 0.2  # of the attempts fail
IN_A_ROW = 3  # no request fails more often than this one after the other
ARRIVING = 0.5  # seconds within which an answer that left the server may not be kept yet
MENDABLE = ["429", "429-date", "500", "503", "drop", "truncated", "not-json", "no-choices", "hang", "empty"]
COMPARED = ("metrics", "tables", "traces", "checkpoints")


def answer(body: Body) -> str:
    """Right or wrong by the request's hash; a commitment where a schema asks for one."""
    number = int.from_bytes(hashlib.sha256(orjson.dumps(body)).digest()[:4], "big") % 7
    if "response_format" in body:
        return orjson.dumps({"reasoning": f"It is {number}.", "final_answer": str(number), "confidence": 0.5,
                             "checklist": ["units"]}).decode()  # fmt: skip
    return f"Thought {number}. Final answer: {number}"


def sections(server: FakeServer, benchmarks: list[str]) -> dict[str, Any]:
    return {
        "benchmarks": benchmarks, "n_agents": [3], "methods": METHODS,
        "data": {"source": "shipped", "train_problems": 2, "test_problems": 6},
        "llm": {"backend": "openai", "base_url": server.url, "provider": "fake", "dialect": "vllm",
                "coordinator": "fake", "executors": ["fake"], "max_in_flight": IN_FLIGHT,
                "timeout_seconds": 3.0, "max_retries": 8, "patience_seconds": 120},
        "train": {"episodes": 4, "update_interval": 2},
        "bne": {"max_iterations_train": 1, "max_iterations_infer": 2},
    }  # fmt: skip


def results(folder: Path) -> dict[str, bytes]:
    """What is compared. Which of several jobs paid for an answer they share is the order's affair."""
    found = {}
    for name in COMPARED:
        for path in sorted((folder / "results" / name).rglob("*")):
            if path.is_file() and "curve" not in path.parts:
                raw = path.read_bytes()
                found[str(path.relative_to(folder))] = raw.replace(b'"cached":true', b'"cached":false')
    return found


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


# -- faults -----------------------------------------------------------------------------------------------


def failing(names: list[str], lost: Callable[[Body], bool] = lambda body: False) -> Faults:
    """One attempt in five fails in one of these ways; what is ``lost`` fails for good."""
    generator, turn = random.Random(1), threading.Lock()
    row: dict[bytes, int] = defaultdict(int)

    def fault(body: Body, attempt: int) -> str | None:
        if lost(body):
            return "404"
        key = orjson.dumps(body)
        with turn:
            fails = generator.random() < SHARE and row[key] < (1 if names == ["empty"] else IN_A_ROW)
            row[key] = row[key] + 1 if fails else 0
            return generator.choice(names) if fails else None

    return fault


def play_all() -> None:
    """The pipeline in this process, job after job, from an empty cache of answers."""
    shutil.rmtree("results", ignore_errors=True)
    if Path(".econ/cache").exists():
        Ledger().prune(model="fake", older_than_days=None, everything=False)
    commands = [["download"]]
    for benchmark in ("svamp", "gsm8k"):
        job = ["--benchmark", benchmark, "--n-agents", "3"]
        commands.append(["train", *job])
        commands += [["evaluate" if m in METHODS[:2] else "debate", *job, "--method", m] for m in METHODS]
    for command in [*commands, ["aggregate"]]:
        done = CliRunner().invoke(group, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output


def faults() -> None:
    with tempfile.TemporaryDirectory() as folder, FakeServer(answer) as server, chdir(folder):
        os.environ["ECON_HOME"] = folder
        shutil.copytree(Path(__file__).parents[1] / "data/paper", "data/paper")
        Path("params.yaml").write_text(yaml.safe_dump(sections(server, ["svamp", "gsm8k"])))
        play_all()
        reference = results(Path())
        for names in [*([name] for name in MENDABLE), ["restart"], MENDABLE]:
            report(names, server, reference)
        lasting(server, reference)


def report(names: list[str], server: FakeServer, reference: dict[str, bytes]) -> None:
    server.log.clear()
    server.faults = no_fault if names == ["restart"] else failing(names)
    stop = threading.Event()
    restarter = threading.Thread(target=restart, args=(server, stop))
    started = time.perf_counter()
    if names == ["restart"]:
        restarter.start()
    play_all()
    stop.set()
    if names == ["restart"]:
        restarter.join()
    failed = sum(seen.fault is not None for seen in server.log)
    changed = differing(results(Path()), reference)
    name = names[0] if len(names) == 1 else "all of these mixed"
    print(f"{name:20} {failed:4} of {len(server.log):4} attempts failed, {len(changed)} of {len(reference)} "
          f"files differ, {time.perf_counter() - started:.0f} s", *changed[:3], flush=True)  # fmt: skip


def restart(server: FakeServer, stop: threading.Event) -> None:
    """Down for half a second, again and again; what is in flight is dropped."""
    while not stop.wait(2.0):
        server.stop()
        time.sleep(0.5)
        server.start()


def lasting(server: FakeServer, reference: dict[str, bytes]) -> None:
    """Two problems' single answers fail for good; others fail and are mended."""
    name = "results/traces/svamp/cot-n3-s0.jsonl"
    traces = [orjson.loads(line) for line in reference[name].splitlines()]
    lost = [(trace["calls"][0]["messages"], trace["calls"][0]["seed"]) for trace in traces[:2]]
    server.faults = failing(MENDABLE, lambda body: (body["messages"], body["seed"]) in lost)
    play_all()
    metrics = orjson.loads(Path("results/metrics/svamp/cot-n3-s0.json").read_bytes())
    changed = [
        name for name in differing(results(Path()), reference) if not name.startswith("results/tables")
    ]
    print(f"2 answers lost: INVALID {metrics['invalid']} of {metrics['n']} {metrics['invalid_reasons']}; "
          f"files that differ: {', '.join(changed)}", flush=True)  # fmt: skip


# -- kills ------------------------------------------------------------------------------------------------


def kills(wanted: int) -> None:
    generator = random.Random(2)
    with tempfile.TemporaryDirectory() as top, FakeServer(answer, latency=LATENCY) as server:
        undisturbed = prepared(Path(top) / "undisturbed", server)
        started = time.perf_counter()
        undisturbed.snakemake(TARGET)
        whole = time.perf_counter() - started
        reference = results(undisturbed.folder)
        times = answered(server)
        twice = sum(len(moments) > 1 for moments in times.values())
        print(f"undisturbed: {len(times)} requests, {twice} of them twice, {whole:.0f} s", flush=True)
        killed, number = 0, 0
        while killed < wanted:
            number += 1
            server.log.clear()
            server.answered.clear()
            project = prepared(Path(top) / f"killed-{number}", server)
            moments = []
            while killed < wanted and (moment := killed_at(project, generator.uniform(0.05, 0.5) * whole)):
                killed += 1
                moments.append(moment)
            project.snakemake(TARGET)
            tell(project, server, reference, moments)


def prepared(folder: Path, server: FakeServer) -> Project:
    project = lay_out(folder)
    project.environment["ECON_HOME"] = str(folder)
    project.params(**sections(server, ["svamp"]))
    return project


def killed_at(project: Project, after: float) -> float | None:
    """Run the pipeline and kill all of it so many seconds later; None: it ended before."""
    process = subprocess.Popen(
        ["snakemake", "--cores", "3", TARGET], cwd=project.folder, env=project.environment,
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        code = process.wait(after)
        assert code == 0, f"snakemake ended with {code}"
    except subprocess.TimeoutExpired:
        moment = time.time()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return moment
    return None


def answered(server: FakeServer) -> dict[bytes, list[float]]:
    """When each request was answered. The probe asks one question twice on purpose, and is left out."""
    times: dict[bytes, list[float]] = defaultdict(list)
    for moment, payload in server.answered:
        if orjson.loads(payload)["max_tokens"] != MaxTokens().probe:
            times[payload].append(moment)
    return times


def tell(project: Project, server: FakeServer, reference: dict[str, bytes], moments: list[float]) -> None:
    times = answered(server)
    repeated = [first for first, *later in times.values() if later]
    # An answer leaves the server at most the latency after its request came in.
    near = [any(-ARRIVING <= first - kill <= server.latency + 0.1 for kill in moments) for first in repeated]
    changed = differing(results(project.folder), reference)
    given = sum(map(len, times.values()))
    print(f"{len(moments)} kills: {given} answers to {len(times)} requests, {len(repeated)} "
          f"asked for again, {len(near) - sum(near)} of them not in flight at a kill; {len(changed)} of "
          f"{len(reference)} files differ", *changed[:5], flush=True)  # fmt: skip


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what == "faults":
        faults()
    elif what == "kills":
        kills(int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
