"""Two machines at the same debate, with nothing shared but PostgreSQL; one is killed hard in the middle.

    python perf/nodes.py [--problems 120] [--per-minute 600]

A machine is a folder with a user cache of its own and a command in it. Both play the same job against a fake
server; one gets SIGKILL, and is started again. Shown: requests that the server saw twice, against those in
flight at the kill; the most requests in any minute at the server, against the limit; and whether traces and
metrics are those of an undisturbed run with the embedded store, byte for byte.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf.chaos import answer, differing, results
from tests.llm.fake_server import FakeServer
from tests.postgres import serving

ROOT = Path(__file__).parents[1]
IN_FLIGHT, LATENCY, SECRET = 16, 0.5, "5ecret"
JOB = ("debate", "--benchmark", "sums", "--method", "debate", "--n-agents", "3")


def machine(folder: Path, server: FakeServer, problems: int, per_minute: int) -> None:
    """A folder with its own problems, params and data."""
    folder.mkdir()
    rows = ({"question": f"What is {n} plus {n % 7}?", "answer": str(n + n % 7)} for n in range(problems))
    (folder / "sums.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    params = {
        "benchmarks": ["sums"], "n_agents": [3], "methods": ["debate"],
        "data": {"custom": {"sums": {"kind": "number", "test": "sums.jsonl"}}, "train_share": 0},
        "llm": {"backend": "openai", "base_url": server.url, "provider": "fake", "dialect": "vllm",
                "coordinator": "fake", "executors": ["fake"], "max_in_flight": IN_FLIGHT,
                "limits": {"requests_per_minute": per_minute}},
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run(econ("download", "--benchmark", "sums"), cwd=folder, env=around(folder, ""), check=True)


def econ(*words: str) -> list[str]:
    return [sys.executable, "-m", "econ", *words]


def around(folder: Path, url: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ECON_")}
    return {**kept, "PYTHONPATH": str(ROOT), "ECON_HOME": str(folder / "home"), "ECON_CACHE_URL": url}


def start(folder: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(econ(*JOB), cwd=folder, env=around(folder, url), stdout=subprocess.DEVNULL)


def finished(process: subprocess.Popen[bytes]) -> None:
    assert process.wait(900) == 0, f"a machine ended with {process.returncode}"


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


def most_in_a_minute(times: list[float]) -> int:
    """Of requests, in any window of 60 seconds."""
    times = sorted(times)
    return max(bisect_left(times, start + 60.0) - place for place, start in enumerate(times))


def leaks(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--problems", type=int, default=120)
    parser.add_argument("--per-minute", type=int, default=600)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as top,
        FakeServer(answer, latency=LATENCY) as server,
        serving(durable=True) as database,
    ):
        folders = [Path(top) / name for name in ("alone", "one", "two")]
        for folder in folders:
            machine(folder, server, chosen.problems, chosen.per_minute)
        started = time.perf_counter()
        finished(start(folders[0], ""))
        wanted = len({orjson.dumps(seen.body) for seen in server.log})
        print(
            f"alone, embedded store: {wanted} requests, {time.perf_counter() - started:.0f} s",
            flush=True,
        )
        server.log.clear()
        play(folders[1:], f"{database.fresh()}", server, wanted)
        report(server, wanted, chosen.per_minute)
        reference = results(folders[0])
        for folder in folders[1:]:
            other = differing(results(folder), reference)
            print(f"machine {folder.name}: {len(other)} of {len(reference)} files differ", *other,
                  f"; files that hold the database's password: {len(leaks(folder))}", flush=True)  # fmt: skip


def play(folders: list[Path], url: str, server: FakeServer, wanted: int) -> None:
    """Both at once; the second is killed when a third of the calls are made, and started again."""
    url = url.replace("@", f":{SECRET}@", 1)
    started = time.perf_counter()
    one, two = (start(folder, url) for folder in folders)
    moment = wanted * random.Random(1).uniform(0.3, 0.4)
    until(lambda: len(server.log) >= moment and server.in_flight > 0)
    two.send_signal(signal.SIGKILL)
    print(f"machine two is killed after {len(server.log)} requests, {server.in_flight} in flight", flush=True)
    two.wait()
    two = start(folders[1], url)
    finished(one)
    finished(two)
    print(f"two machines: {time.perf_counter() - started:.0f} s", flush=True)


def report(server: FakeServer, wanted: int, per_minute: int) -> None:
    seen = Counter(orjson.dumps(one.body) for one in server.log)
    twice = sum(seen.values()) - len(seen)
    most = most_in_a_minute([one.time for one in server.log])
    flying = f"at most {server.most_in_flight} in flight (limit {IN_FLIGHT})"
    print(
        f"the server saw {len(seen)} requests ({wanted} alone), {twice} of them twice, {flying}", flush=True
    )
    print(f"in any minute it saw at most {most} (limit {per_minute})", flush=True)


if __name__ == "__main__":
    main()
