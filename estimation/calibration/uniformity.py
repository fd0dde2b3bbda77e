"""Are ranks uniform? Chi-square, coverage and simultaneous bands of the distribution function, Holm over all of them.

A rank is the number of posterior draws, of ``LEVELS - 1`` of them, that lie below the truth. Where the posterior is
right it is uniform over 0, 1, …, ``LEVELS - 1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = 100  # values a rank may take
_BINS = ((100, 20), (50, 10), (0, 5))  # ranks at least, bins: five or more are expected in each


def chi_square(ranks: Ints) -> float:
    """Probability of bin counts as uneven as these; of ranks (N,)."""
    bins = next(many for least, many in _BINS if len(ranks) >= least)
    counts = np.bincount(ranks * bins // LEVELS, minlength=bins)
    return float(stats.chisquare(counts).pvalue)


def inside(ranks: Ints, mass: float) -> NDArray[np.bool_]:
    """Whether the central interval of this mass held the truth, for each rank."""
    tail = round(LEVELS * (1 - mass) / 2)
    return (ranks >= tail) & (ranks < LEVELS - tail)


def coverage(ranks: Ints, mass: float) -> float:
    """Probability of a number of intervals that hold the truth as far from ``mass`` as this one, exact."""
    return float(stats.binomtest(int(inside(ranks, mass).sum()), len(ranks), mass).pvalue)


@cache
def _tails(size: int) -> Floats:
    """Two-sided tail probability of every count of ranks up to each value, (LEVELS - 1, size + 1)."""
    share = np.arange(1, LEVELS)[:, None] / LEVELS
    counts = np.arange(size + 1)
    both = np.minimum(stats.binom.cdf(counts, size, share), stats.binom.sf(counts - 1, size, share))
    return np.minimum(2 * both, 1.0)


def worst_tail(ranks: Ints) -> float:
    """The smallest pointwise tail probability of the empirical distribution function of ranks (N,)."""
    counts = np.bincount(ranks, minlength=LEVELS).cumsum()[:-1]
    return float(_tails(len(ranks))[np.arange(LEVELS - 1), counts].min())


def bands(ranks: Ints) -> float:
    """Probability that some point of the distribution function is as extreme as the most extreme of these ranks.

    Simultaneous bands after Säilynoja, Bürkner and Vehtari (2022), turned round: the pointwise level at which the
    observed function just touches its bands gives their simultaneous level. It is exact: counts of ranks up to each
    value are a Poisson process given its total, so the chance to stay between the bands is a chain of convolutions.

    Parameters
    ----------
    ranks : (N,) int
    """
    size, worst = len(ranks), worst_tail(ranks)
    if worst >= 1.0:
        return 1.0
    step = stats.poisson.pmf(np.arange(size + 1), size / LEVELS)
    reach = int(np.flatnonzero(step > 1e-18).max()) + 1
    chance = np.zeros(size + 1)
    chance[0] = 1.0
    for tail in _tails(size):
        chance = np.convolve(chance, step[:reach])[: size + 1]
        # A count exactly as extreme as the observed one is outside, give or take rounding.
        chance[tail <= worst * (1 + 1e-9)] = 0.0
    stay = np.convolve(chance, step[:reach])[size] / stats.poisson.pmf(size, size)
    return float(np.clip(1 - stay, 0.0, 1.0))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities adjusted for their number by Holm's step-down method (1979), in the same order."""
    given = np.asarray(probabilities, dtype=float)
    order = np.argsort(given)
    raised = given[order] * (len(given) - np.arange(len(given)))
    out = np.empty_like(given)
    out[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return out.tolist()
