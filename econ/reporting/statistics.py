"""Intervals and tests for accuracies on a fixed set of problems. Pure functions of numbers.

The sampling unit is the problem: answers to the same problem under several seeds are not independent, so
intervals of pooled seeds count problems, not answers (see :func:`pooled_interval`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean, variance

LEVEL = 0.95
POWER = 0.80
RESAMPLES = 9999
BOOTSTRAP_SEED = 20250
Interval = tuple[float, float]


def wilson(successes: float, n: float) -> Interval:
    """Wilson's score interval at 95 % for ``successes`` of ``n`` (Wilson 1927); (0, 1) at n = 0.

    Both may be fractional: an effective sample size is not a whole number. (Closed form rather than SciPy's,
    because every evaluation job calls it and SciPy costs a second of start-up.)
    """
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    # At the ends the formula is exact; rounding alone would leave a bound of 1e-17 or 0.9999.
    return (0.0 if successes <= 0 else low), (1.0 if successes >= n else high)


def pooled_interval(outcomes: Sequence[Sequence[bool]]) -> Interval:
    """Interval of the mean over all answers; ``outcomes[problem][seed]``.

    Wilson's interval at the effective sample size ``p(1-p) / Var(mean)``, the variance taken over problems
    (a cluster-robust design effect, Kish 1965), kept between the number of problems (seeds repeat each other)
    and the number of answers (seeds are independent). With one seed it is Wilson's interval.
    """
    means = [fmean(seeds) for seeds in outcomes]
    answers = sum(len(seeds) for seeds in outcomes)
    share = sum(sum(seeds) for seeds in outcomes) / answers
    effective = float(len(means))  # all right, all wrong, or one problem: nothing is known of the spread
    if 0 < share < 1 and len(means) > 1:
        error = variance(means) / len(means)
        effective = share * (1 - share) / error if error else math.inf
    effective = min(max(effective, len(means)), answers)
    return wilson(share * effective, effective)


@dataclass(frozen=True, slots=True)
class Paired:
    """Method against rival on the same problems; differences are shares (0.01 = one point).

    ``low``, ``high``: percentile bootstrap over problems; NaN where every problem shows the same difference,
    since resampling then says nothing. ``wins``, ``losses``: problems on which the method is the better or
    the worse. ``p``: two-sided exact McNemar. ``least``: the smallest difference that could come out with
    p <= 0.05 at this n. ``detectable``: the smallest true difference found with 80 % power at this n and at
    the observed share of discordant problems. Both NaN where no difference suffices.
    """

    n: int
    difference: float
    low: float
    high: float
    wins: int
    losses: int
    p: float
    least: float
    detectable: float


def paired(method: Sequence[float], rival: Sequence[float]) -> Paired:
    """Compare per-problem accuracies (means over seeds; 0 or 1 with one seed), in the same problem order."""
    differences = [a - b for a, b in zip(method, rival, strict=True)]
    n = len(differences)
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    low, high = bootstrap(differences)
    return Paired(
        n, fmean(differences), low, high, wins, losses,
        p=mcnemar(wins, losses), least=least_significant(n), detectable=detectable(n, wins + losses),
    )  # fmt: skip


def bootstrap(differences: Sequence[float]) -> Interval:
    """95 % percentile bootstrap of the mean over problems, with a fixed seed; NaN where all are equal.

    How often each value comes up among n draws with replacement is multinomial; so the values are drawn by
    their counts and not problem by problem, which costs next to nothing and asks for no order.
    """
    if len(set(differences)) < 2:
        return math.nan, math.nan
    import numpy as np

    n = len(differences)
    values, counts = np.unique(np.asarray(differences, dtype=float), return_counts=True)
    drawn = np.random.default_rng(BOOTSTRAP_SEED).multinomial(n, counts / n, size=RESAMPLES)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn @ values / n, [tail, 1 - tail])
    return float(low), float(high)


def mcnemar(wins: int, losses: int) -> float:
    """Two-sided exact McNemar test: the sign test on discordant problems (McNemar 1947); 1 with none."""
    if wins + losses == 0:
        return 1.0
    from scipy import stats

    return float(stats.binomtest(wins, wins + losses).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """p-values of one family of tests, adjusted for their number (Holm 1979), in the same order."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, ps[place] * (len(ps) - rank)))
        adjusted[place] = largest
    return adjusted


def least_significant(n: int) -> float:
    """Smallest observed difference with p <= 0.05 on ``n`` problems: six wins and no loss, so 6/n."""
    wins = math.ceil(math.log2(2 / (1 - LEVEL)))
    return wins / n if n >= wins else math.nan


@cache
def detectable(n: int, discordant: int) -> float:
    """Smallest true difference that the exact McNemar test finds with 80 % power on ``n`` problems.

    The share of discordant problems is taken as (discordant + 1) / (n + 2), never zero, or as the difference
    itself where that is larger. Found by bisection on the exact power.
    """
    share = (discordant + 1) / (n + 2)
    critical = _critical_wins(n)
    if _power(n, 1.0, 1.0, critical) < POWER:
        return math.nan
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        if _power(n, middle, max(share, middle), critical) >= POWER:
            high = middle
        else:
            low = middle
    return high


@cache
def _critical_wins(n: int) -> tuple[int, ...]:
    """For 0 ... n discordant problems, the fewest wins with a two-sided p <= 0.05 (more than all: never)."""
    import numpy as np
    from scipy import stats

    discordant = np.arange(n + 1)
    tail = (1 - LEVEL) / 2
    return tuple(int(wins) + 1 for wins in stats.binom.isf(tail, discordant, 0.5))


def _power(n: int, difference: float, share: float, critical: Sequence[int]) -> float:
    """P(reject in the right direction): discordant ~ Bin(n, share), wins ~ Bin(discordant, q)."""
    import numpy as np
    from scipy import stats

    discordant = np.arange(n + 1)
    win_rate = (share + difference) / (2 * share)
    rejects = stats.binom.sf(np.asarray(critical) - 1, discordant, min(win_rate, 1.0))
    return float(np.dot(stats.binom.pmf(discordant, n, share), rejects))
