"""The paper's tables and figures, item by item: ours in the last columns, and what to keep in mind of each.

Which of its numbers are no targets, and why, is in docs/paper.md (data/paper holds the numbers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from econ.benchmarks import title
from econ.params import Params, about, parse_method
from econ.reporting import show
from econ.reporting.paper.reported import MODELS, RATES, read
from econ.reporting.show import NOTHING, number

if TYPE_CHECKING:
    import pandas as pd

MAIN = 3  # executors in the paper's main results
FIGURES = {"9": "MATH", "10": "GSM-Hard", "11": "GSM8K", "12": "SVAMP", "13": "StrategyQA"}
NOTES = {
    "table 1": "Ours plans alone (sole-planning). With 180 queries a rate is a multiple of 1/180: not so the "
    "final 12.9 of ECON and the delivery 97.7 of debate. The text quotes the two-stage rows as the results.",
    "table 2": "ECON's row equals figures 9 and 10 for LLaMA3.1-70B. There is no LLaMA 3.1 7B. Mixed teams "
    "are worse than equal ones in the strong group alone; the weak one on MATH is above 3x 8B.",
    "table 3": "The unit of tokens is not defined and fits completions best; ours: completions, then all. "
    "ECON's accuracies on GSM8K (70B) and MATH (8x7B) are others than in figures 11 and 9. The mean saving "
    "over debate is 22.5 %, not the 21.4 % of the abstract.",
    "table 4": "Its headers say complete information and consumption, both with accuracies: read as complete "
    "information, then ECON; the last number is the tokens that complete information takes more.",
    "table 5": "One model and benchmark (LLaMA3.1-70B, MATH). S3 is ECON itself; 62.71 of the random reward "
    "stands in table 2 for another method. There is no row without R1. R1, R2, R3 are AL, TS, CC.",
    "table 6": "By its printed changes ECON with 8B has 87.7 and 87.5 on GSM8K, 80.3 in table 4.",
    "figure 3": "Its labels are the means of figures 9 to 13 cut, not rounded, to one decimal.",
    "figure 4": "No target: every point of 70B equals a bar of figures 9 to 12, or differs from it by whole "
    "points. What can be tested: one coordinator stops helping beyond about four executors.",
    "figure 5": "No target, as figure 4. What can be tested: several coordinators with a central one go on.",
    "figure 9": "ECON with 8x7B: 37.0 here, 35.02 in table 3; rStar's 37.9 is above it.",
    "figure 10": "Self-consistency and RAP both have 22.47 with 8x7B; ECON's 25.8 is below few-shot CoT's.",
    "figure 11": "ECON with 70B: 96.7 here, 92.70 in table 3. rStar's 91.13 with 70B is what its authors "
    "report for an 8B model.",
    "figure 12": "",
    "figure 13": "ECON with 8x7B (70.2) is below ToT (71.3).",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One table or figure of the paper. ``answered``: how many of its rows have ours beside them."""

    name: str
    title: str
    note: str
    headings: tuple[tuple[str, bool], ...]  # text, is a number
    rows: list[list[str]]
    answered: int


class Ours:
    """Our numbers as text, found by the paper's names; at three executors, or else at the fewest."""

    def __init__(self, params: Params, frames: dict[str, pd.DataFrame]) -> None:
        self.n = MAIN if MAIN in params.n_agents else min(params.n_agents)
        self.frames = frames
        self.benchmarks = {title(name): name for name in params.benchmarks}
        plain = [method for method in params.methods if parse_method(method)[1] is None]
        self.methods = {name: method for method in plain for name in about(method).paper if name}

    def of(self, table: str, column: str, benchmark: str | None, name: str, n: int | None = None) -> str:
        """A cell of a table of ours, with its interval if the column has one; a dash, where there is none."""
        frame = self.frames[table]
        chosen = (frame["method"] == self.methods.get(name)) & (frame["n_agents"] == (n or self.n))
        if benchmark is not None:
            chosen &= frame["benchmark"] == self.benchmarks.get(benchmark)
        return self._text(frame[chosen], column)

    def ablation(self, benchmark: str, source: str) -> str:
        """Accuracy of the variant that stands for a row of the paper's tables 2 to 6."""
        frame = self.frames["ablations"]
        sources = frame["paper_source"].fillna("").astype(str)
        chosen = (frame["benchmark"] == self.benchmarks.get(benchmark)) & sources.str.startswith(source)
        return self._text(frame[chosen & (frame["n_agents"] == self.n)], "accuracy")

    @staticmethod
    def _text(frame: pd.DataFrame, column: str) -> str:
        rows = show.records(frame)
        if not rows or rows[0][column] != rows[0][column]:
            return NOTHING
        if column.endswith("tokens"):
            return number(rows[0][column], "tokens")
        ends = [rows[0].get(f"{column}_{end}") for end in ("low", "high")]
        text = number(rows[0][column], "percent")
        return text if None in ends else f"{text} [{', '.join(number(end, 'percent') for end in ends)}]"


