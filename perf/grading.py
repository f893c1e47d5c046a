"""Every gold of every benchmark through its grader, then wrong answers through the same graders.

    ECON_DATA_MIRROR=FOLDER python perf/grading.py

Per benchmark and split: golds graded right; perturbed golds (a digit changed, a verdict turned, a plan with
an invented restaurant) graded wrong; golds of other problems, written otherwise, graded wrong; seconds on the
clock. Exceptions are listed. The last lines: CPU time, which a busy machine does not change; agreement with
MATH-500; TravelPlanner's annotated plans under both scorers.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from econ.benchmarks import download, load
from econ.benchmarks.store import SPLITS, stated
from econ.grading import grade, judge
from econ.grading.canonical import canonical
from econ.grading.forms import last_boxed
from econ.params import BENCHMARKS, Data, Params
from econ.records import Problem

PARAMS = Params(data=Data(source="mirror", train_problems=None, test_problems=None, reference_tokens=None))
Wrong = Iterator[tuple[Problem, str]]


def perturbed(problems: list[Problem]) -> Wrong:
    """Each problem with its own gold made wrong."""
    for problem in problems:
        kind, gold = problem.kind, problem.gold or ""
        if kind == "yesno":
            yield problem, {"yes": "no", "no": "yes"}[gold]
        elif kind == "plan":
            plan = json.loads(gold)
            plan[1]["dinner"] = "No Such Kitchen, Nowhere"
            yield problem, json.dumps(plan)
        elif re.search(r"\d", gold):
            at = [match.start() for match in re.finditer(r"\d", gold)][-1]
            yield problem, f"{gold[:at]}{(int(gold[at]) + 1) % 10}{gold[at + 1 :]}"
        else:
            yield problem, f"{gold}+1" if kind == "math" and "text" not in gold else f"not {gold}"


def swapped(problems: list[Problem]) -> Wrong:
    """Each problem with the next gold of the list that is not only another way of writing its own."""
    plain = {p.gold: canonical(p.gold) if p.benchmark == "math" else p.gold for p in problems if p.gold}
    for place, problem in enumerate(problems):
        others = (p.gold for p in problems[place + 1 :] + problems[:place])
        other = next((gold for gold in others if gold and plain[gold] != plain[problem.gold]), None)
        if other is not None:
            yield problem, other


def count(cases: list[tuple[Problem, str]], right: bool) -> tuple[int, list[str]]:
    """How many cases come out as they should, and those that do not."""

    def one(case: tuple[Problem, str]) -> bool:
        problem, answer = case
        text = stated(replace(problem, gold=answer))
        return bool(grade(problem, text, PARAMS).correct) is right

    with ThreadPoolExecutor(2) as threads:
        good = list(threads.map(one, cases))
    odd = [
        f"{p.id}: gold {p.gold!r:.60}, answer {a!r:.60}"
        for (p, a), ok in zip(cases, good, strict=True)
        if not ok
    ]
    return sum(good), odd


def main() -> None:
    if not os.environ.get("ECON_DATA_MIRROR"):
        sys.exit("ECON_DATA_MIRROR must name a folder with the benchmark files")
    begun = time.perf_counter()
    print(
        f"{'benchmark':14}{'split':7}{'golds right':>14}"
        f"{'perturbed wrong':>17}{'swapped wrong':>15}{'seconds':>9}"
    )
    odd: list[str] = []
    for name in BENCHMARKS:
        download(name, PARAMS)
        for split in SPLITS:
            odd += row(name, split, [p for p in load(name, split, PARAMS) if p.gold is not None])
    seconds = time.perf_counter() - begun
    print(f"all: {seconds:.0f} s, {cpu_seconds():.0f} s of CPU", *agreement(), annotated(), *odd, sep="\n")


def row(name: str, split: str, problems: list[Problem]) -> list[str]:
    start, cells, odd = time.perf_counter(), [], []
    wrong: tuple[Callable[[list[Problem]], Wrong], ...] = (perturbed, swapped)
    for cases, right in [
        ([(p, p.gold or "") for p in problems], True),
        *((list(f(problems)), False) for f in wrong),
    ]:
        good, exceptions = count(cases, right)
        cells.append(f"{good}/{len(cases)}")
        odd += [
            f"  {name} {split} {'gold graded wrong' if right else 'wrong answer graded right'}: {e}"
            for e in exceptions
        ]
    seconds = time.perf_counter() - start
    print(f"{name:14}{split:7}{cells[0]:>14}{cells[1]:>17}{cells[2]:>15}{seconds:9.1f}", flush=True)
    return odd


def agreement() -> list[str]:
    """MATH-500: the solutions' last boxes, graded against the answers that the data set gives."""
    path = Path(os.environ["ECON_DATA_MIRROR"]) / "math" / "test.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    problems = [Problem(row["unique_id"], "math", row["problem"], row["answer"], kind="math") for row in rows]
    good, odd = count(
        [(p, last_boxed(row["solution"]) or "") for p, row in zip(problems, rows, strict=True)], True
    )
    texts = sum(grade(p, row["solution"], PARAMS).correct for p, row in zip(problems, rows, strict=True))
    return [
        f"MATH-500: answer in the solution's last box {good}/{len(rows)}, whole solution {texts}/{len(rows)}",
        *odd,
    ]


def annotated() -> str:
    """How many of TravelPlanner's annotated plans pass everything, with either scorer."""
    passed = []
    for scorer in ("database", "reference"):
        data = PARAMS.data.model_copy(update={"scorer": scorer})
        params = PARAMS.model_copy(update={"data": data})
        plans = load("travelplanner", "train", params)
        passed.append(f"{sum(grade(p, p.gold, params).correct for p in plans)}/{len(plans)}")
    return f"annotated plans: with the full tables {passed[0]}, with the query's own reference {passed[1]}"


def cpu_seconds() -> float:
    """Of this process and of those that compare expressions, which end here."""
    judge.stop()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ECON_DATA_MIRROR"] = str(Path(os.environ.get("ECON_DATA_MIRROR", "")).resolve())
        os.chdir(folder)
        main()
