"""No-assumption bounds: the range of a finite-population rate that the recorded counts alone allow.

Cells that share no sum are independent. Those that do are a block: where all its sums have the same cells, what any of
them can hold at two stages has a closed form (``polygons``); where sums cross or lie within each other it is a linear
program (``coupled``). The bounds of a rate are exact for laminar sums of one stage, for sums of the same cells at two
stages, and for two-way margins; elsewhere they are never narrower than what the records allow.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..data.axes import Index
from ..data.panel import Panel
from ..models.contract import Analysis, Floats, Ints
from ..models.layers import known_ends, own_cases
from ..models.limits import most, per_unit
from .coupled import HARD, Block, Program, Sum, blocks_of
from .polygons import Polygons, sums_at

ROUNDS = 20
PROGRAMS = (
    20_000  # parts of blocks, at a step, for which linear programs are solved; interval arithmetic beyond
)


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
        low, high = known_ends(analysis)
        self._low: Floats = np.where(known, low, 0.0)
        self._high: Floats = np.where(known, high, np.inf)
        sums = self._sums_of_groups(panel, analysis) + self._unused_totals(panel, analysis)
        lengths = [len(cells) for _, cells, _, _ in sums]
        self._row = np.repeat(np.arange(len(sums)), lengths)
        self._stage = np.repeat(np.array([s for s, _, _, _ in sums], dtype=np.int64), lengths)
        self._cell = np.concatenate([cells for _, cells, _, _ in sums] or [np.zeros(0, dtype=np.int64)])
        self._sum_low = np.array([low for _, _, low, _ in sums])
        self._sum_high = np.array([high for _, _, _, high in sums])
        self._tighten()
        self._blocks = blocks_of(sums)
        self._block: Ints = np.full(known.shape[1], -1, dtype=np.int64)
        for number, block in enumerate(self._blocks):
            self._block[block.cells] = number
        self._whole = np.array(
            [[one.range(stage) for one in self._blocks] for stage in range(len(known))], dtype=float
        ).reshape(len(known), -1, 2)
        self._programs: dict[int, Program] = {}

    @property
    def cell_bounds(self) -> Floats:
        """Least and greatest count of each cell at each stage, (stages, cells, 2)."""
        return np.stack([self._low, self._high], axis=-1)

    def rate(self, source: int, target: int, cells: Index) -> tuple[float, float]:
        """Bounds of the finite-population rate Σ N_target / Σ N_source over some cells (k,); as ``rates``."""
        member = sp.csr_matrix(
            (np.ones(len(cells)), (np.zeros(len(cells), dtype=np.int64), cells)),
            shape=(1, self._low.shape[1]),
        )
        low, high = self.rates(source, target, member)[0]
        return float(low), float(high)

    def cell_rates(self, source: int, target: int) -> Floats:
        """Bounds of the rate of every single cell, (cells, 2); as ``rates``."""
        return self.rates(source, target, sp.identity(self._low.shape[1], format="csr"))

    def rates(self, source: int, target: int, member: sp.csr_matrix) -> Floats:
        """Bounds of finite-population rates Σ N_target / Σ N_source over the cells of each row.

        Parameters
        ----------
        source, target : int
            Positions of two stages, the first earlier.
        member : (N, cells) sparse
            1 where a cell belongs to a row.

        Returns
        -------
        (N, 2) float
            Least and greatest over every table the records allow in which the denominator is at least 1; the greatest
            is inf on a ratio step that nothing limits. NaN where the denominator is certainly 0.
        """
        entries = member.tocoo()
        row, cell = entries.row.astype(np.int64), entries.col.astype(np.int64)
        single = self._cells(source, target)
        free = self._block[cell] < 0
        whole = single.take(cell[free]).total(row[free], member.shape[0])
        row, cell = row[~free], cell[~free]
        if len(row):
            pairs, at = np.unique(row * len(self._blocks) + self._block[cell], return_inverse=True)
            part = self._parts(source, target, single, cell, at, pairs % len(self._blocks))
            whole = whole.plus(part.total(pairs // len(self._blocks), member.shape[0]))
        return np.stack(whole.tight().rates(), axis=-1)

    def _cells(self, source: int, target: int) -> Polygons:
        """Pairs of counts of every cell by itself."""
        limit = float(self._limit[source, target])
        ends = [np.stack([side[source], side[target]]) for side in (self._low, self._high)]
        return Polygons.within(ends[0], ends[1], limit)

    def _parts(
        self, source: int, target: int, single: Polygons, cell: Ints, at: Ints, block: Ints
    ) -> Polygons:
        """Pairs of counts of parts of blocks: cells (k,), the part each is in (k,), and the block of each part (P,)."""
        out = self._share_of(source, target, single, cell, at, block)
        known = sums_at((self._low[source] < self._high[source])[cell].astype(float), at, len(block)) == 0
        left = np.array([one.left(source, target) for one in self._blocks])[block]
        for other in np.unique(left[(left >= 0) & known]).tolist():
            # Denominators are known: what is left to say of the outcomes is a sum of another stage over them.
            self._through(out, other, target, cell, at, block, np.flatnonzero((left == other) & known))
        wanted = np.flatnonzero((left == HARD) | ((left >= 0) & ~known))
        if len(wanted) <= PROGRAMS:
            self._solve(out, source, target, cell, at, block, wanted)
        return out.tight()

    def _share_of(self, a: int, b: int, single: Polygons, cell: Ints, at: Ints, block: Ints) -> Polygons:
        """Parts of blocks, given what the sums of the whole block leave them at two stages."""
        inside = np.flatnonzero(self._block >= 0)
        blocks, parts = len(self._blocks), len(block)
        ends = self._whole[[a, b]]
        part = single.take(cell).total(at, parts)
        rest = single.take(inside).rest(self._block[inside], blocks, single.take(cell), at, block)
        return part.beside(rest, ends[:, block, 0], ends[:, block, 1])

    def _through(
        self, out: Polygons, other: int, target: int, cell: Ints, at: Ints, block: Ints, mine: Ints
    ) -> None:
        """Narrow the outcomes of some parts by a sum of another stage over the same cells."""
        a, b = min(other, target), max(other, target)
        found = self._share_of(a, b, self._cells(a, b), cell, at, block)
        place = 0 if target == a else 1
        out.low[1, mine] = np.maximum(out.low[1, mine], found.low[place, mine])
        out.high[1, mine] = np.minimum(out.high[1, mine], found.high[place, mine])

    def _solve(
        self, out: Polygons, source: int, target: int, cell: Ints, at: Ints, block: Ints, wanted: Ints
    ) -> None:
        """Narrow some parts by linear programs."""
        limit = float(self._limit[source, target])
        order = np.argsort(at, kind="stable")
        begin = np.searchsorted(at[order], np.arange(len(block) + 1))
        for number in wanted.tolist():
            one = self._blocks[block[number]]
            inside = np.isin(one.cells, cell[order[begin[number] : begin[number + 1]]]).astype(float)
            program = self._program(int(block[number]), one)
            for place, (below, above) in enumerate(((1.0, 0.0), (0.0, 1.0), (limit, -1.0))):
                # Where the first count is known, the second says all there is to say of the pair.
                if place != 1 and (np.isinf(below) or out.low[0, number] == out.high[0, number]):
                    continue
                weight = np.zeros((len(self._low), len(one.cells)))
                weight[source], weight[target] = below * inside, above * inside
                low, high = program.ends(weight, limit == 1 or place < 2)
                out.low[place, number] = max(out.low[place, number], low)
                out.high[place, number] = min(out.high[place, number], high)

    def _program(self, number: int, block: Block) -> Program:
        if number not in self._programs:
            low, high = self._low[:, block.cells], self._high[:, block.cells]
            self._programs[number] = Program(block, low, high, self._limit)
        return self._programs[number]

    def _sums_of_groups(self, panel: Panel, analysis: Analysis) -> list[Sum]:
        sums: list[Sum] = []
        for group in analysis.groups:
            if len(group.cells) == 1 and not np.isnan(analysis.counts[group.stages[0], group.cells[0]]):
                continue
            if not own_cases(group, panel):
                continue
            if group.lags is not None:
                # What had come by the latest date is the least that will; what was closed never will.
                closed = group.lags.closed
                if group.lags.revised:
                    continue  # what was counted can be taken back
                least = float(group.low[closed]) if closed < len(group.low) else 0.0
                most = float(group.high[closed - 1]) if closed else np.inf
                sums.append((group.stages[0], np.unique(group.cells), least, most))
                continue
            beyond = np.where(group.end >= 0, analysis.counts[group.end, group.cells], 0.0)
            for stage, cells, low, high in zip(group.stages, group.sets, group.low, group.high, strict=True):
                shift = float(beyond[np.isin(group.cells, cells)].sum())
                sums.append((stage, cells, float(low) + shift, float(high) + shift))
        return sums

    def _unused_totals(self, panel: Panel, analysis: Analysis) -> list[Sum]:
        """Exact sums that have no density for want of denominators."""
        sums: list[Sum] = []
        for decision in analysis.decisions:
            statement = panel.by_id[decision.statement]
            if statement.relation != "exact" or statement.shifted or statement.count is None:
                continue
            stage = panel.funnel.index(statement.stage)
            if panel.arrangement is not None and statement.id in panel.arrangement.unplaced:
                continue
            if statement.origin != "referred_only" and stage > 0:
                # It may hold more than the funnel's own cases, never fewer.
                sums.append((stage, panel.cells(statement), 0.0, statement.count))
                continue
            if decision.action not in ("unused", "known"):
                continue
            if len(cells := panel.cells(statement)) > 1:
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
