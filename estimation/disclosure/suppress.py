"""Which counts are suppressed: the optimum where a part of the table is small enough, else nearly that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from .greedy import greedy
from .optimum import optimum
from .table import Bools, LinkedTable

SMALL: Final = 100


@dataclass(frozen=True)
class Suppression:
    """A protecting set.

    Parameters
    ----------
    suppressed : (N,) bool
    optimal : bool
        No protecting set loses less.
    """

    suppressed: Bools
    optimal: bool


def suppress(table: LinkedTable, k: int) -> Suppression:
    """Suppress every sensitive count and as little else as protects them.

    Parameters
    ----------
    table : LinkedTable
    k : int
        For all that is told, every sensitive count can be 0 and can be k or more.
    """
    out, optimal = np.zeros(len(table), dtype=bool), True
    for block in table.blocks():
        part = table.take(block)
        best = optimum(part, k) if part.held.sum() <= SMALL else None
        optimal &= best is not None
        out[block] = greedy(part, k) if best is None else best
    return Suppression(out, optimal)
