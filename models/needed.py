"""The part of the field that reports read: a sampler need not evaluate cells that nobody spoke of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .batches import Batch
from .blueprint import Blueprint
from .mixture import Mixture

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Needed:
    """What is left of a blueprint when only the cells its reports read are evaluated.

    Parameters
    ----------
    cells : (N,) int
        Active positions of those cells.
    steps : int
    batches : tuple of Batch
        With slots into the (S, N) predictor.
    mixture : Mixture or None
        Of the unsplit totals among them.
    """

    cells: Ints
    steps: int
    batches: tuple[Batch, ...]
    mixture: Mixture | None

    def slots(self, slots: Ints, size: int) -> Ints:
        """Positions in the raveled (S, N) predictor of positions in the raveled (S, A) one, parts behind either."""
        whole = self.steps * size
        inside = np.minimum(slots, whole - 1)
        moved = (inside // size) * len(self.cells) + np.searchsorted(self.cells, inside % size)
        return np.where(slots < whole, moved, slots - whole + self.steps * len(self.cells))


def needed(blueprint: Blueprint) -> Needed:
    """Cut a blueprint to what its reports read."""
    layout, mixture = blueprint.layout, blueprint.mixture
    whole = layout.steps * layout.size
    read = np.zeros(layout.size, dtype=bool)
    for batch in blueprint.batches:
        inside = batch.slots[batch.slots < whole].astype(np.int64)
        read[inside % layout.size] = True
    if mixture is not None:
        kept = read[mixture.at]
        kept[mixture.pool] = True
        read[mixture.at[kept]] = True
        read[mixture.members[kept][mixture.mask[kept]]] = True
        row = np.cumsum(kept) - 1
        cells = np.flatnonzero(read)
        mixture = replace(
            mixture,
            at=np.searchsorted(cells, mixture.at[kept]),
            members=np.searchsorted(cells, mixture.members[kept]),
            mask=mixture.mask[kept],
            offense=mixture.offense[kept],
            place=mixture.place[kept],
            log_share=mixture.log_share[kept],
            pool=row[mixture.pool],
        )
    cells = np.flatnonzero(read)
    cut = Needed(cells, layout.steps, (), mixture)
    batches = tuple(
        replace(batch, slots=cut.slots(batch.slots.astype(np.int64), layout.size).astype(np.int32))
        for batch in blueprint.batches
    )
    return replace(cut, batches=batches)
