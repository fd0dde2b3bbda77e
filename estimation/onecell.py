"""Counts of one cell at a stage that nobody spoke of, given the stage before and, where known, a later one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models.blueprint import Blueprint
from .countlaws import LEAST_FACTOR, draw_between, log_binomial, log_negbin, reach

Floats = NDArray[np.float64]


def fill(
    rng: np.random.Generator,
    blueprint: Blueprint,
    counts: Floats,
    rates: Floats,
    phi: Floats,
    stage: int,
    end: int,
    column: int,
) -> Floats:
    """Draw the counts of one cell at one stage.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    counts : (R, S + 1, A)
        Known or drawn at the stage before, and at ``end``.
    rates : (R, S, A)
    phi : (R, S)
        Variance factors of the ratio steps.
    stage, end, column : int
        The stage, the next later one that is known (-1 for none), and the cell.

    Returns
    -------
    (R,) float
    """
    ratio = blueprint.ratio_steps
    before, p = counts[:, stage - 1, column], rates[:, stage - 1, column]
    if end < 0:
        return _forward(rng, before, p, phi[:, stage - 1] if ratio[stage - 1] else None)
    after, onward = counts[:, end, column], rates[:, stage:end, column].prod(axis=1)
    if not any(ratio[stage - 1 : end]):
        given = p * (1 - onward) / np.maximum(1 - p * onward, 1e-300)
        return after + rng.binomial((before - after).astype(np.int64), np.clip(given, 0, 1))
    first = np.maximum(phi[:, stage - 1], LEAST_FACTOR) if ratio[stage - 1] else None
    later = _factor(ratio[stage:end], rates[:, stage:end, column], phi[:, stage:end])
    return _between(rng, before, after, p, onward, first, later)


def _forward(rng: np.random.Generator, before: Floats, rate: Floats, factor: Floats | None) -> Floats:
    """Outcomes of counted units: binomial, or negative binomial where there is a variance factor."""
    if factor is None:
        return rng.binomial(before.astype(np.int64), rate).astype(float)
    excess = np.maximum(factor - 1, 1e-9)
    return rng.poisson(rng.gamma(np.maximum(before * rate / excess, 1e-300), excess)).astype(float)


def _factor(ratio: tuple[bool, ...], rates: Floats, phi: Floats) -> Floats | None:
    """Variance factor at the end of some steps as ``paths.ratio_mean`` has it, None where none is a ratio."""
    if not any(ratio):
        return None
    factor = np.zeros(len(rates))
    for step, is_ratio in enumerate(ratio):
        one = rates[:, step]
        factor = one * factor + (phi[:, step] if is_ratio else 1 - one)
    return np.maximum(factor, LEAST_FACTOR)


def _between(
    rng: np.random.Generator,
    before: Floats,
    after: Floats,
    rate: Floats,
    onward: Floats,
    first: Floats | None,
    later: Floats | None,
) -> Floats:
    """A count between two known ones where a step is a ratio: its law is the product of that of either stretch.

    ``first`` and ``later`` are the variance factors of the stretches, None where they are of probability steps alone.
    """
    mean = before * rate
    low = after if later is None else np.minimum(after, 1.0)
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

    return draw_between(rng, low, np.maximum(high, low), law)
