"""Laws of one whole number, and draws from them between two ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaln

Floats = NDArray[np.float64]

LEAST_FACTOR = 1 + 1e-6
"""Variance factor below which a negative binomial is taken for the Poisson beside it."""
_STRATA = 600  # into which a range is cut; every whole number is one where they are no more
_COARSE = 64  # while the range is sought in which a law has its mass
_BEYOND = 50.0  # what a count loses for each unit above all trials
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


def log_matched(count: Floats, mean: Floats, factor: Floats) -> Floats:
    """Log probability of a count of that mean and variance factor: below 1 it is binomial, as in ``models.negbin``."""
    chance = np.maximum(1 - factor, 1e-9)
    trials = mean / chance
    over = np.maximum(count - trials - 0.5, 0.0)
    narrow = log_binomial(np.minimum(count, trials), trials, chance) - _BEYOND * over
    return np.where(factor < 1, narrow, log_negbin(count, mean, np.maximum(factor, LEAST_FACTOR)))


def log_negbin_within(low: float, high: float, mean: Floats, factor: Floats) -> Floats:
    """Log probability that a negative binomial lies in a range."""
    if low == high:
        return log_negbin(np.asarray(low), mean, factor)
    size = np.maximum(mean, 1e-300) / (factor - 1)

    def tails(count: float) -> tuple[Floats, Floats]:
        return betainc(size, count + 1, 1 / factor), betainc(count + 1, size, 1 - 1 / factor)

    return _log_within(low, high, tails, log_negbin(np.clip(mean, low, high), mean, factor))


def log_binomial_within(low: float, high: float, n: Floats, chance: Floats) -> Floats:
    """Log probability that a count of n units lies in a range that begins at n or below."""
    if low == high:
        return log_binomial(np.asarray(low), n, chance)

    def tails(count: float) -> tuple[Floats, Floats]:
        left = np.maximum(n - count, 0.0)
        some = np.maximum(left, 1e-9)
        return (
            np.where(left > 0, betainc(some, count + 1, 1 - chance), 1.0),
            np.where(left > 0, betainc(count + 1, some, chance), 0.0),
        )

    return _log_within(
        low, high, tails, log_binomial(np.clip(n * chance, low, np.minimum(high, n)), n, chance)
    )


def _log_within(
    low: float, high: float, tails: Callable[[float], tuple[Floats, Floats]], nearest: Floats
) -> Floats:
    """Log probability of a range from both tails, of which one keeps the digits; of its likeliest number at least."""
    under, over = tails(low - 1) if low > 0 else (0.0, 1.0)
    upto, beyond = tails(high) if np.isfinite(high) else (1.0, 0.0)
    return np.maximum(np.log(np.maximum(np.maximum(upto - under, over - beyond), 1e-300)), nearest)


def share_out(rng: np.random.Generator, total: Floats, shape: Floats) -> Floats:
    """Totals (R,) of negative binomials with one variance factor and sizes ``shape`` (R, m), shared among them.

    They are Dirichlet-multinomial; gammas of small shape are drawn by their logs, lest all of them vanish.
    """
    if shape.shape[1] == 1:
        return total[:, None].astype(float)
    few = np.maximum(shape, 1e-300)
    logs = np.log(rng.gamma(few + 1)) + np.log(1 - rng.uniform(size=few.shape)) / few
    weight = np.where(shape > 0, np.exp(_relative(np.where(shape > 0, logs, -1e300))), 0.0)
    whole = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    return rng.multinomial(total.astype(np.int64), weight / whole).astype(float)


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
    end = np.floor(np.minimum(high, reach(np.maximum(mean, begin), factor)))
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
