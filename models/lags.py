"""Lags: how long after its own period a cohort was looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

EVER = int(np.iinfo(np.int32).max)
"""A last lag that leaves none out."""


@dataclass(frozen=True)
class Lags:
    """Which lags, in periods after a cohort's own, the totals of a group can hold.

    Parameters
    ----------
    first, last : (m, D) int
        Of each cell and total, both inclusive; those of a total lie within those of the total before.
    entered : (m, 2) int
        First and last lag at which the units of ``n`` reached ``start``.
    horizon : int
        Lags that a step can take, beyond which it is not waited for.
    closed : int
        So many totals, the first ones, count the units *not* closed without the stage at those lags. Where the units
        start at the stage itself none of them ever reaches it.
    later : (m, 3) int or None
        The units are known by whether they are counted at a later date: the age at that date, 1 for those that are and
        0 for the others, and the periods between. The one total is of those that were counted before (``revised``).
    left : (m,) int or None
        Periods in which the latest counts can still be corrected; None where counts are never taken back.
    """

    first: Ints
    last: Ints
    entered: Ints
    horizon: int
    closed: int = 0
    later: Ints | None = None
    left: Ints | None = None

    @property
    def revised(self) -> bool:
        """Can its counts be taken back?"""
        return self.later is not None or self.left is not None
