"""The params file: one closed, typed schema; every default stands in this package and nowhere else.

``load(path)`` validates before anything runs: an unknown key, a wrong type or an impossible value is an
:class:`~econ.errors.EconError` that names the key. Defaults are the demo's; ``params/paper.yaml`` holds the
paper's setting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from econ.errors import EconError
from econ.params.bank import Bank, Certify
from econ.params.base import Section, Seed
from econ.params.faults import explain
from econ.params.file import changed, read
from econ.params.learning import (
    BNE,
    Action,
    EarlyStopping,
    Exploration,
    Information,
    Network,
    Range,
    Reward,
    Simulated,
    Team,
    Train,
)
from econ.params.methods import About, about, learns, parse_method, plays, read_settings
from econ.params.runtime import BENCHMARKS, LLM, Budget, Cache, Custom, Data, Embedding, Limits, Report
from econ.params.setting import setting, training
from econ.params.variants import Changes, VariantName, check, merged
from econ.registry import BENCHMARKS as BENCHMARK_REGISTRY

__all__ = [
    "BENCHMARKS",
    "BNE",
    "LLM",
    "About",
    "Action",
    "Bank",
    "Budget",
    "Cache",
    "Certify",
    "Custom",
    "Data",
    "EarlyStopping",
    "Embedding",
    "Exploration",
    "Information",
    "Limits",
    "Network",
    "Params",
    "Range",
    "Report",
    "Reward",
    "Section",
    "Simulated",
    "Team",
    "Train",
    "about",
    "learns",
    "load",
    "parse_method",
    "plays",
    "setting",
    "training",
]


class Params(Section):
    benchmarks: Annotated[tuple[str, ...], Field(min_length=1)] = BENCHMARKS
    n_agents: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)] = (3, 4)
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    methods: Annotated[tuple[str, ...], Field(min_length=1)] = ("econ-baseline", "econ-bne", "debate", "cot")
    # Methods that are played on some of the benchmarks alone, such as dear ones: METHOD: [BENCHMARK, …].
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    data: Data = Data()
    llm: LLM = LLM()
    embedding: Embedding = Embedding()
    action: Action = Action()
    network: Network = Network()
    reward: Reward = Reward()
    train: Train = Train()
    bne: BNE = BNE()
    team: Team = Team()
    simulated: Simulated = Simulated()
    bank: Bank = Bank()
    report: Report = Report()
    # What is kept of params stands in no store, and no result depends on where answers are kept.
    cache: Cache = Field(default=Cache(), exclude=True)
    certify: Certify = Certify()
    # By method, what is its own: each is read by the model that stands beside the method's class.
    settings: dict[str, Any] = Field(default_factory=dict)
    # By name, what is put into these params where ``methods`` says METHOD+NAME.
    variants: dict[VariantName, Changes] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _settings_are_known(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("settings"), Mapping):
            return given
        return {**given, "settings": read_settings(given["settings"])}

    @model_validator(mode="after")
    def _team_fits(self) -> Self:
        for name in ("benchmarks", "n_agents", "seeds", "methods"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists a value twice")
        for method in self.methods:
            base, variant = parse_method(method)
            try:
                about(base)
            except EconError as fault:
                raise ValueError(f"methods: {fault}") from None
            if variant is not None and variant not in self.variants:
                raise ValueError(f"methods: '{method}' names no variant of these params ({self._known()})")
            if base not in self.methods:
                raise ValueError(f"methods: '{method}' is compared with '{base}', which must be there too")
            if not any(plays(base, self.kind_of(benchmark)) for benchmark in self.benchmarks):
                raise ValueError(f"methods: '{base}' is defined on none of the benchmarks")
        for method in set(self.only) - {parse_method(method)[0] for method in self.methods}:
            raise ValueError(f"only: '{method}' is not among the methods")
        for benchmark in {name for names in self.only.values() for name in names}:
            if benchmark not in (*self.benchmarks, *BENCHMARKS, *self.data.custom):
                raise ValueError(f"only: unknown benchmark '{benchmark}'")
        if len(self.llm.executors) not in (1, *self.n_agents):
            raise ValueError(
                f"llm.executors names {len(self.llm.executors)} models: give one for all, or one per executor"
            )
        if len(self.llm.executors) > 1 and any(n != len(self.llm.executors) for n in self.n_agents):
            raise ValueError(
                "llm.executors lists one model per executor, so n_agents must be that one number"
            )
        if self.team.commitment == "cached" and self.llm.backend != "bank":
            raise ValueError("team.commitment: cached is played from a bank: set llm.backend: bank")
        if self.llm.backend == "openai" and not self.llm.base_url:
            raise ValueError("llm.base_url is needed with llm.backend: openai")
        return self

    @model_validator(mode="after")
    def _banks_suffice(self) -> Self:
        if not self.certify.policies and not self.certify.horizons:
            return self
        if self.llm.backend != "bank":
            raise ValueError("certify measures on banks: set llm.backend: bank, or leave its lists empty")
        alike = max(Counter(map(self.llm.executor, range(max(self.n_agents)))).values())
        if alike > 1 and self.bank.samples <= alike:
            raise ValueError(
                f"certify needs bank.samples of at least {alike + 1} for {alike} agents of one model, "
                f"not {self.bank.samples}: they take different ones, and one is left to deviate with"
            )
        return self

    @model_validator(mode="after")
    def _variants_fit(self) -> Self:
        for name, changes in self.variants.items():
            try:
                self._with(changes)
            except ValidationError as fault:
                raise ValueError(explain(fault, Params, f"variants.{name}")) from None
            check(name, changes)
        for method in self.methods:
            base, variant = parse_method(method)
            if variant is not None and setting(self, method) == setting(self, base):
                raise ValueError(f"methods: variants.{variant} changes nothing that '{base}' plays with")
        return self

    def methods_on(self, benchmark: str) -> tuple[str, ...]:
        """The methods of these params that are defined on a benchmark and not kept to others."""
        kind = self.kind_of(benchmark)
        bases = {method: parse_method(method)[0] for method in self.methods}
        return tuple(
            method
            for method, base in bases.items()
            if plays(base, kind) and benchmark in self.only.get(base, (benchmark,))
        )

    def kind_of(self, benchmark: str) -> str:
        """The kind of a benchmark's answers; of an unknown one none (its name is checked with the job)."""
        if benchmark in self.data.custom:
            return self.data.custom[benchmark].kind
        return str(BENCHMARK_REGISTRY.find(benchmark).kind) if benchmark in BENCHMARK_REGISTRY else ""

    def settings_of(self, method: str) -> Any:
        """A method's own settings: those given, else its defaults."""
        name = parse_method(method)[0]
        return self.settings.get(name) or about(name).settings()

    def of(self, method: str) -> Params:
        """The params that ``method`` plays with: its variant's, or these."""
        return self.varied(parse_method(method)[1])

    def varied(self, variant: str | None) -> Params:
        """These params with a variant's put in, and no more variants; None: these.

        Raises:
            EconError: there is no such variant.
        """
        if variant is None:
            return self
        if variant not in self.variants:
            raise EconError(f"unknown variant '{variant}'", self._known())
        return self._with(self.variants[variant])

    def _known(self) -> str:
        return f"known: {', '.join(self.variants)}" if self.variants else "these params have no variants"

    def _with(self, changes: Changes) -> Params:
        whole = self.model_dump(exclude={"variants"}) | {"cache": self.cache}
        whole["methods"] = list(dict.fromkeys(parse_method(method)[0] for method in self.methods))
        return Params.model_validate(merged(whole, changes))

    def learned_as(self, variant: str | None) -> str | None:
        """Whose checkpoint a variant plays from: its own, or None where nothing that is learned differs."""
        return None if training(self.varied(variant)) == training(self) else variant

    def trainings(self) -> tuple[str | None, ...]:
        """What is trained for the methods of these params: None for the params as they are, and variants."""
        played = map(parse_method, self.methods)
        return tuple(dict.fromkeys(self.learned_as(variant) for base, variant in played if learns(base)))


def load(path: Path | None, changes: Sequence[str] = ()) -> Params:
    """Read and validate a params file.

    Args:
        path: the file; None: the defaults.
        changes: values put in, each ``KEY=VALUE`` as of ``--set``.

    Raises:
        EconError: the file is missing, is not YAML, or a key is unknown, of the wrong type or impossible.
    """
    content = changed(read(path) if path else {}, changes)
    where = f"params file {path}" if path else "params"
    if changes:
        where += f" with --set {' '.join(map(_shown, changes))}"
    try:
        return Params.model_validate(content)
    except ValidationError as fault:
        raise EconError(f"{where}: {explain(fault, Params)}") from None


def _shown(change: str) -> str:
    """A ``KEY=VALUE`` for an error: without a database's URL, in which a password may be."""
    key = change.partition("=")[0]
    return f"{key}=…" if key.strip().startswith("cache") else change
