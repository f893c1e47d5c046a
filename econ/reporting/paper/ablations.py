"""The paper's ablations (tables 2, 4, 5 and 6; table 3 for a detailed strategy), found by what is changed.

A variant is known by its params, not by its name: what differs from its method's says which row it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from econ.benchmarks import title
from econ.reporting.paper.reported import read

Changes = Mapping[str, Any]  # dotted key of a setting -> its value
Shares = dict[str, float]  # by the paper's model

EIGHT, SEVENTY = "LLaMA3.1-8B", "LLaMA3.1-70B"

# Tables 5 and 6; their R1, R2, R3 are AL, TS, CC.
_SETTINGS: dict[tuple[str, Any], str] = {
    ("team.strategy", "none"): "S1 (no strategy)",
    ("reward.components", ("AL", "CC")): "R1 on; R2 off; R3 on",
    ("reward.components", ("AL",)): "R1 on; R2 off; R3 off",
    ("reward.components", ("AL", "TS")): "R1 on; R2 on; R3 off",
    ("reward.source", "random"): "Random",
    ("network.concatenate", False): "No Concatenate",
    ("network.belief_encoder", False): "No belief encoder",
}
_DETAILED = ("team.strategy", "detailed")
_COMPLETE = ("team.information", "complete")
_HIERARCHICAL = ("team.coordination", "hierarchical")

# Table 2's models, as names of served models have them.
_COORDINATOR = r"3\.1[-:]70b"
_EXECUTORS = {
    "LLaMA3.1 8B": r"3\.1[-:]8b",
    "LLaMA3.1 405B": r"3\.1[-:]405b",
    "LLaMA3 8B": r"llama-?3[-:]8b",
    "Mixtral 7B [as printed]": r"(mistral|mixtral)[-:]7b",
    "Mixtral 8x22B": r"mixtral[-:]8x22b",
    "Qwen1.5 110B": r"qwen1\.5[-:]110b",
}

_OWN_NOTES = {
    "gsm8k": "8B: 80.3 in table 4, 87.7 and 87.5 by table 6; 70B: 96.7 but 92.70 in table 3",
    "gsm_hard": "8B: 14.9 in figures 4 and 5",
    "math": "8B: 60.4 in table 4, 59.4 by table 6; 51.9 in figures 4 and 5",
}
_NOTES = {
    ("math", "Random"): "the same number stands in table 2 for few-shot CoT",
    ("math", "LLaMA3.1 8B; LLaMA3 8B; Mixtral 7B [as printed]"): "above 3x 8B, against the text",
    ("gsm_hard", "3x LLaMA3.1 405B"): "above the 60.1 of a 405B coordinator (figure 10)",
    ("math", "3x LLaMA3.1 405B"): "above the 87.5 of a 405B coordinator (figure 9)",
}


@dataclass(frozen=True, slots=True)
class Ablation:
    """What the paper reports for one benchmark and setting, by model, as shares.

    ``points``: accuracy minus ECON's in the same table. ``tokens``: relative to ECON's.
    """

    source: str
    accuracy: Shares = field(default_factory=dict)
    points: Shares = field(default_factory=dict)
    tokens: Shares = field(default_factory=dict)
    note: str | None = None


def find(benchmark: str, changes: Changes, n_agents: int, coordinator: str) -> Ablation | None:
    """The paper's row for ECON with ``changes``, of which none is ECON itself; None where it has no row.

    Args:
        benchmark: ours.
        changes: all that differs from the method's own setting.
        n_agents: of table 2, whose executors are named one by one.
        coordinator: the same.
    """
    if not changes:
        _, standard, _ = _table4(benchmark)
        return Ablation("table 4", standard, note=_OWN_NOTES.get(benchmark)) if standard else None
    if len(changes) > 1:
        return None
    key, value = next(iter(changes.items()))
    change = key, tuple(sorted(value)) if isinstance(value, list) else value
    if key == "llm.executors":
        return _noted(benchmark, _table2(benchmark, value, n_agents, coordinator))
    if change == _DETAILED:
        return _table3(benchmark)
    if change == _COMPLETE:
        accuracy, standard, tokens = _table4(benchmark)
        points = {model: accuracy[model] - standard[model] for model in accuracy}
        note = "its headers read as complete information, then ECON"
        return Ablation("table 4", accuracy, points, tokens, note) if accuracy else None
    if change == _HIERARCHICAL:
        return Ablation("figure 5", note="figures 4 and 5 restate other results: no targets")
    return _noted(benchmark, _table5_or_6(benchmark, _SETTINGS.get(change)))


def _noted(benchmark: str, found: Ablation | None) -> Ablation | None:
    if found is None:
        return None
    _, _, setting = found.source.partition(": ")
    return replace(found, note=_NOTES.get((benchmark, setting)))


def _table5_or_6(benchmark: str, setting: str | None) -> Ablation | None:
    rows = [row for row in read("reported_ablations") if row["benchmark"] == title(benchmark)]
    chosen = [row for row in rows if row["setting"] == setting]
    if not chosen:
        return None
    accuracy = _shares(chosen, "accuracy_percent")
    if chosen[0]["table"] == "6":  # which has no row of ECON, but prints the change
        points = _shares(chosen, "printed_change_points")
    else:
        own = _shares([row for row in rows if row["setting"] == "S3 (ECON default)"], "accuracy_percent")
        points = {model: accuracy[model] - own[model] for model in accuracy}
    return Ablation(f"table {chosen[0]['table']}: {setting}", accuracy, points)


def _shares(rows: Iterable[Mapping[str, str]], column: str) -> Shares:
    return {row["model"]: float(row[column]) / 100 for row in rows}


def _table4(benchmark: str) -> tuple[Shares, Shares, Shares]:
    """Accuracy with complete information, ECON's own, and the share of tokens that it takes more."""
    rows = [row for row in read("reported_complete_information") if row["benchmark"] == title(benchmark)]
    columns = ("complete_info_column", "consumption_column_accuracy", "consumption_column_percent")
    complete, standard, more = (_shares(rows, column) for column in columns)
    return complete, standard, more


