"""ECON itself: actions, networks, rewards, learning, refinement, the team's shape."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from econ.params.base import NonNegative, Positive, Section, Share, Size, Temperature


class Range(Section):
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self


# What servers take.
_LIMITS = {"temperature": (0, 2), "repetition_penalty": (1, 2), "top_p": (0, 1)}


class Action(Section):
    """Bounds of e_i = [T_i, p_i]. The paper calls p_i both a repetition penalty and a top-p; choose one.

    ``fixed`` holds a dimension at a value instead of learning it, for a server that has it not: official
    OpenAI's plays with ``{repetition_penalty: 1.0}``. Every result says so.
    """

    second: Literal["repetition_penalty", "top_p"] = "repetition_penalty"
    temperature: Range = Range(low=0.1, high=2.0)
    repetition_penalty: Range = Range(low=1.0, high=1.5)
    top_p: Range = Range(low=0.1, high=0.9)
    fixed_top_p: Annotated[float, Field(gt=0, le=1)] = 0.9  # while the second component is the penalty
    fixed: dict[str, float] = Field(default_factory=dict)

    @property
    def dimensions(self) -> dict[str, Range]:
        """The two dimensions of e_i with their ranges, in order."""
        second = self.repetition_penalty if self.second == "repetition_penalty" else self.top_p
        return {"temperature": self.temperature, self.second: second}

    @property
    def free(self) -> tuple[bool, ...]:
        """Of each dimension: is it learned?"""
        return tuple(name not in self.fixed for name in self.dimensions)

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.repetition_penalty.low < 1:
            raise ValueError(
                "repetition_penalty.low must be at least 1: a penalty below 1 rewards repetition"
            )
        for name, (lowest, highest) in _LIMITS.items():
            span = getattr(self, name)
            if not lowest <= span.low < span.high <= highest or (name == "top_p" and span.low == 0):
                raise ValueError(
                    f"{name} must lie between {lowest} and {highest}, not {span.low:g} and {span.high:g}"
                )
        return self

    @model_validator(mode="after")
    def _fixed_sanely(self) -> Self:
        for name, value in self.fixed.items():
            if name not in self.dimensions:
                raise ValueError(f"fixed.{name}: not a dimension of the action; second is {self.second}")
            lowest, highest = _LIMITS[name]
            if not lowest <= value <= highest or (name == "top_p" and value == 0):
                raise ValueError(f"fixed.{name} must lie between {lowest} and {highest}, not {value:g}")
        if not any(self.free):
            raise ValueError("fixed names both dimensions of the action: nothing is left to learn")
        return self


class Network(Section):
    """Sizes (paper tables 8 to 13): belief_dim for beliefs, entity_dim for encoder and mixer."""

    entity_dim: Size = 256
    belief_dim: Size = 128
    heads: Size = 4
    text_dim: Size = 96  # each text's embedding is read into this many numbers
    mlp_hidden: Size = 256
    key_query_dim: Size = 64  # per head
    body: Literal["mlp", "transformer"] = (
        "mlp"  # before the GRU: figure 2, or tables 8 to 13 (inconsistency 5.4)
    )
    feed_forward: Size = 1024  # of the transformer body
    blocks: Size = 2  # of the transformer body
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    layer_norm_epsilon: Annotated[float, Field(gt=0)] = 1e-5
    mixer: Literal["monotone", "attention"] = "monotone"  # inconsistency 5.5
    belief_encoder: bool = True  # off: table 6, "no belief encoder"; E_i is the agent's own belief
    concatenate: bool = True  # off: table 6, "no concatenate"; F_i is made of w_i alone, without E_i


Component = Literal["AL", "TS", "CC"]


class Reward(Section):
    r_max: Annotated[float, Field(gt=0)] = 1.0
    alpha: tuple[Share, Share, Share] = (0.4, 0.4, 0.2)  # initial weights of AL, TS, CC
    learn_alpha: bool = True
    alpha_learning_rate: NonNegative = 0.01
    alpha_floor: Annotated[float, Field(ge=0, lt=1 / 3)] = 0.1
    components: tuple[Component, ...] = ("AL", "TS", "CC")  # table 5: those that are on; weights renormalised
    source: Literal["composed", "random", "shuffled"] = "composed"  # random: table 5; shuffled: a control
    task: Literal["gold", "coordinator"] = "gold"  # inconsistency 5.6; gold on training data only
    commitment_weight: Share = 0.5  # r_tot = (1 - this) mean_i r_i + this TS(commitment)
    novelty_weight: Share = 0.3  # CC = fidelity * (1 - this + this * novelty)

    @model_validator(mode="after")
    def _simplex(self) -> Self:
        if abs(sum(self.alpha) - 1) > 1e-6:
            raise ValueError(f"alpha must sum to 1, not {sum(self.alpha):g}")
        if not self.components or len(set(self.components)) != len(self.components):
            raise ValueError("components must name one to three of AL, TS, CC, each once")
        on = [a for a, name in zip(self.alpha, ("AL", "TS", "CC"), strict=True) if name in self.components]
        if sum(on) <= 0:
            raise ValueError("alpha gives no weight to any of reward.components")
        return self


class Exploration(Section):
    """Training's actions: uniform at first, then the policy's logits with Gaussian noise that decays.

    ``schedule: power``: the noise falls as episode^-power, after episodes^(1 - power) uniform ones, so that
    what exploring costs grows slower than the episodes do; shares and end are then not used.
    """

    schedule: Literal["linear", "power"] = "linear"
    power: Annotated[float, Field(gt=0, lt=1)] = 0.5
    uniform_share: Share = 0.25  # of the episodes
    noise_start: NonNegative = 1.5  # standard deviation on the logits
    noise_end: NonNegative = 0.8  # reached at decay_share, kept: what is not tried is soon forgotten
    decay_share: Annotated[float, Field(gt=0, le=1)] = 0.9


class LossWeights(Section):
    """Weights of the losses (paper 3.4 and tables 8 to 13). 0 switches one off."""

    local_td: NonNegative = 1.0  # sum_i L_i
    total_td: NonNegative = 1.0  # L_tot
    semantic: NonNegative = 0.1  # lambda_b: L_SD
    consistency: NonNegative = 0.1  # lambda_m: sum_i (Q_i - Q_tot)^2
    encoder: NonNegative = 0.1  # lambda_e: L_e = L_tot + lambda_e sum_i L_i
    actor: NonNegative = 1.0  # ascend Q_tot in the actions; 0: a frozen actor
    saturation: NonNegative = 0.003  # squared logits: at a sigmoid's end no slope would lead back
    bne_step: NonNegative = 2.0  # |e^K - e^0|^2: refinement leaves the policy as far as the gain is worth
    bne_gain: NonNegative = 1.0  # Q_tot(e^0) - Q_tot(e^K)


class EarlyStopping(Section):
    """Training stops when all thresholds hold for ``patience`` checks (one per update); paper 3.5, 5.9.

    With all three null: when ``metric`` has not improved for ``patience`` checks.
    """

    enabled: bool = True
    commitment_change: NonNegative | None = 0.01  # epsilon_C
    reward: float | None = 0.7  # R_threshold
    loss_change: NonNegative | None = 1e-4  # epsilon_L
    patience: Positive = 5
    warmup: Annotated[int, Field(ge=0)] = 40  # episodes
    metric: Literal["reward", "loss"] = "reward"


class Train(Section):
    episodes: Positive = 100
    buffer_size: Positive = 32
    batch_size: Positive = 16
    update_interval: Positive = 8  # episodes between updates; they play together
    gradient_steps: Positive = 2  # per update
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    learning_rate_coordinator: Annotated[float, Field(gt=0)] = 5e-4  # belief encoder and mixer
    learning_rate_heads: Annotated[float, Field(gt=0)] = 3e-2  # the last linear maps, to actions and values
    learning_rate_end: Share = 0.1  # share of every rate that is left at the planned end; they fall linearly
    gamma: Share = 0.99
    target_rate: Annotated[float, Field(gt=0, le=1)] = 0.05  # tau of the soft targets
    target_update_interval: Positive = 1  # gradient steps
    gradient_clip: Annotated[float, Field(gt=0)] = 10.0
    max_rounds: Positive = 1  # decisions per episode
    checkpoint_interval: Positive = 50  # episodes between writes of what a killed training goes on from
    keep_state: bool = False  # keep that when training has ended, to train on for longer
    exploration: Exploration = Exploration()
    losses: LossWeights = LossWeights()
    early_stopping: EarlyStopping = EarlyStopping()

    @model_validator(mode="after")
    def _batch_fits(self) -> Self:
        if self.batch_size > self.buffer_size:
            raise ValueError(
                f"batch_size ({self.batch_size}) must not be above buffer_size ({self.buffer_size})"
            )
        return self


Information = Literal["coordinator", "own"]


class BNE(Section):
    """Refinement between the rounds of one decision. Distances are in shares of the actions' ranges."""

    rule: Literal["learned", "best_response"] = "learned"
    # What an executor refines with, beside its belief: E of all beliefs, as the coordinator's message, or E_i
    # of its own belief alone. A best response is to the others' actions, so it needs the coordinator's.
    information: Information = "coordinator"
    max_iterations_train: Annotated[int, Field(ge=0, le=1000)] = 1
    max_iterations_infer: Annotated[int, Field(ge=0, le=1000)] = 3
    max_step: Annotated[float, Field(gt=0, le=1)] = 0.2  # largest move of a component in one round
    ascent_steps: Positive = 8  # of the best response, per round
    convergence_threshold: NonNegative = 0.05
    same_commitment: Share = 0.98  # cosine from which two commitments are the same

    @model_validator(mode="after")
    def _informed(self) -> Self:
        if self.rule == "best_response" and self.information == "own":
            raise ValueError(
                "information: own goes with rule: learned; a best response is to the others' actions"
            )
        return self


