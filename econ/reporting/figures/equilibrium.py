"""Figures of what was measured on banks, drawn from its tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from econ.params import Params
from econ.reporting import show
from econ.reporting.catalogue import figure
from econ.reporting.figures import style
from econ.reporting.figures.chart import Axis, Chart, Key, Panel, Point, Series, unique
from econ.reporting.figures.rows import GREY
from econ.reporting.measured import no_certificate, no_regret, no_training
from econ.reporting.tables.equilibrium import SECTION

if TYPE_CHECKING:
    import pandas as pd

Parts = Iterator[tuple[str, "pd.DataFrame"]]


@figure(
    "What each agent gains in its own payoff by playing one action always, the others keeping to the policy "
    "(the trained one, of the first seed, where there is one); bars: the 95 % band over all deviations at "
    "once. Where all bars reach below zero nobody is shown to gain.",
    ("deviations",),
    SECTION,
    no_certificate,
)
def deviations(params: Params, frame: pd.DataFrame) -> Chart:
    """A panel per benchmark and agent count, a place per action, in it one per agent."""
    frame = _one_policy(frame[frame["payoff"] == "own"])
    agents = sorted(frame["agent"].unique())
    shift = dict(zip(agents, style.offsets(len(agents), 0.6), strict=True))
    panels = []
    for title, part in _parts(frame):
        actions = unique(list(part["action"]))
        series = []
        for agent in agents:
            rows = part[part["agent"] == agent]
            points = tuple(
                Point(
                    actions.index(row["action"]) + shift[agent], row["gain"], row["gain_low"],
                    row["gain_high"], int(row["n"]), row["action"],
                )
                for row in show.records(rows)
            )  # fmt: skip
            colour, marker = style.numbered(int(agent) - 1)
            series.append(Series(f"Agent {agent}", points, colour, marker, size=3.0))
        x = Axis("Action T, p", -0.6, len(actions) - 0.4, ticks=tuple(actions))
        panels.append(Panel(title, tuple(series), x, _reach("Gain, own payoff", part, "gain"), zero=True))
    keys = tuple(Key(f"Agent {agent}", *style.numbered(int(agent) - 1)) for agent in agents)
    return _chart(panels, keys, "Bars: 95 % band over all deviations", frame, share_x=False)


@figure(
    "Accuracy by policy and the best that could be chosen, with 95 % intervals; below (squares) other ways "
    "to commit to one of the trained policy's very same answers.",
    ("welfare",),
    SECTION,
    no_certificate,
)
def welfare(params: Params, frame: pd.DataFrame) -> Chart:
    """A panel per benchmark and agent count, a row per policy or way to commit."""
    ways = _one_policy(frame[frame["of"] == "coordinator"])
    policies = frame[frame["of"] == "policy"].drop_duplicates(["benchmark", "n_agents", "row"])
    looks = {"policy": (style.PALETTE[0], "o"), "coordinator": (style.PALETTE[2], "s")}
    names = [*unique(list(policies["row"])), *unique(list(ways["row"]))]
    places = {name: place for place, name in enumerate(names)}
    y = Axis("", len(names) - 0.45, -0.55, ticks=tuple(name.replace("_", " ") for name in names))
    panels = []
    own = dict(_parts(ways))
    for title, part in _parts(policies):
        series = []
        for of, found in (("policy", part), ("coordinator", own[title])):
            points = tuple(
                Point(100 * row["value"], places[row["row"]], 100 * row["low"], 100 * row["high"],
                      int(row["n"]), row["action"] if isinstance(row["action"], str) else "")
                for row in show.records(found)
            )  # fmt: skip
            series.append(Series(of.capitalize(), points, *looks[of], size=3.6))
        panels.append(Panel(title, tuple(series), Axis("Accuracy in %", -2, 102), y))
    keys = tuple(Key(of.capitalize(), *look) for of, look in looks.items())
    text = "Bars: 95 % intervals over source questions"
    return _chart(panels, keys, text, frame, along="x", height=0.55 + 0.17 * len(names))


@figure(
    "NashConv (the sum of what the agents could gain alone, by constant actions; lower is nearer to "
    "equilibrium) of the policy's mean actions during training, with each payoff; means over seeds.",
    ("equilibrium_training",),
    SECTION,
    no_training,
)
def nash_conv(params: Params, frame: pd.DataFrame) -> Chart:
    """A panel per benchmark and agent count, a line per payoff."""
    payoffs = unique(list(frame["payoff"]))
    last = float(frame["episodes"].max()) if len(frame) else 1.0
    x = Axis("Episode", -0.04 * last, 1.04 * last, whole=True)
    top = float(frame.groupby(["benchmark", "n_agents", "payoff", "episodes"])["nash_conv"].mean().max())
    panels = []
    for title, part in _parts(frame):
        series = []
        for place, payoff in enumerate(payoffs):
            means = part[part["payoff"] == payoff].groupby("episodes")[["nash_conv", "value"]].mean()
            points = tuple(
                Point(float(episode), one["nash_conv"], said=f"value {one['value']:.3f}")
                for episode, one in zip(means.index, show.records(means), strict=True)
            )
            series.append(Series(f"{payoff} payoff", points, *style.numbered(place), "-", size=3.0))
        panels.append(Panel(title, tuple(series), x, Axis("NashConv", 0.0, 1.08 * top or 1.0)))
    keys = tuple(Key(f"{payoff} payoff", *style.numbered(p), "-") for p, payoff in enumerate(payoffs))
    text = f"Constant deviations; {frame['seed'].nunique()} seed(s)"
    return _chart(panels, keys, text, frame)


@figure(
    "What is lost against the best fixed joint action over a whole training, by its length (both "
    "logarithmic), mean over seeds, in units of the team's payoff. Grey: growth in proportion to the length "
    "(dashes) and to its square root (dots).",
    ("regret",),
    SECTION,
    no_regret,
)
def regret(params: Params, frame: pd.DataFrame) -> Chart:
    """A panel per benchmark and agent count, a line per learner."""
    learners = unique(list(frame["learner"]))
    lost = frame[frame["regret"] > 0]
    x = Axis("Episodes of training", 0.8 * frame["horizon"].min(), 1.25 * frame["horizon"].max(), log=True)
    y = Axis("Regret", 0.6 * lost["regret"].min(), 1.6 * lost["regret"].max(), log=True)
    panels = []
    for title, part in _parts(lost):
        series = list(_growths(part))
        for place, learner in enumerate(learners):
            rows = show.records(part[part["learner"] == learner])
            points = tuple(Point(row["horizon"], row["regret"], n=int(row["seeds"])) for row in rows)
            if points:
                series.append(Series(learner, points, *style.numbered(place), "-", size=3.0))
        panels.append(Panel(title, tuple(series), x, y))
    keys = tuple(Key(learner, *style.numbered(place), "-") for place, learner in enumerate(learners))
    text = f"Means over {frame['seeds'].min()} seeds; a learner that lost nothing is not drawn"
    return _chart(panels, keys, text, frame)


@figure(
    "What the last policy of a training is worth by its length, in the team's payoff, with Student's "
    "interval over seeds. Lines without markers: what needs no learning, and the best fixed joint action.",
    ("learned",),
    SECTION,
    no_regret,
)
def learned(params: Params, frame: pd.DataFrame) -> Chart:
    """A panel per benchmark and agent count, a line per learner, a level per control."""
    grown = frame[frame["horizon"].notna()]
    learners, levels = (unique(list(part["learner"])) for part in (grown, frame[frame["horizon"].isna()]))
    low, high = float(grown["horizon"].min()), float(grown["horizon"].max())
    x = Axis("Episodes of training", 0.8 * low, 1.25 * high, log=True)
    dashes = dict(zip(levels, style.DASHES, strict=False))
    panels = []
    for title, part in _parts(frame):
        series = [
            Series(name, tuple(Point(end, float(value)) for end in (low, high)), GREY, "none", dashes[name])
            for name in levels
            for value in part.loc[part["learner"] == name, "value"]
        ]
        for place, learner in enumerate(learners):
            points = tuple(
                Point(row["horizon"], row["value"], row["low"], row["high"], int(row["seeds"]))
                for row in show.records(part[part["learner"] == learner])
            )
            series.append(Series(learner, points, *style.numbered(place), "-", size=3.0))
        filled = part.assign(**{end: part[end].fillna(part["value"]) for end in ("low", "high")})
        y = Axis("Value", float(filled["low"].min()) - 0.01, float(filled["high"].max()) + 0.01)
        panels.append(Panel(title, tuple(series), x, y))
    keys = [Key(learner, *style.numbered(place), "-") for place, learner in enumerate(learners)]
    keys += [Key(name, GREY, "none", dash) for name, dash in dashes.items()]
    text = f"Means over {frame['seeds'].min()} seeds; bars: 95 % intervals over them"
    return _chart(panels, tuple(keys), text, frame, share_y=False)


def _growths(part: pd.DataFrame) -> Iterator[Series]:
    """Lines of slope 1/2 and 1, from the middle of what is lost at the shortest length."""
    low, high = float(part["horizon"].min()), float(part["horizon"].max())
    start = float(part.loc[part["horizon"] == low, "regret"].median())
    for name, power, dash in (("in proportion", 1.0, style.DASHES[1]), ("square root", 0.5, style.DASHES[2])):
        ends = (Point(low, start), Point(high, start * (high / low) ** power))
        yield Series(name, ends, GREY, "none", dash)


def _one_policy(frame: pd.DataFrame) -> pd.DataFrame:
    """The trained policy's rows, else the first policy's; of the first seed."""
    names = list(frame["policy"].unique())
    chosen = frame["policy"] == ("trained" if "trained" in names else names[0])
    first = frame["seed"].isna() | (frame["seed"] == frame.loc[chosen, "seed"].min())
    out: pd.DataFrame = frame.loc[chosen & first]
    return out


def _parts(frame: pd.DataFrame) -> Parts:
    """By benchmark and agents, each with its title."""
    for (benchmark, n), part in frame.groupby(["benchmark", "n_agents"], sort=False):
        yield f"{style.name_of(str(benchmark))}, N = {n}", part


def _reach(label: str, part: pd.DataFrame, value: str) -> Axis:
    low = float(part[f"{value}_low"].min())
    high = float(part[f"{value}_high"].max())
    room = 0.06 * (high - low or 1.0)
    return Axis(label, min(low, 0.0) - room, max(high, 0.0) + room)


def _chart(panels: list[Panel], keys: tuple[Key, ...], text: str, frame: pd.DataFrame, **shape: Any) -> Chart:
    return Chart(tuple(panels), keys, **shape, **style.noted(f"{text}; {style.how_many(frame)}", frame))
