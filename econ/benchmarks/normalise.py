"""From a source's rows to problems. A bad row is named with its file; rows that are left out are counted."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from econ.benchmarks import travelplanner
from econ.benchmarks.registry import GSM8K_TEST, Benchmark, Source
from econ.benchmarks.sources import Origin, Raw, digest
from econ.errors import EconError
from econ.grading import gold_form
from econ.grading.forms import last_boxed
from econ.records import Json, Problem, Split
from econ.terminal import printable

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
Fact = tuple[str, str | None, Json]  # question, gold, meta


@dataclass(slots=True)
class Normalised:
    """Problems of one split and the count of rows left out, by reason."""

    raw: Raw
    problems: list[Problem]
    dropped: Counter[str] = field(default_factory=Counter)


def normalise(benchmark: Benchmark, split: Split, source: Source, origin: Origin) -> Normalised:
    """All problems of one source split.

    Raises:
        EconError: a row lacks its field or has an answer that its grader cannot read; file and row are named.
    """
    bad: list[str] | None = [] if benchmark.skip_bad else None
    raw = origin.rows(source, bad)
    read = _reader(benchmark, source, origin, raw)
    result = Normalised(raw, [])
    seen: Counter[str] = Counter()
    for number, row in enumerate(raw.rows, 1):
        try:
            question, gold, meta = _told(read, row, number, raw)
        except LeftOut as reason:
            result.dropped[str(reason)] += 1
            continue
        except EconError as fault:
            if bad is None:
                raise
            bad.append(str(fault))
            continue
        identity = _identity(benchmark, source, origin, row, question)
        seen[identity] += 1
        if seen[identity] > 1:
            identity = f"{identity}-{seen[identity]}"
        facts = {"row": number, **meta}
        result.problems.append(Problem(identity, benchmark.name, question, gold, facts, benchmark.kind))
    if bad:
        result.dropped["bad row"] += len(bad)
        _say(f"{len(bad)} bad rows are left out: {_few(bad)}")
    if not result.problems and benchmark.custom:
        raise EconError(f"{raw.name} holds no problem", f"left out: {dict(result.dropped)}")
    if benchmark.custom:
        _say_repeated(raw, result.problems)
    return result


def _told(read: Callable[[Json, int], Fact], row: Json, number: int, raw: Raw) -> Fact:
    """What is read of a row; whatever is wrong with it is an :class:`EconError` that names the row."""
    try:
        return read(row, number)
    except KeyError as missing:
        raise EconError(f"{raw.name} row {number} has no field {missing}") from None
    except EconError as fault:
        raise EconError(f"{raw.name} row {number}: {fault.problem}", fault.way_out) from None
    except (ValueError, SyntaxError) as fault:
        raise EconError(f"{raw.name} row {number}: {fault}") from None


def _say_repeated(raw: Raw, problems: list[Problem]) -> None:
    """The same question several times, and what is worse: with several golds."""
    golds: dict[str, dict[str | None, int]] = {}
    for problem in problems:
        golds.setdefault(same_question(problem), {}).setdefault(problem.gold, problem.meta["row"])
    again = len(problems) - len(golds)
    if again:
        _say(f"{raw.name}: {again} of {len(problems)} questions were there before")
    unlike = [known for known in golds.values() if len(known) > 1]
    if unlike:
        places = [f"rows {', '.join(map(str, known.values()))}" for known in unlike]
        _say(f"{raw.name}: {len(unlike)} questions have several golds: {_few(places)}")


def _say(line: str) -> None:
    print(f"econ: warning: {printable(line)}", file=sys.stderr)


def _few(lines: list[str]) -> str:
    return "; ".join(lines[:3]) + (f"; and {len(lines) - 3} more" if len(lines) > 3 else "")


class LeftOut(Exception):
    """This row is no problem, for the reason given; it is counted in the manifest."""


def same_question(problem: Problem) -> str:
    """The question's text without the differences of case and space: what makes two problems the same."""
    return " ".join(problem.prompt.split()).casefold()


def source_question(text: str) -> str:
    """A question without its numbers: what problems that were made of one question share."""
    return " ".join(_NUMBER.sub("#", text).split()).casefold()


