"""The page's panel on equilibrium: what was measured, on what, and what it lets one say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from econ.params import Params
from econ.records import Json
from econ.reporting import measured
from econ.reporting.figures.style import name_of
from econ.reporting.tables.equilibrium import verdict


@dataclass(frozen=True, slots=True)
class Panel:
    """One certificate in words: ``facts`` by name."""

    title: str
    facts: dict[str, str]


def panels(params: Params) -> list[Panel]:
    """One per benchmark and agent count: the trained policies', else the first that there is."""
    found: dict[tuple[str, int], list[Json]] = {}
    for made in measured.read(measured.certificates(params)):
        found.setdefault((made["benchmark"], made["n_agents"]), []).append(made)
    return [
        Panel(f"{name_of(benchmark)}, N = {n}", facts(documents))
        for (benchmark, n), documents in found.items()
    ]


def facts(documents: Sequence[Json]) -> dict[str, str]:
    """What the certificates of one benchmark and agent count are, and say."""
    own = [made for made in documents if made["policy"] == "trained"] or list(documents[:1])
    first = own[0]
    seeds = ", ".join(str(made["seed"]) for made in own)
    return {
        "Policy": f"{first['policy']}" + (f", seed {seeds}" if first["policy"] == "trained" else ""),
        "Played from": first["recorded"],
        "Coordinator": first["coordinator"],
        "Size": f"{first['problems']} problems of {first['questions']} source questions, "
        f"{first['samples']} samples in each of {len(first['cells'])} cells",
        **{f"Payoff: {name}": _said(own, name) for name in first["payoffs"]},
        "Decisions (accuracy)": "; ".join(
            f"{name} {one['value']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]"
            for name, one in first["decision"].items()
        ),
        "Calibration": _calibration(first),
    }


def _said(own: Sequence[Json], payoff: str) -> str:
    told = []
    for part in ("payoffs", "wider"):
        found = [made[part][payoff] for made in own if payoff in made[part]]
        if not found:
            continue
        worst = max(found, key=lambda one: float(one["upper"]))
        rejected = sum(one["lower"] > 0 for one in found)
        told.append(
            f"over {worst['deviations']}, ε {worst['epsilon']:.3f} "
            f"[{worst['lower']:.3f}, {worst['upper']:.3f}]: {verdict(worst)}"
            + (f"; no equilibrium in {rejected} of {len(found)} seeds" if len(found) > 1 else "")
        )
    return "; ".join(told)


def _calibration(made: Json) -> str:
    checks = made["calibration"]
    if checks is None:
        return "nobody has held this bank against fresh answers (econ bank check)"
    return "; ".join(
        f"{model}: {'passed' if check['passed'] else 'NOT passed'} (n = {check['n']})"
        for model, check in checks.items()
    )
