"""Row reduction over the integers: which sums follow from others, and which sets of cells they determine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Combination = tuple[tuple[int, int, int], ...]  # row, numerator, denominator
_SAFE = 2**30  # products of two such entries, and their difference, still fit


@dataclass(frozen=True)
class Elimination:
    """What integer row reduction says of a 0/1 incidence matrix.

    Parameters
    ----------
    implied : mapping of int to Combination
        For each row that depends on rows before it, how it is put together from them.
    single : tuple of (int, int, Combination)
        Columns whose unit vector the rows span: the column, a row that may stand for it, and how the unit vector is
        put together from the rows.
    """

    implied: Mapping[int, Combination]
    single: tuple[tuple[int, int, Combination], ...]


def eliminate(incidence: Bools) -> Elimination:
    """Row-reduce an incidence matrix (r, p) of different columns; earlier rows are kept in place of later ones."""
    return _eliminate(np.ascontiguousarray(incidence, dtype=bool).tobytes(), incidence.shape)


def lattice_index(incidence: Bools) -> int:
    """How sparse the totals of whole counts are: the index of the lattice A Z^p in Z^r; rows (r, p) independent.

    The product of the pivots of the Hermite normal form, 1 for the margins of a two-way table.
    """
    return _lattice_index(np.ascontiguousarray(incidence, dtype=bool).tobytes(), incidence.shape)


# Months of one form share their incidence, so that each is reduced once.
@lru_cache(maxsize=256)
def _eliminate(data: bytes, shape: tuple[int, int]) -> Elimination:
    count, width = shape
    matrix = np.frombuffer(data, dtype=bool).reshape(shape).astype(np.int64)
    rows: Any = np.hstack([matrix, np.eye(count, dtype=np.int64)])
    basis: dict[int, Any] = {}  # pivot column -> reduced row
    owner: dict[int, int] = {}
    implied: dict[int, Combination] = {}
    for number in range(count):
        row = rows[number]
        for column, other in basis.items():
            if row[column]:
                row = _less(row, other, other[column], row[column])
        lead = np.flatnonzero(row[:width])
        if not len(lead):
            own = row[width + number]
            implied[number] = tuple(
                _fraction(j, -row[width + j], own)
                for j in np.flatnonzero(row[width:]).tolist()
                if j != number
            )
            continue
        pivot = int(lead[0])
        for column, other in basis.items():
            if other[pivot]:
                basis[column] = _less(other, row, row[pivot], other[pivot])
        basis[pivot], owner[pivot] = row, number
    single = tuple(
        (
            column,
            owner[column],
            tuple(_fraction(j, row[width + j], row[column]) for j in np.flatnonzero(row[width:]).tolist()),
        )
        for column, row in basis.items()
        if np.count_nonzero(row[:width]) == 1
    )
    return Elimination(implied, single)


def _less(row: Any, other: Any, keep: Any, take: Any) -> Any:
    """``keep · row − take · other``, divided by what its entries have in common."""
    if row.dtype != object and max(np.abs(row).max(), np.abs(other).max()) > _SAFE:
        row, other, keep, take = row.astype(object), other.astype(object), int(keep), int(take)
    out = keep * row - take * other
    common = np.gcd.reduce(out)
    return out // common if common > 1 else out


def _fraction(row: int, above: Any, below: Any) -> tuple[int, int, int]:
    sign = -1 if below < 0 else 1
    return row, int(sign * above), int(sign * below)


@lru_cache(maxsize=256)
def _lattice_index(data: bytes, shape: tuple[int, int]) -> int:
    matrix = np.unique(np.frombuffer(data, dtype=bool).reshape(shape).astype(np.int64), axis=1)
    index = 1
    for row in range(shape[0]):
        while True:
            some = np.flatnonzero(matrix[row, row:]) + row
            pivot = some[np.argmin(np.abs(matrix[row, some]))]
            others = some[some != pivot]
            if not len(others):
                break
            times = matrix[row, others] // matrix[row, pivot]
            matrix[:, others] -= np.outer(matrix[:, pivot], times)
        matrix[:, [row, pivot]] = matrix[:, [pivot, row]]
        index *= abs(int(matrix[row, row]))
    return index