def _identity(benchmark: Benchmark, source: Source, origin: Origin, row: Json, question: str) -> str:
    own = str(row[source.id]) if source.id and row.get(source.id) is not None else digest([question])
    return f"{'shipped/' if origin.kind == 'shipped' else ''}{benchmark.name}/{own}"


def _reader(benchmark: Benchmark, source: Source, origin: Origin, raw: Raw) -> Callable[[Json, int], Fact]:
    if benchmark.kind == "plan":
        references = origin.companion(source, "_ref_info")
        return travelplanner.reader(raw, references)
    if benchmark.name == "gsm_hard":
        return _marking_gsm8k(benchmark, origin)
    return lambda row, number: _question_answer(benchmark, row)


def _question_answer(benchmark: Benchmark, row: Json) -> Fact:
    question, answer = row[benchmark.question], _answer(benchmark, row)
    if isinstance(question, int | float) and not isinstance(question, bool):
        question = str(question)
    if not isinstance(question, str) or not question.strip():
        raise ValueError(f"field '{benchmark.question}' is empty")
    _check_lengths(benchmark, question, answer)
    return question.strip(), _gold(benchmark, answer), _meta(row)


def _answer(benchmark: Benchmark, row: Json) -> Any:
    if benchmark.name == "math" and benchmark.answer not in row:
        return last_boxed(row["solution"]) or ""
    return row[benchmark.answer]


def _gold(benchmark: Benchmark, answer: Any) -> str:
    gold = gold_form(benchmark.kind, answer)
    if gold is None:
        if benchmark.kind == "math" and not str(answer).strip():
            raise LeftOut("empty answer")
        raise ValueError(f"answer {str(answer)[-60:]!r} is no readable {benchmark.kind} answer")
    return gold


def _check_lengths(benchmark: Benchmark, question: str, answer: Any) -> None:
    if benchmark.max_question_length and len(question) > benchmark.max_question_length:
        raise LeftOut("question longer than max_question_length")
    if benchmark.max_answer_length and len(str(answer)) > benchmark.max_answer_length:
        raise LeftOut("answer longer than max_answer_length")


_META_FIELDS = ("subject", "type", "level", "Type")  # facts to break results down by; never code or solutions


def _meta(row: Json) -> Json:
    return {name.lower(): row[name] for name in _META_FIELDS if row.get(name) is not None}


def _marking_gsm8k(benchmark: Benchmark, origin: Origin) -> Callable[[Json, int], Fact]:
    """GSM-Hard, told which questions stand verbatim in GSM8K's test set, where that is there, and which of
    its problems each was made of: the one whose text differs in numbers alone."""
    known = _gsm8k_questions(origin)
    made_of = {source_question(text): f"gsm8k/{digest([text])}" for text in known or ()}

    def read(row: Json, number: int) -> Fact:
        question, gold, meta = _question_answer(benchmark, row)
        if known is not None:
            meta = {**meta, "subsets": ["verbatim" if question in known else "changed"]}
        if source := made_of.get(source_question(question)):
            meta = {**meta, "source": source}
        return question, gold, meta

    return read


def _gsm8k_questions(origin: Origin) -> set[str] | None:
    if origin.kind != "hub" and not (origin.folder / GSM8K_TEST.file).is_file():
        return None
    return {str(row["question"]).strip() for row in origin.rows(GSM8K_TEST).rows}


def partition(result: Normalised, share: float) -> tuple[Normalised, Normalised]:
    """Cut one split in two: the ``share`` of problems whose questions hash lowest are for training.

    A function of the questions alone, so equal questions and every sample seed fall on the same side.
    """
    ranked = sorted({digest(["partition", same_question(problem)]) for problem in result.problems})
    chosen = set(ranked[: round(share * len(ranked))])
    train, test = replace(result, problems=[], dropped=Counter()), replace(result, problems=[])
    for problem in result.problems:
        side = train if digest(["partition", same_question(problem)]) in chosen else test
        side.problems.append(problem)
    return train, test


def drop_known(train: Normalised, test: Normalised) -> None:
    """Take out of ``train`` what is also in ``test``."""
    known = {same_question(problem) for problem in test.problems}
    kept = [problem for problem in train.problems if same_question(problem) not in known]
    if len(kept) < len(train.problems):
        train.dropped["the same question is in the test split"] += len(train.problems) - len(kept)
    train.problems = kept
