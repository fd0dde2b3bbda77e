"""A protecting set found one sensitive count at a time, for tables too large for the optimum."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from .attacker import SLACK, whole
from .table import Bools, Floats, LinkedTable
from .witness import Failure, Witnesses

NEARLY_FREE: Final = 0.02
PASSES: Final = 3


def greedy(table: LinkedTable, k: int) -> Bools:
    """Suppressed counts that protect every sensitive one, close to the least loss.

    Parameters
    ----------
    table : LinkedTable
    k : int
        Every sensitive count must be able to be 0, and to be k or more, for all that is told.

    Returns
    -------
    (N,) bool

    Raises
    ------
    ArithmeticError
        A program was not solved.

    Notes
    -----
    For an end that a sensitive count cannot reach, the cheapest way to move it there without breaking an equation: a
    linear program over the changes of all counts, of which those of suppressed counts are nearly free. Every count
    that moves is suppressed. Then each secondary count, the heaviest first, is told again where all stays protected.
    """
    witnesses = Witnesses(table, k)
    suppressed = table.primary.copy()
    while (failure := next(witnesses.failures(suppressed), None)) is not None:
        counts = _moved(table, suppressed, failure, witnesses.end(failure.side))
        new = table.held & ~suppressed & (np.abs(counts - table.values) > SLACK)
        if whole(counts):
            witnesses.add(counts)
        suppressed |= new if new.any() else _beside(table, suppressed, failure.count)
    secondary = np.flatnonzero(suppressed & ~table.primary)
    for extra in secondary[np.argsort(-table.weights[secondary], kind="stable")]:
        without = suppressed.copy()
        without[extra] = False
        if next(witnesses.failures(without), None) is None:
            suppressed = without
    return suppressed


def _moved(table: LinkedTable, suppressed: Bools, failure: Failure, end: float) -> Floats:
    """The table nearest by weight that has a sensitive count at its end.

    What counts is which counts change, not how far: prices are divided by the change found before, some times over.
    """
    size = len(table)
    free = ~table.held | suppressed
    price = np.where(free, NEARLY_FREE, table.weights)
    # Changes up and down apart; nothing falls below zero.
    most = np.concatenate([np.full(size, np.inf), table.values])
    least = np.zeros(2 * size)
    change = end - table.values[failure.count]
    for place, way in ((failure.count, change), (size + failure.count, -change)):
        least[place] = most[place] = max(way, 0.0)
    both = sp.csc_matrix(sp.hstack([table.relations, -table.relations]))
    zero = np.zeros(both.shape[0])
    cost = np.concatenate([price, price])
    found = None
    for _ in range(PASSES):
        found = linprog(cost, A_eq=both, b_eq=zero, bounds=np.column_stack([least, most])).x
        if found is None:
            raise ArithmeticError(f"count {failure.count} cannot be moved to {end:g}")
        cost = np.concatenate([price, price]) / (1.0 + np.minimum(found, abs(change)))
    assert found is not None
    return table.values + found[:size] - found[size:]


def _beside(table: LinkedTable, suppressed: Bools, count: int) -> Bools:
    """The lightest told count that stands in an equation with one that moves with ``count``."""
    free = sp.csr_matrix(abs(table.relations)).astype(bool).astype(float)
    near = np.zeros(len(table))
    near[count] = 1.0
    told = table.held & ~suppressed
    while not (near.astype(bool) & told).any():
        near = free.T @ (free @ (near > 0).astype(float))
    at = np.flatnonzero((near > 0) & told)
    out = np.zeros(len(table), dtype=bool)
    out[at[np.argmin(table.weights[at])]] = True
    return out
