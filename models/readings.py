"""What hard statements say of sums of cells, stage by stage: the analyser's input."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ..data.names import AXES
from ..data.panel import Panel
from .contract import Floats, Ints


@dataclass(frozen=True, slots=True)
class Total:
    """What is known of the sum over some cells of one stage.

    Parameters
    ----------
    cells : (m,) int
        Flat cell numbers, ascending.
    low, high : float
        Inclusive range of the sum; equal where it is exact.
    ids : tuple of str
        The statements that say so.
    minus : tuple of str
        Statements whose counts were subtracted: then ``low`` and ``high`` are what they leave.
    taken : float
        What was subtracted.
    """

    cells: Ints
    low: float
    high: float
    ids: tuple[str, ...]
    minus: tuple[str, ...] = ()
    taken: float = 0.0

    @property
    def exact(self) -> bool:
        """Is the sum known?"""
        return self.low == self.high

    @property
    def stated(self) -> str:
        """The range as its statements gave it, in words."""
        low, high = self.low + self.taken, self.high + self.taken
        if self.exact:
            return f"{low:,.0f}"
        if np.isinf(high):
            return f"at least {low:,.0f}"
        return f"{low:,.0f} to {high:,.0f}"

    def less(self, cells: Ints, count: float, ids: tuple[str, ...]) -> Total:
        """What is left when ``cells``, which sum to ``count``, are taken out."""
        return Total(
            np.setdiff1d(self.cells, cells, assume_unique=True),
            self.low - count,
            self.high - count,
            self.ids,
            tuple(dict.fromkeys((*self.minus, *ids))),
            self.taken + count,
        )


@dataclass(frozen=True, slots=True)
class Readings:
    """The hard statements of one stage.

    Parameters
    ----------
    cells : (k,) int
        Cells of the exact statements about one cell.
    values : (k,) float
    ids : tuple of str, length k
    totals : tuple of Total
        Exact sums over several cells, in reading order.
    ranges : tuple of Total
        Inexact sums, over one cell or several, in reading order.
    """

    cells: Ints
    values: Floats
    ids: tuple[str, ...]
    totals: tuple[Total, ...]
    ranges: tuple[Total, ...]

    def without(self, lost: Collection[str]) -> Readings:
        """The readings less some statements."""
        keep = np.array([i not in lost for i in self.ids], dtype=bool)
        return Readings(
            self.cells[keep],
            self.values[keep],
            tuple(i for i in self.ids if i not in lost),
            tuple(t for t in self.totals if t.ids[0] not in lost),
            tuple(t for t in self.ranges if t.ids[0] not in lost),
        )


def read_stages(panel: Panel, ranges: Mapping[str, tuple[float, float]]) -> list[Readings]:
    """Sort the hard statements of a panel by stage and form.

    Parameters
    ----------
    panel : Panel
    ranges : mapping of str to (float, float)
        Inclusive integer range per statement id; statements absent from it are left alone.
    """
    stages = panel.funnel.stages
    cells: list[list[int]] = [[] for _ in stages]
    values: list[list[float]] = [[] for _ in stages]
    ids: list[list[str]] = [[] for _ in stages]
    totals: list[list[Total]] = [[] for _ in stages]
    inexact: list[list[Total]] = [[] for _ in stages]
    _, jurisdictions, periods = panel.axes.shape
    # Nodes with one leaf give the cell by arithmetic: np.ix_ for each of 70,000 rows would take seconds.
    leaf = [
        {name: int(at[0]) for name, at in panel.axes[axis].positions.items() if len(at) == 1} for axis in AXES
    ]
    position = {name: s for s, name in enumerate(stages)}
    for statement in panel.statements:
        if statement.id not in ranges:
            continue
        low, high = ranges[statement.id]
        s = position[statement.stage]
        o, j, t = (
            leaf[0].get(statement.offense),
            leaf[1].get(statement.jurisdiction),
            leaf[2].get(statement.period),
        )
        if o is not None and j is not None and t is not None and low == high:
            cells[s].append((o * jurisdictions + j) * periods + t)
            values[s].append(float(low))
            ids[s].append(statement.id)
        else:
            total = Total(panel.cells(statement), float(low), float(high), (statement.id,))
            (totals if low == high else inexact)[s].append(total)
    return [
        Readings(
            np.array(cells[s], dtype=np.int64),
            np.array(values[s], dtype=np.float64),
            tuple(ids[s]),
            tuple(totals[s]),
            tuple(inexact[s]),
        )
        for s in range(len(stages))
    ]
