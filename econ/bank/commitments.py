"""What the coordinator's model commits to, recorded once for every ordered tuple of answers that differ.

Answers of a bank that say the same are one class, and one text stands for it: the first of the bank. So a
team gives one of few tuples of texts, whichever samples were drawn, and the commitment to each is asked for
once (``team.commitment: cached``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from math import prod

from econ import paths
from econ.bank import calls
from econ.bank.build import pooled
from econ.bank.calls import Answers, CallCard
from econ.bank.schema import NO_CLASS, Bank
from econ.errors import EconError
from econ.llm.base import Client
from econ.methods.base import Session
from econ.methods.commitment import committed
from econ.params import Params
from econ.progress import Progress
from econ.records import Problem

Shown = tuple[str | None, ...]  # the texts of a tuple, None where an answer cannot be read
MOST = 64  # tuples of a problem, the likeliest
_LOOKED_AT = 50_000  # tuples that are ranked


def representatives(bank: Bank) -> dict[str, dict[int, str]]:
    """By problem and class, the text that stands for it."""
    found: dict[str, dict[int, str]] = {}
    for row in bank.rows:
        if row.group != NO_CLASS:
            found.setdefault(row.problem_id, {}).setdefault(row.group, row.text)
    return found


def tuples(bank: Bank, problem: str, n: int, most: int = MOST) -> list[Shown]:
    """The likeliest ordered tuples of a problem's answers, if every agent draws from all that there are.

    What occurs less often than a tuple wants it is not drawn so: agents take different samples.
    """
    counts = Counter(row.group for row in bank.rows if row.problem_id == problem)
    groups = [group for group, _ in counts.most_common(max(2, int(_LOOKED_AT ** (1 / n))))]
    possible = [
        chosen
        for chosen in product(groups, repeat=n)
        if all(chosen.count(group) <= counts[group] for group in chosen)
    ]
    possible.sort(key=lambda chosen: -prod(counts[group] for group in chosen))
    texts = representatives(bank).get(problem, {})
    return [tuple(map(texts.get, chosen)) for chosen in possible[:most]]


def read(benchmark: str, model: str) -> Answers:
    """The commitments that are recorded, or ship; none, where there are none."""
    path = paths.recorded_commitments(benchmark, model)
    found: Answers = {}
    for file in (paths.shipped(path, model), path):
        if file.is_file():
            found = {**found, **calls.read(file)[1]}
    return found


async def record(
    bank: Bank, problems: Sequence[Problem], n: int, most: int, client: Client, params: Params,
    progress: Progress,
) -> int:  # fmt: skip
    """Ask for the commitments to the likeliest tuples, and write them beside those that are there.

    Returns their number.

    Raises:
        EconError: some could not be had; the others are written.
    """
    known = {entry.id for entry in bank.card.entries}
    model = params.llm.coordinator
    path = paths.recorded_commitments(bank.card.benchmark, model)
    sessions: list[Session] = []

    async def ask(problem: Problem, shown: Shown) -> None:
        session = Session(problem, client, params, n, 0)
        sessions.append(session)
        await committed(session, shown)
        progress.advance()

    wanted = [(p, shown) for p in problems if p.id in known for shown in tuples(bank, p.id, n, most)]
    try:
        await pooled((ask(problem, shown) for problem, shown in wanted), params.llm.max_in_flight)
    finally:
        own = calls.of(call for session in sessions for call in session.calls)
        before = calls.read(path)[1] if path.is_file() else {}
        today = datetime.now(UTC).date().isoformat()
        label = paths.model_label(model)
        about = CallCard(
            bank.card.benchmark, label, client.identity(model), (f"commitments-n{n}",), (today, today),
            client.simulated,
        )  # fmt: skip
        calls.write(path, about, {**before, **own}, level=3)
    if len(own) < len({(problem.id, shown) for problem, shown in wanted}):
        raise EconError(
            f"some commitments of {label} could not be had", "run it again: it asks for these alone"
        )
    return len(own)
