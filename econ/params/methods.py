"""What the params know of a method: its settings, what it is defined on, whether it plays from a checkpoint.

All of it stands beside the method's class (:class:`econ.methods.base.Method`), which is found by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from econ.errors import EconError
from econ.params.base import Section
from econ.params.faults import explain
from econ.registry import METHODS

Domain = Literal["all", "questions", "plans"]  # what a method is defined on: plans are TravelPlanner's


class InPaper(NamedTuple):
    """A method's names in the paper: beside the accuracies of figures 9 to 13, and in table 3 (tokens)."""

    accuracy: str | None = None
    tokens: str | None = None


NOT_IN_PAPER = InPaper()


@dataclass(frozen=True, slots=True)
class About:
    """What stands beside a method's class; of a class of somebody's own all but ``solve`` may be left out.

    ``look`` is its colour and marker in the figures.
    """

    made_by: type
    settings: type[BaseModel] = Section
    domain: Domain = "all"
    trained: bool = False  # plays from a checkpoint
    look: tuple[str, str] | None = None
    paper: InPaper = NOT_IN_PAPER


def parse_method(name: str) -> tuple[str, str | None]:
    """A method's name without its variant, and the variant: ``econ-bne+no-strategy``."""
    method, plus, variant = name.partition("+")
    return method, variant if plus else None


def about(method: str) -> About:
    """What is known of a method, or of the method of a variant.

    Raises:
        EconError: there is none of this name, or what it says of itself makes no sense.
    """
    name = parse_method(method)[0]
    found = METHODS.find(name)
    if not isinstance(found, type) or not callable(getattr(found, "solve", None)):
        raise EconError(f"method '{name}' is no class with a solve(session)", "see docs/extending.md")
    settings = getattr(found, "Settings", Section)
    if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
        raise EconError(f"method '{name}': its Settings are no pydantic model", "see docs/extending.md")
    domain: Domain = getattr(found, "domain", "all")
    if domain not in get_args(Domain):
        raise EconError(f"method '{name}' has the domain {domain!r}", f"known: {', '.join(get_args(Domain))}")
    beside = {key: getattr(found, key) for key in ("trained", "look", "paper") if hasattr(found, key)}
    return About(found, settings, domain, **beside)


def learns(method: str) -> bool:
    """Does it play from a checkpoint?"""
    return about(method).trained


def plays(method: str, kind: str) -> bool:
    """Is the method defined on problems with this kind of answer?"""
    domain = about(method).domain
    return domain == "all" or (domain == "plans") == (kind == "plan")


def read_settings(given: Mapping[str, Any]) -> dict[str, BaseModel]:
    """The ``settings`` of a params file, each read by its method's own model.

    Raises:
        ValueError: naming the key.
    """
    read: dict[str, BaseModel] = {}
    for name, values in given.items():
        if not isinstance(name, str) or name not in METHODS:
            raise ValueError(f"settings: unknown method '{name}' (known: {', '.join(METHODS)})")
        try:
            schema = about(name).settings
            read[name] = schema.model_validate(
                values.model_dump() if isinstance(values, BaseModel) else values
            )
        except EconError as fault:
            raise ValueError(f"settings: {fault}") from None
        except ValidationError as fault:
            raise ValueError(explain(fault, schema, f"settings.{name}")) from None
    return read
