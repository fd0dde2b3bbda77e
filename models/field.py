"""The linear predictor assembled from blocks of effects, in NumPy, for stored draws and for the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType

import numpy as np
from numpy.typing import NDArray

from ..data.names import AXES
from .basis import Basis
from .layout import Layout
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
        out = np.broadcast_to(self.intercept[..., None], (*self.intercept.shape, layout.size)).copy()
        for block in blocks:
            if block.name not in leave_out:
                out += spread(self.values[block.name], block, layout)
        return out
