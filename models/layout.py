"""Which cells exist in the model, and where each step-cell stands in the vector of linear predictors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.axes import Axes
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
    """

    cells: Ints
    shape: tuple[int, int, int]
    steps: int

    @property
    def size(self) -> int:
        """A, the number of active cells."""
        return len(self.cells)

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

    def slot(self, step: int, cells: Ints) -> Ints:
        """Positions in the raveled linear predictor of a step of some cells."""
        return step * self.size + self.positions[cells]


def make_layout(axes: Axes, analysis: Analysis, steps: int) -> Layout:
    """Active cells: the denominator is known, or a group holds the cell."""
    wanted = np.isfinite(analysis.counts[0])
    for group in analysis.groups:
        wanted[group.cells] = True
    return Layout(np.flatnonzero(wanted), axes.shape, steps)
