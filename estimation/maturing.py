"""Counts of cohorts that are still developing, completed to what they hold at the horizon.

A unit that is pending passes later with the chance that is left to it, (p - P) / (1 - P - C) with P its chance to have
been seen and C to have been closed; a unit that reaches the stage before only later passes with the whole rate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models.batches import Batch
from ..models.blueprint import Blueprint
from ..models.contract import Group
from ..models.field import FieldDraws
from ..models.kinds.immature import Immature
from ..models.layers import own_cases
from ..models.paths import ARRAY
from ..models.revised import counted_in_the_end, unseen
from ..models.sums.draw import draw_parts_many

Floats = NDArray[np.float64]
_SWEEPS = 12


def developing(group: Group) -> bool:
    """Are its totals parts of counts that nobody has seen whole?"""
    lags = group.lags
    return lags is not None and lags.later is None and bool((group.start < group.stages[0]).all())


def mature(
    rng: np.random.Generator, blueprint: Blueprint, eta: Floats, draws: FieldDraws, counts: Floats
) -> None:
    """Fill in the complete counts of developing cohorts, stage by stage.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    eta : (R, S, A)
    draws : FieldDraws
        Of the same R draws.
    counts : (R, S + 1, A)
        Changed in place.
    """
    if not blueprint.analysis.lagged:
        return
    groups = blueprint.analysis.groups
    for stage in range(1, len(blueprint.panel.funnel.stages)):
        for batch in blueprint.batches:
            mine = [groups[number] for number in batch.groups]
            rows = [
                row
                for row, group in enumerate(mine)
                if developing(group) and group.stages[0] == stage and own_cases(group, blueprint.panel)
            ]
            if rows:
                _mature_batch(rng, blueprint, batch.take(np.array(rows)), eta, draws, counts)


def _mature_batch(
    rng: np.random.Generator,
    blueprint: Blueprint,
    batch: Batch,
    eta: Floats,
    draws: FieldDraws,
    counts: Floats,
) -> None:
    gathered = blueprint.gathered(batch, eta, draws.unknown)
    log_pi = blueprint.chances(batch, gathered, draws.unknown)
    rate = np.exp(np.where(batch.segment >= 0, -np.logaddexp(0.0, -gathered), 0.0).sum(axis=-1))
    for row, number in enumerate(batch.groups):
        group = blueprint.analysis.groups[number]
        size, stage = len(group.cells), group.stages[0]
        waiting, seen = _seen(rng, group, log_pi[:, row, :size])
        left = _left(group, log_pi[:, row, :size], rate[:, row, :size])
        total = _complete(rng, blueprint, group, draws, waiting, seen, left, rate[:, row, :size])
        columns, at = np.unique(blueprint.layout.positions[group.cells], return_inverse=True)
        filled = np.stack([total[:, at == k].sum(axis=1) for k in range(len(columns))], axis=1).astype(float)
        if len(columns) == 1:
            later = counts[:, group.start[0], columns[0]] - group.n.sum()
            filled[:, 0] += rng.binomial(np.maximum(later, 0).astype(np.int64), rate[:, row, 0])
        counts[:, stage, columns] = filled


def _complete(
    rng: np.random.Generator,
    blueprint: Blueprint,
    group: Group,
    draws: FieldDraws,
    waiting: NDArray[np.int64],
    seen: NDArray[np.int64],
    left: Floats,
    rate: Floats,
) -> NDArray[np.int64]:
    """What is counted in the end of those seen and those pending, (R, m); some of either may be revised."""
    if group.lags is None or group.lags.left is None:
        return seen + rng.binomial(waiting, left)
    settings = blueprint.kind_settings[Immature.name]
    step = np.full(group.lags.left.shape, group.stages[0] - 1)
    kept = unseen(settings, draws.unknown, step, group.lags.left, ARRAY)
    stay, come = (counted_in_the_end(one, rate, left, kept) for one in (1.0, 0.0))
    return rng.binomial(seen, np.clip(stay, 0.0, 1.0)) + rng.binomial(waiting, np.clip(come, 0.0, 1.0))


def _left(group: Group, log_pi: Floats, rate: Floats) -> Floats:
    """Chance that a pending unit passes later, (R, m): closed units never do."""
    pending = group.lags.closed if group.lags is not None else 0
    seen, open_ = np.exp(log_pi[..., pending + 1 :]).sum(axis=-1), np.exp(log_pi[..., pending])
    return np.clip((rate - seen) / np.maximum(open_, 1e-300), 0.0, 1.0)


def _seen(
    rng: np.random.Generator, group: Group, log_pi: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Units of each cell that are pending at the latest date, and those seen to have passed; (R, m) each."""
    pending = group.lags.closed if group.lags is not None else 0
    if len(group.cells) == 1 and (group.low == group.high).all():
        totals = [group.n[0], *group.low, *([0.0] if pending == len(group.low) else [])]
        waiting, seen = int(totals[pending] - totals[pending + 1]), int(totals[pending + 1])
        return np.full((len(log_pi), 1), waiting), np.full((len(log_pi), 1), seen)
    seed = int(rng.integers(2**31))
    z = draw_parts_many(seed, np.ascontiguousarray(log_pi), group.n, group.low, group.high, _SWEEPS)
    return z[..., pending], z[..., pending + 1 :].sum(axis=-1)
