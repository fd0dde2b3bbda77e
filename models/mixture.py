"""Unsplit totals: the rate of a total whose cells are known only in shares, and of parts of it.

With shares π of the units at the first stage and step rates p, the units of the total that reach stage s are a share
Z(s) = Σ π_k Π p_k of all; the total's own rate of a step is Z(s+1) / Z(s), and of the units known at stage a those
that belong to a part A and reach stage s are Σ_A π_k Π p_k / Z(a). Given π that is exact for probability steps: each
unit is of some cell independently of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.panel import Panel
from .contract import Analysis, Floats, Group, Ints, Rough
from .layout import Layout
from .paths import Ops


@dataclass(frozen=True)
class Mixture:
    """Unsplit totals and their parts as arrays.

    Parameters
    ----------
    at : (P,) int
        Active position of each total.
    members : (P, K) int
        Active positions of its cells; padded with the first.
    mask : (P, K) bool
    offense : (P, K) int
        Offense leaf of each cell.
    place : (P,) int
        Position of its jurisdiction among those that have a total.
    log_share : (P, K) float
        Log of the stated mix, -inf where padded.
    pool : (Q,) int
        For each part the total it belongs to.
    inside, apart : (Q, K) bool
        Cells of the part, and cells whose counts have been taken off.
    start, stop : (Q,) int
        Stage at which the total is known, and stage the part is counted at.
    """

    at: Ints
    members: Ints
    mask: NDArray[np.bool_]
    offense: Ints
    place: Ints
    log_share: Floats
    pool: Ints
    inside: NDArray[np.bool_]
    apart: NDArray[np.bool_]
    start: Ints
    stop: Ints


def make_mixture(panel: Panel, layout: Layout, groups: Sequence[Group]) -> Mixture | None:
    """The active unsplit totals of an arranged panel; None where there are none."""
    arrangement = panel.arrangement
    if arrangement is None:
        return None
    pools = [cell for cell in sorted(arrangement.pools) if layout.positions[cell] >= 0]
    if not pools:
        return None
    width = max(len(arrangement.pools[cell]) for cell in pools)
    shape = (len(pools), width)
    members, offense = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    mask, log_share = np.zeros(shape, dtype=bool), np.full(shape, -np.inf)
    jurisdiction, period = np.zeros(len(pools), dtype=np.int64), np.zeros(len(pools), dtype=np.int64)
    for row, cell in enumerate(pools):
        inside = arrangement.pools[cell]
        o, j, t = np.unravel_index(inside, layout.shape)
        size = len(inside)
        members[row] = layout.positions[inside[0]]
        members[row, :size], offense[row, :size] = layout.positions[inside], o
        mask[row, :size] = True
        log_share[row, :size] = arrangement.shares[t[0], o]
        jurisdiction[row], period[row] = j[0], t[0]
    _, place = np.unique(jurisdiction, return_inverse=True)
    numbers = {cell: row for row, cell in enumerate(pools)}
    shown = [group for group in groups if group.part >= 0]
    pool = np.array([numbers[group.part] for group in shown], dtype=np.int64)
    return Mixture(
        at=layout.positions[np.array(pools)],
        members=members,
        mask=mask,
        offense=offense,
        place=place.astype(np.int64),
        log_share=log_share,
        pool=pool,
        inside=_which(members, mask, pool, [layout.positions[group.cells] for group in shown]),
        apart=_which(
            members, mask, pool, [layout.positions[np.array(g.apart, dtype=np.int64)] for g in shown]
        ),
        start=np.array([int(group.start[0]) for group in shown], dtype=np.int64),
        stop=np.array([group.stages[0] for group in shown], dtype=np.int64),
    )


def _which(members: Ints, mask: NDArray[np.bool_], pool: Ints, sets: Sequence[Ints]) -> NDArray[np.bool_]:
    out = np.zeros((len(pool), members.shape[1]), dtype=bool)
    for row, (number, cells) in enumerate(zip(pool, sets, strict=True)):
        out[row] = np.isin(members[number], cells) & mask[number]
    return out


def departures(factor: float, shared: float) -> tuple[float, float]:
    """Sd of the log odds by which all places together, and each by itself, depart from the stated mix."""
    sd = float(np.log(factor) / 1.96)
    return sd * float(np.sqrt(shared)), sd * float(np.sqrt(1 - shared))


def log_shares(mixture: Mixture, factor: float, shared: float, unknown: Mapping[str, Any], ops: Ops) -> Any:
    """Log shares of the cells of each total, (…, P, K), -inf where padded.

    Parameters
    ----------
    factor : float
        Each offense's odds among the rest are known within this factor either way (95 %).
    shared : float
        Part of that variance common to all places.
    unknown : mapping
        ``mix_shared`` (…, O) and ``mix_place`` (…, places, O), standard normal.
    """
    scale = departures(factor, shared)
    common = unknown["mix_shared"][..., mixture.offense]
    own = unknown["mix_place"][..., mixture.place[:, None], mixture.offense]
    safe = np.where(mixture.mask, mixture.log_share, 0.0)
    raw = ops.where(mixture.mask, safe + scale[0] * common + scale[1] * own, -np.inf)
    return raw - ops.logsumexp(raw)


def extend(
    eta: Any, log_share: Any, mixture: Mixture, ratio_steps: Sequence[bool], ops: Ops
) -> tuple[Any, Any]:
    """The linear predictor with the totals' own steps, and the predictors of their parts.

    Parameters
    ----------
    eta : (…, S, A)
    log_share : (…, P, K)

    Returns
    -------
    eta : (…, S, A)
    parts : (…, Q)
        Log of the part's mean per unit of its total where a ratio step lies between, else its logit.
    """
    reach = [log_share]
    for step, ratio in enumerate(ratio_steps):
        x = eta[..., step, :][..., mixture.members]
        reach.append(reach[-1] + (x if ratio else -ops.softplus(-x)))
    total = [ops.logsumexp(x)[..., 0] for x in reach]
    own = []
    for step, ratio in enumerate(ratio_steps):
        rate = total[step + 1] - total[step]
        own.append(rate if ratio else rate - ops.log1mexp(ops.minimum(rate, -1e-12)))
    whole = ops.put(eta, mixture.at, ops.stack(own, axis=-2))
    parts = []
    for q, pool in enumerate(mixture.pool):
        start, stop = int(mixture.start[q]), int(mixture.stop[q])
        log = _sum(reach[stop][..., pool, :], mixture.inside[q], ops) - total[start][..., pool]
        ratio = any(ratio_steps[start:stop])
        if mixture.apart[q].any() and not ratio:
            taken = _sum(reach[stop][..., pool, :], mixture.apart[q], ops) - total[start][..., pool]
            log = log - ops.log1mexp(ops.minimum(taken, -1e-12))
        parts.append(log if ratio else log - ops.log1mexp(ops.minimum(log, -1e-12)))
    return whole, ops.stack(parts, axis=-1) if parts else None


def _sum(logs: Any, which: NDArray[np.bool_], ops: Ops) -> Any:
    return ops.logsumexp(logs[..., np.flatnonzero(which)])[..., 0]


def loose_counts(analysis: Analysis) -> tuple[Rough, ...]:
    """Counts that stand for a range, in a fixed order."""
    return tuple(sorted(analysis.loose))
