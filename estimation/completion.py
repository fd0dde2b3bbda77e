"""Complete counts: the unobserved counts drawn from their law given the rates and every hard statement.

A finite-population rate is a ratio of complete counts, so every draw must reproduce what was recorded exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models import paths
from ..models.batches import Batch
from ..models.blueprint import Blueprint
from ..models.contract import Group
from ..models.field import FieldDraws
from ..models.layers import own_cases
from ..models.limits import per_unit
from ..models.rates import rates_of
from ..models.sums.draw import draw_parts_many
from ..models.sums.fibre import draw_fibre
from .countlaws import LEAST_FACTOR, draw_negbin, share_out
from .limited import draw_within, most_outcomes, range_within, share_within
from .maturing import mature
from .onecell import fill
from .predictive import cell_moments
from .rough import is_rough, place_rough
from .rows import draws_last
from .twostages import draw_two_stages

Floats = NDArray[np.float64]
_SWEEPS = 12


def complete(
    rng: np.random.Generator,
    blueprint: Blueprint,
    eta: Floats,
    draws: FieldDraws,
    rates: Floats | None = None,
) -> Floats:
    """Draw complete counts of the active cells.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    eta : (R, S, A)
        Linear predictors, one row a draw.
    draws : FieldDraws
        Of the same R draws.
    rates : (R, S, A), optional
        Rates of the cells, those of ``eta`` by default. With beta-binomial overdispersion each cell has a rate of its
        own, drawn by ``contraction.cell_rates``: its counts are those of that rate.

    Returns
    -------
    (R, S + 1, A) float
        NaN where the first stage itself is unknown. Where every count is known, a view that repeats them.

    Raises
    ------
    ValueError
        Cells have rates of their own, and none are given.
    """
    if rates is None and draws.concentration is not None:
        raise ValueError(
            "rates: with beta-binomial overdispersion pass those that contraction.cell_rates has drawn"
        )
    layout, funnel = blueprint.layout, blueprint.panel.funnel
    size = len(eta)
    known = blueprint.analysis.counts[:, layout.cells]
    rough = is_rough(blueprint.analysis)
    if np.isfinite(known).all() and not rough:
        return np.broadcast_to(known, (size, *known.shape))
    # In memory the draws come last: counts are drawn cell by cell, for all draws at a time.
    counts = np.moveaxis(np.repeat(known[..., None], size, axis=2), -1, 0)
    if rough:
        place_rough(blueprint, draws, counts)
    _begin(blueprint, draws, counts)
    for batch in blueprint.batches:
        _complete_batch(rng, blueprint, batch, eta, draws, counts)
    mature(rng, blueprint, eta, draws, counts)
    last = (
        draws_last(eta, lambda x: rates_of(x, blueprint.ratio_steps)) if rates is None else draws_last(rates)
    )
    rates = np.moveaxis(last, -1, 0)
    _forward_shares(blueprint, rates, counts)
    limit = per_unit(funnel)
    for stage in range(1, len(funnel.stages)):
        for column in np.flatnonzero(np.isnan(counts[0, stage]) & np.isfinite(counts[0, stage - 1])):
            cell = counts[:, :, column], rates[:, :, column]
            counts[:, stage, column] = fill(rng, *cell, draws.phi, blueprint.ratio_steps, limit, stage)
    return counts


def _complete_batch(
    rng: np.random.Generator,
    blueprint: Blueprint,
    batch: Batch,
    eta: Floats,
    draws: FieldDraws,
    counts: Floats,
) -> None:
    """Fill the counts of one batch's cells at the stages its groups speak of."""
    analysis, layout = blueprint.analysis, blueprint.layout
    limit = per_unit(blueprint.panel.funnel)
    # A look at the cells of all rows at once: to make their groups takes as long as to fill some.
    unknown = np.isnan(counts[0]).any(axis=0)
    inside = batch.slots < layout.steps * layout.size
    rows = np.flatnonzero((~inside | unknown[batch.slots % layout.size]).any(axis=(1, 2)))

    def is_open(group: Group) -> bool:
        here = np.ix_(group.stages, layout.positions[group.cells])
        return completed(blueprint, group) and bool(np.isnan(counts[0][here]).any())

    todo = [row for row in rows.tolist() if is_open(analysis.groups[batch.groups[row]])]
    for row in todo:
        group = analysis.groups[batch.groups[row]]
        columns = layout.positions[group.cells]
        one = batch.row(row)
        gathered = blueprint.gathered(one, eta, draws.unknown)
        at_end = np.where(group.end >= 0, counts[:, np.maximum(group.end, 0), columns], 0.0)
        cap = most_outcomes(group.n, limit[group.start, group.stages[0]])
        if batch.members is not None:
            drawn = _crossed(rng, blueprint, group, one, gathered, draws, cap)
            counts[:, group.stages[0], columns] = drawn + at_end
            continue
        if batch.ratio and batch.depth > 1:
            then = float(limit[group.stages])
            both = draw_two_stages(rng, one, gathered, blueprint.ratio_steps, draws.phi, cap, then)
            counts[:, np.array(group.stages)[:, None], columns] = np.moveaxis(both, -1, 1)
            continue
        if batch.ratio:
            drawn = _ratio_parts(rng, one, gathered, blueprint.ratio_steps, draws.phi, cap)
            counts[:, group.stages[0], columns] = drawn
            continue
        log_pi = blueprint.chances(one, gathered, draws.unknown)[:, 0, : len(columns)]
        z = draw_parts_many(
            int(rng.integers(2**31)), np.ascontiguousarray(log_pi), group.n, group.low, group.high, _SWEEPS
        )
        for place, stage in enumerate(group.stages):
            counts[:, stage, columns] = z[:, :, place + 1 :].sum(axis=2) + at_end


