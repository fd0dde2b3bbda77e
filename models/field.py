"""The linear predictor assembled from blocks of effects, in NumPy, for stored draws and for the prior."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ..data.names import AXES
from .basis import Basis
from .layout import Layout
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_AT_ONCE = 100_000  # numbers


def spread(values: Floats, block: Block, layout: Layout) -> Floats:
    """A block's values (…, S, levels…) at the active cells, (…, S, A)."""
    if block.cellwise:
        return values if layout.apart and values.shape[-1] == layout.size else values[..., layout.unit]
    index: tuple[EllipsisType | Ints, ...] = (
        ...,
        *(layout.coordinates[AXES.index(axis)] for axis in block.axes),
    )
    found = values[index]
    return found if block.slope is None else found * block.slope.by.ravel()[layout.cells]


def level_of(block: Block, layout: Layout) -> Ints:
    """Which level of a block, counted in C order, each active cell reads, (A,)."""
    if block.cellwise:
        return layout.unit
    place = tuple(layout.coordinates[AXES.index(axis)] for axis in block.axes)
    return np.ravel_multi_index(place, [basis.levels for basis in block.bases])


def apply_bases(free: Floats, bases: Sequence[Basis], fresh: bool = False) -> Floats:
    """Map free coefficients (…, f_1, f_2, …) to levels (…, l_1, l_2, …)."""
    out = free
    for place, basis in enumerate(bases):
        axis = out.ndim - len(bases) + place
        matrix = basis.fresh if fresh else basis.matrix
        out = np.moveaxis(np.tensordot(out, matrix, axes=(axis, 1)), -1, axis)
    return out


def draw_block(
    rng: np.random.Generator,
    block: Block,
    sd: Floats,
    layout: Layout,
    fresh: bool = False,
    units: Ints | None = None,
) -> Floats:
    """Draws of a block given its standard deviations.

    Parameters
    ----------
    sd : (R, S)
    fresh : bool
        Draw levels of *new* units of the population, without the constraint on these members.

    units : (U,) int, optional
        Of a cellwise block, the units whose draws are kept. All are drawn, so that those of one are the same.

    Returns
    -------
    (R, S, levels…), or (R, S, units) for a cellwise block
    """
    if block.cellwise:
        if units is None:
            values = rng.standard_normal((*sd.shape, layout.units))
        else:
            values = np.empty((*sd.shape, len(units)))
            for at in np.ndindex(sd.shape):
                values[at] = rng.standard_normal(layout.units)[units]
        values *= sd[..., None]
        return values
    free = tuple((b.fresh if fresh else b.matrix).shape[1] for b in block.bases)
    values = apply_bases(rng.standard_normal((*sd.shape, *free)), block.bases, fresh)
    return values * sd.reshape(*sd.shape, *(1,) * len(free))


@dataclass(frozen=True)
class FieldDraws:
    """Draws of everything the linear predictor is made of.

    Parameters
    ----------
    intercept : (R, S)
    sd : mapping of block name to (R, S)
    values : mapping of block name to (R, S, levels…) or (R, S, units)
    phi : (R, S)
        Variance factor of ratio steps, 1 elsewhere.
    concentration : (R,) or None
    total_spread : (R, S) or None
    unknown : mapping of name to (R, …)
        Standard normal coordinates of what the kinds do not know.
    """

    intercept: Floats
    sd: Mapping[str, Floats]
    values: Mapping[str, Floats]
    phi: Floats
    concentration: Floats | None = None
    total_spread: Floats | None = None
    unknown: Mapping[str, Floats] = field(default_factory=dict)

    def eta(self, blocks: Sequence[Block], layout: Layout, leave_out: Sequence[str] = ()) -> Floats:
        """Linear predictors of the active step-cells, (R, S, A), without some blocks."""
        out = np.empty((*self.intercept.shape, layout.size))
        rows = out.reshape(-1, layout.size)
        parts = [
            _part(self.values[block.name], block, layout) for block in blocks if block.name not in leave_out
        ]
        # A few draws through all blocks, while they are in the processor's cache.
        for start in range(0, len(rows), few := max(_AT_ONCE // max(layout.size, 1), 1)):
            some = slice(start, start + few)
            rows[some] = self.intercept.reshape(-1, 1)[some]
            for values, level, by in parts:
                if level is None:
                    rows[some] += values[some]
                else:
                    _add(rows[some], values[some], level, by)
        return out


_Part = tuple[NDArray[np.floating[Any]], Ints | None, Floats]


def _part(values: Floats, block: Block, layout: Layout) -> _Part:
    """A block's values (R · S, L), the level of each active cell (A,), none where each reads its own, and what it is
    multiplied by, none for one.
    """
    flat, one = values.reshape(math.prod(values.shape[:2]), -1), np.empty(0)
    if block.cellwise and layout.apart and flat.shape[1] == layout.size:
        return flat, None, one
    return flat, level_of(block, layout), one if block.slope is None else block.slope.by.ravel()[layout.cells]


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _add(rows: Floats, values: NDArray[np.floating[Any]], level: Ints, by: Floats) -> None:
    """Add to each row what stands at its cells' levels, times what a cell is multiplied by."""
    for r in range(len(rows)):
        row, mine = rows[r], values[r]
        if len(by):
            for cell in range(len(row)):
                row[cell] += mine[level[cell]] * by[cell]
        else:
            for cell in range(len(row)):
                row[cell] += mine[level[cell]]
