"""What is known of each benchmark: where it lives, under which licence, how its answers are graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from econ.errors import EconError
from econ.params import Params
from econ.records import Split
from econ.registry import BENCHMARKS


@dataclass(frozen=True, slots=True)
class Source:
    """One split at its source.

    ``file`` is its place below a mirror folder (and below the shipped problems), or a user's own JSONL file.
    ``configs`` are the hub configurations that make up the split, in order. ``id`` is the field with a row's
    own id; None: the id is made from the question's text, so it is the same from every source.
    """

    file: str
    split: str
    hub: str | None = None
    revision: str | None = None
    configs: tuple[str | None, ...] = (None,)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark. A split without a source of its own is cut from the other one (``data.train_share``)."""

    name: str
    title: str  # in figures, and in the paper
    kind: str
    licence: str
    question: str  # field names
    answer: str
    test: Source
    train: Source | None
    note: str = ""
    custom: bool = False
    max_question_length: int | None = None
    max_answer_length: int | None = None
    skip_bad: bool = False  # leave out bad rows, named and counted

    @property
    def sources(self) -> Mapping[Split, Source]:
        return {"train": self.train or self.test, "test": self.test}

    @property
    def partitioned(self) -> bool:
        """Train and test problems come from one split, which is cut in two."""
        return self.train is None


_MATH_SUBJECTS = (
    "algebra",
    "counting_and_probability",
    "geometry",
    "intermediate_algebra",
    "number_theory",
    "prealgebra",
    "precalculus",
)


def _gsm8k(split: str) -> Source:
    revision = "740312add88f781978c0658806c59bc2815b9866"
    return Source(f"gsm8k/{split}.jsonl", split, "openai/gsm8k", revision, ("main",))


def _svamp(split: str) -> Source:
    revision = "5e0bf1e5e7c0e9c4bc39180d224f41f3f801b7ef"
    return Source(f"svamp/{split}.jsonl", split, "ChilleD/SVAMP", revision, id="ID")


def _strategyqa(split: str) -> Source:
    revision = "705562638fe1d8ca6bb98c66fc8f94d45fda8c83"
    return Source(f"strategyqa/{split}.jsonl", split, "ChilleD/StrategyQA", revision, id="qid")


def _travelplanner(split: str) -> Source:
    revision = "8736504ecfc31b7f8b7e40122873c337e83fff7c"
    return Source(f"travelplanner/{split}.jsonl", split, "osunlp/TravelPlanner", revision, (split,))


GSM8K_TEST = _gsm8k("test")
_GSM_HARD = Source(
    "gsm_hard/train.jsonl", "train", "reasoning-machines/gsm-hard", "960448f73503112d4226baeb8eb41d3fb5ae2506"
)
_MATH_500 = Source(
    "math/test.jsonl",
    "test",
    "HuggingFaceH4/MATH-500",
    "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
    id="unique_id",
)
_MATH_TRAIN = Source(
    "math/train.jsonl",
    "train",
    "EleutherAI/hendrycks_math",
    "21a5633873b6a120296cce3e2df9d5550074f4a3",
    _MATH_SUBJECTS,
)

GSM8K = Benchmark("gsm8k", "GSM8K", "number", "MIT", "question", "answer", GSM8K_TEST, _gsm8k("train"))
GSM_HARD = Benchmark(
    "gsm_hard",
    "GSM-Hard",
    "number",
    "Apache-2.0 (source repository)",
    "input",
    "target",
    _GSM_HARD,
    None,
    "The source has one split. A fixed share of it (data.train_share) is for training and the rest is "
    "the test set: the two never mix. Its subsets: verbatim and changed GSM8K questions.",
)
MATH = Benchmark(
    "math",
    "MATH",
    "math",
    "MIT",
    "problem",
    "answer",
    _MATH_500,
    _MATH_TRAIN,
    "Test: MATH-500. Train: the train split of MATH.",
)
SVAMP = Benchmark(
    "svamp", "SVAMP", "number", "MIT", "question_concat", "Answer", _svamp("test"), _svamp("train")
)
STRATEGYQA = Benchmark(
    "strategyqa",
    "StrategyQA",
    "yesno",
    "MIT",
    "question",
    "answer",
    _strategyqa("test"),
    _strategyqa("train"),
)
TRAVELPLANNER = Benchmark(
    "travelplanner",
    "TravelPlanner",
    "plan",
    "CC BY 4.0",
    "query",
    "annotated_plan",
    _travelplanner("validation"),
    _travelplanner("train"),
    "Sole-planning. Test: the validation rows that have their reference information.",
)


def names(params: Params) -> tuple[str, ...]:
    """All benchmarks that these params can name: the built-in six, installed ones and ``data.custom``."""
    return (*BENCHMARKS, *params.data.custom)


def title(benchmark: str) -> str:
    """What a benchmark is called in figures and in the paper: its name, where it is a user's own."""
    return str(BENCHMARKS.find(benchmark).title) if benchmark in BENCHMARKS else benchmark


def spec(benchmark: str, params: Params) -> Benchmark:
    """The benchmark of this name.

    Raises:
        EconError: there is none; the message lists the known ones.
    """
    if benchmark in params.data.custom:
        return _custom(benchmark, params)
    if benchmark not in BENCHMARKS:
        raise EconError(f"unknown benchmark '{benchmark}'", f"known: {', '.join(names(params))}")
    found: Benchmark = BENCHMARKS.find(benchmark)
    return found


def _custom(name: str, params: Params) -> Benchmark:
    own = params.data.custom[name]

    def source(where: str) -> Source:
        return Source(where, where, own.hub, own.revision, (own.config,), own.id)

    return Benchmark(
        name,
        name,
        own.kind,
        own.licence,
        own.question,
        own.answer,
        source(own.test),
        source(own.train) if own.train else None,
        custom=True,
        max_question_length=own.max_question_length,
        max_answer_length=own.max_answer_length,
        skip_bad=own.skip_bad,
    )