def items(params: Params, frames: dict[str, pd.DataFrame]) -> list[Item]:
    """Tables 1 to 6, figures 3 to 5 and 9 to 13 of the paper, each beside ours."""
    ours = Ours(params, frames)
    found = [_table1(ours), _table2(ours), _table3(ours), _table4(ours), _table5(ours), _table6(ours)]
    return [*found, _figure3(ours), _figure4(ours, "4"), _figure4(ours, "5"), *_figures(ours)]


def _item(
    name: str, words: str, texts: Sequence[str], rows: Iterable[list[str]], mine: Sequence[str]
) -> Item:
    """``mine``: headings of the columns at the end that are ours."""
    whole = list(rows)
    numeric = [all(_is_number(row[place]) for row in whole) for place in range(len(texts))]
    headings = (*zip(texts, numeric, strict=True), *((text, True) for text in mine))
    answered = sum(any(cell != NOTHING for cell in row[len(texts) :]) for row in whole)
    return Item(name, f"{name.capitalize()}: {words}", NOTES[name], headings, whole, answered)


def _is_number(text: str) -> bool:
    return text == NOTHING or text.replace(".", "").replace(",", "").lstrip("+-").isdigit()


def _table1(ours: Ours) -> Item:
    labels = ("Delivery", "Common. micro", "Common. macro", "Hard micro", "Hard macro", "Final")
    rows = [
        [row["mode"], row["method"], row["split"], *(row[rate] for rate in RATES)]
        for row in read("reported_travelplanner")
    ]
    frame = ours.frames["travelplanner"]
    if len(frame):
        mine = frame[(frame["level"] == "all") & (frame["n_agents"] == ours.n)]
        for row in show.records(mine):
            rates = [number(row[rate], "percent") for rate in RATES]
            rows.append(["sole-planning", f"ours: {row['method']}", f"n = {int(row['n'])}", *rates])
    texts = ("Mode", "Method", "Split", *labels)
    item = _item("table 1", "TravelPlanner, official rates in %", texts, rows, ())
    return replace(item, answered=len(rows) - len(read("reported_travelplanner")))


def _table2(ours: Ours) -> Item:
    rows = []
    for row in read("reported_heterogeneous"):
        cells = []
        for benchmark in ("GSM-Hard", "MATH"):
            if row["configuration"] == "ECON":
                cells.append(ours.of("accuracy", "accuracy", benchmark, "ECON"))
            else:
                cells.append(ours.ablation(benchmark, f"table 2: {row['configuration']}"))
        reported = [row["gsm_hard_percent"], row["math_percent"]]
        rows.append([row["configuration"], row["coordinator"].split(";")[0], *reported, *cells])
    texts = ("Executors", "Coordinator", "GSM-Hard", "MATH")
    return _item("table 2", "mixed teams, accuracy in %", texts, rows, ("GSM-Hard, ours", "MATH, ours"))


def _table3(ours: Ours) -> Item:
    rows = []
    for row in read("reported_tokens"):
        benchmark, name = row["dataset"], row["strategy"]
        if name.startswith("ECON ("):
            mine = [NOTHING, NOTHING, ours.ablation(benchmark, f"table 3: {name}")]
        else:
            kinds = ("completion_tokens", "total_tokens")
            mine = [ours.of("tokens", kind, benchmark, name) for kind in kinds]
            mine.append(ours.of("accuracy", "accuracy", benchmark, name))
        rows.append([benchmark, name, row["model"], row["token_usage"], row["performance_percent"], *mine])
    texts = ("Benchmark", "Method", "Model", "Tokens", "Accuracy")
    return _item(
        "table 3",
        "tokens and accuracy in %",
        texts,
        rows,
        ("Completion, ours", "Total, ours", "Accuracy, ours"),
    )


