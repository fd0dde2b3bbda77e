"""Equations among the counts of a grid, and the whole-number table that satisfies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from .table import Bools, Floats, Ints, LinkedTable

ROUNDS: Final = 100


class Equations:
    """Collects totals and orders over a grid of counts.

    Parameters
    ----------
    shape : tuple of int
        Layers, then nodes of the axes.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._index = np.arange(int(np.prod(shape))).reshape(shape)
        self._size = self._index.size
        self._rows: list[tuple[Ints, list[float]]] = []

    def total(self, axis: int, whole: int, parts: Sequence[int]) -> None:
        """Along an axis the count of one node is the sum of the counts of others, whatever the other nodes."""
        members = [np.take(self._index, node, axis).ravel() for node in (whole, *parts)]
        self._rows.append((np.stack(members, axis=1), [1.0] + [-1.0] * len(parts)))

    def order(self, earlier: int, later: int) -> None:
        """Counts of the later layer are at most those of the earlier: what is lost is one more count each."""
        first, second = self._index[earlier].ravel(), self._index[later].ravel()
        lost = np.arange(self._size, self._size + len(first))
        self._size += len(first)
        self._rows.append((np.stack([first, second, lost], axis=1), [1.0, -1.0, -1.0]))

    def table(self, values: Floats, small: Bools, k: int) -> LinkedTable:
        """The table of counts known, or found by difference, and of those nobody knows.

        Parameters
        ----------
        values : (N,) float
            Of the grid; NaN where there is no count.
        small : (N,) bool
            Known to lie in 1 to k - 1.
        k : int

        Notes
        -----
        Equations that the counts contradict are left out: nobody can subtract what does not add up.
        """
        relations = self._matrix()
        more = self._size - len(values)
        full = np.concatenate([values, np.full(more, np.nan)])
        full, relations = _derived(full, relations)
        known = ~np.isnan(full)
        full, relations = _completed(full, relations)
        grid = np.arange(self._size) < len(values)
        held = known & grid
        sensitive = held & (full >= 1) & (full < k)
        sensitive[: len(values)] |= small & ~held[: len(values)]
        return LinkedTable(full, relations, held, sensitive)

    def _matrix(self) -> sp.csr_matrix:
        rows, columns, entries = [], [], []
        start = 0
        for members, signs in self._rows:
            here = np.arange(start, start + len(members))
            rows.append(np.repeat(here, members.shape[1]))
            columns.append(members.ravel())
            entries.append(np.tile(signs, len(members)))
            start += len(members)
        if not rows:
            return sp.csr_matrix((0, self._size))
        at = (np.concatenate(rows), np.concatenate(columns))
        return sp.csr_matrix((np.concatenate(entries), at), shape=(start, self._size))


def _derived(values: Floats, relations: sp.csr_matrix) -> tuple[Floats, sp.csr_matrix]:
    """Counts that follow one at a time from an equation with no other unknown; equations that hold."""
    values = values.copy()
    for _ in range(ROUNDS):
        unknown = np.isnan(values)
        rest = relations @ np.where(unknown, 0.0, values)
        missing = abs(relations) @ unknown.astype(float)
        broken = (missing == 0) & (np.abs(rest) > 1e-6)
        relations, missing, rest = relations[~broken], missing[~broken], rest[~broken]
        single = np.flatnonzero(missing == 1)
        if not len(single):
            break
        part = relations[single].tocoo()
        keep = unknown[part.col]
        found = -rest[single][part.row[keep]] / part.data[keep]
        good = (found >= 0) & (found == np.round(found))
        values[part.col[keep][good]] = found[good]
        wrong = single[part.row[keep][~good]]
        relations = relations[np.setdiff1d(np.arange(relations.shape[0]), wrong)]
    return values, sp.csr_matrix(relations)


def _completed(values: Floats, relations: sp.csr_matrix) -> tuple[Floats, sp.csr_matrix]:
    """Some whole numbers for the counts nobody knows; equations that no numbers satisfy are left out."""
    unknown = np.isnan(values)
    columns = np.flatnonzero(unknown)
    relations = sp.csr_matrix(relations)
    if not len(columns):
        return values, relations
    rows = np.flatnonzero(relations[:, columns].getnnz(axis=1))
    part = relations[rows][:, columns]
    right = -(relations[rows] @ np.where(unknown, 0.0, values))
    n, m = len(columns), len(rows)
    off = sp.identity(m)
    found = milp(
        np.concatenate([np.zeros(n), np.ones(2 * m)]),
        constraints=LinearConstraint(sp.csc_matrix(sp.hstack([part, off, -off])), right, right),
        bounds=Bounds(0, np.inf),
        integrality=np.concatenate([np.ones(n), np.zeros(2 * m)]),
    )
    if found.x is None:
        raise ArithmeticError(f"the unknown counts could not be completed: {found.message}")
    out = values.copy()
    out[columns] = np.round(found.x[:n])
    keep = np.abs(relations @ out) < 1e-6
    return out, sp.csr_matrix(relations[keep])
