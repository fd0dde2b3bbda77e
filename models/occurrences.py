"""Period totals as sums over cohorts: outcomes dated in a period, whichever cohort they belong to.

"Arrests made in 2024" holds those of the referrals of 2024 and of every cohort before them that can still convert.
Totals of successive periods share cohorts, so that they have one density: a unit converts in one of them or in none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..data.panel import Panel
from ..data.statement import Statement
from .clashes import place
from .contract import Analysis, Decision, Group, Ints
from .developing import Developing
from .lags import EVER, Lags


@dataclass(frozen=True)
class Occurrence:
    """A count of outcomes by their own date.

    Parameters
    ----------
    statement : Statement
    low, high : float
    pairs : tuple of (offense, jurisdiction)
        Leaf positions.
    first, last : int
        Period leaves it covers, from and to.
    """

    statement: Statement
    low: float
    high: float
    pairs: tuple[tuple[int, int], ...]
    first: int
    last: int


def read_occurrence(panel: Panel, statement: Statement, low: float, high: float) -> Occurrence:
    """Where a period count stands."""
    o, j, t = np.unravel_index(panel.cells(statement), panel.axes.shape)
    pairs = tuple(sorted(set(zip(o.tolist(), j.tolist(), strict=True))))
    return Occurrence(statement, low, high, pairs, int(t.min()), int(t.max()))


def period_groups(
    panel: Panel,
    analysis: Analysis,
    found: Sequence[Occurrence],
    horizon: int,
    developing: Developing,
) -> tuple[list[Group], list[Decision]]:
    """Groups of period counts, after all counts of cohorts.

    Parameters
    ----------
    panel : Panel
    analysis : Analysis
        Of the statements that do not depend on when they were known.
    found : sequence of Occurrence
    horizon : int
    developing : Developing
        The counts of cohorts put together so far; cells they speak of are closed to period counts.
    """
    maker = _Periods(panel, analysis, horizon, developing)
    families: dict[tuple[int, tuple[tuple[int, int], ...]], list[Occurrence]] = defaultdict(list)
    for one in found:
        families[panel.funnel.index(one.statement.stage), one.pairs].append(one)
    for (stage, pairs), family in sorted(families.items(), key=lambda item: (item[0][0], len(item[0][1]))):
        maker.add(stage, pairs, family)
    return maker.groups, maker.decisions


class _Periods:
    """Groups of period counts, those of fewer cells first."""

    def __init__(self, panel: Panel, analysis: Analysis, horizon: int, developing: Developing) -> None:
        self._panel, self._analysis, self._horizon = panel, analysis, horizon
        self._developing = developing
        self.groups: list[Group] = []
        self.decisions: list[Decision] = []

    def add(self, stage: int, pairs: tuple[tuple[int, int], ...], family: Sequence[Occurrence]) -> None:
        """One density for the counts of the same offenses and places."""
        reach = stage * self._horizon
        leaves = self._panel.axes.period.leaves
        kept: list[Occurrence] = []
        for one in sorted(family, key=lambda x: (x.last - x.first, x.first)):
            if one.first < reach:
                since = f"outcomes of referrals before {leaves[0]}, and those are not recorded"
                self._settle(one, f"it also holds {since}", "unused")
            elif one.low != one.high and len(family) > 1:
                self._settle(one, "known only roughly, beside other periods that share its cohorts", "unused")
            elif any(one.first <= other.last and other.first <= one.last for other in kept):
                self._settle(one, "its periods are counted by themselves", "dropped")
            else:
                kept.append(one)
        runs = _runs(sorted(kept, key=lambda x: x.first))
        if not runs:
            return
        run = max(runs, key=lambda r: (len(r), r[-1].last))
        for other in runs:
            if other is not run:
                for one in other:
                    reason = (
                        "the periods between it and the others are not counted; they share unobserved counts"
                    )
                    self._settle(one, reason, "unused")
        self._join(stage, pairs, run, reach)

    def _join(
        self, stage: int, pairs: tuple[tuple[int, int], ...], run: Sequence[Occurrence], reach: int
    ) -> None:
        periods = np.arange(run[0].first - reach, run[-1].last + 1)
        shape = self._panel.axes.shape
        cells = np.array(
            [np.ravel_multi_index((o, j, t), shape) for o, j in pairs for t in periods], dtype=np.int64
        )
        cohort = np.tile(periods, len(pairs))
        spoken = self._developing.spoken[:, cells]
        start = stage - 1 - np.argmax(spoken[:stage][::-1], axis=0)
        n = self._analysis.counts[start, cells]
        reason = ""
        if not spoken[:stage].any(axis=0).all():
            lacking = place(self._panel, cells[~spoken[:stage].any(axis=0)])
            reason = f"no {self._panel.funnel.stages[0]} count is known for {lacking}"
        elif any(self._panel.funnel.step(int(a), stage).kind == "ratio" for a in np.unique(start)):
            self._developing.per_unit[stage] += [one.statement.id for one in run]
            return
        elif (
            np.isnan(n).any()
            or spoken[stage:].any(where=n > 0)
            or any((int(a), int(c)) in self._developing.dated for a, c in zip(start, cells, strict=True))
        ):
            reason = "other counts of some of its cohorts are known; the two share unobserved counts"
        if reason:
            for one in run:
                self._settle(one, reason, "unused")
            return
        low, high = (np.cumsum([getattr(x, end) for x in reversed(run)])[::-1] for end in ("low", "high"))
        if low[0] > n.sum():
            self._developing.above(run[0].statement, [x.statement.id for x in run], low[0], float(n.sum()))
            return
        vary = n > 0
        cells, start, n, cohort = cells[vary], start[vary], n[vary], cohort[vary]
        if not len(cells):
            for one in run:
                self._settle(one, "its denominators are 0", "dropped")
            return
        # A total from the k-th period on holds the lags from that period to the last one.
        first = np.stack([np.maximum(x.first - cohort, 0) for x in run], axis=1)
        last = np.tile((run[-1].last - cohort)[:, None], (1, len(run)))
        entered = np.tile(np.array([0, EVER], dtype=np.int64), (len(cells), 1))
        names = tuple(tuple(x.statement.id for x in run[k:]) for k in range(len(run)))
        none = np.full(len(cells), -1, dtype=np.int64)
        lags = Lags(first, last, entered, self._horizon)
        high = np.minimum(high, n.sum())
        stages = (stage,) * len(run)
        self.groups.append(Group(cells, start, n, none, stages, low, high, names, lags=lags))
        self._developing.spoken[stage, cells] = True
        for one in run:
            self._settle(one, f"a sum over {len(periods)} cohorts of each place and offense", "used")

    def _settle(self, one: Occurrence, reason: str, action: Literal["used", "unused", "dropped"]) -> None:
        self.decisions.append(Decision(one.statement.id, action, reason))


def _runs(found: Sequence[Occurrence]) -> list[list[Occurrence]]:
    """Successive periods without a gap."""
    runs: list[list[Occurrence]] = []
    for one in found:
        if runs and runs[-1][-1].last + 1 == one.first:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def lags_of(one: Occurrence, panel: Panel) -> tuple[Ints, Ints, Ints]:
    """Every cell of its cohorts, and the first and last lag that it holds of each."""
    shape = panel.axes.shape
    at = [(o, j, t) for o, j in one.pairs for t in range(one.last + 1)]
    cells = np.array([np.ravel_multi_index(x, shape) for x in at], dtype=np.int64)
    cohort = np.array([t for _, _, t in at])
    return cells, np.maximum(one.first - cohort, 0), one.last - cohort
