"""What a run plays on: problems, models, limits and prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from econ import registry
from econ.params.address import database_url
from econ.params.base import NonNegative, Positive, Section
from econ.params.servers import BaseUrl, ExtraBody, FailedShare, Failing, Fields, Headers
from econ.records import Tokens

BENCHMARKS = tuple(registry.BENCHMARKS.built_in)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


def _known_kind(name: str) -> str:
    if name == "plan" or name not in registry.GRADERS:
        raise ValueError(str(registry.GRADERS.unknown(name)))
    return name


Kind = Annotated[str, AfterValidator(_known_kind)]


class Custom(Section):
    """A question/answer set of the user's own: hub splits when ``hub`` is named, else local files: .jsonl,
    .json, .csv or .parquet, each also with .gz."""

    kind: Kind  # of answers: number | math | yesno | one of yours, as module:Class
    test: str  # a split of the hub set, or the path of a file
    train: str | None = None  # null: ``data.train_share`` of the test rows is kept for training
    hub: str | None = None  # owner/name
    config: str | None = None
    revision: str | None = None  # null: the newest; the manifest records which that was
    question: str = "question"  # field names
    answer: str = "answer"
    id: str | None = None  # null: the row number
    max_question_length: Positive | None = None  # characters; longer rows are left out and counted
    max_answer_length: Positive | None = None
    skip_bad: bool = False  # leave out rows that cannot be read, named and counted; else they are errors
    licence: str = "not stated"


class Data(Section):
    # auto: the mirror if one is named, else the hub, else the problems shipped with this project
    source: Literal["auto", "hub", "mirror", "shipped"] = "auto"
    mirror: Path | None = None  # a folder with the benchmark files; ECON_DATA_MIRROR when null
    train_problems: Positive | None = None  # null: all
    test_problems: Positive | None = None
    sample_seed: int = 0  # the sample is a function of benchmark, split and this seed alone
    train_share: Annotated[float, Field(ge=0, lt=1)] = 0.25  # kept for training where there is no train split
    # TravelPlanner: reference information is fitted to this many tokens by an upper estimate that is the same
    # for all models, about 1.1 times what most tokenizers count (null: whole); and plans are checked
    # against the query's own reference information or against the mirror's full tables
    reference_tokens: Positive | None = 1200
    scorer: Literal["reference", "database"] = "reference"
    custom: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")], Custom] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _new_names(self) -> Self:
        taken = sorted(set(self.custom) & set(BENCHMARKS))
        if taken:
            raise ValueError(f"custom set '{taken[0]}' has the name of a benchmark: choose another")
        return self


class Local(Section):
    """The embedded model server. A model is a registered name or the path of a .gguf file."""

    # auto: OpenVINO, several times as fast, where processor, model and installation allow; else llama.cpp
    engine: Literal["auto", "openvino", "llama.cpp"] = "auto"
    # The longest prompt and its answer, tokens; null: llama.cpp 4096 a slot, OpenVINO what the model can read
    context: Positive | None = None
    slots: Positive | None = None  # answers generated together by one copy; null: OpenVINO 64, llama.cpp 8
    copies: Positive | None = None  # llama.cpp: processes per model; null: one per core if its file is small
    threads: Positive | None = None  # of each copy; null: the cores, shared out among the copies
    idle_seconds: Positive = 120  # the server stops by itself this long after its last user left


class Limits(Section):
    """Shared by all jobs on the machine. null: no limit."""

    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None


class Budget(Section):
    """Per run: all jobs of the project, or those with the same ECON_RUN. Reaching it stops cleanly."""

    calls: Positive | None = None
    tokens: Positive | None = None
    usd: Annotated[float, Field(gt=0)] | None = None


class Price(Section):
    prompt: NonNegative  # USD per million tokens
    completion: NonNegative

    def usd(self, tokens: Tokens) -> float:
        """The price of a call, or of many together."""
        return (self.prompt * tokens.prompt + self.completion * tokens.completion) / 1e6


class MaxTokens(Section):
    """Caps on completions, in tokens."""

    strategy: Positive = 70  # hard cap; strategy_asked is what the prompt asks for (paper 4.1: 50 and 70)
    strategy_asked: Positive = 50
    answer: Positive = 1024
    commitment: Positive = 512
    plan: Positive = 2048  # a TravelPlanner plan, as answer or commitment
    probe: Positive = 16  # of the answers that show whether the server obeys what we steer with


def _known_backend(name: str) -> str:
    if name not in registry.BACKENDS:
        raise ValueError(str(registry.BACKENDS.unknown(name)))
    return name


Backend = Annotated[str, AfterValidator(_known_backend)]
Model = Annotated[str, Field(min_length=1)]


class LLM(Section):
    backend: Backend = "local"  # local | together | openai | simulated | one of yours
    base_url: BaseUrl | None = None  # openai: http://127.0.0.1:8000/v1
    # For servers that differ: other names for fields of a request, null leaves one out, for instance
    # {max_tokens: max_completion_tokens, seed: null}; further fields, such as {reasoning_effort: low};
    # further headers, a secret value as $NAME of an environment variable
    fields: Fields = Field(default_factory=dict)
    extra_body: ExtraBody = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    dialect: Literal["auto", "vllm", "llama.cpp", "openai"] = "auto"  # how an openai server names the penalty
    provider: str | None = (
        None  # openai: the name answers are cached under; null: base_url (set it if that moves)
    )
    coordinator: Model = "smollm2-135m-instruct"
    executors: tuple[Model, ...] = ("smollm2-135m-instruct",)  # one for all, or one per executor
    max_in_flight: Positive = 64
    timeout_seconds: Annotated[float, Field(gt=0)] = 300.0
    max_retries: Annotated[int, Field(ge=0)] = 6
    patience_seconds: Annotated[float, Field(gt=0)] = (
        120.0  # how long a server may be gone before the run ends
    )
    failed_share: Failing = (
        FailedShare()
    )  # calls without an answer that a job may have; more: it is incomplete
    structured: bool = True  # ask for schema-constrained commitments where the server can
    max_tokens: MaxTokens = MaxTokens()
    limits: Limits = Limits()
    budget: Budget = Budget()
    prices: dict[str, Price] = Field(default_factory=dict)
    local: Local = Local()

    @model_validator(mode="after")
    def _money_can_be_counted(self) -> Self:
        unpriced = sorted({self.coordinator, *self.executors} - set(self.prices))
        if self.budget.usd is not None and unpriced:
            raise ValueError(f"budget.usd counts money, and prices has none for {', '.join(unpriced)}")
        return self

    def executor(self, agent: int) -> str:
        """The model of executor ``agent`` (0-based)."""
        return self.executors[0] if len(self.executors) == 1 else self.executors[agent]

    def answer_tokens(self, kind: str) -> int:
        """The cap of an answer of this kind (``Problem.kind``)."""
        return self.max_tokens.plan if kind == "plan" else self.max_tokens.answer

    def commitment_tokens(self, kind: str) -> int:
        """The cap of a commitment to an answer of this kind."""
        return self.max_tokens.plan if kind == "plan" else self.max_tokens.commitment


class Cache(Section):
    """Where paid answers, limits and budget are kept. It changes no result, and stands in none."""

    # A PostgreSQL database for the jobs of many machines, such as postgresql://econ@db/econ; null: that of
    # ECON_CACHE_URL (which may hold a password), else an SQLite file in .econ, for the jobs of one machine
    url: Annotated[str, AfterValidator(database_url)] | None = None


class Embedding(Section):
    model: str = "all-MiniLM-L6-v2"  # packaged; the paper's: BAAI/bge-large-en-v1.5 (hub) or a folder
    # auto: OpenVINO where it is installed, else torch; their vectors differ by less than 0.001 in cosine
    engine: Literal["auto", "openvino", "torch"] = "auto"


class Report(Section):
    """Tables and figures of one's own, each as ``module:function``, beside those that are built in."""

    tables: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