def _table3(benchmark: str) -> Ablation | None:
    """A detailed strategy, against ECON in the same table."""
    rows = [row for row in read("reported_tokens") if row["dataset"] == title(benchmark)]
    own = {row["model"]: row for row in rows if row["strategy"] == "ECON"}
    chosen = {row["model"]: row for row in rows if row["strategy"] == "ECON (with detailed strategy)"}
    if not chosen:
        return None

    ours, accuracy = (
        _shares(own.values(), "performance_percent"),
        _shares(chosen.values(), "performance_percent"),
    )
    tokens = {m: float(row["token_usage"]) / float(own[m]["token_usage"]) - 1 for m, row in chosen.items()}
    return Ablation(
        "table 3: ECON (with detailed strategy)",
        accuracy,
        {model: accuracy[model] - ours[model] for model in accuracy},
        tokens,
        "70B: 72.31 in table 5" if benchmark == "math" else None,
    )


def _table2(benchmark: str, executors: Sequence[str], n_agents: int, coordinator: str) -> Ablation | None:
    """Three executors under a 70B coordinator, against ECON with 70B executors (the table's first row)."""
    column = {"gsm_hard": "gsm_hard_percent", "math": "math_percent"}.get(benchmark)
    if column is None or n_agents != 3 or not _is(coordinator, _COORDINATOR):
        return None
    team = [*executors] * (n_agents if len(executors) == 1 else 1)
    rows = read("reported_heterogeneous")
    [own] = [float(row[column]) for row in rows if row["configuration"] == "ECON"]
    for row in rows:
        if row["coordinator"] == "LLaMA3.1 70B" and _same_team(row["configuration"], team):
            reported = float(row[column])
            return Ablation(
                f"table 2: {row['configuration']}",
                {SEVENTY: reported / 100},
                {SEVENTY: (reported - own) / 100},
            )
    return None


def _same_team(configuration: str, team: Sequence[str]) -> bool:
    """``3x A`` or ``A; B; C``, in any order."""
    times, _, name = configuration.partition("x ")
    names = [name] * int(times) if times.isdigit() else configuration.split("; ")
    patterns = [_EXECUTORS[name] for name in names]
    return len(team) == len(patterns) and all(
        sum(_is(model, pattern) for model in team) == patterns.count(pattern) for pattern in patterns
    )


def _is(model: str, pattern: str) -> bool:
    return re.search(pattern, model, re.IGNORECASE) is not None
