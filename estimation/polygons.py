"""Counts of two stages together: which pairs of sums some cells can have, in closed form.

Of some cells let A be the count at one stage, B at a later one, and D = l A - B with l the most outcomes of a unit.
Where every constraint is on A, B or D of a cell, or on A and B of all cells of a block, the pairs (A, B) of any cells
are a polygon with edges in those three directions alone, and so are sums of such polygons over independent cells (edges
of a Minkowski sum are those of its parts). Six numbers describe each exactly, and a ratio B/A has its ends on known
edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Polygons:
    """Polygons of pairs (A, B), described by the ranges of A, B and D = limit · A - B; arrays (…,).

    ``limit`` is infinite where nothing limits B by A: then D says nothing.
    """

    low: Floats  # (3, …): least A, B, D
    high: Floats
    limit: float

    def tight(self) -> Polygons:
        """The same polygons, each range as narrow as the other two make it."""
        (a, b, d), (top_a, top_b, top_d) = self.low, self.high
        if np.isinf(self.limit):
            return self
        limit = self.limit
        low = np.stack(
            [
                np.maximum(a, (b + d) / limit),
                np.maximum(b, limit * a - top_d),
                np.maximum(d, limit * a - top_b),
            ]
        )
        high = np.stack(
            [
                np.minimum(top_a, (top_b + top_d) / limit),
                np.minimum(top_b, limit * top_a - d),
                np.minimum(top_d, limit * top_a - b),
            ]
        )
        return Polygons(low, high, limit)

    @classmethod
    def within(cls, low: Floats, high: Floats, limit: float) -> Polygons:
        """Pairs within boxes (2, …) with B at most limit · A."""
        least, most = np.zeros(low.shape[1:]), np.full(low.shape[1:], np.inf)
        return cls(np.stack([*low, least]), np.stack([*high, most]), limit).tight()

    def take(self, at: Ints) -> Polygons:
        """Some of the polygons."""
        return Polygons(self.low[:, at], self.high[:, at], self.limit)

    def plus(self, other: Polygons) -> Polygons:
        """Sums of pairs of one and of the other."""
        return Polygons(self.low + other.low, self.high + other.high, self.limit)

    def total(self, at: Ints, size: int) -> Polygons:
        """Sums of the polygons (k,) that have the same number in ``at``, (size,)."""
        low = np.stack([sums_at(each, at, size) for each in self.low])
        high = np.stack([sums_at(each, at, size) for each in self.high])
        return Polygons(low, high, self.limit)

    def rest(self, whole_at: Ints, wholes: int, part: Polygons, at: Ints, of: Ints) -> Polygons:
        """Sums over what parts leave of the wholes they are parts of.

        Parameters
        ----------
        whole_at : (k,) int
            Of these polygons, the whole each belongs to.
        wholes : int
        part : Polygons
            (q,), those in parts.
        at : (q,) int
            The part of each.
        of : (P,) int
            The whole of each part.
        """

        def left(all_of: Floats, some: Floats) -> Floats:
            endless = sums_at(np.isinf(all_of).astype(float), whole_at, wholes)[of]
            endless -= sums_at(np.isinf(some).astype(float), at, len(of))
            finite = sums_at(np.where(np.isinf(all_of), 0.0, all_of), whole_at, wholes)[of]
            finite -= sums_at(np.where(np.isinf(some), 0.0, some), at, len(of))
            return np.where(endless > 0, np.inf, finite)

        low = np.stack([left(*pair) for pair in zip(self.low, part.low, strict=True)])
        high = np.stack([left(*pair) for pair in zip(self.high, part.high, strict=True)])
        return Polygons(low, high, self.limit)

    def beside(self, rest: Polygons, low: Floats, high: Floats) -> Polygons:
        """Cut to the pairs that leave the others, ``rest``, a pair with which sums of A and B are in their ranges.

        ``low`` and ``high`` are (2, …): of the sums of A and of B.
        """
        d = np.stack([np.full(low.shape[1:], -np.inf), np.full(low.shape[1:], np.inf)])
        if np.isfinite(self.limit):
            d = np.stack([self.limit * low[0] - high[1], self.limit * high[0] - low[1]])
        with np.errstate(invalid="ignore"):
            least = np.stack([low[0], low[1], d[0]]) - rest.high
            most = np.stack([high[0], high[1], d[1]]) - rest.low
        least, most = np.where(np.isnan(least), -np.inf, least), np.where(np.isnan(most), np.inf, most)
        return Polygons(np.maximum(self.low, least), np.minimum(self.high, most), self.limit).tight()

    def rates(self) -> tuple[Floats, Floats]:
        """Least and greatest B/A over pairs with A of 1 or more; NaN where A can only be 0."""
        (a, b, d), (top_a, top_b, top_d) = self.low, self.high
        least = np.maximum(a, 1.0)
        limit = self.limit
        with np.errstate(invalid="ignore", divide="ignore"):
            if np.isinf(limit):
                low, high = np.where(np.isinf(top_a), 0.0, b / top_a), top_b / least
            else:
                # The upper edge is the lower of B = top_b and B = limit A - d, highest against A where they meet.
                at = np.clip((top_b + d) / limit, least, np.maximum(top_a, least))
                high = np.where(np.isinf(at), limit, np.minimum(top_b, limit * at - d) / at)
                at = np.clip((b + top_d) / limit, least, np.maximum(top_a, least))
                low = np.where(np.isinf(at), 0.0, np.maximum(b, limit * at - top_d) / at)
        never = top_a < 1
        return np.where(never, np.nan, low), np.where(never, np.nan, high)


def sums_at(values: Floats, at: Ints, size: int) -> Floats:
    """Sums of the values that have the same number, (size,); infinite where some value is."""
    endless = np.isinf(values)
    out = np.bincount(at, np.where(endless, 0.0, values), minlength=size)
    if endless.any():
        out[at[endless]] = np.inf
    return out
