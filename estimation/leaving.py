"""Each report as predicted by all the others: importance weights in place of a refit (Vehtari, Gelman, Gabry 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from .predictive import Moments, Report

Floats = NDArray[np.float64]
MOST = 2000


@dataclass(frozen=True)
class LeftOut:
    """Where reports stand among their predictions.

    Parameters
    ----------
    reports : tuple of Report
    below, above : (N,)
        Predictive probability of less, and of more, than what was reported.
    reliable : (N,) bool
        The group's k-hat allows to leave it out by weights; where not, it is in its own prediction, which then
        surprises too little, never too much.
    """

    reports: tuple[Report, ...]
    below: Floats
    above: Floats
    reliable: NDArray[np.bool_]

    @property
    def surprise(self) -> Floats:
        """Two-sided predictive probability, (N,); what is inside a report's range counts half to either side."""
        inside = np.clip(1 - self.below - self.above, 0.0, 1.0)
        return np.clip(2 * np.minimum(self.below + inside / 2, self.above + inside / 2), 0.0, 1.0)


def left_out(reports: Sequence[Report], moments: Moments, likelihood: Floats) -> LeftOut:
    """Predict every report from the draws, its group left out.

    Parameters
    ----------
    reports : sequence of Report
        Batch by batch, as ``predictive.reports`` gives them.
    moments : Moments
        Of the same reports and of the draws of ``likelihood``.
    likelihood : (R, groups)
        Log probability of every group, in the order of the reports.

    Returns
    -------
    LeftOut
        Of the reports of at most 2,000 groups, evenly spaced.
    """
    columns = {group: at for at, group in enumerate(dict.fromkeys(report.group for report in reports))}
    chosen = np.unique(np.linspace(0, len(columns) - 1, min(len(columns), MOST)).astype(int))
    weights, khat = array_stats.psislw(likelihood[:, chosen], axis=0)
    size = len(likelihood)
    good = np.asarray(khat) <= min(1 - 1 / np.log10(size), 0.7)
    share = np.where(good[:, None], np.exp(weights), 1 / size)
    place = {int(column): row for row, column in enumerate(chosen)}
    kept = [(at, place[columns[r.group]]) for at, r in enumerate(reports) if columns[r.group] in place]
    below, above = np.empty(len(kept)), np.empty(len(kept))
    for number, (at, row) in enumerate(kept):
        drawn, one = moments.replicate[:, at], reports[at]
        low, high = (one.low, one.high) if one.centre is None else (one.centre, one.centre)
        below[number] = share[row] @ (drawn < low)
        above[number] = share[row] @ (drawn > high)
    return LeftOut(
        tuple(reports[at] for at, _ in kept),
        below,
        above,
        np.array([good[row] for _, row in kept], dtype=bool),
    )
