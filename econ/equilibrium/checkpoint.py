"""Checkpoints: safetensors files, and nothing pickled.

What is played from holds the networks alone. What training goes on from is a file of its own, with their
targets, the optimiser's moments, the replay buffer and the training curve too. Header of both: the whole
params, the job, alpha and counters, behind the digest of the whole file. Written in one step: a kill leaves
the old file or the new.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from econ import seals
from econ.equilibrium.learner import Learner
from econ.equilibrium.networks import TeamNetworks
from econ.errors import EconError
from econ.files import write_atomic
from econ.params import Params

FORMAT = "econ-checkpoint-7"
REMAKE = "train it again with econ train"
_MARK = f'"{FORMAT}":"'.encode()  # the digest follows, then the header


@dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself. ``progress`` is the training loop's own state; {}: to play from."""

    benchmark: str
    n_agents: int
    seed: int
    embedding_dim: int
    params: dict[str, Any]
    alpha: tuple[float, float, float]
    gradient_steps: int
    episodes: int
    simulated: bool
    parameters: int  # trainable
    progress: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Weights:
    """A copy of the networks at one moment of a training, and what its header says of that moment."""

    tensors: dict[str, Tensor]
    alpha: tuple[float, float, float]
    gradient_steps: int
    episodes: int

    @classmethod
    def of(cls, learner: Learner, episodes: int) -> Weights:
        tensors = {k: v.detach().clone() for k, v in learner.team.state_dict().items()}
        return cls(tensors, tuple(learner.alpha.tolist()), learner.gradient_steps, episodes)

    @property
    def moment(self) -> dict[str, Any]:
        return {"alpha": self.alpha, "gradient_steps": self.gradient_steps, "episodes": self.episodes}


def save_weights(path: Path, weights: Weights, header: Header) -> None:
    """Write networks to play from; ``header`` is the training's, its moment that of the weights."""
    named = {f"team.{k}": v for k, v in weights.tensors.items()}
    _write(path, named, replace(header, progress={}, **weights.moment))


def save_learner(path: Path, learner: Learner, header: Header, extra: dict[str, Tensor]) -> None:
    """Write all that training goes on from, with the training loop's own tensors in ``extra``."""
    tensors = {f"team.{k}": v for k, v in learner.team.state_dict().items()}
    tensors |= {f"target.{k}": v for k, v in learner.target.state_dict().items()}
    tensors |= {f"replay.{k}": v for k, v in learner.replay.state().items()}
    tensors |= {f"extra.{k}": v for k, v in extra.items()}
    for side, optimizer in learner.optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{side}.{index}.{k}": v for k, v in state.items()}
    _write(path, tensors, header)


def _write(path: Path, tensors: dict[str, Tensor], header: Header) -> None:
    tensors = {k: v.detach().clone().contiguous() for k, v in tensors.items()}
    # One key: safetensors writes several in no fixed order, and equal checkpoints should be equal files.
    content = save(tensors, {FORMAT: seals.BLANK.decode() + orjson.dumps(header).decode()})
    write_atomic(path, [seals.seal(content, _MARK)])


def load_learner(path: Path, params: Params) -> tuple[Learner, Header, dict[str, Tensor]]:
    """The learner as it was saved, to train on with ``params``; the header; and what was in ``extra``.

    Raises:
        EconError: there is none, it is damaged, or it holds the networks alone.
    """
    header, tensors = read(path)
    if not header.progress:
        raise EconError(
            f"checkpoint {path} is to play from: it has not what training goes on from",
            "train again; with train.keep_state: true that is kept",
        )
    learner = Learner(header.n_agents, header.embedding_dim, params, header.seed)
    _load(path, learner.team, tensors, "team")
    _load(path, learner.target, tensors, "target")
    learner.replay.load(under("replay", tensors))
    learner.alpha = torch.tensor(header.alpha, dtype=torch.float64)
    learner.gradient_steps = header.gradient_steps
    for side, optimizer in learner.optimizers.items():
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in under(f"optimizer.{side}", tensors).items():
            index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return learner, header, under("extra", tensors)


def load_team(path: Path) -> tuple[TeamNetworks, Header]:
    """The trained networks alone, for play."""
    header, tensors = read(path)
    params = Params.model_validate(header.params)
    team = TeamNetworks(
        header.n_agents, header.embedding_dim, params.network, header.seed, params.action.free
    )
    _load(path, team, tensors, "team")
    return team.eval().requires_grad_(False), header


def read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Header and tensors of a checkpoint.

    Raises:
        EconError: there is none, or it is not one.
    """
    if not path.is_file():
        raise EconError(
            f"no checkpoint at {path}", "train it first with econ train (a variant: --variant NAME)"
        )
    try:
        content = path.read_bytes()
        metadata = orjson.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        if FORMAT not in metadata:
            raise EconError(f"{path} is not a checkpoint of this version", REMAKE)
        seals.check(content, _MARK)
        raw = orjson.loads(metadata[FORMAT][len(seals.BLANK) :])
        return Header(**{**raw, "alpha": tuple(raw["alpha"])}), load(content)
    except (SafetensorError, OSError, LookupError, TypeError, ValueError) as fault:
        raise EconError(f"checkpoint {path} is damaged: {fault}", REMAKE) from None


def fit(path: Path, header: Header, params: Params, n_agents: int, benchmark: str | None = None) -> None:
    """Make sure that a checkpoint was trained for this team.

    Raises:
        EconError: naming every difference.
    """
    try:
        trained = Params.model_validate(header.params)
    except ValidationError:
        raise EconError(f"checkpoint {path} has params of another version", "train it again") from None
    pairs = {
        "n_agents": (header.n_agents, n_agents),
        "llm.backend": (trained.llm.backend == "simulated", params.llm.backend == "simulated"),
        "llm.coordinator": (trained.llm.coordinator, params.llm.coordinator),
        "llm.executors": (_models(trained, n_agents), _models(params, n_agents)),
        "embedding.model": (trained.embedding.model, params.embedding.model),
    }
    if benchmark is not None:
        pairs["benchmark"] = (header.benchmark, benchmark)
    for section in ("network", "action", "team"):
        old, new = getattr(trained, section), getattr(params, section)
        pairs |= {
            f"{section}.{key}": (getattr(old, key), getattr(new, key)) for key in type(old).model_fields
        }
    differs = [f"{key} ({_show(old)}, now {_show(new)})" for key, (old, new) in pairs.items() if old != new]
    if differs:
        raise EconError(
            f"checkpoint {path} was trained for another team: {', '.join(differs)}",
            "train again with econ train, or use the params it was trained with",
        )


def _models(params: Params, n_agents: int) -> tuple[str, ...]:
    names = params.llm.executors
    return names * n_agents if len(names) == 1 else names


def _show(value: object) -> str:
    return " ".join(str(value).split())


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix`` and a dot, by the rest of the name."""
    return {k.removeprefix(f"{prefix}."): v for k, v in tensors.items() if k.startswith(f"{prefix}.")}


def _load(path: Path, module: torch.nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    try:
        module.load_state_dict(under(prefix, tensors))
    except RuntimeError as fault:
        first = str(fault).strip().splitlines()[1:2]
        reason = " ".join(first).strip() or str(fault)
        raise EconError(
            f"checkpoint {path} has networks of other sizes: {reason}", "train it again"
        ) from None
