"""Row reduction of the exact statements of one stage to counts and disjoint residual totals.

Most totals are laminar (a nation over its states, a year over its quarters), and subtraction of whole known pieces
reduces them. Totals that cross without either containing the other are row-reduced over the integers: what they
determine together is set, what follows from smaller ones is dropped, and the rest is left waiting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..data.errors import Problem
from ..data.panel import Panel
from .clashes import REMEDY, Clash, place, rows
from .contract import Decision, Floats, Ints
from .readings import Readings, Total
from .rivals import Rivals
from .systems import System, systems_of


class Reduction:
    """The exact knowledge of one stage, while it is being reduced.

    Parameters
    ----------
    panel : Panel
    stage : int
    readings : Readings
        The hard statements of the stage.
    zero : (cells,) bool
        Cells whose count is 0 because an earlier count of theirs is 0.
    loose : mapping of str to (float, float)
        How far below and above its count the statement itself allows, where the count stands for a range.

    Attributes
    ----------
    counts : (cells,) float
        Counts known exactly, NaN elsewhere.
    source : dict of int to tuple of str
        The statements that determine the count of a cell; a cell that is 0 for want of units is absent.
    joint : dict of str to tuple of str
        Statements that only together with another, named first in ``source``, determine a count.
    blocks : dict of int to Total
        Disjoint totals over cells whose counts are not known.
    waiting : list of Total
        Totals that cross a block.
    decisions : dict of str to Decision
        Statements already settled.
    clashes : list of Clash
    """

    def __init__(
        self,
        panel: Panel,
        stage: int,
        readings: Readings,
        zero: NDArray[np.bool_],
        loose: Mapping[str, tuple[float, float]],
    ) -> None:
        self.panel = panel
        self.stage = stage
        self.loose = loose
        self.counts: Floats = np.where(zero, 0.0, np.nan)
        self.source: dict[int, tuple[str, ...]] = {}
        self.joint: dict[str, tuple[str, ...]] = {}
        self.blocks: dict[int, Total] = {}
        self.waiting: list[Total] = []
        self.decisions: dict[str, Decision] = {}
        self.clashes: list[Clash] = []
        self._owner: Ints = np.full(zero.size, -1, dtype=np.int64)
        self._next = 0
        self._take_singles(readings)
        self.add(self._merge_repeats(readings.totals))

    @property
    def name(self) -> str:
        """Name of the stage."""
        return self.panel.funnel.stages[self.stage]

    def drop(self, total: Total, reason: str, others: Sequence[str]) -> None:
        """Record that a total says nothing that ``others`` do not say."""
        for name in total.ids:
            self.decisions[name] = Decision(name, "dropped", reason, tuple(others))

    def clash(self, total: Total, others: Sequence[str], what: str, found: str, allowed: str) -> None:
        """Record that a total contradicts ``others``."""
        problem = Problem(what, rows(self.panel, (*total.ids, *others)), found, allowed, REMEDY)
        self.clashes.append(Clash(total.ids, tuple(others), problem))

    def _take_singles(self, readings: Readings) -> None:
        order = np.argsort(readings.cells, kind="stable")
        cells, values = readings.cells[order], readings.values[order]
        starts = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]]) if cells.size else cells
        ids = [readings.ids[i] for i in order]
        self.counts[cells[starts]] = values[starts]
        self.source.update(zip(cells[starts].tolist(), ((ids[i],) for i in starts.tolist()), strict=True))
        lengths = np.diff(np.r_[starts, cells.size])
        for at, length in zip(starts[lengths > 1].tolist(), lengths[lengths > 1].tolist(), strict=True):
            cell = cells[at : at + 1]
            same = [
                Total(cell, float(values[i]), float(values[i]), (ids[i],)) for i in range(at, at + length)
            ]
            kept = self._one_of(same)
            self.counts[cell] = np.nan if kept is None else kept.low
            if kept is not None:
                self.source[int(cell[0])] = kept.ids

    def _merge_repeats(self, totals: Sequence[Total]) -> list[Total]:
        """Keep one of the totals over the same cells."""
        by_cells: dict[bytes, list[Total]] = {}
        for total in totals:
            by_cells.setdefault(total.cells.tobytes(), []).append(total)
        kept = [self._one_of(same) for same in by_cells.values()]
        return [total for total in kept if total is not None]

    def _one_of(self, same: Sequence[Total]) -> Total | None:
        """The total to keep among exact ones over the same cells; None where they contradict each other."""
        rivals = Rivals(self.panel, same, self.loose)
        kept = rivals.kept
        if not rivals.agree:
            what = f"{self.name} counts of the same cells disagree"
            others = [t.ids[0] for t in rivals.winners if t is not kept]
            self.clash(kept, others, what, rivals.found, f"one count for {place(self.panel, kept.cells)}")
            return None
        for total, reason in rivals.dropped():
            self.drop(total, reason, kept.ids)
        return kept

    def less_known(self, total: Total) -> Total:
        """A total less the counts known within it."""
        mask = ~np.isnan(self.counts[total.cells])
        if not mask.any():
            return total
        cells = total.cells[mask]
        ids = tuple(self.source[c][0] for c in cells.tolist() if c in self.source)
        return total.less(cells, float(self.counts[cells].sum()), ids)

    def less_blocks(self, total: Total) -> tuple[Total, list[int]]:
        """A total less the blocks that lie whole within it, and the blocks it still shares cells with."""
        touched, shared = np.unique(self._owner[total.cells], return_counts=True)
        partly = []
        for key, count in zip(touched.tolist(), shared.tolist(), strict=True):
            if key < 0:
                continue
            block = self.blocks[key]
            if count == len(block.cells):
                total = total.less(block.cells, block.low, block.ids)
            else:
                partly.append(key)
        return total, partly

    def contains(self, key: int, total: Total) -> bool:
        """Do all cells of a total belong to one block?"""
        return bool((self._owner[total.cells] == key).all())

    def add(self, totals: Sequence[Total]) -> None:
        """Place exact totals, smaller ones first, until nothing more can be subtracted."""
        pending = [*self.waiting, *totals]
        while pending:
            pending.sort(key=lambda total: len(total.cells))  # stable: reading order among equals
            self.waiting = []
            for total in pending:
                self._place(total)
            if len(self.waiting) == len(pending):
                found = self._combined()
                pending = [*self.waiting, *found] if found else []
            else:
                pending = self.waiting

    def _systems(self) -> list[System]:
        """The totals that cross, with the blocks they cross."""
        if not self.waiting:
            return []
        cells = np.concatenate([total.cells for total in self.waiting])
        touched = np.unique(self._owner[cells])
        return systems_of([*(self.blocks[key] for key in touched.tolist() if key >= 0), *self.waiting])

    def _combined(self) -> list[Total]:
        """What totals that cross determine together, each in place of one of them; contradictions are recorded."""
        found = []
        for system in self._systems():
            for total, value, ids in system.implied():
                if value != total.low:
                    self._contradicts(total, value, ids)
            for total, cells, value, ids in system.determined():
                if value.denominator > 1:
                    self._contradicts(total, value, ids)
                    continue
                self._remove(total)
                count, minus = float(value), tuple(dict.fromkeys((*total.minus, *ids)))
                taken = total.low + total.taken - count
                found.append(replace(total, cells=cells, low=count, high=count, minus=minus, taken=taken))
        return found

    def _contradicts(self, total: Total, value: Fraction, ids: Sequence[str]) -> None:
        what = f"{self.name} totals that cross contradict each other"
        beside = f"{float(value):,.6g} of what is not known of its cells, where it leaves {total.low:,.0f}"
        found = f"{total.stated} ({rows(self.panel, total.ids)}); the others together leave {beside}"
        self.clash(total, ids, what, found, "totals that some whole counts of the cells add up to")
        self._remove(total)

    def _remove(self, total: Total) -> None:
        """Take a total out, be it a block or waiting."""
        key = int(self._owner[total.cells[0]])
        if key >= 0 and self.blocks[key] is total:
            self._owner[self.blocks.pop(key).cells] = -1
        self.waiting = [other for other in self.waiting if other is not total]

    def resolve(self) -> None:
        """Drop the totals that follow from smaller ones which they cross."""
        while True:
            implied = [each for system in self._systems() for each in system.implied()]
            if not implied:
                return
            for total, _, ids in implied:
                self._remove(total)
                self.drop(total, f"implied by {rows(self.panel, ids)}, which say it in finer totals", ids)
            self.add(())

    def _place(self, total: Total) -> None:
        total, partly = self.less_blocks(self.less_known(total))
        if not len(total.cells) or total.low < 0:
            self.check_empty(total)
        elif not partly:
            self._set(total)
        elif len(partly) == 1 and self.contains(partly[0], total):
            outer = self.blocks.pop(partly[0])
            self._owner[outer.cells] = -1
            self._set(total)
            rest = outer.less(total.cells, total.low, total.ids)
            if rest.low < 0:
                self.check_empty(rest)
            else:
                self._set(rest)
        else:
            self.waiting.append(total)

    def _set(self, total: Total) -> None:
        if len(total.ids) > 1:
            self.joint[total.ids[0]] = total.ids[1:]
        if len(total.cells) == 1:
            cell = int(total.cells[0])
            self.counts[cell] = total.low
            self.source[cell] = (*total.ids, *total.minus)
            return
        if self.stage == 0 and total.low == 0:  # no density there, so one statement may fix many cells
            self.counts[total.cells] = 0.0
            self.source.update((c, (*total.ids, *total.minus)) for c in total.cells.tolist())
            return
        self.blocks[self._next] = total
        self._owner[total.cells] = self._next
        self._next += 1

    def check_empty(self, total: Total) -> None:
        """Settle a total of which nothing is left: its parts either agree with it or contradict it."""
        down, up = self._slack(total)
        if total.low - down <= 0 <= total.high + up:
            roughly = "" if total.low <= 0 <= total.high else " roughly"
            reason = (
                f"its cells are known{roughly}: {total.taken:,.0f} in all"
                if total.minus
                else "an earlier count of its cells is 0"
            )
            self.drop(total, reason, total.minus)
            return
        below = total.high < 0
        what = f"{self.name} total is {'below' if below else 'above'} the sum of its parts"
        parts = (
            f" ({rows(self.panel, total.minus)})"
            if total.minus
            else ", as an earlier count of its cells is 0"
        )
        about = "about " if any(name in self.loose for name in total.minus) else ""
        whole = f"{total.stated} ({rows(self.panel, total.ids)})"
        found = f"{whole} against parts that sum to {about}{total.taken:,.0f}{parts}"
        allowed = (
            "a total at least the sum of its parts" if below else "a total equal to the sum of its parts"
        )
        self.clash(total, total.minus, what, found, allowed)

    def _slack(self, total: Total) -> tuple[float, float]:
        """How far below and above its range a total may lie, since it or what was subtracted stands for a range."""
        own = [self.loose[name] for name in total.ids if name in self.loose]
        parts = [self.loose[name] for name in total.minus if name in self.loose]
        down = sum(below for below, _ in own) + sum(above for _, above in parts)
        return down, sum(above for _, above in own) + sum(below for below, _ in parts)

    def retire(self, usable: NDArray[np.bool_]) -> list[Total]:
        """Take out the totals over cells without a known denominator, and place again what waited for them.

        Returns
        -------
        list of Total
            The totals taken out.
        """
        out = []
        for key, block in list(self.blocks.items()):
            if not usable[block.cells].all():
                out.append(self.blocks.pop(key))
                self._owner[block.cells] = -1
        again = [self.less_known(total) for total in self.waiting]
        out += [total for total in again if not usable[total.cells].all()]
        self.waiting = [total for total in again if usable[total.cells].all()]
        self.add(())
        self.resolve()
        return out
