"""Laws of one whole number, and draws from them between two ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]

LEAST_FACTOR = 1 + 1e-6
"""Variance factor below which a negative binomial is taken for the Poisson beside it."""
_STRATA = 600  # into which a range is cut; every whole number is one where they are no more
_COARSE = 64  # while the range is sought in which a law has its mass
_GONE = 60.0  # what a law has lost in log probability where it is not followed further
_ROUNDS = 16


def log_negbin(count: Floats, mean: Floats, factor: Floats) -> Floats:
    """Log probability of a negative binomial with the given mean and variance factor > 1; of mean 0 all at 0."""
    size = np.maximum(mean, 1e-300) / (factor - 1)
    return (
        gammaln(count + size) - gammaln(size) - gammaln(count + 1) - size * np.log(factor)
        + count * np.log1p(-1 / factor)
    )  # fmt: skip


def log_binomial(count: Floats, n: Floats, chance: Floats) -> Floats:
    """Log probability of a count of n units."""
    inside = np.clip(chance, 1e-300, 1 - 1e-12)
    return (
        gammaln(n + 1) - gammaln(count + 1) - gammaln(n - count + 1)
        + count * np.log(inside) + (n - count) * np.log1p(-inside)
    )  # fmt: skip


def reach(mean: Floats, factor: Floats) -> Floats:
    """A count above which a negative binomial has nothing left to speak of."""
    return mean + 12 * np.sqrt(mean * factor) + 40 * factor


def draw_between(
    rng: np.random.Generator, low: Floats, high: Floats, log_law: Callable[[Floats], Floats]
) -> Floats:
    """Whole numbers from unimodal laws, each between its two ends.

    Parameters
    ----------
    rng : Generator
    low, high : (R,)
        Inclusive and finite.
    log_law : callable
        Log probabilities (R, G) of numbers (R, G), up to a constant a row; also between whole numbers.

    Returns
    -------
    (R,) float

    Notes
    -----
    A range is first narrowed to where the law has its mass. What is then left is drawn exactly where it holds 600
    numbers or fewer; a longer range is cut into strata, single numbers at its low end and wider ones further on, whose
    mass is taken from the middle, and within which all are alike.
    """
    low, high = _narrowed(low, high, log_law)
    first, last = _strata(low, high, _STRATA)
    mass = _middles(first, last, log_law) + np.log(np.maximum(last - first + 1, 1))
    p = np.exp(_relative(mass)).cumsum(axis=1)
    place = (p < rng.uniform(size=(len(p), 1)) * p[:, -1:]).sum(axis=1)
    at = (np.arange(len(p)), np.minimum(place, p.shape[1] - 1))
    return first[at] + np.floor(rng.uniform(size=len(p)) * (last[at] - first[at] + 1))


def draw_negbin(
    rng: np.random.Generator, mean: Floats, factor: Floats, low: Floats | float, high: Floats | float
) -> Floats:
    """Draws of negative binomials within ranges, (R,); ``high`` may be infinite."""
    begin = np.broadcast_to(np.asarray(low, dtype=float), mean.shape)
    end = np.minimum(high, np.floor(reach(np.maximum(mean, begin), factor)))
    return draw_between(rng, begin, end, lambda at: log_negbin(at, mean[:, None], factor[:, None]))


def _strata(low: Floats, high: Floats, size: int) -> tuple[Floats, Floats]:
    """First and last number of each stratum, (R, G); of an empty one the last is below the first."""
    length = (high - low + 1)[:, None]
    number = np.arange(min(size, int(length.max())) + 1)
    single = size // 8
    beyond = np.maximum(number - single, 0)
    # Near its low end a law may fall as a power of the count, so that strata widen with the distance from there.
    wide = np.rint((length - single) * (beyond / (size - single)) ** 2)
    edge = np.minimum(np.minimum(number, single) + np.maximum(beyond, wide), length)
    return low[:, None] + edge[:, :-1], low[:, None] + edge[:, 1:] - 1


def _middles(first: Floats, last: Floats, log_law: Callable[[Floats], Floats]) -> Floats:
    """Log probability of the middle of each stratum, -inf of empty ones."""
    some = last >= first
    return np.where(some, log_law(np.where(some, (first + last) / 2, first[:, :1])), -np.inf)


def _relative(logs: Floats) -> Floats:
    return logs - logs.max(axis=1, keepdims=True)


def _narrowed(low: Floats, high: Floats, log_law: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """The parts of ranges in which the laws have their mass.

    Of a unimodal law the mode lies in the stratum whose middle is the most probable, or beside it.
    """
    for _ in range(_ROUNDS):
        if (high - low).max() < _STRATA:
            break
        first, last = _strata(low, high, _COARSE)
        kept = _relative(_middles(first, last, log_law)) > -_GONE
        row, end = np.arange(len(kept)), kept.shape[1] - 1
        begin = np.maximum(kept.argmax(axis=1) - 1, 0)
        finish = np.minimum(end - kept[:, ::-1].argmax(axis=1) + 1, end)
        shorter = last[row, finish] - first[row, begin] < 0.9 * (high - low)
        low, high = first[row, begin], np.maximum(last[row, finish], first[row, begin])
        if not shorter.any():
            break
    return low, high
