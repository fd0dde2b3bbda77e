"""Which statements stand behind each row: how many, dated when, on which clock, inside the row or across it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES
from ..models.blueprint import Blueprint
from ..models.contract import Group
from ..models.layers import known_ends
from ..models.layout import Layout
from ..models.margins import margins_only
from .reporting import LEAST_OF_ONE
from .rows import Bools, Rows

ROWS_AT_ONCE: Final = 100_000
_PLACE: Final = AXES.index("jurisdiction")


@dataclass(frozen=True)
class Behind:
    """Evidence of the rows of one step; every array is (N,).

    Parameters
    ----------
    statements : int
        Statements about the row's cells at a stage from the step's source to its target.
    touched : bool
        Some statement after the first stage informs a step-cell of the row.
    margins_only : bool
        Touched, and every statement that does also holds cells outside the row.
    counted : bool
        The counts at source and target of all cells are known exactly.
    period_clock : bool
        Some outcome is dated by period, not by cohort: the rate is a same-period ratio.
    as_of : str
        Latest date at which a statement behind the row was known.
    mixed : bool
        Some denominator of the row is a share of an unsplit total, by the stated mix.
    bare : bool
        A step of the row's offense is counted by sums over offenses only, and no contextual term of the model says how
        its rate may depend on the mix.
    reported : float
        Share of the row's first-stage count in cells of which its own jurisdictions report some later stage; 1 for rows
        over all jurisdictions.
    without_units : bool
        Some cell has no units of its own cohort at the step's source: they are shares of an unsplit total, hold other
        cases, or nobody counted them. The row then has no finite population that could be drawn.
    """

    statements: NDArray[np.int64]
    touched: Bools
    margins_only: Bools
    counted: Bools
    period_clock: Bools
    as_of: NDArray[np.object_]
    mixed: Bools
    bare: Bools
    reported: NDArray[np.float64]
    without_units: Bools

    @property
    def unread(self) -> Bools:
        """Nothing says how the rate departs from that of the sums the row is part of.

        A contextual term is none for shares of an unsplit total: the stated mix is the same for every place, and the
        term has nothing to multiply.
        """
        return self.mixed | self.bare

    @property
    def few(self) -> Bools:
        """Less of the denominator reports than a number of a part of all jurisdictions asks for."""
        return self.reported < LEAST_OF_ONE

    def take(self, keep: NDArray[np.int64]) -> Behind:
        """Evidence of some of the rows."""
        return Behind(
            self.statements[keep],
            self.touched[keep],
            self.margins_only[keep],
            self.counted[keep],
            self.period_clock[keep],
            self.as_of[keep],
            self.mixed[keep],
            self.bare[keep],
            self.reported[keep],
            self.without_units[keep],
        )


class Evidence:
    """Incidence of statements and groups on active cells, asked for one step at a time."""

    def __init__(self, blueprint: Blueprint) -> None:
        panel, layout = blueprint.panel, blueprint.layout
        self._blueprint, self._reporting = blueprint, ReportingShares(blueprint)
        used = {
            d.statement for d in blueprint.analysis.decisions if d.action in ("used", "residual", "known")
        }
        self._statements = [s for s in panel.statements if s.id in used]
        self._stage = np.array([panel.funnel.index(s.stage) for s in self._statements])
        self._since = self._stage.copy()
        place = {s.id: number for number, s in enumerate(self._statements)}
        ends: list[tuple[int, int]] = []
        for group in blueprint.analysis.groups:
            first = int(group.start.min())
            ends += [(first, max(*group.stages, int(group.end.max())))] * len(_sets_of(group))
            since = (first, *group.stages) if group.members is None else (first,) * len(group.stages)
            for stages, before in zip(group.statements, since, strict=False):
                for number in (place[s] for s in stages if s in place):
                    self._since[number] = min(self._since[number], before)
        # As a sum over cohorts a period count speaks of the cohorts' rates.
        summed = {name for group in blueprint.analysis.lagged for names in group.statements for name in names}
        self._period = np.array([s.clock != "cohort" and s.id not in summed for s in self._statements])
        dates = sorted({s.as_of for s in self._statements})
        self._dates = np.array([*dates, ""], dtype=object)
        self._date = np.array([dates.index(s.as_of) for s in self._statements])
        cells = (layout.positions[panel.cells(s)] for s in self._statements)
        self._on = _incidence((_with_members(c[c >= 0], layout) for c in cells), layout.size)
        # What every group speaks of, with and without the cells of unsplit totals.
        self._group = self._reporting.group
        self._own = _incidence(_sets(blueprint), layout.size) if layout.pooled else self._group
        low, high = known_ends(blueprint.analysis)
        self._exact = (low == high)[:, layout.cells]
        context = next((block.slope for block in blueprint.blocks if block.name == "context"), None)
        modeled = context.steps if context is not None else (False,) * layout.steps
        self._bare = np.array(margins_only(panel, blueprint.analysis)) & ~np.array(modeled)
        self._span = np.array(ends, dtype=np.int64).reshape(-1, 2)

    def behind(self, rows: Rows, step: Step) -> Behind:
        """Evidence of the rows for one step, worked out for some of them at a time."""
        every = range(len(rows))
        found = [
            self._behind(rows.take(np.array(every[start : start + ROWS_AT_ONCE], dtype=np.int64)), step)
            for start in range(0, max(len(rows), 1), ROWS_AT_ONCE)
        ]
        if len(found) == 1:
            return found[0]
        names = [one.name for one in fields(Behind)]
        return Behind(*(np.concatenate([getattr(one, name) for one in found]) for name in names))

    def _behind(self, rows: Rows, step: Step) -> Behind:
        # Counts at its ends, and counts whose path passes it.
        at_ends = (self._stage >= step.source) & (self._stage <= step.target)
        about = np.flatnonzero(at_ends | ((self._since < step.target) & (self._stage > step.source)))
        hits = sp.csr_matrix(rows.member @ self._on[about].T)
        hits.data[:] = 1.0
        outcome = self._stage[about] > step.source
        dated = np.asarray(hits @ (outcome & self._period[about]).astype(float)).ravel() > 0
        outcomes = np.asarray(hits @ outcome.astype(float)).ravel() > 0
        # A row without outcomes of its own borrows from the others, and so their clock.
        dated |= ~outcomes & bool((outcome & self._period[about]).any())
        groups = np.flatnonzero((self._span[:, 0] < step.target) & (self._span[:, 1] > step.source))
        inside = sp.csr_matrix(rows.member @ self._group[groups].T)
        touched = inside.getnnz(axis=1) > 0
        size = np.asarray(self._own[groups].sum(axis=1)).ravel()
        whole = sp.csr_matrix(rows.member @ self._own[groups].T)
        whole.data = (whole.data == size[whole.indices]).astype(float)
        any_whole = np.asarray(whole.sum(axis=1)).ravel() > 0
        known = self._exact[step.source] & self._exact[step.target]
        unknown = np.asarray(rows.member @ (~known).astype(float)).ravel()
        return Behind(
            statements=np.asarray(hits.sum(axis=1)).ravel().astype(np.int64),
            touched=touched,
            margins_only=touched & ~any_whole,
            counted=unknown == 0,
            mixed=np.asarray(rows.member @ (self._blueprint.layout.member_of >= 0).astype(float)).ravel() > 0,
            bare=~rows.whole[:, 0] & self._bare[step.source : step.target].any(),
            period_clock=dated,
            as_of=self._latest(hits, about),
            reported=self._reporting.of(rows),
            without_units=np.asarray(rows.member @ self._without_units(step).astype(float)).ravel() > 0,
        )

    def _without_units(self, step: Step) -> Bools:
        """Cells without units of their own at the step's source, (A,); counts after the first known one are drawn."""
        layout = self._blueprint.layout
        counts = self._blueprint.analysis.counts[: step.source + 1, layout.cells]
        return np.isnan(counts).all(axis=0) | (layout.member_of >= 0)

    def _latest(self, hits: sp.csr_matrix, about: NDArray[np.int64]) -> NDArray[np.object_]:
        latest = np.full(hits.shape[0], -1)
        some = np.flatnonzero(np.diff(hits.indptr))
        if len(some):
            latest[some] = np.maximum.reduceat(self._date[about][hits.indices], hits.indptr[some])
        return self._dates[latest]


