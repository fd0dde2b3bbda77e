"""The attacker: who knows every number told, every equation, and that counts are whole and not negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse.csgraph import connected_components

from .table import Bools, Floats, Ints, LinkedTable

LOWER: Final = -1.0
UPPER: Final = 1.0
SLACK: Final = 1e-6
NODES: Final = 200
INFEASIBLE: Final = 2  # status of a program without a solution


@dataclass(frozen=True)
class Reach:
    """How far one count can be moved, and why no further.

    Parameters
    ----------
    value : float
        The end of what is possible.
    counts : (N,) float
        A table that agrees with all that is told and reaches the end.
    prices : (N,) float
        Reduced costs: a told count that has one holds the end where it is. Zero for integer programs.
    """

    value: float
    counts: Floats
    prices: Floats

    @property
    def whole(self) -> bool:
        """The table that reaches the end has whole numbers."""
        return whole(self.counts)


def whole(counts: Floats) -> bool:
    """Are all of these whole numbers?"""
    return bool(np.abs(counts - np.round(counts)).max(initial=0.0) < SLACK)


def _entire(
    goal: Floats, left: sp.csc_matrix, right: Floats, ceiling: Floats, most: float | None
) -> OptimizeResult:
    """The integer program of one end; with ``most``, the least value from there on, where there is any."""

    def solved(goal: Floats, low: Floats, high: Floats) -> OptimizeResult:
        return milp(
            goal,
            constraints=LinearConstraint(left, right, right),
            bounds=Bounds(low, high),
            integrality=np.ones(len(goal)),
            options={"node_limit": NODES},
        )

    if most is not None:
        found = solved(-goal, np.where(goal < 0, most, 0.0), np.full(len(goal), np.inf))
        if found.status != INFEASIBLE:
            return found
    return solved(goal, np.zeros(len(goal)), ceiling)


class Attacker:
    """What can be found out of the counts that are not told.

    Parameters
    ----------
    table : LinkedTable
    suppressed : (N,) bool
        Held counts that are not told.

    Notes
    -----
    The attacker solves two linear programs a count: its least and its greatest value over all tables that agree with
    what is told. With ``entire`` they are integer programs. Whether a count is suppressed for its own sake or for
    that of others is not told.
    """

    def __init__(self, table: LinkedTable, suppressed: Bools) -> None:
        self._table = table
        unknown = ~table.held | suppressed
        self._columns = np.flatnonzero(unknown)
        self._place = np.full(len(table), -1)
        self._place[self._columns] = np.arange(len(self._columns))
        self._right = -(table.relations @ np.where(unknown, 0.0, table.values))
        self._left = sp.csc_matrix(table.relations[:, self._columns])
        touching = abs(self._left)
        _, self._block = connected_components(touching.T @ touching, directed=False)
        self._parts: dict[int, tuple[Ints, Ints, sp.csc_matrix]] = {}

    def interval(self, count: int, most: float, entire: bool = False) -> tuple[float, float]:
        """The least and the greatest possible value of a count up to ``most``.

        Raises
        ------
        ValueError
            For a count that is told.
        """
        least, greatest = (self.reach(count, side, most, entire).value for side in (LOWER, UPPER))
        return least, greatest

    def reach(self, count: int, side: float, most: float, entire: bool = False) -> Reach:
        """One end, ``LOWER`` or ``UPPER``, of what is possible for a count; ``most`` or more counts as ``most``.

        Of whole numbers ``most`` itself may be out of reach where more is not: an integer program first asks for
        ``most`` or more.

        Raises
        ------
        ValueError
            For a count that is told.
        ArithmeticError
            The program was not solved; an integer program, not within ``NODES``.
        """
        at = self._place[count]
        if at < 0:
            raise ValueError(f"count {count} is told")
        rows, columns, left = self._part(int(self._block[at]))
        here = int(np.flatnonzero(columns == at)[0])
        goal = np.zeros(len(columns))
        goal[here] = -side
        ceiling = np.full(len(columns), np.inf)
        ceiling[here] = max(most, self._table.values[count])
        right = self._right[rows]
        prices = np.zeros(len(self._table))
        if entire:
            found = _entire(goal, left, right, ceiling, most if side == UPPER else None)
        else:
            limits = np.column_stack([np.zeros_like(ceiling), ceiling])
            found = linprog(goal, A_eq=left, b_eq=right, bounds=limits)
        if found.status != 0:
            raise ArithmeticError(f"the attacker's program was not solved: {found.message}")
        if not entire:
            dual = np.zeros(self._table.relations.shape[0])
            dual[rows] = found.eqlin.marginals
            prices = self._table.relations.T @ dual
            prices[count] += side
        counts = self._table.values.copy()
        counts[self._columns[columns]] = found.x
        value = float(found.x[here])
        return Reach(min(value, most) if side == UPPER else value, counts, prices)

    def nearest(self, count: int, end: float) -> Floats | None:
        """The table with a count at an end that changes the others least; None where there is no such table.

        Few counts change in it, so that it mostly has whole numbers where the farthest tables have not.
        """
        at = self._place[count]
        _, columns, left = self._part(int(self._block[at]))
        here, size = int(np.flatnonzero(columns == at)[0]), len(columns)
        values = self._table.values[self._columns[columns]]
        most = np.concatenate([np.full(size, np.inf), values])
        least = np.zeros(2 * size)
        for place, way in ((here, end - values[here]), (size + here, values[here] - end)):
            least[place] = most[place] = max(way, 0.0)
        both = sp.csc_matrix(sp.hstack([left, -left]))
        limits = np.column_stack([least, most])
        found = linprog(np.ones(2 * size), A_eq=both, b_eq=np.zeros(both.shape[0]), bounds=limits)
        if found.x is None:
            return None
        counts = self._table.values.copy()
        counts[self._columns[columns]] += found.x[:size] - found.x[size:]
        return counts

    def _part(self, block: int) -> tuple[Ints, Ints, sp.csc_matrix]:
        """Rows and columns of the counts that equations join to one, once the told ones are gone."""
        if block not in self._parts:
            columns = np.flatnonzero(self._block == block)
            part = sp.csr_matrix(self._left[:, columns])
            rows = np.flatnonzero(part.getnnz(axis=1))
            self._parts[block] = rows, columns, sp.csc_matrix(part[rows])
        return self._parts[block]
