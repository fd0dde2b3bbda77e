"""How far the data moved each number: against the prior, and against an exchangeable new unit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws, draw_block, spread
from ..models.paths import ARRAY
from ..models.rates import rates_of
from .rows import Bools, Floats, Rows, link

_PRIOR_DRAWS = 1000


def cell_rates(
    rng: np.random.Generator, blueprint: Blueprint, eta: Floats, draws: FieldDraws, observed: bool
) -> Floats:
    """Rates of the active cells, (R, S, A).

    With beta-binomial overdispersion a cell's own rate is drawn around the linear predictor: from its conjugate
    posterior where its counts are known and ``observed`` is set, from the population otherwise.
    """
    rates = rates_of(eta, blueprint.ratio_steps)
    if draws.concentration is None:
        return rates
    total = draws.concentration[:, None, None]
    counts = blueprint.analysis.counts[:, blueprint.layout.cells]
    both = (
        np.isfinite(counts[1:]) & np.isfinite(counts[:-1]) if observed else np.zeros(counts[1:].shape, bool)
    )
    success = np.where(both, counts[1:], 0.0)
    failure = np.where(both, counts[:-1] - counts[1:], 0.0)
    return rng.beta(total * rates + success, total * (1 - rates) + failure)


def distinguishing(blueprint: Blueprint) -> Bools:
    """Axes along which some effect tells units apart, in the order of AXES, (3,)."""
    if blueprint.concentration is not None:
        return np.ones(3, dtype=bool)
    return np.array([any(axis in block.axes for block in blueprint.blocks) for axis in AXES])


def touched(blueprint: Blueprint) -> Bools:
    """Step-cells on the path of some statement, (S, A)."""
    layout = blueprint.layout
    flags = np.zeros(layout.steps * layout.size, dtype=bool)
    for batch in blueprint.batches:
        inside = (batch.segment >= 0) & batch.mask[..., None] & (batch.slots < flags.size)
        flags[batch.slots[inside]] = True
    out = flags.reshape(layout.steps, layout.size)
    for group in blueprint.analysis.groups:
        if group.part >= 0:
            steps = np.arange(min(int(group.start[0]), group.stages[0] - 1), group.stages[0])
            out[np.ix_(steps, layout.positions[group.cells])] = True
    return out


def _variance(values: Floats) -> Floats:
    return values.var(axis=0) if len(values) > 1 else np.full(values.shape[1], np.nan)


class Reference:
    """Variances, on the link scale, of what a row would be before its data: by prior, and as a new unit.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    draws : FieldDraws
        Posterior draws; thinned ones will do.
    weights : (S + 1, A)
        Mean counts, which weight the cells of an aggregate.
    """

    def __init__(
        self, rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws, weights: Floats
    ) -> None:
        self._blueprint = blueprint
        self._draws = draws
        self._rng = rng
        self._weights = np.nan_to_num(weights)
        prior = blueprint.prior_draws(rng, _PRIOR_DRAWS)
        eta = blueprint.predictor(prior)
        self.prior_rates = cell_rates(rng, blueprint, eta, prior, observed=False)

    def _rows(self, member: sp.csr_matrix, rates: Floats, step: Step) -> Floats:
        path = rates[:, step.source : step.target].prod(axis=1)
        weighted = member.multiply(self._weights[step.source]).tocsr()
        total = np.asarray(weighted.sum(axis=1)).ravel()
        plain = np.flatnonzero(total <= 0)
        if len(plain):
            lil = weighted.tolil()
            lil[plain] = member[plain]
            weighted = lil.tocsr()
            total = np.asarray(weighted.sum(axis=1)).ravel()
        return link((path @ weighted.T) / np.maximum(total, 1e-300), step.kind == "ratio")

    def prior(self, rows: Rows, step: Step) -> Floats:
        """Prior draws of the rows on the link scale, (R, N)."""
        return self._rows(rows.member, self.prior_rates, step)

    def new_unit(self, rows: Rows, step: Step) -> Floats:
        """Variance of each row as an exchangeable new unit, (N,); NaN for rows that have no siblings."""
        out = np.full(len(rows), np.nan)
        apart = ~rows.whole & distinguishing(self._blueprint)
        for combination in itertools.product([False, True], repeat=3):
            if not any(combination):
                continue
            hit = np.flatnonzero((apart == np.array(combination)).all(axis=1))
            if not len(hit):
                continue
            axes = tuple(axis for axis, used in zip(AXES, combination, strict=True) if used)
            rates = self._redrawn(axes)
            for part in _chunks(hit):
                out[part] = _variance(self._rows(rows.member[part], rates, step))
        return out

    def _redrawn(self, axes: tuple[str, ...]) -> Floats:
        """Rates with every effect that varies over the given axes drawn afresh from its population."""
        blueprint, draws = self._blueprint, self._draws
        afresh = [block for block in blueprint.blocks if set(block.axes) & set(axes)]
        eta = draws.eta(blueprint.blocks, blueprint.layout, [block.name for block in afresh])
        for block in afresh:
            fresh = draw_block(self._rng, block, draws.sd[block.name], blueprint.layout, fresh=True)
            eta += spread(fresh, block, blueprint.layout)
        eta = blueprint.extended(eta, draws.unknown, ARRAY)[0]
        return cell_rates(self._rng, blueprint, eta, draws, observed=False)


def _chunks(index: NDArray[np.int64], size: int = 4000) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(index), size):
        yield index[start : start + size]


def contraction(posterior: Floats, reference: Floats) -> Floats:
    """1 - posterior variance / reference variance, held within [0, 1]; NaN where there is no reference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        out = 1 - posterior / reference
    return np.where(
        np.isfinite(reference) & (reference > 0),
        np.clip(out, 0, 1),
        np.where(np.isnan(reference), np.nan, 0.0),
    )
