"""Which steps are informed by sums over offenses alone, and each offense's share of the referrals behind them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data.panel import Panel
from .contract import Analysis

Floats = NDArray[np.float64]


def margins_only(panel: Panel, analysis: Analysis) -> tuple[bool, ...]:
    """For each step, whether statements inform it and every one of them sums over several offenses.

    What counts is what a statement says, not what is left of it: where all referrals are of one offense a total over
    offenses tells its rate, but in a place of one offense. An unsplit total is one cell, whose mix nobody recorded.
    """
    steps = len(panel.funnel.steps)
    informed, apart = np.zeros(steps, dtype=bool), np.zeros(steps, dtype=bool)
    for group in analysis.groups:
        if apart.all():
            break
        span = slice(int(group.start.min()), max(*group.stages, int(group.end.max())))
        informed[span] = True
        if any(_of_one(panel, name) for stage in group.statements for name in stage):
            apart[span] = True
    return tuple(bool(on) for on in informed & ~apart)


def _of_one(panel: Panel, name: str) -> bool:
    """Does a statement count one offense alone?"""
    statement = panel.by_id[name]
    if panel.arrangement is None:
        return len(panel.axes.offense.positions[statement.offense]) == 1
    return len(np.unique(np.unravel_index(panel.cells(statement), panel.axes.shape)[0])) == 1


def share_departures(panel: Panel, analysis: Analysis) -> Floats:
    """How far each offense's share of the referrals of a place and period lies from its mean, (O, J, T).

    The mean is over the referrals of the offense: what is linear in the departures leaves its rate over all places
    where it is. Where the referrals of some offense are unknown the share is, and the departure is 0.
    """
    axes = panel.axes
    plain = np.array([not axes.offense.by_name[leaf].made for leaf in axes.offense.leaves])
    counts = np.where(plain[:, None, None], analysis.counts[0].reshape(axes.shape), 0.0)
    whole = counts.sum(axis=0)
    known = np.isfinite(whole) & (np.nan_to_num(whole) > 0) & plain[:, None, None]
    n = np.where(known, counts, 0.0)
    share = n / np.where(known, whole, 1.0)
    mean = (n * share).sum(axis=(1, 2)) / np.maximum(n.sum(axis=(1, 2)), 1.0)
    return np.where(known, share - mean[:, None, None], 0.0)
