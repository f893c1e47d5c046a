"""The doors: whatever can be added to the project by name, and where each built-in one stands.

A thing is named as built in (``cot``), as an installed package names it in the entry-point group, or as
``module:Class`` of the folder that the command runs in. It is imported when it is first asked for, so to list
names costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from econ.errors import EconError


@dataclass(frozen=True)
class Registry:
    """Things of one kind by name.

    Args:
        kind: what they are, for messages.
        group: the entry-point group that other packages add to.
        built_in: name -> ``module:attribute``, or a module.
    """

    kind: str
    group: str
    built_in: Mapping[str, str]

    @cached_property
    def _installed(self) -> dict[str, str]:
        found = {entry.name: entry.value for entry in metadata.entry_points(group=self.group)}
        taken = sorted(set(found) & set(self.built_in))
        if taken:
            raise EconError(
                f"an installed package names its {self.kind} '{taken[0]}' as one here is named",
                "uninstall that package, or have its entry point renamed",
            )
        return found

    def __iter__(self) -> Iterator[str]:
        """The names: built in, then installed."""
        return iter((*self.built_in, *self._installed))

    def __contains__(self, name: object) -> bool:
        """Is this a name that could be found? ``module:attribute`` is not imported for it."""
        return isinstance(name, str) and (":" in name or name in self.built_in or name in self._installed)

    def find(self, name: str) -> Any:
        """The thing of this name.

        Raises:
            EconError: there is none, or its module cannot be imported.
        """
        if name not in self:
            raise self.unknown(name)
        place = self.built_in.get(name) or self._installed.get(name) or name
        return self._load(place)

    def place(self, name: str) -> str:
        """The module that a name stands for; nothing is imported."""
        return (self.built_in.get(name) or self._installed.get(name) or name).partition(":")[0]

    def unknown(self, name: str) -> EconError:
        return EconError(f"unknown {self.kind} '{name}'", f"known: {', '.join(self)}, or module:Class")

    def _load(self, place: str) -> Any:
        module, _, attribute = place.partition(":")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.append(here)  # at the end: a file here never stands in for a package
        try:
            found: Any = importlib.import_module(module)
        except ImportError as fault:
            raise EconError(
                f"{self.kind} '{place}' cannot be imported: {fault}",
                f"is {module.split('.')[0]}.py in the folder that the command runs in, or installed?",
            ) from fault
        for part in filter(None, attribute.split(".")):
            try:
                found = getattr(found, part)
            except AttributeError:
                raise EconError(f"{self.kind} '{place}': {module} has no '{attribute}'") from None
        return found


METHODS = Registry(
    "method",
    "econ.methods",
    {
        "econ-baseline": "econ.methods.econ.method:EconBaseline",
        "econ-bne": "econ.methods.econ.method:EconBNE",
        "debate": "econ.methods.debate.debate:Debate",
        "sparse-debate": "econ.methods.debate.debate:SparseDebate",
        "mad": "econ.methods.debate.mad:TitForTat",
        "direct": "econ.methods.one_call:Direct",
        "cot": "econ.methods.one_call:CoT",
        "few-shot-cot": "econ.methods.one_call:FewShotCoT",
        "self-consistency": "econ.methods.sampling:SelfConsistency",
        "best-of-n": "econ.methods.sampling:BestOfN",
        "moa": "econ.methods.moa:MixtureOfAgents",
        "react": "econ.methods.react:ReAct",
        "reflexion": "econ.methods.react:Reflexion",
        "greedy-search": "econ.methods.greedy:GreedySearch",
        "tot": "econ.methods.search.tot:TreeOfThoughts",
        "rap": "econ.methods.search.rap:ReasoningViaPlanning",
        "rstar": "econ.methods.search.rstar:MutualReasoning",
    },
)

BACKENDS = Registry(
    "backend",
    "econ.backends",
    {
        "local": "econ.llm.local.backend:Local",
        "together": "econ.llm.backends.together:Together",
        "openai": "econ.llm.backends.openai:OpenAI",
        "simulated": "econ.simulation.client:SimulatedClient",
        "bank": "econ.bank.client:BankClient",
    },
)

GRADERS = Registry(
    "kind of answer",
    "econ.graders",
    {
        "number": "econ.grading.number",
        "math": "econ.grading.latex",
        "yesno": "econ.grading.yesno",
        "plan": "econ.grading.travelplanner",
    },
)

BENCHMARKS = Registry(
    "benchmark",
    "econ.benchmarks",
    {
        "gsm8k": "econ.benchmarks.registry:GSM8K",
        "gsm_hard": "econ.benchmarks.registry:GSM_HARD",
        "math": "econ.benchmarks.registry:MATH",
        "svamp": "econ.benchmarks.registry:SVAMP",
        "strategyqa": "econ.benchmarks.registry:STRATEGYQA",
        "travelplanner": "econ.benchmarks.registry:TRAVELPLANNER",
    },
)

# Tables and figures: an object beside the function that makes its rows, or draws it; its name is its files'.
TABLES = Registry(
    "table",
    "econ.tables",
    {
        "accuracy": "econ.reporting.tables.accuracy:accuracy",
        "averages": "econ.reporting.tables.averages:averages",
        "paired": "econ.reporting.tables.comparisons:paired",
        "equal_tokens": "econ.reporting.tables.budgets:equal_tokens",
        "budgets": "econ.reporting.tables.budgets:budgets",
        "tokens": "econ.reporting.tables.accuracy:tokens",
        "paper_accuracy": "econ.reporting.tables.beside_paper:paper_accuracy",
        "paper_gains": "econ.reporting.tables.beside_paper:paper_gains",
        "paper_tokens": "econ.reporting.tables.beside_paper:paper_tokens",
        "scaling": "econ.reporting.tables.accuracy:scaling",
        "ablations": "econ.reporting.tables.ablations:ablations",
        "convergence": "econ.reporting.tables.rounds:convergence",
        "endings": "econ.reporting.tables.rounds:endings",
        "travelplanner": "econ.reporting.tables.parts:travelplanner",
        "gsm_hard": "econ.reporting.tables.parts:gsm_hard",
        "invalid": "econ.reporting.tables.reading:invalid",
        "strategies": "econ.reporting.tables.reading:strategies",
        "problems": "econ.reporting.tables.reading:problems",
        "certificates": "econ.reporting.tables.equilibrium:certificates",
        "equilibrium_seeds": "econ.reporting.tables.equilibrium:equilibrium_seeds",
        "deviations": "econ.reporting.tables.equilibrium:deviations",
        "welfare": "econ.reporting.tables.equilibrium:welfare",
        "equilibrium_training": "econ.reporting.tables.equilibrium:equilibrium_training",
        "regret": "econ.reporting.tables.equilibrium:regret",
        "learned": "econ.reporting.tables.equilibrium:learned",
    },
)

FIGURES = Registry(
    "figure",
    "econ.figures",
    {
        "accuracy": "econ.reporting.figures.rows:accuracy",
        "averages": "econ.reporting.figures.rows:averages",
        "differences": "econ.reporting.figures.rows:differences",
        "tradeoff": "econ.reporting.figures.lines:tradeoff",
        "tokens": "econ.reporting.figures.bars:tokens",
        "scaling": "econ.reporting.figures.lines:scaling",
        "ablations": "econ.reporting.figures.rows:ablations",
        "convergence": "econ.reporting.figures.lines:convergence",
        "training": "econ.reporting.figures.curves:training",
        "weights": "econ.reporting.figures.learning:weights",
        "actions": "econ.reporting.figures.learning:actions",
        "deviations": "econ.reporting.figures.equilibrium:deviations",
        "welfare": "econ.reporting.figures.equilibrium:welfare",
        "nash_conv": "econ.reporting.figures.equilibrium:nash_conv",
        "regret": "econ.reporting.figures.equilibrium:regret",
        "learned": "econ.reporting.figures.equilibrium:learned",
    },
)
