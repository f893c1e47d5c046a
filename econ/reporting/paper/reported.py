"""The paper's reported numbers (data/paper), under this project's names.

Cautions follow from the paper's own numbers, compared with each other: printed labels of figures 9 to 13 are
the accuracies; table 3 differs from them in two cells; figures 4 and 5 restate other methods' results.
"""

from __future__ import annotations

import csv
from statistics import fmean
from typing import TypeVar

from econ import paths
from econ.benchmarks import title
from econ.errors import EconError
from econ.params import about, parse_method
from econ.params.methods import InPaper

T = TypeVar("T")

MODELS = {
    "Mixtral-8x7B": "paper_mixtral_8x7b", "Mixtral-8x22B": "paper_mixtral_8x22b",
    "LLaMA3.1-70B": "paper_llama_70b", "LLaMA3.1-405B": "paper_llama_405b",
}  # fmt: skip

RATES = (
    "delivery_rate", "commonsense_micro", "commonsense_macro", "hard_micro", "hard_macro", "final_pass_rate",
)  # fmt: skip

NOTES = {
    ("gsm8k", "econ-bne"): "figure 11; table 3 has 92.70 for 70B",
    ("math", "econ-bne"): "figure 9; table 3 has 35.02 for 8x7B",
    ("gsm8k", "rstar"): "70B equals what rStar's authors report for LLaMA3-8B",
    ("gsm_hard", "self-consistency"): "8x7B equals RAP's value",
    ("gsm_hard", "rap"): "8x7B equals self-consistency's value",
}


def read(name: str) -> list[dict[str, str]]:
    """The rows of one of the paper's tables.

    Raises:
        EconError: it is not here.
    """
    path = paths.brought(paths.PAPER / f"{name}.csv")
    if not path.exists():
        raise EconError(f"{path} does not exist", "install the project again: it came with it")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


class Reported:
    """Accuracy as a share and tokens per problem, by (benchmark, method), then by the paper's model."""

    def __init__(self) -> None:
        self._accuracy = {
            (row["benchmark"], row["method"], row["model"]): float(row["accuracy_percent"]) / 100
            for row in read("reported_accuracy")
        }
        self._table3 = {
            (row["dataset"], row["strategy"], row["model"]): (
                float(row["performance_percent"]) / 100,
                float(row["token_usage"]),
            )
            for row in read("reported_tokens")
        }

    def accuracy(self, benchmark: str, method: str) -> dict[str, float]:
        """By model, from figures 9 to 13, or from table 3 where the method stands there alone (debate)."""
        if _stands_in_table3_alone(method):
            return self.table3_accuracy(benchmark, method)
        return self._by_model(self._accuracy, benchmark, _names(method).accuracy)

    def table3_accuracy(self, benchmark: str, method: str) -> dict[str, float]:
        found = self._by_model(self._table3, benchmark, _names(method).tokens)
        return {model: share for model, (share, _) in found.items()}

    def tokens(self, benchmark: str, method: str) -> dict[str, float]:
        """By model, from table 3 (unit not defined there)."""
        found = self._by_model(self._table3, benchmark, _names(method).tokens)
        return {model: tokens for model, (_, tokens) in found.items()}

    def gains(self, benchmark: str, method: str, rival: str) -> list[tuple[float, float]]:
        """(points as a share, relative gain) of ``method`` over ``rival``, one pair per model.

        Both sides come from the same source: table 3 where the rival stands there alone, else the figures.
        """
        source = self.table3_accuracy if _stands_in_table3_alone(rival) else self.accuracy
        ours, theirs = source(benchmark, method), source(benchmark, rival)
        return [(ours[m] - theirs[m], ours[m] / theirs[m] - 1) for m in theirs if m in ours]

    def saving(self, benchmark: str, method: str) -> float | None:
        """Mean over models of the share of debate's tokens that ``method`` saves (table 3)."""
        ours, debate = self.tokens(benchmark, method), self.tokens(benchmark, "debate")
        shares = [1 - ours[model] / debate[model] for model in debate if model in ours]
        return fmean(shares) if shares else None

    @staticmethod
    def _by_model(values: dict[tuple[str, str, str], T], benchmark: str, name: str | None) -> dict[str, T]:
        wanted = (title(benchmark), name)
        return {model: value for (*key, model), value in values.items() if tuple(key) == wanted}


def name_of(method: str) -> str | None:
    """The paper's name of a method, where it reports one."""
    names = _names(method)
    return names.accuracy or names.tokens


def _names(method: str) -> InPaper:
    """A method's names in the paper, which stand beside its class; the paper has no variants of ours."""
    return InPaper() if parse_method(method)[1] else about(method).paper


def _stands_in_table3_alone(method: str) -> bool:
    return _names(method).accuracy is None and _names(method).tokens is not None


def note_for(benchmark: str, method: str) -> str | None:
    if _stands_in_table3_alone(method):
        return "table 3"
    return NOTES.get((benchmark, method))


def travelplanner() -> list[dict[str, object]]:
    """Table 1, sole-planning and validation, rows with GPT-4; rates as shares."""
    return [
        {"method": f"{row['method']}*", "n": int(row["n_queries"])} | {r: float(row[r]) / 100 for r in RATES}
        for row in read("reported_travelplanner")
        if (row["mode"], row["split"]) == ("sole-planning", "validation") and "GPT-4" in row["method"]
    ]


def scaling(benchmark: str, series: str = "LLaMA 3.1 70B") -> dict[int, list[tuple[int, float]]]:
    """Figures 4 and 5: {figure: [(executors, accuracy share)]}, as printed. No numeric targets: see above."""
    points: dict[int, list[tuple[int, float]]] = {}
    for row in read("reported_scaling"):
        if (row["benchmark"], row["series"]) == (title(benchmark), series):
            point = int(row["n_execution_llms"]), float(row["accuracy_percent"]) / 100
            points.setdefault(int(row["figure"]), []).append(point)
    return points
