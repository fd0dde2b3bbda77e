"""Tables that prove a sensitive count protected: they agree with all that is told and hold it at an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .attacker import LOWER, SLACK, UPPER, Attacker, Reach, whole
from .table import Bools, Floats, LinkedTable


@dataclass(frozen=True)
class Failure:
    """An end that a sensitive count cannot reach; ``found`` is None where only whole numbers keep it from there."""

    count: int
    side: float
    found: Reach | None


class Witnesses:
    """Whole-number tables found so far, and the ends of sensitive counts they reach.

    Parameters
    ----------
    table : LinkedTable
    k : int
        Every sensitive count must be able to be 0, and to be k or more, for all that is told.

    Notes
    -----
    ``unproven`` counts ends reached by a linear program of which no whole-number table was found, nor that there is
    none. A table is a witness for every suppressed set outside of which it changes nothing, and for every end it
    reaches: most ends need no program of their own.
    """

    def __init__(self, table: LinkedTable, k: int) -> None:
        self.table = table
        self.k = k
        self.unproven = 0
        self._counts: Floats = np.empty((0, len(table)))
        self._sensitive = np.flatnonzero(table.sensitive)

    def end(self, side: float) -> float:
        """The value that an end of the attacker's interval must reach: 0 below, k above."""
        return 0.0 if side == LOWER else float(self.k)

    def failures(self, suppressed: Bools) -> Iterator[Failure]:
        """The ends that a suppressed set leaves out of reach, found one by one."""
        attacker = Attacker(self.table, suppressed)
        told = self.table.held & ~suppressed
        fits = (self._counts[:, told] == self.table.values[told]).all(axis=1)
        reached = self._reached(self._counts[fits])
        for place, count in enumerate(self._sensitive):
            for row, side in enumerate((LOWER, UPPER)):
                if reached[row, place]:
                    continue
                found = attacker.reach(int(count), side, self.k)
                if abs(found.value - self.end(side)) > SLACK:
                    yield Failure(int(count), side, found)
                    continue
                counts = found.counts if found.whole else self._entire(attacker, int(count), side)
                if counts is None:
                    yield Failure(int(count), side, None)
                    continue
                reached |= self._reached(self.add(counts)[None]) if whole(counts) else False
                reached[row, place] = True

    def _entire(self, attacker: Attacker, count: int, side: float) -> Floats | None:
        """A whole-number table that reaches an end; None where there is none, fractional where that is not known."""
        near = attacker.nearest(count, self.end(side))
        if near is None or whole(near):
            return near
        try:
            found = attacker.reach(count, side, self.k, entire=True)
        except ArithmeticError:
            self.unproven += 1
            return near
        return found.counts if abs(found.value - self.end(side)) <= SLACK else None

    def add(self, counts: Floats) -> Floats:
        """Keep a table of whole numbers."""
        rounded = np.round(counts)
        self._counts = np.concatenate([self._counts, rounded[None]])
        return rounded

    def _reached(self, counts: Floats) -> Bools:
        """Which ends some of these tables reach, (2, sensitive)."""
        at = counts[:, self._sensitive]
        return np.stack([(at == 0).any(axis=0), (at >= self.k).any(axis=0)])


def protects(table: LinkedTable, suppressed: Bools, k: int) -> bool:
    """Can every sensitive count be 0, and k or more, in whole-number tables that agree with what is told?"""
    return next(Witnesses(table, k).failures(suppressed), None) is None
