"""Counts of one cell at a stage that nobody spoke of, given the stage before and, where known, a later one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models.paths import ARRAY, onward
from .countlaws import LEAST_FACTOR, draw_between, log_binomial, log_negbin, reach
from .limited import least_units, most_outcomes

Floats = NDArray[np.float64]


def fill(
    rng: np.random.Generator,
    counts: Floats,
    rates: Floats,
    phi: Floats,
    ratio: tuple[bool, ...],
    limit: Floats,
    stage: int,
) -> Floats:
    """Draw the counts of one cell at one stage.

    Parameters
    ----------
    rng : Generator
    counts : (R, S + 1)
        Of the cell, known or drawn at the stage before; NaN where unknown.
    rates : (R, S)
    phi : (R, S)
        Variance factors of the ratio steps.
    ratio : tuple of bool
        Which steps are ratios.
    limit : (S + 1, S + 1)
        Most outcomes of a unit, ``models.limits.per_unit``.
    stage : int

    Returns
    -------
    (R,) float
    """
    before, p = counts[:, stage - 1], rates[:, stage - 1]
    first = np.maximum(phi[:, stage - 1], LEAST_FACTOR) if ratio[stage - 1] else None
    known = [b for b in range(stage + 1, counts.shape[1]) if np.isfinite(counts[0, b])]
    least, greatest = _ends(counts, ratio, limit, stage, known)
    if not known:
        return _forward(rng, before, p, first, greatest)
    end = known[0]
    after, onward = counts[:, end], rates[:, stage:end].prod(axis=1)
    if not any(ratio[stage - 1 : end]):
        given = np.clip(p * (1 - onward) / np.maximum(1 - p * onward, 1e-300), 0, 1)
        return after + _forward(rng, before - after, given, None, greatest - after)
    later = _factor(ratio[stage:end], rates[:, stage:end], phi[:, stage:end])
    return _between(rng, before, after, p, onward, first, later, least, greatest)


def _ends(
    counts: Floats, ratio: tuple[bool, ...], limit: Floats, stage: int, known: list[int]
) -> tuple[Floats, Floats]:
    """Least and greatest count that the limits of ratio steps leave, (R,); (1,) where there is no limit."""
    least, greatest = np.zeros(1), np.full(1, np.inf)
    if not any(ratio):
        return least, greatest
    for a in range(stage):
        if any(ratio[a:stage]) and np.isfinite(limit[a, stage]) and np.isfinite(counts[0, a]):
            greatest = np.minimum(greatest, most_outcomes(counts[:, a], limit[a, stage]))
    for b in known:
        if any(ratio[stage:b]) and np.isfinite(limit[stage, b]):
            least = np.maximum(least, least_units(counts[:, b], limit[stage, b]))
    return least, greatest


def _forward(
    rng: np.random.Generator, before: Floats, rate: Floats, factor: Floats | None, greatest: Floats
) -> Floats:
    """Outcomes of counted units: binomial, or negative binomial where there is a variance factor."""
    if factor is None:
        out = rng.binomial(before.astype(np.int64), rate).astype(float)
    else:
        excess = factor - 1
        out = rng.poisson(rng.gamma(np.maximum(before * rate / excess, 1e-300), excess)).astype(float)
    if len(greatest) > 1 and (out > greatest).any():
        over = np.flatnonzero(out > greatest)
        ends, n, p = (np.zeros(len(over)), greatest[over]), before[over, None], rate[over, None]
        if factor is None:
            out[over] = draw_between(rng, *ends, lambda at: log_binomial(at, n, p))
        else:
            phi = factor[over, None]
            out[over] = draw_between(rng, *ends, lambda at: log_negbin(at, n * p, phi))
    return out


def _factor(ratio: tuple[bool, ...], rates: Floats, phi: Floats) -> Floats | None:
    """Variance factor at the end of some steps, None where none is a ratio."""
    if not any(ratio):
        return None
    factor = np.zeros(len(rates))
    for step, is_ratio in enumerate(ratio):
        factor = onward(factor, rates[:, step], phi[:, step], is_ratio, ARRAY)
    return np.maximum(factor, LEAST_FACTOR)


def _between(
    rng: np.random.Generator,
    before: Floats,
    after: Floats,
    rate: Floats,
    onward: Floats,
    first: Floats | None,
    later: Floats | None,
    least: Floats,
    greatest: Floats,
) -> Floats:
    """A count between two known ones where a step is a ratio: its law is the product of that of either stretch.

    ``first`` and ``later`` are the variance factors of the stretches, None where they are of probability steps alone.
    """
    mean = before * rate
    low = np.maximum(after if later is None else np.minimum(after, 1.0), least)
    if first is None:
        high = before
    else:
        # Above both modes the product falls as fast as the first law.
        high = np.floor(reach(np.maximum(mean, after / np.maximum(onward, 1e-12)), first))

    def law(at: Floats) -> Floats:
        if first is None:
            logs = log_binomial(at, before[:, None], rate[:, None])
        else:
            logs = log_negbin(at, mean[:, None], first[:, None])
        if later is None:
            return logs + log_binomial(after[:, None], at, onward[:, None])
        return logs + log_negbin(after[:, None], at * onward[:, None], later[:, None])

    return draw_between(rng, low, np.maximum(np.minimum(high, greatest), low), law)