def _crossed(
    rng: np.random.Generator,
    blueprint: Blueprint,
    group: Group,
    batch: Batch,
    gathered: Floats,
    draws: FieldDraws,
    cap: Floats,
) -> Floats:
    """Counts of the cells given totals that cross, (R, m): a walk over the tables that meet all of them."""
    assert group.members is not None
    mean, variance = (x[:, 0, : len(group.cells)] for x in cell_moments(blueprint, batch, gathered, draws))
    if batch.ratio:
        factor = np.maximum(variance / mean, LEAST_FACTOR)
        weight, size = np.log1p(-1 / factor), -mean / (factor - 1)
    else:
        weight = np.log(mean) - np.log(group.n - mean)
        size, cap = np.broadcast_to(group.n, mean.shape), group.n
    seed = int(rng.integers(2**31))
    return draw_fibre(seed, group.members, group.low, weight, size, cap, mean.mean(axis=0)).astype(float)


def _begin(blueprint: Blueprint, draws: FieldDraws, counts: Floats) -> None:
    """Where each cell's counts begin: a share of an unsplit total, or a count of mixed origin for want of another.

    Cells of an unsplit total hold what they may expect, not whole numbers: they weight rates and are no counts.
    """
    layout, analysis = blueprint.layout, blueprint.analysis
    if analysis.weights is not None:
        start = analysis.weights[:, layout.cells]
        first = np.argmax(np.isfinite(start), axis=0)
        columns = np.flatnonzero(np.isfinite(start).any(axis=0) & np.isnan(counts[0]).all(axis=0))
        counts[:, first[columns], columns] = start[first[columns], columns]
    mixture = blueprint.mixture
    if mixture is None:
        return
    shares = np.exp(blueprint.log_shares(mixture, draws.unknown, paths.ARRAY))
    rows, places = np.nonzero(mixture.mask & (layout.member_of[mixture.members] >= 0))
    counts[:, 0, mixture.members[rows, places]] = counts[:, 0, mixture.at[rows]] * shares[:, rows, places]


def _forward_shares(blueprint: Blueprint, rates: Floats, counts: Floats) -> None:
    """Expected counts of the cells of unsplit totals at later stages."""
    cells = np.flatnonzero(blueprint.layout.member_of >= 0)
    for stage in range(1, counts.shape[1]):
        counts[:, stage, cells] = counts[:, stage - 1, cells] * rates[:, stage - 1, cells]


def completed(blueprint: Blueprint, group: Group) -> bool:
    """Are a group's reports met by the complete counts?

    Counts of developing cohorts are parts of complete ones; see ``maturing``.
    """
    return group.lags is None and own_cases(group, blueprint.panel)


def _ratio_parts(
    rng: np.random.Generator,
    batch: Batch,
    eta: Floats,
    ratio_steps: tuple[bool, ...],
    phi: Floats,
    cap: Floats,
) -> Floats:
    """Counts along a ratio path given their total or its range, (R, m), each at most its ``cap`` (m,).

    Given the total, negative binomials with one variance factor are Dirichlet-multinomial with their sizes.
    """
    mean, variance = (
        x[:, 0, : len(cap)] for x in paths.ratio_mean(eta, batch, ratio_steps, phi, paths.ARRAY)
    )
    total_mean = mean.sum(axis=1)
    factor = np.maximum(variance.sum(axis=1) / total_mean, LEAST_FACTOR)
    shape = mean / (factor[:, None] - 1)
    low, high = batch.low[0, 0], batch.high[0, 0]

    def draw(rows: NDArray[np.int64], force: bool) -> Floats:
        if low == high:
            total = np.full(len(rows), low)
        else:
            total = draw_negbin(rng, total_mean[rows], factor[rows], low, high)
        if not force:
            return share_out(rng, total, shape[rows])
        some = share_within(rng, total, shape[rows], np.broadcast_to(cap, (len(rows), len(cap))))
        if low == high:
            return some
        return range_within(rng, some, low, high, mean[rows], factor[rows], cap)

    return draw_within(len(eta), draw, lambda some: (some > cap).any(axis=1))
