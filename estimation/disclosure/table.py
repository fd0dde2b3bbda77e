"""Linked counts: the numbers of a table with its margins, and what every reader knows to hold among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LinkedTable:
    """Counts and the equations between them; an order ``later <= earlier`` is one with a difference for a third count.

    Parameters
    ----------
    values : (N,) float
        Whole numbers, 0 or more. Where nobody knows a count, any number that fits the equations.
    relations : (M, N) sparse
        ``relations @ values`` is 0: a total less its parts, an earlier stage less a later one less what was lost.
    held : (N,) bool
        Told to readers unless it is suppressed. Others are never told, to anybody.
    sensitive : (N,) bool
        Must not be found out.
    """

    values: Floats
    relations: sp.csr_matrix
    held: Bools
    sensitive: Bools

    def __post_init__(self) -> None:
        residual = np.abs(self.relations @ self.values)
        if len(residual) and residual.max() > 1e-6:
            raise ValueError(f"equation {int(residual.argmax())} does not hold: off by {residual.max():g}")

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def primary(self) -> Bools:
        """Counts that are suppressed for their own sake."""
        return self.held & self.sensitive

    @cached_property
    def weights(self) -> Floats:
        """What suppressing a count loses: log(1 + count), of a zero as of a one."""
        return np.where(self.held, np.log1p(np.maximum(self.values, 1.0)), 0.0)

    def loss(self, suppressed: Bools) -> float:
        """Information lost by a set of suppressed counts, the primary ones included."""
        return float(self.weights[suppressed].sum())

    def blocks(self) -> list[Ints]:
        """Positions of counts that equations join, one array for each separate part that holds anything sensitive."""
        touching = abs(self.relations)
        _, label = connected_components(touching.T @ touching, directed=False)
        wanted = np.unique(label[self.sensitive])
        return [np.flatnonzero(label == number) for number in wanted]

    def take(self, at: Ints) -> LinkedTable:
        """A part that no equation joins to the rest."""
        rows = self.relations[:, at]
        return replace(
            self,
            values=self.values[at],
            relations=sp.csr_matrix(rows[rows.getnnz(axis=1) > 0]),
            held=self.held[at],
            sensitive=self.sensitive[at],
        )
