"""Counts of cells at two stages of a ratio path, of which totals over the cells are known, or ranges of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models import paths
from ..models.batches import Batch
from ..models.sums.draw import draw_parts
from .countlaws import (
    LEAST_FACTOR,
    draw_between,
    draw_negbin,
    log_binomial,
    log_binomial_within,
    log_matched,
    log_negbin_within,
    reach,
    share_out,
)
from .limited import draw_within, least_units, most_outcomes, share_within

Floats = NDArray[np.float64]
_SWEEPS = 12


def draw_two_stages(
    rng: np.random.Generator,
    batch: Batch,
    eta: Floats,
    ratio_steps: tuple[bool, ...],
    phi: Floats,
    cap: Floats,
    limit: float,
) -> Floats:
    """Draw both stages: the first total given what is said of both, the second given the first, and then the cells.

    Parameters
    ----------
    rng : Generator
    batch : Batch
        Of one group that speaks of two stages.
    eta : (R, 1, m, L)
        Linear predictors along the paths.
    ratio_steps : tuple of bool
    phi : (R, steps)
    cap : (m,)
        Most that each cell can hold at the first stage.
    limit : float
        Most outcomes at the second stage of a unit of the first.

    Returns
    -------
    (R, m, 2) float

    Notes
    -----
    The totals have the law of the density, ``models.negbin.Chain``: the second is binomial, or negative binomial where
    a step between the two is a ratio, with one mean for all units of the first. Where the limits of the cells leave so
    little room that draws are forced (``draw_within``), a total known as a range keeps the law it has without them.
    """

    def draw(rows: NDArray[np.int64], force: bool) -> Floats:
        return _both(rng, batch, eta[rows], ratio_steps, phi[rows], limit, cap if force else None)

    def beyond(some: Floats) -> NDArray[np.bool_]:
        return ((some[..., 0] > cap) | (some[..., 1] > most_outcomes(some[..., 0], limit))).any(axis=1)

    return draw_within(len(eta), draw, beyond)


def _both(
    rng: np.random.Generator,
    batch: Batch,
    eta: Floats,
    ratio_steps: tuple[bool, ...],
    phi: Floats,
    limit: float,
    cap: Floats | None,
) -> Floats:
    """Draws that keep the limits of the totals; those of the cells too where ``cap`` is given."""
    (one, first_ratio), (two, later_ratio) = (_stretch(batch, eta, ratio_steps, d) for d in (0, 1))
    log_mean, factor = (x[:, 0] for x in paths.ratio_law(eta, batch, ratio_steps, phi, paths.ARRAY))
    n = np.broadcast_to(batch.n[0][batch.mask[0]], one.shape)
    onward = np.exp(log_mean[:, 1] - log_mean[:, 0])
    spread = np.maximum(factor, LEAST_FACTOR)
    later = spread[:, 1] if later_ratio else None
    first = spread[:, 0] if first_ratio else None
    total = _first_total(rng, batch, np.exp(log_mean[:, 0]), factor[:, 0], first, onward, later, limit)
    at_first = _split(rng, total, n, one, first, cap)
    low, high = batch.low[0, 1], batch.high[0, 1]
    if later is None:
        units, chance = total[:, None], onward[:, None]
        ends = np.full(len(total), low), np.minimum(total, high)
        total = draw_between(rng, *ends, lambda at: log_binomial(at, units, chance))
    else:
        total = draw_negbin(rng, total * onward, later, low, np.minimum(high, most_outcomes(total, limit)))
    then = None if cap is None else most_outcomes(at_first, limit)
    return np.stack([at_first, _split(rng, total, at_first, two, later, then)], axis=-1)


def _stretch(batch: Batch, eta: Floats, ratio_steps: tuple[bool, ...], number: int) -> tuple[Floats, bool]:
    """Rates of the cells over one stretch of their paths, (R, m), and whether some step of it is a ratio."""
    inside = batch.segment[0] == number
    is_ratio = np.asarray(ratio_steps)[np.maximum(batch.step[0], 0)]
    log_rate = np.where(is_ratio, eta[:, 0], -np.logaddexp(0.0, -eta[:, 0]))
    rate = np.exp(np.where(inside, log_rate, 0.0).sum(axis=-1))
    return rate[:, batch.mask[0]], bool((inside & is_ratio).any())


def _first_total(
    rng: np.random.Generator,
    batch: Batch,
    mean: Floats,
    matched: Floats,
    first: Floats | None,
    onward: Floats,
    later: Floats | None,
    limit: float,
) -> Floats:
    """The total at the first stage, given its range and that of the second."""
    (low, then_low), (high, then_high) = batch.low[0], batch.high[0]
    if low == high:
        return np.full(len(mean), low)
    low = max(low, float(least_units(then_low, limit)), min(then_low, 1.0))
    wanted = then_high if np.isfinite(then_high) else then_low
    middle = np.maximum(np.maximum(mean, low), wanted / np.maximum(onward, 1e-12))
    top = np.floor(reach(middle, np.maximum(matched, LEAST_FACTOR)))
    high = np.floor(np.minimum(top, high if first is not None else min(high, batch.n[0].sum())))

    def law(at: Floats) -> Floats:
        here = log_matched(at, mean[:, None], matched[:, None])
        if later is None:
            return here + log_binomial_within(then_low, then_high, at, onward[:, None])
        return here + log_negbin_within(then_low, then_high, at * onward[:, None], later[:, None])

    return draw_between(rng, np.full(len(mean), low), np.maximum(high, low), law)


def _split(
    rng: np.random.Generator,
    total: Floats,
    n: Floats,
    rate: Floats,
    factor: Floats | None,
    cap: Floats | None,
) -> Floats:
    """Counts of the cells given their total, (R, m); ``n`` (R, m) their units, ``factor`` None without a ratio step."""
    if n.shape[1] == 1:
        return total[:, None]
    if factor is not None:
        shape = n * rate / (factor - 1)[:, None]
        if cap is None:
            return share_out(rng, total, shape)
        return share_within(rng, total, shape, np.broadcast_to(cap, shape.shape))
    out = np.empty(n.shape)
    rate = np.clip(rate, 1e-300, 1 - 1e-12)
    log_pi = np.stack([np.log1p(-rate), np.log(rate)], axis=-1)
    for row, known in enumerate(total[:, None]):
        out[row] = draw_parts(rng, log_pi[row], n[row], known, known, sweeps=_SWEEPS)[:, 1]
    return out
