"""Linking the stages of one cohort: which counts a total is conditioned on, and which totals share a density.

A stage is conditioned on the nearest earlier stage known for the same cells and, where a later one is known
too, on that one: N_s − N_b | N_a, N_b ~ Binomial(N_a − N_b, ·). Inexact totals of one cohort with no known
stage between them form one group, and only where they speak of the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..data.errors import Problem
from ..data.lazy import Joined, Lazy
from ..data.panel import Panel
from .clashes import place, rows
from .contract import Decision, Floats, Group, Ints
from .crossing import cross
from .decisions import packed, unpacked
from .limits import most, nearest, per_unit
from .links import Item, components, within
from .readings import Total

CAUSES = (
    "check whether the unit differs ([funnel] units), the count holds other origins (origin = all_sources), "
    "or the two are dated by different clocks; or leave a row out with [[exclude]]"
)
APART = "leave one of them out with [[exclude]], or give the counts cell by cell at one of these stages"


class Cohorts:
    """Groups over all stages.

    Parameters
    ----------
    panel : Panel
    counts : (stages, cells) float
        Counts known exactly, NaN elsewhere.
    known : (stages, cells) bool
        Which of them statements determine (an implied zero is none).
    sources : sequence of dict
        For each stage the statements that determine each known cell.
    joint : mapping of str to tuple of str
        Statements that only together with another, the first of a source, determine a count.

    Attributes
    ----------
    counted : list of sequence of Group
        For each stage after the first, the groups of its known counts.
    combined : list of Group
        Those of sums.
    problems : list of Problem
        Contradictions between stages.
    refused : list of Problem
        Statements that would need a density of their own kind.
    decisions : dict of str to Decision
        Sums that turned out to say nothing.
    reasons : dict of str to str
        What to say of sums that were combined.
    """

    def __init__(
        self,
        panel: Panel,
        counts: Floats,
        known: NDArray[np.bool_],
        sources: Sequence[dict[int, tuple[str, ...]]],
        joint: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.panel = panel
        self.counts = counts
        self.known = known
        self.sources = sources
        self.joint = joint
        self.earlier, self.later = nearest(known)
        self.limit = per_unit(panel.funnel)
        self.counted: list[Sequence[Group]] = []
        self.combined: list[Group] = []
        self.problems: list[Problem] = []
        self.refused: list[Problem] = []
        self.decisions: dict[str, Decision] = {}
        self.reasons: dict[str, str] = {}

    @property
    def groups(self) -> Sequence[Group]:
        """Of known counts first, by stage and cell, then of sums."""
        return Joined(*self.counted, self.combined)

    def add_known(self) -> None:
        """One group for each known count that has an earlier known one with units in it."""
        for b in range(1, len(self.known)):
            cells = np.flatnonzero(self.known[b] & (self.earlier[b] >= 0))
            start = self.earlier[b, cells]
            n, y = self.counts[start, cells], self.counts[b, cells]
            above = y > most(n, self.limit[start, b])
            for cell, a in zip(cells[above].tolist(), start[above].tolist(), strict=True):
                self._above(b, self.sources[b][cell], self.counts[b, cell], np.array([cell]), np.array([a]))
            good = (n > 0) & ~above
            cells, start, n, y = cells[good], start[good], n[good], y[good]
            firsts = (self.sources[b][cell][0] for cell in cells.tolist())
            ids = [packed((name, *self.joint.get(name, ()))) for name in firsts]
            columns = (column[:, None] for column in (cells, start, n, y))
            none = np.full(1, -1, dtype=np.int64)
            self.counted.append(Lazy(partial(_of_known, (b,), none), *columns, ids))

    def add_sums(self, sums: Sequence[tuple[int, Total]]) -> None:
        """Groups for the totals and ranges over unknown cells, given as pairs of stage and total."""
        items = [item for stage, total in sums if (item := self._trim(stage, total)) is not None]
        while True:
            parts = components(items, self.counts.shape[1])
            # One in each component at a time: two sums may imply each other.
            implied = {
                next((i for i in part if self._implied(items[i], items, part)), -1)
                for part in parts
                if len(part) > 1
            } - {-1}
            if not implied:
                break
            for i in sorted(implied):
                self._drop(items[i].total, "implied by what is known of the same cells at other stages")
            items = [item for i, item in enumerate(items) if i not in implied]
        for part in parts:
            self._group(sorted((items[i] for i in part), key=lambda item: item.stage))

    def _drop(self, total: Total, reason: str) -> None:
        for name in total.ids:
            self.decisions[name] = Decision(name, "dropped", reason, total.minus)

    def _above(self, stage: int, ids: Sequence[str], count: float, cells: Ints, start: Ints) -> None:
        stages = self.panel.funnel.stages
        units = float(self.counts[start, cells].sum())
        below = [
            i for a, c in zip(start.tolist(), cells.tolist(), strict=True) for i in self.sources[a].get(c, ())
        ]
        names = " and ".join(dict.fromkeys(stages[a] for a in start.tolist()))
        allowed = "one outcome" if self.limit[start, stage].max() == 1 else "max_per_unit outcomes"
        self.problems.append(
            Problem(
                f"{stages[stage]} count above its denominator",
                rows(self.panel, ids),
                f"{count:,.0f} {stages[stage]} of {units:,.0f} {names} ({rows(self.panel, below)})",
                f"at most {allowed} per unit",
                CAUSES,
            )
        )

    def _refuse(self, ids: Sequence[str], what: str, found: str, allowed: str, do: str = APART) -> None:
        self.refused.append(Problem(what, rows(self.panel, ids), found, allowed, do))

    def _trim(self, stage: int, total: Total) -> Item | None:
        """Condition a sum on the stages known around it; None when nothing is left to say."""
        stages, cells = self.panel.funnel.stages, total.cells
        start, end = self.earlier[stage, cells], self.later[stage, cells]
        ahead = end >= 0
        beyond = np.where(ahead, self.counts[end, cells], 0.0)
        least = np.ceil(beyond / np.where(ahead, self.limit[stage, end], 1.0))
        n = self.counts[start, cells] - beyond
        top = float(most(self.counts[start, cells], self.limit[start, stage]).sum())
        later_ids = [
            i for c, e in zip(cells[ahead], end[ahead], strict=True) for i in self.sources[e][int(c)]
        ]
        if total.high < least.sum():
            found = f"{total.stated} ({rows(self.panel, total.ids)}) against {beyond.sum():,.0f} later on"
            where = rows(self.panel, (*total.ids, *later_ids))
            what = f"{stages[stage]} count below what is known of a later stage"
            self.problems.append(
                Problem(what, where, found, "outcomes no more than their denominators", CAUSES)
            )
            return None
        if total.low > top:
            self._above(stage, total.ids, total.low, cells, start)
            return None
        if not total.exact and total.low <= least.sum() and total.high >= top:
            self._drop(total, "allows every count that is possible")
            return None
        before = self.limit[start, stage]
        if ahead.any() and ((before[ahead] != 1).any() or (self.limit[stage, end[ahead]] != 1).any()):
            self._refuse(
                (*total.ids, *later_ids),
                f"{stages[stage]} sum between known stages, with a ratio step between",
                total.stated,
                "sums between known stages on probability steps only",
            )
            return None
        kinds = {self._ratios(int(a), stage) for a in np.unique(start)}
        if len(kinds) > 1:
            self._refuse(
                total.ids,
                f"{stages[stage]} sum over cells whose denominators lie on different sides of a ratio step",
                f"{total.stated}, denominators at {' and '.join(stages[a] for a in np.unique(start))}",
                "cells that all pass the same ratio steps",
                "give the total for the cells of each kind, or leave it out with [[exclude]]",
            )
            return None
        if (n < 0).any():
            return None  # the later count is above its denominator: reported there
        vary = n > 0
        if not vary.any():
            self._drop(total, "the stages known around it leave one possible count")
            return None
        shift = float(beyond.sum())
        low, high = max(total.low - shift, 0.0), min(total.high, top) - shift
        trimmed = replace(total, cells=cells[vary], low=low, high=high, taken=total.taken + shift)
        return Item(stage, trimmed, start[vary], end[vary], n[vary])

    def _ratios(self, source: int, target: int) -> tuple[int, ...]:
        """The ratio steps on a path; none where the plan takes the whole path as one to one."""
        funnel = self.panel.funnel
        if funnel.step(source, target).kind == "probability":
            return ()
        return tuple(i for i in range(source, target) if funnel.step(i, i + 1).kind == "ratio")

    def _implied(self, item: Item, items: Sequence[Item], part: Sequence[int]) -> bool:
        """Do the sums of other stages in its component already say what a range says?"""
        total = item.total
        if total.exact:
            return False
        low: dict[int, float] = {}
        high = float(item.n.sum()) if self._chained(item) else np.inf
        for other in (items[i] for i in part):
            first, last = (item, other) if item.stage < other.stage else (other, item)
            if (
                first.stage == last.stage
                or not within(last, first)
                or self.limit[first.stage, last.stage] != 1
            ):
                continue
            if other is last:
                low[other.stage] = low.get(other.stage, 0.0) + other.total.low
            else:
                high = min(high, other.total.high)
        return total.low <= max(low.values(), default=0.0) and total.high >= high

    def _chained(self, *items: Item) -> bool:
        """Are all steps from the starts through the stages of these items to their ends probabilities?"""
        first, last = items[0], items[-1]
        steps = [self.limit[a.stage, b.stage] for a, b in pairwise(items)]
        ahead = last.end >= 0
        limits = np.r_[self.limit[first.start, first.stage], steps, self.limit[last.stage, last.end[ahead]]]
        return bool((limits == 1).all())

    def _group(self, items: Sequence[Item]) -> None:
        first = items[0]
        if len(items) > 1 and len({item.stage for item in items}) == 1:
            self._cross(items)
            return
        ids = [i for item in items for i in item.total.ids]
        names = " and ".join(dict.fromkeys(self.panel.funnel.stages[item.stage] for item in items))
        if len(items) > 1:
            same = all(
                np.array_equal(first.total.cells, x.total.cells) and np.array_equal(first.start, x.start)
                for x in items[1:]
            )
            if not same:
                found = " and ".join(
                    f"{x.total.stated} of {place(self.panel, x.total.cells)}" for x in items[:4]
                )
                what = f"{names} sums share unobserved counts but not all of their cells"
                self._refuse(ids, what, found, "sums over the same cells, or with a known stage between them")
                return
            if not self._chained(*items) and (len(items) > 2 or (first.end >= 0).any()):
                what = f"{names} sums of the same cells, with a ratio step among their stages"
                found = " and ".join(x.total.stated for x in items)
                self._refuse(ids, what, found, "at most two sums of one cohort across a ratio step")
                return
            for a, b in pairwise(items if self._chained(*items) else ()):
                if b.total.low > a.total.high:
                    found = f"{b.total.stated} of {a.total.stated}"
                    what = f"{self.panel.funnel.stages[b.stage]} count above its denominator"
                    self.problems.append(
                        Problem(what, rows(self.panel, ids), found, "at most one outcome per unit", CAUSES)
                    )
                    return
        self.combined.append(
            Group(
                first.total.cells,
                first.start,
                first.n,
                first.end,
                tuple(item.stage for item in items),
                np.array([item.total.low for item in items]),
                np.array([item.total.high for item in items]),
                tuple(item.total.ids for item in items),
            )
        )

    def _cross(self, items: Sequence[Item]) -> None:
        """Totals of one stage that cross."""
        found = cross(self.panel, items, not self._chained(items[0]))
        self.decisions.update((each.statement, each) for each in found.dropped)
        if found.problem is not None:
            (self.problems if found.contradiction else self.refused).append(found.problem)
        if found.group is not None:
            self.combined.append(found.group)
            self.reasons.update((name, found.reason) for names in found.group.statements for name in names)


def _of_known(
    stages: tuple[int, ...],
    end: Ints,
    cell: Ints,
    start: Ints,
    n: Floats,
    count: Floats,
    ids: str | tuple[str, ...],
) -> Group:
    """The group of a known count of one cell; arrays (1,)."""
    return Group(cell, start, n, end, stages, count, count, (unpacked(ids),))
