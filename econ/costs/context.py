"""Is there room in a model's context for all that a job will ask? Said before its first call.

A server would refuse a prompt that is too long, or cut it without a word, when other calls are already paid.
So the problem with the longest prompt is played first against a client that answers nothing at full length:
the longest prompt of that play, with the answer's cap, is what each model must have room for. The problem's
own text is counted by the model's tokenizer, the rest by estimate. Of a debate, which leaves out its oldest
exchanges itself, the newest one must have room.
"""

from __future__ import annotations

from collections.abc import Sequence

from econ import prompts, tokens
from econ.costs.estimate import CountingClient, filler, longest_turn
from econ.errors import EconError
from econ.llm.base import Client
from econ.methods.base import Forgetful, Session
from econ.methods.chat import least
from econ.methods.registry import baseline
from econ.params import Params, learns
from econ.records import Call, Message, Problem, Request

CHAT = 64  # tokens that a chat template adds to the messages


async def check_context(
    problems: Sequence[Problem], client: Client, params: Params, method: str, n_agents: int
) -> None:
    """Check the longest of ``problems`` against the context of every model that ``method`` asks.

    Raises:
        EconError: it does not fit; the line names the problem, the model, both numbers and what to change.
    """
    if client.simulated:
        return
    longest = max(problems, key=lambda problem: tokens.upper(problem.prompt))
    for model, beside in (await _needs(longest, params, method, n_agents)).items():
        context = await client.context_tokens(model)
        if context is None:
            continue
        needed = await client.count_tokens(model, longest.prompt) + beside + CHAT
        if needed > context:
            fitted = longest.meta.get("reference") is not None
            raise EconError(
                f"{longest.id}: {method} with {n_agents} agents may need {needed} tokens in one call, and "
                f"{model} has a context of {context}",
                f"lower {'data.reference_tokens or ' if fitted else ''}llm.max_tokens, or take a model or "
                "server with more (llm.local.context)",
            )


async def _needs(problem: Problem, params: Params, method: str, n_agents: int) -> dict[str, int]:
    """By model: tokens beside the problem's text that its longest call takes, the answer included."""
    needs: dict[str, int] = {}
    for model, messages, cap in await _asked(problem, params, method, n_agents):
        size = sum(len(message["content"].encode()) for message in messages) - len(problem.prompt.encode())
        needs[model] = max(needs.get(model, 0), -(-size // 3) + cap)
    return needs


async def _asked(
    problem: Problem, params: Params, method: str, n_agents: int
) -> list[tuple[str, Sequence[Message], int]]:
    """Model, messages and the answer's cap of each call, every answer being as long as it may be."""
    if learns(method):
        return _econ(problem, params, n_agents)
    client = _Recorder()
    session = Session(problem, client, params, n_agents, seed=0)
    player = baseline(method, params, problem.benchmark)
    await player.solve(session)
    kept = least if isinstance(player, Forgetful) else tuple
    return [(r.model, kept(r.messages), r.sampling.max_tokens) for r in client.requests]


def _econ(problem: Problem, params: Params, n: int) -> list[tuple[str, Sequence[Message], int]]:
    """A commitment to N answers, and an executor's turn with all that params can show it."""
    llm, kind = params.llm, problem.kind
    answer = llm.answer_tokens(kind)
    decided = llm.commitment_tokens(kind)
    turn = longest_turn(problem, params, n, later=True)
    read = prompts.commitment(problem.prompt, kind, [filler(max(answer, decided))] * n, decided)
    return [(llm.coordinator, read, decided), *((llm.executor(i), turn, answer) for i in range(n))]


class _Recorder(CountingClient):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Call:
        self.requests.append(request)
        return await super().complete(request)
