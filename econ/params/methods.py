"""The methods by name, and the settings of each baseline. A baseline's section has its name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from econ.params.base import NonNegative, Positive, Section, Share

Domain = Literal["all", "questions", "plans"]  # what a method is defined on: plans are TravelPlanner's

ECON_METHODS = ("econ-baseline", "econ-bne")  # play from a checkpoint
BASELINES: dict[str, Domain] = {  # need none
    "debate": "all",
    "sparse-debate": "all",
    "mad": "all",
    "direct": "all",
    "cot": "all",
    "few-shot-cot": "all",
    "self-consistency": "all",
    "best-of-n": "all",
    "moa": "all",
    "react": "plans",
    "reflexion": "plans",
    "greedy-search": "plans",
    "tot": "questions",
    "rap": "questions",
    "rstar": "questions",
}
METHODS = (*ECON_METHODS, *BASELINES)


def parse_method(name: str) -> tuple[str, str | None]:
    """A method's name without its variant, and the variant: ``econ-bne+no-strategy``."""
    method, plus, variant = name.partition("+")
    return method, variant if plus else None


def plays(method: str, kind: str) -> bool:
    """Is the method defined on problems with this kind of answer?"""
    domain = BASELINES.get(method, "all")
    return domain == "all" or (domain == "plans") == (kind == "plan")


class Debate(Section):
    """Du et al. 2024: agents x rounds, the independent first answer included."""

    rounds: Positive = 3
    temperature: NonNegative = 1.0
    agreement_stop: bool = False  # end once all agents give one and the same answer


class SparseDebate(Debate):
    """Debate between neighbours on a ring (Li et al. 2024), ended by agreement.

    Their ring has degree 2, which between 3 agents is full exchange; 1 is sparse for any team.
    """

    degree: Positive = 1  # how many others each agent reads; n_agents - 1 and more: all of them
    agreement_stop: bool = True


class Mad(Section):
    """Liang et al. 2023: two sides and a moderator, who may end it in any round."""

    level: Annotated[int, Field(ge=0, le=3)] = 2  # of disagreement: 0 none wanted ... 3 on every point
    rounds: Positive = 3  # at most
    temperature: NonNegative = 0.0


class SelfConsistency(Section):
    """Wang et al. 2023: the majority of k samples. Every smaller k is known from the first of the same."""

    k: Positive = 8
    temperature: NonNegative = 0.7
    prompt: Literal["zero-shot", "few-shot"] = "zero-shot"


class BestOfN(Section):
    """As many samples as executors; the coordinator picks one."""

    temperature: NonNegative = 0.7


class MixtureOfAgents(Section):
    """Wang et al. 2024: layers of proposers under one aggregator, which is the last layer."""

    layers: Annotated[int, Field(ge=2)] = 2  # 2: the light form; the authors' is 3
    temperature: NonNegative = 0.7


class ReAct(Section):
    """TravelPlanner's agent with a cost enquiry (Xie et al. 2024); a step is a thought and an action."""

    steps: Positive = 4  # at most
    step_tokens: Positive = 96  # cap of a step, the one that hands in the plan included


class Reflexion(ReAct):
    failures: Positive = 3  # steps in a row that brought no cost, after which the agent reflects


class Search(Section):
    """What every search is bounded by, per problem: it stops there and answers with the best so far."""

    max_calls: Positive = 40
    max_tokens: Positive = 40_000  # prompts and completions; never passed, a prompt being counted generously
    step_tokens: Positive = 48  # cap of one step's completion
    label_tokens: Positive = 6  # cap of a one-word judgement


class ToT(Search):
    """Yao et al. 2023, breadth first. For these benchmarks no setting is published: this is our own."""

    steps: Positive = 4
    samples: Positive = 2  # continuations of every kept state
    values: Positive = 1  # judgements of every candidate
    beam: Positive = 2  # states kept
    temperature: NonNegative = 0.7


class RAP(Search):
    """Hao et al. 2023: Monte Carlo tree search over sub-questions."""

    max_calls: Positive = 48
    iterations: Positive = 3
    depth: Positive = 4  # sub-questions to an answer, at most
    proposals: Positive = 2  # next sub-questions of a new node
    judgements: Positive = 2  # yes/no samples in place of the authors' next-token probability
    answers: Positive = 4  # samples of a sub-answer, at most
    batch: Positive = 2  # of them at a time, until one has a majority
    exploration: NonNegative = 1.0  # w of UCT
    usefulness_weight: Share = 0.5  # a of reward = useful^a confidence^(1-a)
    prior_confidence: Share = 0.8  # while a sub-question is not answered
    exemplars: Annotated[int, Field(ge=0, le=4)] = 4
    temperature: NonNegative = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95


class RStar(Search):
    """Qi et al. 2024: tree search over five actions, then traces that a second look agrees with."""

    rollouts: Positive = 2
    depth: Positive = 4
    thoughts: Positive = 2  # A1: next steps
    completions: Positive = (
        4  # A2: whole solutions behind one node, and answers to the problem's own question
    )
    questions: Positive = 1  # A3: next sub-questions
    answers: Positive = 2  # A3, A4: answers to each
    exploration: NonNegative = 2.0  # of UCT
    exemplars: Annotated[int, Field(ge=0, le=4)] = 2
    temperature: NonNegative = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    verify_share: Share = 0.3  # of max_calls and max_tokens, kept for the discriminator
    verify_temperature: NonNegative = 1.0
    verify_cuts: tuple[Share, ...] = (0.2, 0.3, 0.4, 0.5)  # shares of a trace's words that it completes
    verify_agree: Positive = 2  # completions that must reach the trace's answer