class Team(Section):
    """Who is told what (paper 3.1, 4.5; tables 4 and 5, figures 4 and 5)."""

    strategy: Literal["short", "none", "detailed"] = "short"
    detailed_tokens: Positive = 300  # cap of a detailed strategy
    strategy_temperature: Temperature = 0.7
    commitment_temperature: Temperature = 0.0
    information: Literal["incomplete", "complete"] = (
        "incomplete"  # complete: later rounds show peers' answers
    )
    belief: Literal["numbers", "text"] = "numbers"  # text: the belief also stands in the prompt (5.11)
    show_commitment: bool = False  # later rounds show the last commitment (5.12)
    # Who commits: the coordinator's model, the answers' vote, or the model as it was recorded with a bank.
    commitment: Literal["llm", "vote", "cached"] = "llm"
    coordination: Literal["single", "hierarchical"] = "single"
    local_size: Annotated[int, Field(ge=2)] = 4  # executors per local coordinator


class Simulated(Section):
    """The closed-form team of ``llm.backend: simulated`` (econ/simulation/team.py)."""

    embedding_dim: Positive = 384
    ease: Share = 0.9  # chance of a right answer at the best action on a problem of difficulty 0
    floor: Share = 0.15  # ... far from it, as a share of the best
    difficulty: Share = 0.3  # the hardest problem lowers the chance by this share
    strategy_gain: Share = 0.1  # share lost without a strategy
    width: Annotated[float, Field(gt=0)] = 0.3  # of the peak, in shares of the range
    types: Positive = 1  # of problems; each has best actions of its own, so that a belief about it pays
    type_signal: Share = 0.5  # of a problem's embedding that tells its type; the rest is the problem's own
    common_mistake: Share = 0.8  # chance at T = 0 that a wrong answer is the common one; falls with T
