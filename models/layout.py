"""Which cells exist in the model, and where each step-cell stands in the vector of linear predictors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.panel import Panel
from .contract import Analysis

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """The active cells: those a statement touches, or that a published aggregate needs.

    Parameters
    ----------
    cells : (A,) int
        Flat cell numbers, ascending.
    shape : tuple of int
        Numbers of leaves (O, J, T).
    steps : int
        Number of consecutive steps S. The linear predictor is an (S, A) array; slot = step × A + position.
    unit : (A,) int
        Cells of one unsplit total, and the total itself, share a number: they share their cell effect.
    member_of : (A,) int
        For the cells of unsplit totals the flat number of their total, -1 for others.
    """

    cells: Ints
    shape: tuple[int, int, int]
    steps: int
    unit: Ints
    member_of: Ints

    @property
    def size(self) -> int:
        """A, the number of active cells."""
        return len(self.cells)

    def take(self, positions: Ints) -> Layout:
        """The layout of some of the active cells; their units keep their numbers."""
        return replace(
            self, cells=self.cells[positions], unit=self.unit[positions], member_of=self.member_of[positions]
        )

    @cached_property
    def units(self) -> int:
        """Number of different units."""
        return int(self.unit.max(initial=-1)) + 1

    @cached_property
    def apart(self) -> bool:
        """Every cell is the unit of its own number."""
        return np.array_equal(self.unit, np.arange(self.size))

    @cached_property
    def pooled(self) -> bool:
        """Some cell is a part of an unsplit total."""
        return bool((self.member_of >= 0).any())

    @property
    def dense(self) -> bool:
        """Every cell is active, so that blocks broadcast without gathers."""
        return self.size == int(np.prod(self.shape))

    @cached_property
    def coordinates(self) -> tuple[Ints, Ints, Ints]:
        """Leaf positions (offense, jurisdiction, period) of the active cells, each (A,)."""
        o, j, t = np.unravel_index(self.cells, self.shape)
        return o, j, t

    @cached_property
    def positions(self) -> Ints:
        """Position of every cell among the active ones, -1 for the others; (O·J·T,)."""
        where = np.full(int(np.prod(self.shape)), -1, dtype=np.int64)
        where[self.cells] = np.arange(self.size)
        return where

    def slot(self, step: int | Ints, cells: Ints) -> Ints:
        """Positions in the raveled linear predictor of a step of some cells, or of one step for each."""
        return step * self.size + self.positions[cells]


def spoken(analysis: Analysis) -> NDArray[np.bool_]:
    """Cells that have a denominator or stand in a group, a part of an unsplit total counting as the total; (cells,)."""
    out = np.isfinite(analysis.counts[0])
    for group in analysis.groups:
        out[group.cells if group.part < 0 else group.part] = True
    return out


def make_layout(panel: Panel, analysis: Analysis) -> Layout:
    """Active cells: the denominator is known, a group holds the cell, or its unsplit total is active."""
    axes = panel.axes
    wanted = spoken(analysis)
    pools = panel.arrangement.pools if panel.arrangement is not None else {}
    total = np.full(wanted.size, -1, dtype=np.int64)
    for cell in pools:
        if wanted[cell]:
            # A cell with a denominator of its own is no longer a share of the total.
            total[pools[cell][~wanted[pools[cell]]]] = cell
    wanted |= total >= 0
    cells = np.flatnonzero(wanted)
    member_of = total[cells]
    _, unit = np.unique(np.where(member_of >= 0, member_of, cells), return_inverse=True)
    return Layout(cells, axes.shape, len(panel.funnel.steps), unit.astype(np.int64), member_of)
