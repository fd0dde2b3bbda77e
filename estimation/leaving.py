"""Each report as predicted by all the others: importance weights in place of a refit (Vehtari, Gelman, Gabry 2017)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from .predicted import Part
from .predictive import Report

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


def left_out(reports: Sequence[Report], predicted: Iterable[Part]) -> LeftOut:
    """Predict reports from the draws, the group of each left out.

    Parameters
    ----------
    reports : sequence of Report
        Batch by batch, as ``predictive.reports`` gives them.
    predicted : iterable of Part
        Of these reports.

    Returns
    -------
    LeftOut
        Of the reports of at most 2,000 groups, evenly spaced; of none where no group was evaluated.
    """
    columns = {group: at for at, group in enumerate(dict.fromkeys(report.group for report in reports))}
    chosen = np.unique(np.linspace(0, len(columns) - 1, min(len(columns), MOST)).astype(int))
    kept: list[Report] = []
    good, below, above = [np.zeros(0, dtype=bool)], [np.zeros(0)], [np.zeros(0)]
    for part in predicted:
        mine = chosen[(chosen >= part.groups.start) & (chosen < part.groups.stop)] - part.groups.start
        if not len(mine):
            continue
        weights, khat = array_stats.psislw(part.likelihood[:, mine].astype(float), axis=0)
        size = len(part.likelihood)
        reliable = np.asarray(khat) <= min(1 - 1 / np.log10(size), 0.7)
        share = np.where(reliable[:, None], np.exp(weights), 1 / size)
        place = {int(column): row for row, column in enumerate(mine)}
        some = [
            (at, place[column])
            for at, r in enumerate(part.shown)
            if (column := columns[r.group] - part.groups.start) in place
        ]
        which, row = np.array(some).T
        kept += [part.shown[at] for at in which]
        ends = [(r.low, r.high) if r.centre is None else (r.centre, r.centre) for r in kept[-len(which) :]]
        low, high = np.array(ends).T
        drawn, weighed = part.moments.replicate[:, which], share[row].T
        below.append((weighed * (drawn < low)).sum(axis=0))
        above.append((weighed * (drawn > high)).sum(axis=0))
        good.append(reliable[row])
    return LeftOut(tuple(kept), np.concatenate(below), np.concatenate(above), np.concatenate(good))
