"""ECON inference from problem to trace against the ideal makespan: client, networks, embeddings, grading.

    python perf/inference.py [openai | together] [openvino | torch]      # the last: embeddings' engine

N = 3 executors, 3 rounds without guards, 200 problems of SVAMP (ECON_DATA_MIRROR names their folder), 200 ms
an answer, 64 calls in flight. Every answer is another one. It is played twice, each time with a bare aiohttp
loop over as many calls before it: first all answers must be embedded, by the packaged model on this machine's
cores, then their vectors are known (and no answer is), which leaves the rest of the path.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parents[1]))

from econ import paths
from econ.benchmarks.store import download
from econ.llm.cache.admin import Ledger
from econ.llm.local import models
from econ.methods.econ.method import untrained
from econ.params import Params
from econ.playing import run_job
from econ.records import Job
from perf.llm_client import IN_FLIGHT, LATENCY, PROBLEMS, measure, serving


def params_for(backend: str, url: str, engine: str) -> Params:
    document = {
        "benchmarks": ["svamp"], "n_agents": [3], "methods": ["econ-bne"],
        "data": {"test_problems": PROBLEMS},
        "embedding": {"engine": engine},
        "llm": {"backend": backend, "base_url": url, "coordinator": "m", "executors": ["m"],
                "max_in_flight": IN_FLIGHT},
        "bne": {"max_iterations_infer": 2, "convergence_threshold": 0.0, "same_commitment": 1.0},
    }  # fmt: skip
    return Params.model_validate(document)


def play(params: Params, seed: int) -> tuple[float, float, int]:
    """Wall and CPU seconds of this process, and the calls of one job."""
    job = Job("svamp", "econ-bne", 3, seed)
    cpu, wall = time.process_time(), time.perf_counter()
    asyncio.run(run_job(lambda: untrained(params, 3, "econ-bne", seed), params, job))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, orjson.loads(paths.metrics(job).read_bytes())["calls"]


def main() -> None:
    backend = sys.argv[1] if len(sys.argv) > 1 else "openai"
    engine = sys.argv[2] if len(sys.argv) > 2 else "auto"
    os.environ.setdefault("TOGETHER_API_KEY", "none")
    with tempfile.TemporaryDirectory() as folder, serving(LATENCY) as url:
        os.environ["ECON_MODELS"] = str(models.folder())  # the embedding model's graph stays
        os.environ["ECON_HOME"] = folder
        os.chdir(folder)
        params = params_for(backend, url, engine)
        download("svamp", params)
        few = params.model_copy(update={"data": params.data.model_copy(update={"test_problems": 2})})
        for what in ("answers to embed", "vectors known"):
            play(few, seed=1)  # imports, the embedding server's start, the probe
            bare = measure("aiohttp", url, PROBLEMS)["wall"]
            wall, cpu, calls = play(params, seed=0)
            ideal = LATENCY * calls / IN_FLIGHT
            print(f"{what:17}{calls} calls, wall {wall:.2f} s, {wall / ideal:.3f} x ideal, "
                  f"{wall / bare:.3f} x aiohttp; CPU {1000 * cpu / calls:.2f} ms/call")  # fmt: skip
            Ledger().prune(model="m", older_than_days=None, everything=False)
    print(
        f"load {os.getloadavg()[0]:.1f}; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
    )


if __name__ == "__main__":
    main()
