"""Stands in for ``econ`` where only the engines are under test: writes what the real command would, at once.

Each call is noted in ``calls.txt``; one whose words contain FAKE_ECON_FAIL fails, one whose words contain
FAKE_ECON_HANG never ends.
"""

import json
import os
import sys
import time
from glob import glob
from pathlib import Path

from econ.params import load
from econ.paths import bank
from econ.reporting.catalogue import figure_files, table_files


def main(words: list[str]) -> None:
    with Path("calls.txt").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    line = " ".join(words)
    if (hang := os.environ.get("FAKE_ECON_HANG")) and hang in line:
        time.sleep(3600)
    if (fail := os.environ.get("FAKE_ECON_FAIL")) and fail in line:
        print("working on it")
        sys.exit("econ: error: the server is gone - start it again")
    if words[0] == "bank":  # a command of its own group
        words = words[1:]
    command, options = words[0], dict(zip(words[1::2], words[2::2], strict=True))
    for file in outputs(command, options):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(content(file, options))


def outputs(command: str, options: dict[str, str]) -> list[str]:
    benchmark, n, seed = (options.get(f"--{name}") for name in ("benchmark", "n-agents", "seed"))
    if command == "download":
        return [
            f"data/benchmarks/{benchmark}/{name}" for name in ("train.jsonl", "test.jsonl", "manifest.json")
        ]
    if command == "train":
        own = f"+{options['--variant']}" if "--variant" in options else ""
        return [f"results/checkpoints/{benchmark}/n{n}-s{seed}{own}/last.safetensors"]
    if command in {"evaluate", "debate"}:
        job = f"{benchmark}/{options['--method']}-n{n}-s{seed}"
        return [f"results/traces/{job}.jsonl", f"results/metrics/{job}.json"]
    if command == "build":
        return [str(bank(str(benchmark), options["--split"], "smollm2-135m-instruct"))]
    if command == "equilibrium":
        return [options["--out"]]
    if command == "regret":
        return [f"results/regret/{benchmark}/n{n}.json"]
    if command in {"aggregate", "figures"}:
        params = load(Path(options["--params"]), [options["--set"]] if "--set" in options else [])
        return [*table_files(params), *summary()] if command == "aggregate" else figure_files(params)
    return ["results/report/index.html"] if command == "report" else []


def summary() -> list[str]:
    jobs = [file.replace("/metrics/", "/summary/jobs/", 1) for file in glob("results/metrics/*/*.json")]
    return [*jobs, "results/summary/training.csv"]


def content(file: str, options: dict[str, str]) -> str:
    if file.startswith(("results/metrics/", "results/summary/jobs/")):
        return json.dumps({"accuracy": 0.5, "calls": 2})
    if file == "results/summary/training.csv":
        head = "benchmark,n_agents,seed,variant,episodes,reward,loss"
        return f"{head}\nsvamp,3,0,,8,0.5,0.1\nsvamp,3,0,,16,0.6,0.1\n"
    if file.endswith(".csv"):
        return (
            "benchmark,method,n_agents,accuracy,total_tokens\ngsm8k,debate,3,0.5,100\ngsm8k,cot,3,0.25,40\n"
        )
    return f"{file} {options.get('--method', '')}\n"


main(sys.argv[1:])
