"""A table's unit: benchmark x method x agent count, with its seeds pooled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from econ.params import parse_method
from econ.records import Json
from econ.reporting import show
from econ.reporting.gather import Result
from econ.reporting.statistics import pooled_interval

Row = dict[str, Any]
Outcomes = dict[str, list[bool]]  # problem id -> right or not under each seed


@dataclass(frozen=True)
class Cell:
    """Benchmark x method x agent count, its seeds pooled."""

    benchmark: str
    method: str
    n_agents: int
    seeds: tuple[Result, ...]

    @property
    def key(self) -> Row:
        return {
            "benchmark": self.benchmark,
            "method": self.method,
            "n_agents": self.n_agents,
            "fixed": self.fixed,
        }

    @property
    def counts(self) -> Row:
        return {
            "n": self.n,
            "problems": len(self.outcomes),
            "seeds": len(self.seeds),
            "simulated": self.simulated,
            "recorded": self.recorded,
            "models": self.models,
        }

    @property
    def variant(self) -> str | None:
        return parse_method(self.method)[1]

    @property
    def simulated(self) -> bool:
        return any(result.metrics["simulated"] for result in self.seeds)

    @property
    def recorded(self) -> str | None:
        """Model, engine and date of the records that it was played from; None: it was played live."""
        return show.joined(result.metrics.get("recorded") for result in self.seeds)  # earlier versions: none

    @property
    def fixed(self) -> str | None:
        """Dimensions of the action that were held at a value, not learned."""
        return show.held(self.seeds[0].metrics.get("fixed", {}))  # metrics of earlier versions: none was

    @property
    def models(self) -> str:
        """Names of the models that answered (a file's name alone); "none" where no model was asked."""
        teams = [team for result in self.seeds for team in result.metrics["models"].values()]
        return " + ".join(sorted({PurePath(model).name for team in teams for model in team})) or "none"

    @property
    def n(self) -> int:
        """Answers: problems x seeds."""
        return int(self.sum("n"))

    @cached_property
    def outcomes(self) -> Outcomes:
        """Of the method as run."""
        return self._by_problem(result.outcomes for result in self.seeds)

    def outcomes_after(self, k: int) -> Outcomes:
        """After ``k`` samples or rounds; a problem that ended before stays as it ended."""
        firsts = (result.firsts for result in self.seeds)
        return self._by_problem({name: marks[:k][-1] for name, marks in one.items()} for one in firsts)

    def _by_problem(self, seeds: Iterable[dict[str, bool]]) -> Outcomes:
        problems: Outcomes = defaultdict(list)
        for outcomes in seeds:
            for problem, correct in outcomes.items():
                problems[f"{self.benchmark}/{problem}"].append(correct)
        return dict(problems)

    @property
    def sources(self) -> dict[str, str]:
        """Problem id -> the other benchmark's problem that it was made of, as that one's outcomes name it."""
        made_of = self.seeds[0].sources
        return {
            f"{self.benchmark}/{name}": f"{source.split('/')[0]}/{source}" for name, source in made_of.items()
        }

    @property
    def subsets(self) -> dict[str, tuple[str, ...]]:
        """Problem id -> the parts of its benchmark that it is in; empty where there are none."""
        return {f"{self.benchmark}/{name}": parts for name, parts in self.seeds[0].subsets.items()}

    @property
    def accuracy(self) -> float:
        return self.sum("correct") / self.n

    def accuracy_columns(self) -> Row:
        low, high = pooled_interval(list(self.outcomes.values()))
        return {"accuracy": self.accuracy, "accuracy_low": low, "accuracy_high": high}

    def sum(self, name: str) -> float:
        return float(sum(result.metrics[name] for result in self.seeds))

    def mean(self, name: str) -> float:
        """Mean per answer of a number that metrics give as a mean or share of their own answers."""
        return float(sum(result.metrics[name] * result.metrics["n"] for result in self.seeds)) / self.n

    def per_answer(self, name: str) -> float:
        return self.sum(name) / self.n

    def merged(self, name: str) -> dict[str, int]:
        """Counts by reason, summed over seeds; none, where metrics have no such counts."""
        total: dict[str, int] = defaultdict(int)
        for result in self.seeds:
            for reason, count in result.metrics.get(name, {}).items():
                total[reason] += count
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def counted(counts: dict[str, int]) -> str | None:
    """Counts by reason as a text."""
    return "; ".join(f"{reason}: {count}" for reason, count in counts.items()) or None


@dataclass(frozen=True)
class Run:
    """What tables are made from: the params' results, job by job and pooled over seeds, and the documents of
    what was measured on banks."""

    results: tuple[Result, ...]
    certificates: tuple[Json, ...] = ()
    regrets: tuple[Json, ...] = ()

    @cached_property
    def cells(self) -> list[Cell]:
        return cells(self.results)

    @cached_property
    def plain(self) -> list[Cell]:
        """Without the variants, which have a table of their own."""
        return [cell for cell in self.cells if cell.variant is None]


def cells(results: Iterable[Result]) -> list[Cell]:
    """Results with their seeds pooled, in the order of the params."""
    groups: dict[tuple[str, str, int], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.job.benchmark, result.job.method, result.job.n_agents].append(result)
    return [Cell(*key, tuple(seeds)) for key, seeds in groups.items()]
