"""Intervals and tests for accuracies on a fixed set of problems. Pure functions of numbers.

The sampling unit is the problem, or the source question that several problems were made of: answers to the
same problem under several seeds are not independent, so intervals and tests count problems, not answers.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean, variance
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL = 0.95
POWER = 0.80
MARGIN = 0.02  # of non-inferiority: a method at most two points worse counts as no worse
FLIPS = 9999
FLIPS_SEED = 20250
_MOST_ANSWERS = 1000  # per problem, up to which a mean over answers is recognised as a fraction
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

    ``low``, ``high``: see :func:`mean_interval`. ``no_worse``: non-inferiority, ``low`` lies above minus
    :data:`MARGIN`. ``wins``, ``losses``: problems on which the method is the better or the worse. ``p``:
    two-sided exact McNemar with one seed, the sign-flip test of the mean difference with several or with
    clusters. ``least``: the smallest difference that could come out with p <= 0.05 at this n. ``detectable``:
    the smallest true difference found with 80 % power at this n and at the observed share of discordant
    problems (several seeds: at the observed spread). Both NaN where no difference suffices.
    """

    n: int
    difference: float
    low: float
    high: float
    no_worse: bool
    wins: int
    losses: int
    p: float
    least: float
    detectable: float


def paired(
    method: Sequence[float], rival: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> Paired:
    """Compare per-problem accuracies (means over seeds; 0 or 1 with one seed), in the same problem order.

    ``clusters`` names the source question of each problem; without it every problem is its own.
    """
    differences = [a - b for a, b in zip(method, rival, strict=True)]
    n, unit = len(differences), _unit(differences)
    wins, losses = sum(bool(d > 0) for d in differences), sum(bool(d < 0) for d in differences)
    low, high = mean_interval(differences, clusters)
    alone = clusters is None or len(set(clusters)) == n
    if alone and unit == 1:
        p, found = mcnemar(wins, losses), detectable(n, wins + losses)
    else:
        p, found = sign_flip(differences, clusters), _detectable_mean(differences, clusters)
    return Paired(
        n, fmean(differences), low, high, low > -MARGIN, wins, losses,
        p=p, least=least_significant(n, unit), detectable=found,
    )  # fmt: skip


def mean_interval(differences: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Interval:
    """95 % interval of the mean difference, clustered; (-1, 1) with a single cluster.

    Student's interval of the clusters' sums (Liang & Zeger 1986), with the square of one answer's difference
    (on every problem of a cluster) added to their sum of squares: with few problems the discordant ones may
    not have shown up yet, and then neither Student's interval nor a bootstrap of what did show up covers
    (0.35 to 0.9 at n = 10, where this one covers at least 0.93; the idea of Agresti & Min 2005, without
    moving the centre).
    """
    sums, sizes = _clustered(differences, clusters)
    groups, n = len(sums), len(differences)
    if groups < 2:
        return -1.0, 1.0
    mean, reach = float(sums.sum()) / n, _quantile(groups - 1) * _error(sums, sizes, _unit(differences))
    return max(mean - reach, -1.0), min(mean + reach, 1.0)


def sign_flip(differences: Sequence[float], clusters: Sequence[Hashable] | None = None) -> float:
    """Two-sided p of a mean difference of zero: every cluster's sum as likely with the other sign.

    Exact where the differences are means over answers: the chances of all 2^clusters sums, by convolution
    over the sizes of the sums. (With one seed this is the exact McNemar test.) Else by random flips.
    """
    import numpy as np

    sums, _ = _clustered(differences, clusters)
    unit = _unit(differences)
    if unit is None:
        flips = np.random.default_rng(FLIPS_SEED).choice([-1.0, 1.0], size=(FLIPS, len(sums)))
        as_far = np.abs(flips @ sums) >= abs(sums.sum()) - 1e-12
        return float((1 + as_far.sum()) / (1 + FLIPS))
    steps = np.rint(sums / unit).astype(int)
    chance = _flipped(np.abs(steps[steps != 0]))
    reached = np.abs(np.arange(len(chance)) - len(chance) // 2) >= abs(steps.sum())
    return min(1.0, float(chance[reached].sum()))


def _flipped(sizes: NDArray[np.int_]) -> Array:
    """Chances of the sums of +-sizes with fair signs, from minus their total to their total."""
    import numpy as np
    from scipy import signal, stats

    chance = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        spread = np.zeros(2 * size * count + 1)
        spread[:: 2 * size] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        chance = signal.convolve(chance, spread, method="direct")
    return chance


def _unit(differences: Sequence[float]) -> float | None:
    """The largest 1/k of which all differences are multiples: one answer's; None where there is none."""
    import numpy as np

    values = np.unique(np.abs(np.asarray(differences, dtype=float)))
    for answers in range(1, _MOST_ANSWERS + 1):
        if np.abs(values * answers - np.rint(values * answers)).max() < 1e-9 * answers:
            return 1 / answers
    return None


def _clustered(differences: Sequence[float], clusters: Sequence[Hashable] | None) -> tuple[Array, Array]:
    """Sum of the differences and number of problems of each cluster."""
    import numpy as np

    values = np.asarray(differences, dtype=float)
    if clusters is None:
        return values, np.ones(len(values))
    places: dict[Hashable, int] = {}
    index = [places.setdefault(cluster, len(places)) for cluster in clusters]
    return np.bincount(index, values).astype(float), np.bincount(index).astype(float)


def _error(sums: Array, sizes: Array, unit: float | None) -> float:
    """Standard error of the mean over problems, never quite zero."""
    n, groups = float(sizes.sum()), len(sums)
    squares = float(((sums - sizes * sums.sum() / n) ** 2).sum()) + ((unit or 0.0) * n / groups) ** 2
    return math.sqrt(squares * groups / (groups - 1)) / n


def _quantile(freedom: int) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + LEVEL) / 2, freedom))


def _detectable_mean(differences: Sequence[float], clusters: Sequence[Hashable] | None) -> float:
    """Smallest true mean difference found with 80 % power, at the observed spread."""
    sums, sizes = _clustered(differences, clusters)
    if len(sums) < 2:
        return math.nan
    found = _error(sums, sizes, _unit(differences)) * (_quantile(len(sums) - 1) + NormalDist().inv_cdf(POWER))
    return found if found <= 1 else math.nan


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


def least_significant(n: int, unit: float | None = 1.0) -> float:
    """Smallest observed difference with p <= 0.05 on ``n`` problems: six wins by ``unit`` and no loss."""
    wins = math.ceil(math.log2(2 / (1 - LEVEL)))
    return wins * (unit or 0.0) / n if n >= wins else math.nan


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
