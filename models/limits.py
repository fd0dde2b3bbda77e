"""What stages allow of one another: most outcomes of a unit, and the nearest known stages of each cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data.funnel import Funnel
from .contract import Floats, Ints


def per_unit(funnel: Funnel) -> Floats:
    """Most outcomes a unit of one stage can have at a later one: 1 on probability steps, inf without a limit.

    Returns
    -------
    (stages, stages) float
        NaN on and below the diagonal.
    """
    size = len(funnel.stages)
    table = np.full((size, size), np.nan)
    for a in range(size):
        for b in range(a + 1, size):
            step = funnel.step(a, b)
            single = float(funnel.max_per_unit.get(step.name, np.inf))
            through = table[a, b - 1] * table[b - 1, b] if b - a > 1 else np.inf
            table[a, b] = 1.0 if step.kind == "probability" else min(single, through)
    return table


def most(n: Floats, limit: Floats) -> Floats:
    """The most outcomes of ``n`` units; none of none, whatever the limit."""
    return np.where(n == 0, 0.0, np.where(n == 0, 1.0, n) * limit)


def nearest(known: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """For each stage and cell the nearest earlier and the nearest later known stage, -1 for none."""
    earlier, later = np.full(known.shape, -1, dtype=np.int64), np.full(known.shape, -1, dtype=np.int64)
    for s in range(1, len(known)):
        earlier[s] = np.where(known[s - 1], s - 1, earlier[s - 1])
    for s in range(len(known) - 2, -1, -1):
        later[s] = np.where(known[s + 1], s + 1, later[s + 1])
    return earlier, later
