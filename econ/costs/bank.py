"""What filling a bank takes at most, before it is paid for."""

from __future__ import annotations

from collections import Counter

from econ import prompts, tokens
from econ.bank.build import Builder
from econ.costs.estimate import longest_turn
from econ.costs.usage import Amount, Needs, add
from econ.records import Tokens


def left(builder: Builder) -> Needs:
    """Calls and tokens for all that the bank's file lacks; what the call cache holds of it is counted too."""
    params, model = builder.params, builder.model
    llm, team = params.llm, params.team
    needs: Needs = {}
    answers = Counter(name for _, name, _ in builder.missing)
    for name, problem in builder.problems.items():
        if name not in builder.entries and team.strategy != "none":
            cap = llm.max_tokens.strategy if team.strategy == "short" else team.detailed_tokens
            asked = prompts.strategy(problem.prompt, problem.kind, llm.max_tokens.strategy_asked)
            add(needs, llm.coordinator, Amount(1, Tokens(tokens.prompt_at_most(asked), cap)).times(2))
        prompt = tokens.prompt_at_most(longest_turn(problem, params, 1, later=False))
        each = Amount(1, Tokens(prompt, llm.answer_tokens(problem.kind)))
        add(needs, model, each.times(answers[name]))
    return needs
