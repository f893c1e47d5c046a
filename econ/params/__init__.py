"""The params file: one closed, typed schema; every default stands in this package and nowhere else.

``load(path)`` validates before anything runs: an unknown key, a wrong type or an impossible value is an
:class:`~econ.errors.EconError` that names the key. Defaults are the demo's; ``params/paper.yaml`` holds the
paper's setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from econ.errors import EconError
from econ.params.base import Section
from econ.params.learning import (
    BNE,
    Action,
    EarlyStopping,
    Exploration,
    Network,
    Range,
    Reward,
    Simulated,
    Team,
    Train,
)
from econ.params.methods import (
    BASELINES,
    ECON_METHODS,
    METHODS,
    RAP,
    BestOfN,
    Debate,
    Mad,
    MixtureOfAgents,
    RStar,
    Search,
    SelfConsistency,
    SparseDebate,
    ToT,
    plays,
)
from econ.params.surroundings import BENCHMARKS, LLM, Budget, Custom, Data, Embedding, Limits

__all__ = [
    "BASELINES",
    "BENCHMARKS",
    "BNE",
    "ECON_METHODS",
    "LLM",
    "METHODS",
    "RAP",
    "Action",
    "BestOfN",
    "Budget",
    "Custom",
    "Data",
    "Debate",
    "EarlyStopping",
    "Embedding",
    "Exploration",
    "Limits",
    "Mad",
    "MixtureOfAgents",
    "Network",
    "Params",
    "RStar",
    "Range",
    "Reward",
    "Search",
    "SelfConsistency",
    "Simulated",
    "SparseDebate",
    "Team",
    "ToT",
    "Train",
    "explain",
    "load",
    "plays",
]


class Params(Section):
    benchmarks: Annotated[tuple[str, ...], Field(min_length=1)] = BENCHMARKS
    n_agents: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)] = (3, 4)
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    methods: Annotated[tuple[str, ...], Field(min_length=1)] = ("econ-baseline", "econ-bne", "debate", "cot")
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
    debate: Debate = Debate()
    sparse_debate: SparseDebate = SparseDebate()
    mad: Mad = Mad()
    self_consistency: SelfConsistency = SelfConsistency()
    best_of_n: BestOfN = BestOfN()
    moa: MixtureOfAgents = MixtureOfAgents()
    tot: ToT = ToT()
    rap: RAP = RAP()
    rstar: RStar = RStar()

    @model_validator(mode="after")
    def _team_fits(self) -> Self:
        for name in ("benchmarks", "n_agents", "seeds", "methods"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists a value twice")
        for method in self.methods:
            if method not in METHODS:
                raise ValueError(f"methods: unknown method '{method}' (known: {', '.join(METHODS)})")
            if not any(plays(method, benchmark) for benchmark in self.benchmarks):
                raise ValueError(f"methods: '{method}' is defined on none of the benchmarks")
        if len(self.llm.executors) not in (1, *self.n_agents):
            raise ValueError(
                f"llm.executors names {len(self.llm.executors)} models: give one for all, or one per executor"
            )
        if len(self.llm.executors) > 1 and any(n != len(self.llm.executors) for n in self.n_agents):
            raise ValueError(
                "llm.executors lists one model per executor, so n_agents must be that one number"
            )
        if self.llm.backend == "openai" and not self.llm.base_url:
            raise ValueError("llm.base_url is needed with llm.backend: openai")
        return self

    def methods_on(self, benchmark: str) -> tuple[str, ...]:
        """The methods of these params that are defined on a benchmark."""
        return tuple(method for method in self.methods if plays(method, benchmark))


def load(path: Path) -> Params:
    """Read and validate a params file.

    Raises:
        EconError: the file is missing, is not YAML, or a key is unknown, of the wrong type or impossible.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EconError(f"params file {path} does not exist", "name one with --params FILE") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise EconError(f"params file {path} cannot be read: {fault}") from None
    except yaml.YAMLError as fault:
        where = " ".join(str(fault).split())
        raise EconError(f"params file {path} is not valid YAML: {where}") from None
    if raw is not None and not isinstance(raw, dict):
        raise EconError(f"params file {path} must be a mapping of keys to values")
    try:
        return Params.model_validate(raw or {})
    except ValidationError as fault:
        raise EconError(f"params file {path}: {explain(fault)}") from None


def explain(fault: ValidationError) -> str:
    """All faults of a validation on one line, each with its dotted key."""
    return "; ".join(_one(dict(error)) for error in fault.errors())


def _one(error: dict[str, object]) -> str:
    location = error["loc"]
    key = ".".join(str(part) for part in location) if isinstance(location, tuple) else str(location)
    if error["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_suggest(key)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"'{key}': {message}" if key else message


def _suggest(key: str) -> str:
    import difflib

    *parents, last = key.split(".")
    section: type[BaseModel] = Params
    for name in parents:
        annotation = section.model_fields[name].annotation if name in section.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ""
        section = annotation
    close = difflib.get_close_matches(last, section.model_fields, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
