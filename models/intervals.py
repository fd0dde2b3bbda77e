"""Inexact statements of one stage: merged, reduced, and refused where they share counts with an exact total.

A range that lies inside a known total shares unobserved counts with it. Where the two together say no more
than one of them, or fix the count, they are replaced by that; otherwise they would need one density of their
own and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..data.errors import Problem
from .clashes import rows
from .contract import Floats, Ints
from .readings import Total
from .reduce import Reduction

APART = "leave one of them out with [[exclude]]"


class Intervals:
    """The ranges of one stage that remain beside its blocks.

    Parameters
    ----------
    state : Reduction
        The exact knowledge of the stage; gains what ranges and totals determine together.
    ranges : sequence of Total
        Inexact statements whose cells all have a known denominator where they are not known themselves.
    cap : (cells,) float
        The most each cell can hold; inf on ratio steps without a limit.

    Attributes
    ----------
    open : list of Total
        Ranges over cells that share counts with nothing else at this stage.
    refused : list of Problem
    reasons : dict of str to str
        What to say of statements that were combined.
    """

    def __init__(self, state: Reduction, ranges: Sequence[Total], cap: Floats) -> None:
        self.state = state
        self.cap = cap
        self.open: list[Total] = []
        self.refused: list[Problem] = []
        self.reasons: dict[str, str] = {}
        current = self._merge(ranges)
        while True:
            inside = self._reduce(current)
            found = [total for key, totals in inside.items() for total in self._determined(key, totals)]
            found += [total for total in self.open if total.exact]
            if not found:
                break
            fixed = {i for total in found for i in total.ids}
            beside = [total for totals in inside.values() for total in totals]
            current = self._merge([total for total in (*self.open, *beside) if total.ids[0] not in fixed])
            state.add(found)
        for key, totals in inside.items():
            for total in totals:
                self._refuse(total, state.blocks[key].ids, "lies inside a known total")
        self.open = self._disjoint(self._merge(self.open))

    def most(self, cells: Ints) -> float:
        """The most some cells can hold together."""
        return float(self.cap[cells].sum())

    def _merge(self, ranges: Sequence[Total]) -> list[Total]:
        """Intersect the ranges over the same cells."""
        by_cells: dict[bytes, Total] = {}
        for total in ranges:
            key = total.cells.tobytes()
            first = by_cells.setdefault(key, total)
            if first is total:
                continue
            low, high = max(first.low, total.low), min(first.high, total.high)
            if low > high:
                found = f"{first.stated} and {total.stated}"
                self.state.clash(
                    first, total.ids, self._title("ranges of the same cells exclude each other"), found, ""
                )
            elif (low, high) == (first.low, first.high):
                self.state.drop(total, f"implied by {rows(self.state.panel, first.ids)}", first.ids)
            elif (low, high) == (total.low, total.high):
                self.state.drop(first, f"implied by {rows(self.state.panel, total.ids)}", total.ids)
                by_cells[key] = total
            else:
                ids = (*first.ids, *total.ids)
                minus = tuple(dict.fromkeys((*first.minus, *total.minus)))
                by_cells[key] = replace(first, low=low, high=high, ids=ids, minus=minus)
                for name in ids:
                    self.reasons[name] = "two ranges of the same cells, intersected"
        return list(by_cells.values())

    def _title(self, text: str) -> str:
        return f"{self.state.name} {text}"

    def _refuse(self, total: Total, others: Sequence[str], how: str) -> None:
        panel = self.state.panel
        self.refused.append(
            Problem(
                self._title(f"range that {how}"),
                rows(panel, total.ids),
                f"{total.stated} beside {rows(panel, others)}",
                "inexact sums that share no unobserved counts with another statement",
                APART,
            )
        )

    def _reduce(self, ranges: Sequence[Total]) -> dict[int, list[Total]]:
        """Subtract what is known; keep open ranges, and return those inside a block."""
        self.open = []
        inside: dict[int, list[Total]] = {}
        for total in ranges:
            left, partly = self.state.less_blocks(self.state.less_known(total))
            if not len(left.cells) or left.high < 0:
                self.state.check_empty(left)
            elif left.low <= 0 and left.high >= self.most(left.cells):
                self.state.drop(left, "allows every count that is possible", left.minus)
            elif not partly:
                self.open.append(left)
            elif len(partly) == 1 and self.state.contains(partly[0], left):
                if not self._implied_inside(partly[0], left):
                    inside.setdefault(partly[0], []).append(left)
            else:
                self._refuse(
                    left, [i for key in partly for i in self.state.blocks[key].ids], "crosses a known total"
                )
        return inside

    def _implied_inside(self, key: int, total: Total) -> bool:
        """Does the block itself already say, or exclude, what a range within it says?"""
        block = self.state.blocks[key]
        others = np.setdiff1d(block.cells, total.cells, assume_unique=True)
        low, high = max(0.0, block.low - self.most(others)), min(block.low, self.most(total.cells))
        if total.low > high or total.high < low:
            found = f"{total.stated} where the total of {block.stated} leaves {low:,.0f} to {high:,.0f}"
            self.state.clash(
                total,
                (*block.ids, *block.minus),
                self._title("range contradicts the total that contains it"),
                found,
                "",
            )
            return True
        if total.low <= low and total.high >= high:
            self.state.drop(total, f"implied by {rows(self.state.panel, block.ids)}", block.ids)
            return True
        return False

    def _determined(self, key: int, totals: Sequence[Total]) -> list[Total]:
        """Ranges of which the block around them leaves one value only, as exact totals."""
        block = self.state.blocks[key]
        covered = np.concatenate([total.cells for total in totals])
        if len(np.unique(covered)) < len(covered):
            return []
        rest = self.most(np.setdiff1d(block.cells, covered))
        low = np.array([max(total.low, 0.0) for total in totals])
        high = np.array([min(total.high, self.most(total.cells), block.low) for total in totals])
        if low.sum() > block.low or high.sum() + rest < block.low:
            found = f"{' and '.join(t.stated for t in totals)} inside a total that leaves {block.low:,.0f}"
            ids = tuple(i for total in totals for i in total.ids)
            what = self._title("ranges contradict the total that contains them")
            problem_total = replace(totals[0], ids=ids)
            self.state.clash(problem_total, (*block.ids, *block.minus), what, found, "")
            return []
        least = np.maximum(low, block.low - rest - (high.sum() - high))
        most = np.minimum(high, block.low - (low.sum() - low))
        out = []
        for total, value, top in zip(totals, least, most, strict=True):
            if value == top:
                minus = tuple(dict.fromkeys((*total.minus, *block.ids)))
                out.append(replace(total, low=float(value), high=float(value), minus=minus))
                for name in total.ids:
                    where = rows(self.state.panel, block.ids)
                    self.reasons[name] = f"with the total of {where} it can only be {value:,.0f}"
        return out

    def _disjoint(self, ranges: list[Total]) -> list[Total]:
        """The ranges less those that others imply; those that still overlap are refused."""
        owner: Ints = np.full(self.cap.size, -1, dtype=np.int64)
        kept: dict[int, Total] = {}
        for key, outer in enumerate(sorted(ranges, key=lambda total: len(total.cells))):
            touched, shared = np.unique(owner[outer.cells], return_counts=True)
            inner = {k: n for k, n in zip(touched.tolist(), shared.tolist(), strict=True) if k >= 0}
            if any(n < len(kept[k].cells) for k, n in inner.items()):
                self._refuse(outer, [i for k in inner for i in kept[k].ids], "overlaps another")
                continue
            for total in self._nested(outer, {k: kept.pop(k) for k in inner}, key):
                kept[total[0]] = total[1]
                owner[total[1].cells] = total[0]
        return list(kept.values())

    def _nested(self, outer: Total, inside: dict[int, Total], key: int) -> list[tuple[int, Total]]:
        """What to keep, with its key, of a range and the disjoint ones inside it."""
        inner = list(inside.values())
        if not inner:
            return [(key, outer)]
        names = tuple(i for t in inner for i in t.ids)
        rest = self.most(np.setdiff1d(outer.cells, np.concatenate([t.cells for t in inner])))
        low = sum(max(t.low, 0.0) for t in inner)
        high = sum(min(t.high, self.most(t.cells)) for t in inner) + rest
        if outer.high < low or outer.low > high:
            found = f"{outer.stated} around ranges that add up to {low:,.0f} to {high:,.0f}"
            self.state.clash(outer, names, self._title("range contradicts the ranges inside it"), found, "")
            return list(inside.items())
        if outer.low <= low and outer.high >= high:
            self.state.drop(outer, f"implied by {rows(self.state.panel, names)}", names)
            return list(inside.items())
        left = [t for t in inner if not self._implied_by(outer, t)]
        if left:
            self._refuse(outer, [i for t in left for i in t.ids], "contains another")
        else:
            for t in inner:
                self.state.drop(t, f"implied by {rows(self.state.panel, outer.ids)}", outer.ids)
        return [(key, outer)]

    def _implied_by(self, outer: Total, inner: Total) -> bool:
        """Does a range leave one inside it no narrower than that one says?"""
        others = self.most(np.setdiff1d(outer.cells, inner.cells, assume_unique=True))
        top = min(outer.high, self.most(inner.cells))
        return inner.low <= max(0.0, outer.low - others) and inner.high >= top