def _table4(ours: Ours) -> Item:
    rows = [
        [
            row["benchmark"], row["model"], row["complete_info_column"], row["consumption_column_accuracy"],
            row["consumption_column_percent"], ours.ablation(row["benchmark"], "table 4; its headers"),
            ours.of("accuracy", "accuracy", row["benchmark"], "ECON"),
        ]
        for row in read("reported_complete_information")
    ]  # fmt: skip
    texts = ("Benchmark", "Model", "Complete", "ECON", "Tokens, %")
    return _item(
        "table 4", "complete information, accuracy in %", texts, rows, ("Complete, ours", "ECON, ours")
    )


def _ablations(ours: Ours, number: str) -> Iterator[list[str]]:
    for row in read("reported_ablations"):
        if row["table"] == number:
            setting, benchmark = row["setting"], row["benchmark"]
            if setting == "S3 (ECON default)":
                mine = ours.of("accuracy", "accuracy", benchmark, "ECON")
            else:
                mine = ours.ablation(benchmark, f"table {number}: {setting}")
            change = row["printed_change_points"] or NOTHING
            yield [setting, benchmark, row["model"], row["accuracy_percent"], change, mine]


def _table5(ours: Ours) -> Item:
    texts = ("Setting", "Benchmark", "Model", "Accuracy", "Change")
    return _item("table 5", "rewards and strategies, accuracy in %", texts, _ablations(ours, "5"), ("Ours",))


def _table6(ours: Ours) -> Item:
    texts = ("Setting", "Benchmark", "Model", "Accuracy", "Change")
    return _item("table 6", "networks, accuracy in %", texts, _ablations(ours, "6"), ("Ours",))


def _by_method(figures: Iterable[str]) -> dict[str, dict[str, list[float]]]:
    """The paper's accuracies by method, then by model."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in read("reported_accuracy"):
        if row["figure"] in figures:
            models = found.setdefault(row["method"], {})
            models.setdefault(row["model"], []).append(float(row["accuracy_percent"]))
    return found


def _bars(name: str, words: str, figures: Iterable[str], ours: dict[str, str]) -> Item:
    rows = []
    for method, models in _by_method(figures).items():
        means = [f"{sum(models[model]) / len(models[model]):.2f}" for model in MODELS]
        rows.append([method, *means, ours.get(method, NOTHING)])
    return _item(name, words, ("Method", *MODELS), rows, ("Ours",))


def _figure3(ours: Ours) -> Item:
    whole = ours.frames["averages"]
    names = ours.methods if len(whole) and int(whole["benchmarks"].max()) == len(FIGURES) else ()
    mine = {name: ours.of("averages", "accuracy", None, name) for name in names}
    return _bars("figure 3", "mean accuracy over five benchmarks, in %", tuple(FIGURES), mine)


def _figures(ours: Ours) -> Iterator[Item]:
    for figure, benchmark in FIGURES.items():
        mine = {name: ours.of("accuracy", "accuracy", benchmark, name) for name in ours.methods}
        yield _bars(f"figure {figure}", f"{benchmark}, accuracy in %", (figure,), mine)


def _figure4(ours: Ours, number: str) -> Item:
    rows = [
        [
            row["benchmark"], row["series"], row["n_execution_llms"], row["accuracy_percent"],
            ours.of("scaling", "accuracy", row["benchmark"], "ECON", int(row["n_execution_llms"])),
        ]
        for row in read("reported_scaling")
        if row["figure"] == number and row["n_execution_llms"]
    ]  # fmt: skip
    words = "accuracy in % against the number of executors, " + (
        "one coordinator" if number == "4" else "several coordinators"
    )
    return _item(f"figure {number}", words, ("Benchmark", "Model", "N", "Accuracy"), rows, ("Ours",))