class ReportingShares:
    """Shares of the denominator that report, of rows of a part of all jurisdictions.

    Attributes
    ----------
    group : (sets, A) sparse
        Incidence, on active cells, of the cells that each group of statements speaks of, unsplit totals with the cells
        they hold.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint, layout = blueprint, blueprint.layout
        self._place = layout.coordinates[_PLACE]
        cells = (_with_members(active, layout) for active in _sets(blueprint))
        self.group = _incidence(cells, layout.size)
        leaf = sp.csr_matrix((np.ones(layout.size), (np.arange(layout.size), self._place)))
        alone = sp.csr_matrix(self.group @ leaf).getnnz(axis=1) == 1
        # What one jurisdiction says of itself, and what is said of several together.
        self._heard = _covered(self.group[alone])
        self._several = self.group[~alone]

    def of(self, rows: Rows) -> NDArray[np.float64]:
        """Share of each row's first-stage count in cells of which its own jurisdictions report some later stage, (N,).

        A total that holds other jurisdictions too is no report of these. Where no first-stage count of a row is known
        its cells count alike. Rows over all jurisdictions have 1: what they ask for is another share.
        """
        layout, axis = self._blueprint.layout, self._blueprint.panel.axes.jurisdiction
        first = np.nan_to_num(self._blueprint.analysis.counts[0, layout.cells])
        names, whole = (every[:, _PLACE] for every in (rows.names, rows.whole))
        out = np.where(whole, 1.0, _share(rows.member, first, self._heard))
        # Only a node of several can hold what is said of several.
        nodes = [name for name in axis.by_name if len(axis.positions[name]) > 1]
        for name in nodes if self._several.shape[0] else ():
            here = np.flatnonzero((names == name) & ~whole)
            outside = ~np.isin(self._place, axis.positions[name])
            own = self._several[np.asarray(self._several @ outside.astype(float)).ravel() == 0]
            out[here] = _share(rows.member[here], first, self._heard | _covered(own))
        return out


def _share(member: sp.csr_matrix, first: NDArray[np.float64], heard: Bools) -> NDArray[np.float64]:
    """Share of the counts of each row's cells (N, A), or of the cells where none is known, that is heard of, (N,)."""
    size, plain = member @ first, np.asarray(member.sum(axis=1)).ravel()
    known = size > 0
    part = np.where(known, member @ (first * heard), member @ heard.astype(float))
    return np.asarray(part / np.where(known, size, plain))


