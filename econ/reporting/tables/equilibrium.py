"""Tables of what was measured on banks, from the documents of ``econ equilibrium`` and ``econ regret``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from econ.equilibrium.empirical.certificate import over_seeds
from econ.records import Json
from econ.reporting.catalogue import Column, table
from econ.reporting.pool import Row, Run

SECTION = "equilibrium"
OF = {
    "benchmark": Column("Benchmark"),
    "n_agents": Column("N", "count"),
}
POLICY = {**OF, "policy": Column("Policy"), "seed": Column("Seed", "count")}
SIZE = {"n": Column("Problems", "count"), "samples": Column("Samples", "count")}
EPSILON = {
    "epsilon": Column("ε", "value", "lower", "upper"),
    "nash_conv": Column("NashConv", "value"),
}


@table(
    "How far policies are from equilibrium",
    "What an agent could gain by deviating alone, on held-out problems of a bank: ε is the largest gain of "
    "any agent by a deviation of the class (cross-fitted), in brackets the 95 % band over all deviations "
    "at once (multiplier bootstrap over source questions). No equilibrium is said only where the band lies "
    "above 0, and 'within x' only where it lies below x. NashConv: the sum over agents. Naive: the plain "
    "maximum, which is too large. D0: constant actions; D1: also rules that read the problem. ε of a class "
    "bounds the true one from below.",
    {
        **POLICY,
        "payoff": Column("Payoff"),
        "deviations": Column("Class"),
        **SIZE,
        "value": Column("Value", "value", "low", "high"),
        **EPSILON,
        "naive": Column("Naive", "value"),
        "verdict": Column("Verdict"),
    },
    SECTION,
)
def certificates(run: Run) -> list[Row]:
    return [
        {**_of(made), "payoff": payoff, **_certified(one), "verdict": verdict(one)}
        for made in run.certificates
        for found in (made["payoffs"], made["wider"])
        for payoff, one in found.items()
    ]


@table(
    "Equilibrium over training seeds",
    "Each training seed's certificate is a draw of its own: mean ε with Student's interval over seeds, the "
    "largest upper end among them, and in how many seeds an equilibrium is excluded.",
    {
        **OF,
        "payoff": Column("Payoff"),
        "deviations": Column("Class"),
        "n": Column("Problems", "count"),
        "seeds": Column("Seeds", "count"),
        "epsilon": Column("ε", "value", "low", "high"),
        "largest_upper": Column("Largest upper end", "value"),
        "rejected": Column("No equilibrium in", "count"),
    },
    SECTION,
)
def equilibrium_seeds(run: Run) -> list[Row]:
    """Of trained policies, where there are several seeds."""
    found: dict[tuple[str, int, str, str], list[Row]] = {}
    for row in certificates.rows(run):
        if row["policy"] == "trained":
            key = row["benchmark"], row["n_agents"], row["payoff"], row["deviations"]
            found.setdefault(key, []).append(row)
    names = ("benchmark", "n_agents", "payoff", "deviations")
    return [
        dict(zip(names, key, strict=True)) | _over_seeds(rows) for key, rows in found.items() if len(rows) > 1
    ]


def _over_seeds(rows: list[Row]) -> Row:
    told = over_seeds([(row["epsilon"], row["lower"], row["upper"]) for row in rows])
    return {
        "n": rows[0]["n"], "seeds": told.seeds, "epsilon": told.epsilon, "low": told.low, "high": told.high,
        "largest_upper": told.largest_upper, "rejected": told.equilibria_rejected,
        "simulated": rows[0]["simulated"], "recorded": rows[0]["recorded"],
    }  # fmt: skip


def verdict(one: Json) -> str:
    """What a certificate lets one say."""
    if one["lower"] > 0:
        return "no equilibrium"
    return f"within {one['upper']:.3f}"


def _certified(one: Json) -> Row:
    names = ("deviations", "value", "low", "high", "epsilon", "lower", "upper", "nash_conv", "naive")
    return {name: one[name] for name in names}


@table(
    "What each agent gains by each constant action",
    "Gain in the agent's own payoff if it alone plays the action always, the others keeping to the policy; "
    "in brackets the band over all deviations at once. Other payoffs: in the CSV.",
    {
        **POLICY,
        "agent": Column("Agent", "count"),
        "action": Column("T, p"),
        **SIZE,
        "gain": Column("Gain", "value", "gain_low", "gain_high"),
    },
    SECTION,
)
def deviations(run: Run) -> list[Row]:
    """Of every policy, payoff, agent and cell; the own payoff's are shown."""
    return [
        {
            **_of(made), "payoff": payoff, "agent": place + 1,
            "temperature": cell[0], "second": cell[1], "action": action(cell),
            "gain": gain, "gain_low": low, "gain_high": high, "shown": payoff == "own",
        }
        for made in run.certificates
        for payoff, one in made["payoffs"].items()
        for place, agent in enumerate(one["agents"])
        for cell, gain, low, high in zip(
            made["cells"], agent["gains"], agent["gains_low"], agent["gains_high"], strict=True
        )
    ]  # fmt: skip


