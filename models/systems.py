"""Totals that cross, as systems of linear equations: what they determine together, and which of them say it twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .contract import Bools, Ints
from .elimination import Combination, eliminate
from .links import sharing
from .readings import Total


@dataclass(frozen=True)
class System:
    """Exact totals that share cells, directly or through others, smaller ones first.

    Parameters
    ----------
    totals : tuple of Total
    pieces : tuple of array
        Cells that stand in the same totals.
    incidence : (r, p) bool
        Which pieces each total is over.
    """

    totals: tuple[Total, ...]
    pieces: tuple[Ints, ...]
    incidence: Bools

    def implied(self) -> Iterator[tuple[Total, Fraction, tuple[str, ...]]]:
        """Totals that follow from smaller ones: the total, the count they leave for it, and their statements."""
        for row, combination in eliminate(self.incidence).implied.items():
            yield self.totals[row], self._value(combination), self._ids(combination, row)

    def determined(self) -> Iterator[tuple[Total, Ints, Fraction, tuple[str, ...]]]:
        """Pieces whose count the totals fix: a total to stand for it, its cells, its count and the other statements."""
        for column, row, combination in eliminate(self.incidence).single:
            yield self.totals[row], self.pieces[column], self._value(combination), self._ids(combination, row)

    def _value(self, combination: Combination) -> Fraction:
        return sum(
            (Fraction(above, below) * int(self.totals[j].low) for j, above, below in combination), Fraction(0)
        )

    def _ids(self, combination: Combination, row: int) -> tuple[str, ...]:
        """Statements of the other rows; what was subtracted from them counts in their place."""
        names = [
            name
            for j, _, _ in combination
            if j != row
            for name in (*self.totals[j].ids, *self.totals[j].minus)
        ]
        return tuple(dict.fromkeys(names))


def systems_of(totals: Sequence[Total]) -> list[System]:
    """The systems of two totals or more among some exact totals of one stage."""
    ordered = sorted(totals, key=lambda total: len(total.cells))  # stable: reading order among equals
    together = [part for part in sharing([total.cells for total in ordered]) if len(part) > 1]
    return [_system([ordered[i] for i in sorted(part)]) for part in together]


def _system(totals: Sequence[Total]) -> System:
    cells = np.unique(np.concatenate([total.cells for total in totals]))
    incidence = np.array([np.isin(cells, total.cells) for total in totals])
    columns, at = np.unique(incidence, axis=1, return_inverse=True)
    pieces = tuple(cells[at.ravel() == piece] for piece in range(columns.shape[1]))
    return System(tuple(totals), pieces, columns)
