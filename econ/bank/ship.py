"""Records made small enough to come along with the project: banks without vectors, calls without prompts.

``data/records/MODEL/BENCHMARK/`` holds the same files as ``results/bank/BENCHMARK/``, packed harder, and
``data/records/MODEL/card.json`` says what they are: sizes, digests, model, engine, dates, licence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from econ import paths, prompts
from econ.bank import calls, schema, store
from econ.bank.calls import CallCard
from econ.bank.schema import Bank, Card, Cell, same_origin
from econ.bank.table import table
from econ.errors import EconError
from econ.files import write_atomic
from econ.params import Params
from econ.records import Call, Json, Problem, Trace

LEVEL = 19
MOST = 20e6  # bytes of all records together


def pack(source: Path, target: Path, problems: Sequence[str], params: Params) -> Bank:
    """Write what the params ask of a bank, for these problems, without vectors; other problems stay there.

    Raises:
        EconError: the bank lacks something of it, or what ships already was recorded in another way.
    """
    bank = store.read(source)
    cells = [Cell(*cell) for cell in params.bank.cells]
    kept = table(bank, cells, params.bank.samples, problems).rows.flatten().tolist()
    entries = [entry for entry in bank.card.entries if entry.id in set(problems)]
    rows = [bank.rows[i] for i in kept]
    made = bank.card.made
    if target.is_file():
        before = store.read(target)
        same_origin(target, before.card, bank.card)
        others = {entry.id for entry in before.card.entries} - set(problems)
        entries = [*(entry for entry in before.card.entries if entry.id in others), *entries]
        rows = [*(row for row in before.rows if row.problem_id in others), *rows]
        made = min(made[0], before.card.made[0]), max(made[1], before.card.made[1])
    card = replace(bank.card, entries=tuple(entries), embedding=None, made=made)
    packed = Bank(card, rows)
    store.write(target, packed, level=LEVEL)
    return packed


def pack_calls(
    target: Path, card: Card, traces: Iterable[Trace], *, context: int | None = None
) -> tuple[int, CallCard]:
    """Write the calls of one model in these traces that the bank does not answer; returns their number."""
    answers: dict[bytes, calls.Answer] = {}
    jobs: set[str] = set()
    for trace in traces:
        own = calls.of(call for call in trace.calls if _kept(call, card))
        if own:
            answers |= own
            jobs.add(f"{trace.method}-n{trace.n_agents}-s{trace.seed}")
    about = CallCard(
        card.benchmark, card.model, card.identity, tuple(sorted(jobs)), card.made, card.simulated, context
    )
    if answers:
        calls.write(target, about, answers, level=LEVEL)
    return len(answers), about


def _kept(call: Call, card: Card) -> bool:
    """A call of the card's model that no bank holds; bank answers come in other numbers of other draws."""
    return paths.model_label(call.model) == card.model and call.role != "executor"


def parted(bank: Bank, problems: Sequence[Problem]) -> list[str]:
    """Ids of the problems that are asked in other words today than when the bank was recorded."""
    card, plan = bank.card, bank.card.strategy
    words = min(plan["cap"], plan["asked"]) if plan["mode"] == "short" else plan["cap"]
    entries = {entry.id: entry for entry in card.entries}

    def same(problem: Problem) -> bool:
        entry = entries[problem.id]
        asked = prompts.strategy(problem.prompt, problem.kind, words)
        told = prompts.executor(problem.prompt, problem.kind, entry.strategy, card.max_tokens)
        plans = {call["asked"] for call in entry.calls}
        return schema.prompt_digest(told) == entry.prompt and plans <= {schema.prompt_digest(asked)}

    return [problem.id for problem in problems if not same(problem)]


def index(model: str, licences: Mapping[str, str]) -> Json:
    """Write the card of a model's records, from the files that are there; returns it.

    Args:
        licences: of what is packed now (``model``, and benchmarks); others stay as they were.

    Raises:
        EconError: all records together are too large.
    """
    folder = paths.RECORDS / paths.model_label(model)
    files = sorted(folder.glob("*/*.parquet"))
    path = folder / "card.json"
    before: Json = orjson.loads(path.read_bytes()) if path.is_file() else {}
    card: Json = {
        "model": folder.name,
        "licences": {**before.get("licences", {}), **licences},
        "files": {},
    }
    for file in files:
        content = file.read_bytes()
        about = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **_about(file)}
        card["files"][file.relative_to(folder).as_posix()] = about
    write_atomic(path, [orjson.dumps(card, option=orjson.OPT_INDENT_2), b"\n"])
    size = sum(file.stat().st_size for file in paths.RECORDS.rglob("*") if file.is_file())
    if size > MOST:
        raise EconError(
            f"all records together have {size / 1e6:.1f} MB, more than {MOST / 1e6:.0f}",
            "ship fewer problems, cells or samples",
        )
    return card


def _about(path: Path) -> Json:
    if path.name.startswith("calls--"):
        card, answers = calls.read(path)
        return {"identity": card.identity, "answers": len(answers), "jobs": card.jobs, "made": card.made}
    bank = store.read(path)
    return {
        "identity": bank.card.identity,
        "answers": len(bank.rows),
        "problems": len(bank.card.entries),
        "prompts": bank.card.prompts,
        "made": bank.card.made,
        "style": bank.card.style or schema.PLAIN,
    }