@table(
    "What a team could win",
    "Accuracy of policies, of the best that can be chosen on the bank (chosen on one part of the problems, "
    "valued on the rest), of other ways to commit to one of the very same answers, and differences of "
    "these, paired over problems; 95 % intervals over source questions. Best uniform: one action for all "
    "agents, the control of every learned policy. Ceiling: the best joint action of every problem, by "
    "someone who knows the answers.",
    {
        **POLICY,
        "of": Column("Of"),
        "row": Column("Row"),
        **SIZE,
        "value": Column("Value", "value", "low", "high"),
        "action": Column("Actions T, p"),
    },
    SECTION,
)
def welfare(run: Run) -> list[Row]:
    """Policies once, whichever document they are in; decisions and coordinators of every policy."""
    seen: set[tuple[str, int, str]] = set()
    rows: list[Row] = []
    for made in run.certificates:
        for of, row, one in _ladder(made):
            key = made["benchmark"], made["n_agents"], row
            own = row == made["policy"] or of != "policy"
            if not own and key in seen:
                continue
            seen.add(key)
            actions = "; ".join(map(action, one.get("action", []))) or None
            ends = {name: one[name] for name in ("value", "low", "high")}
            rows.append({**_of(made), "of": of, "row": row, **ends, "action": actions})
    return rows


def _ladder(made: Json) -> Iterator[tuple[str, str, Json]]:
    for of, part in (("policy", "welfare"), ("difference", "decision"), ("coordinator", "coordinators")):
        for row, one in made[part].items():
            yield of, row, one


@table(
    "Equilibrium over training",
    "Certificates of the policy's mean actions at updates of a training, over constant deviations (D0), in "
    "the agents' own payoffs with the last policy's weights. Other payoffs: in the CSV.",
    {
        **POLICY,
        "episodes": Column("Episodes", "count"),
        **SIZE,
        "value": Column("Value", "value", "low", "high"),
        **EPSILON,
    },
    SECTION,
)
def equilibrium_training(run: Run) -> list[Row]:
    return [
        {**_of(made), "episodes": step["episodes"], "payoff": payoff, **one, "shown": payoff == "own"}
        for made in run.certificates
        for step in made.get("training", [])
        for payoff, one in step["payoffs"].items()
    ]


@table(
    "Regret",
    "What a training loses against the best fixed joint action over all its episodes, in units of the "
    "team's payoff, exactly reckoned on the bank; mean over seeds. Slope: of the logarithms over horizons, "
    "with a 95 % interval over seeds; below 1 regret grows slower than the episodes do, 0.5 is the bound "
    "that the paper proves.",
    {
        **OF,
        "learner": Column("Learner"),
        "n": Column("Problems", "count"),
        "seeds": Column("Seeds", "count"),
        "horizon": Column("Episodes", "count"),
        "regret": Column("Lost", "mean"),
        "slope": Column("Slope", "value", "slope_low", "slope_high"),
        "verdict": Column("Verdict"),
    },
    SECTION,
)
def regret(run: Run) -> list[Row]:
    """Of every learner and horizon; slope and verdict stand with the longest."""
    rows: list[Row] = []
    for made in run.regrets:
        for learner, one in made["learners"].items():
            grown = {"slope": one["slope"], "slope_low": one["low"], "slope_high": one["high"]}
            grown |= {"verdict": one["verdict"]}
            for horizon, lost in zip(one["horizons"], one["mean"], strict=True):
                told = grown if horizon == one["horizons"][-1] else dict.fromkeys(grown)
                rows.append({**_learning(made, learner), "horizon": horizon, "regret": lost, **told})
        for name, one in made["controls"].items():  # which lose the same in every episode
            told = {"slope": None, "slope_low": None, "slope_high": None, "verdict": "learns nothing"}
            lost = one["lost_per_episode"]
            rows += [
                {**_learning(made, name), "horizon": horizon, "regret": horizon * lost, **told}
                for horizon in made["horizons"]
            ]
    return rows


@table(
    "What is learned",
    "What the last policy of a training is worth, by its length, in the team's payoff, exactly reckoned on "
    "the bank's training problems; mean over seeds with Student's interval. Beside it what needs no "
    "learning, and the best fixed joint action.",
    {
        **OF,
        "learner": Column("Learner"),
        "n": Column("Problems", "count"),
        "seeds": Column("Seeds", "count"),
        "horizon": Column("Episodes", "count"),
        "value": Column("Value", "value", "low", "high"),
    },
    SECTION,
)
def learned(run: Run) -> list[Row]:
    rows: list[Row] = []
    for made in run.regrets:
        for learner, values in made["values"].items():
            for horizon, one in zip(made["horizons"], values, strict=True):
                rows.append({**_learning(made, learner), "horizon": horizon, **one})
        levels = {name: one["value"] for name, one in made["controls"].items()}
        for name, value in {**levels, "best joint": made["comparator"]["value"]}.items():
            level = {"horizon": None, "value": value, "low": None, "high": None}
            rows.append({**_learning(made, name), **level})
    return rows


def _learning(made: Json, learner: str) -> Row:
    about = {name: made[name] for name in ("benchmark", "n_agents", "simulated", "recorded")}
    return {**about, "learner": learner, "n": made["problems"], "seeds": len(made["seeds"])}


def action(cell: Sequence[float]) -> str:
    return f"{cell[0]:.3g}, {cell[1]:.3g}"


def _of(made: Json) -> Row:
    """What a certificate is of."""
    return {
        "benchmark": made["benchmark"], "n_agents": made["n_agents"], "policy": made["policy"],
        "seed": made["seed"] if made["policy"] == "trained" else None,
        "n": made["problems"], "samples": made["samples"],
        "simulated": made["simulated"], "recorded": made["recorded"],
    }  # fmt: skip