def _covered(sets: sp.csr_matrix) -> Bools:
    """Cells that stand in some set, (A,)."""
    return np.asarray(sets.sum(axis=0)).ravel() > 0


def _sets(blueprint: Blueprint) -> Iterator[NDArray[np.int64]]:
    """Active cells of each set that some group speaks of."""
    for group in blueprint.analysis.groups:
        for cells in _sets_of(group):
            yield blueprint.layout.positions[cells]


def _sets_of(group: Group) -> tuple[NDArray[np.int64], ...]:
    """Totals along a path are of the same cells, those that cross of cells of their own."""
    return group.sets if group.members is not None else group.sets[:1]


def _with_members(positions: NDArray[np.int64], layout: Layout) -> NDArray[np.int64]:
    """Active positions and, for unsplit totals among them, those of their cells."""
    if not layout.pooled:
        return positions
    totals = layout.cells[positions]
    below = np.flatnonzero((layout.member_of >= 0) & np.isin(layout.member_of, totals))
    return np.union1d(positions, below)


def _incidence(cells: Iterable[NDArray[np.int64]], size: int) -> sp.csr_matrix:
    """(sets, cells) 0/1 matrix; the sets are taken one after the other, and not kept."""
    columns, ends = array("q"), array("q", [0])
    for some in cells:
        columns.extend(some.tolist())
        ends.append(len(columns))
    indices, indptr = (np.array(values, dtype=np.int64) for values in (columns, ends))
    out = sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(indptr) - 1, size))
    out.sum_duplicates()
    return out
