"""No-assumption bounds: the range of a finite-population rate that the recorded counts alone allow.

Closed forms by interval arithmetic. They are exact where all counts are known and for a single total over
known denominators, and valid outer bounds elsewhere.
"""

from __future__ import annotations

import numpy as np

from ..data.axes import Index
from ..data.panel import Panel
from ..models.contract import Analysis, Floats
from ..models.layers import own_cases
from ..models.limits import most, per_unit

ROUNDS = 20


class Bounds:
    """Bounds of counts and rates implied by known counts, totals and ranges.

    Parameters
    ----------
    panel : Panel
    analysis : Analysis
        Of that panel.

    Attributes
    ----------
    cell_bounds : (stages, cells, 2) float
        Least and greatest count of each cell at each stage; inf where nothing limits it.

    Notes
    -----
    Fréchet bounds of a part of a sum, max(T − Σ others' greatest, least) and min(T − Σ others' least,
    greatest) (Duncan and Davis 1953; Manski 2003), alternated with N_b ≤ limit · N_a along the funnel until
    nothing moves. Statements the model could not use still bound: a total whose denominators are missing is a
    total all the same.
    """

    def __init__(self, panel: Panel, analysis: Analysis) -> None:
        self._limit = per_unit(panel.funnel)
        self._counts = analysis.counts
        known = ~np.isnan(analysis.counts)
        self._low: Floats = np.where(known, analysis.counts, 0.0)
        self._high: Floats = np.where(known, analysis.counts, np.inf)
        self._owner = np.full(known.shape, -1, dtype=np.int64)
        self._whole: dict[tuple[int, bytes], float] = {}
        sums = self._sums_of_groups(panel, analysis)
        for row, (stage, cells, _, _) in enumerate(sums):
            if len(cells) > 1:
                self._owner[stage, cells] = row
        sums += self._unused_totals(panel, analysis)
        lengths = [len(cells) for _, cells, _, _ in sums]
        self._row = np.repeat(np.arange(len(sums)), lengths)
        self._stage = np.repeat(np.array([s for s, _, _, _ in sums], dtype=np.int64), lengths)
        self._cell = np.concatenate([cells for _, cells, _, _ in sums] or [np.zeros(0, dtype=np.int64)])
        self._sum_low = np.array([low for _, _, low, _ in sums])
        self._sum_high = np.array([high for _, _, _, high in sums])
        self._tighten()
        self._all_low, self._all_high, self._all_open = self._totals()

    @property
    def cell_bounds(self) -> Floats:
        """Least and greatest count of each cell at each stage, (stages, cells, 2)."""
        return np.stack([self._low, self._high], axis=-1)

    def count(self, stage: int, cells: Index) -> tuple[float, float]:
        """Least and greatest count of some cells together at one stage.

        Parameters
        ----------
        stage : int
        cells : (k,) int
            Flat cell numbers, each once, ascending.
        """
        row, own_low, own_high = self._owner[stage, cells], self._low[stage, cells], self._high[stage, cells]
        free = row < 0
        low, high = float(own_low[free].sum()), float(own_high[free].sum())
        if not free.all():
            rows, at = np.unique(row[~free], return_inverse=True)
            part_low = np.bincount(at, own_low[~free])
            part_high, part_open = finite_sums(at, own_high[~free], rows.size)
            rest_low = self._all_low[rows] - part_low
            rest_open = self._all_open[rows] - part_open
            rest_high = np.where(rest_open > 0, np.inf, self._all_high[rows] - part_high)
            part_high = np.where(part_open > 0, np.inf, part_high)
            low += float(np.maximum(part_low, self._sum_low[rows] - rest_high).sum())
            high += float(np.minimum(part_high, self._sum_high[rows] - rest_low).sum())
        whole = self._whole.get((stage, cells.tobytes()))
        return (low, high) if whole is None else (max(low, whole), min(high, whole))

    def rate(self, source: int, target: int, cells: Index) -> tuple[float, float]:
        """Bounds of the finite-population rate Σ N_target / Σ N_source over some cells.

        Parameters
        ----------
        source, target : int
            Positions of two stages, the first earlier.
        cells : (k,) int
            Flat cell numbers, each once, ascending.

        Returns
        -------
        low, high : float
            Over every table the records allow in which the denominator is at least 1; high is inf on a ratio
            step that nothing limits. NaN, NaN where the denominator is certainly 0.
        """
        below, above = self.count(source, cells), self.count(target, cells)
        low, high = quotient(
            np.array(above[0]),
            np.array(above[1]),
            np.array(below[0]),
            np.array(below[1]),
            float(self._limit[source, target]),
        )
        return float(low), float(high)

    def cell_rates(self, source: int, target: int) -> Floats:
        """Bounds of the finite-population rate of every single cell, (cells, 2); as ``rate``."""
        return np.stack(
            quotient(
                self._low[target],
                self._high[target],
                self._low[source],
                self._high[source],
                float(self._limit[source, target]),
            ),
            axis=-1,
        )

    def _sums_of_groups(self, panel: Panel, analysis: Analysis) -> list[tuple[int, Index, float, float]]:
        sums = []
        for group in analysis.groups:
            if len(group.cells) == 1 and not np.isnan(analysis.counts[group.stages[0], group.cells[0]]):
                continue
            if not own_cases(group, panel):
                continue
            if group.lags is not None:
                # What had come by the latest date is the least that will.
                sums.append((group.stages[0], np.unique(group.cells), float(group.low[0]), np.inf))
                continue
            beyond = np.where(group.end >= 0, analysis.counts[group.end, group.cells], 0.0).sum()
            for stage, low, high in zip(group.stages, group.low, group.high, strict=True):
                sums.append((stage, group.cells, float(low + beyond), float(high + beyond)))
        return sums

    def _unused_totals(self, panel: Panel, analysis: Analysis) -> list[tuple[int, Index, float, float]]:
        """Exact sums that have no density for want of denominators."""
        sums = []
        for decision in analysis.decisions:
            statement = panel.by_id[decision.statement]
            if statement.relation != "exact" or statement.shifted or statement.count is None:
                continue
            stage = panel.funnel.index(statement.stage)
            if panel.arrangement is not None and statement.id in panel.arrangement.unplaced:
                continue
            cells = panel.cells(statement)
            if statement.origin != "referred_only" and stage > 0:
                # It may hold more than the funnel's own cases, never fewer.
                sums.append((stage, cells, 0.0, statement.count))
                continue
            if decision.action not in ("unused", "known"):
                continue
            if len(cells) > 1:
                self._whole[stage, cells.tobytes()] = statement.count
                sums.append((stage, cells, statement.count, statement.count))
        return sums

    def _tighten(self) -> None:
        stages = range(len(self._low))
        for _ in range(ROUNDS):
            before = self._low.copy(), self._high.copy()
            for a in stages:
                for b in stages[a + 1 :]:
                    top = np.floor(most(self._high[a], self._limit[a, b]))
                    self._high[b] = np.minimum(self._high[b], top)
            for b in reversed(stages):
                for a in stages[:b]:
                    self._low[a] = np.maximum(self._low[a], np.ceil(self._low[b] / self._limit[a, b]))
            self._share()
            if np.array_equal(before[0], self._low) and np.array_equal(before[1], self._high):
                break

    def _totals(self) -> tuple[Floats, Floats, Floats]:
        low = np.bincount(self._row, self._low[self._stage, self._cell], minlength=self._sum_low.size)
        return low, *finite_sums(self._row, self._high[self._stage, self._cell], self._sum_low.size)

    def _share(self) -> None:
        """Fréchet: what the other cells of a sum leave for each."""
        low, high = self._low[self._stage, self._cell], self._high[self._stage, self._cell]
        all_low, all_high, all_open = self._totals()
        open_ = np.isinf(high)
        others_open = all_open[self._row] - open_ > 0
        others_high = np.where(others_open, np.inf, all_high[self._row] - np.where(open_, 0.0, high))
        others_low = all_low[self._row] - low
        at = (self._stage, self._cell)
        np.maximum.at(self._low, at, self._sum_low[self._row] - others_high)
        np.minimum.at(self._high, at, self._sum_high[self._row] - others_low)


def finite_sums(row: Index, values: Floats, size: int) -> tuple[Floats, Floats]:
    """Sum of the finite values of each row, and how many are not finite."""
    infinite = np.isinf(values)
    finite = np.bincount(row, np.where(infinite, 0.0, values), minlength=size)
    return finite, np.bincount(row, infinite, minlength=size)


def quotient(
    above_low: Floats, above_high: Floats, below_low: Floats, below_high: Floats, limit: float
) -> tuple[Floats, Floats]:
    """Bounds of numerator over denominator where the denominator is at least 1 and limits the numerator.

    N / D with N ≤ limit · D: the greatest value has the greatest N and the least D that can hold it.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        above_high = np.minimum(above_high, most(below_high, np.asarray(limit)))
        needed = np.where(np.isinf(above_high), np.inf, above_high / limit)
        least = np.maximum(np.maximum(below_low, 1.0), np.where(np.isinf(limit), 0.0, needed))
        high = np.where(np.isinf(above_high), limit, above_high / least)
        low = np.where(np.isinf(below_high), 0.0, above_low / below_high)
    never = below_high == 0
    return np.where(never, np.nan, low), np.where(never, np.nan, high)
