"""Commitments to the right answer of every MATH problem, written in five ways, read by ECON and by mad.

    ECON_DATA_MIRROR=FOLDER python perf/commitments.py

Per way of writing: commitments graded right, of how many, and seconds on the clock. Those that are not are
listed; a sample of them is tried in the tests.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from econ.benchmarks import download, load
from econ.grading import grade_text
from econ.methods import commitment
from econ.methods.debate import mad
from econ.params import Data, Params
from econ.records import Call, Sampling

Write = Callable[[str, str], str]  # key, answer -> reply


def escaped(key: str, answer: str) -> str:
    fields = {key: answer, "confidence": 0.9, "reasoning": "It is 3/4 of 12.", "checklist": ["sum"]}
    return json.dumps(fields)


def single(key: str, answer: str) -> str:
    quoted = answer.replace('"', '\\"')
    return f'{{"{key}": "{quoted}", "confidence": 0.9, "reasoning": "It is \\frac{{3}}{{4}} of 12."}}'


WAYS: Mapping[str, Write] = {
    "escaped": escaped,
    "single backslashes": single,
    "boxed inside": lambda key, answer: single(key, f"\\boxed{{{answer}}}"),
    "thinking before": lambda key, answer: (
        f'<think>Perhaps {{"{key}": "72"}}? The answer is 72.</think>\n{escaped(key, answer)}'
    ),
    "braces before": lambda key, answer: (
        f"We get \\boxed{{12}} at first, of the set {{3, 4}}.\n```json\n{escaped(key, answer)}\n```"
    ),
}


def by_econ(write: Write, answer: str) -> str:
    sampling = Sampling(0.0, 1.0, 1.0, 400)
    reply = write("final_answer", answer)
    call = Call("coordinator", 0, 0, "m", (), sampling, 0, 0, reply, 1, 1, False, None, "stop")
    return commitment.read(call, "math").text


def by_mad(write: Write, answer: str) -> str:
    return mad.read(write("answer", answer), "math").text or ""


READERS = {"econ": by_econ, "mad": by_mad}


def read_golds() -> list[str]:
    params = Params(data=Data(source="mirror", train_problems=None, test_problems=None))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        download("math", params)
        return [problem.gold or "" for problem in load("math", "test", params)]


def main() -> int:
    golds = read_golds()
    worst = 1.0
    for way, write in WAYS.items():
        for name, read in READERS.items():
            started = time.monotonic()
            with ThreadPoolExecutor(2) as threads:
                right = list(
                    threads.map(
                        lambda gold, w=write, r=read: grade_text("math", gold, r(w, gold)).correct, golds
                    )
                )
            share = sum(right) / len(golds)
            worst = min(worst, share)
            print(f"{way:20} {name:5} {share:.4f} of {len(golds)}  {time.monotonic() - started:.0f} s")
            for gold in [gold for gold, ok in zip(golds, right, strict=True) if not ok][:10]:
                print(f"    {gold!r:.100} -> {read(write, gold)!r:.100}")
    return int(worst < 0.99)


if __name__ == "__main__":
    sys.exit(main())
