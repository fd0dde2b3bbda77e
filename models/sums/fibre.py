"""Tables of whole counts with given totals that cross, and moves between them.

A move is an integer vector that leaves every total as it is. Moves of degree two are used, 2×2 minors among them;
they connect the tables with given margins where no cell is missing or full (Diaconis and Sturmfels 1998). For the
others circuits are added, from row reductions in random orders of the cells: for two-way margins the circuits are the
cycles of the table, which connect whatever is missing and however the cells are bounded.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, milp

from .fibre_sweep import walk

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BURN = 200
"""Sweeps of a constructed table before its first draw."""
_MOVES = 40  # moves kept, for each cell
_ORDERS = 6  # random orders of the cells, from which circuits are taken
_TRIES = 200  # pairs of cells tried, for each cell


def first_table(members: Bools, total: Floats, cap: Floats, mean: Floats | None = None) -> Ints | None:
    """Whole counts between 0 and ``cap`` that meet every total, near ``mean`` where that is given.

    Parameters
    ----------
    members : (D, m) bool
    total : (D,)
    cap : (m,)
        May be infinite.
    mean : (m,), optional

    Returns
    -------
    (m,) int or None
        None where there are none.
    """
    cells = members.shape[1]
    incidence = members.astype(float)
    cost, upper = np.zeros(cells), cap
    rows = [LinearConstraint(incidence, total, total)]
    if mean is not None:
        # z - up + down = mean: the distance from the mean is what is made small.
        eye = np.eye(cells)
        middle = np.rint(mean)
        rows = [
            LinearConstraint(np.hstack([incidence, np.zeros((len(total), 2 * cells))]), total, total),
            LinearConstraint(np.hstack([eye, -eye, eye]), middle, middle),
        ]
        cost = np.r_[cost, np.ones(2 * cells)]
        upper = np.r_[cap, np.full(2 * cells, np.inf)]
    whole = np.zeros(len(cost))
    whole[:cells] = 1
    found = milp(cost, constraints=rows, bounds=(np.zeros(len(cost)), upper), integrality=whole)
    return None if found.x is None else np.rint(found.x[:cells]).astype(np.int64)


@dataclass(frozen=True)
class Moves:
    """Moves one after the other.

    Parameters
    ----------
    begin : (M + 1,) int
    cell, step : (K,) int
        Cells that a move changes, and by how much.
    """

    begin: Ints
    cell: Ints
    step: Ints


def moves_of(members: Bools) -> Moves:
    """Moves that keep every total; members (D, m)."""
    return _moves_of(np.ascontiguousarray(members, dtype=bool).tobytes(), members.shape)


# Months of one form share their incidence, and so their moves.
@lru_cache(maxsize=64)
def _moves_of(data: bytes, shape: tuple[int, int]) -> Moves:
    members, rng = np.frombuffer(data, dtype=bool).reshape(shape), np.random.default_rng(0)
    columns, pattern = np.unique(members, axis=1, return_inverse=True)
    pattern = pattern.ravel()
    found: dict[tuple[tuple[int, int], ...], None] = {}
    cells = members.shape[1]
    for _, alike in _alike(pattern):
        for one, other in pairwise(alike):
            found[_move({one: 1, other: -1})] = None
    for move in _quadratic(rng, columns.astype(np.int64), pattern, cells):
        found[move] = None
    for _ in range(_ORDERS):
        for move in _circuits(members, rng.permutation(cells)):
            found[move] = None
    flat = [pair for move in found for pair in move]
    lengths = [len(move) for move in found]
    at = np.array(flat, dtype=np.int64).reshape(-1, 2)
    return Moves(np.r_[0, np.cumsum(lengths)].astype(np.int64), at[:, 0].copy(), at[:, 1].copy())


def _move(change: dict[int, int]) -> tuple[tuple[int, int], ...]:
    """One form of a move and of its opposite."""
    items = sorted((cell, step) for cell, step in change.items() if step)
    sign = 1 if items[0][1] > 0 else -1
    return tuple((cell, sign * step) for cell, step in items)


def _alike(pattern: Ints) -> list[tuple[int, list[int]]]:
    """Cells that stand in the same totals."""
    return [(int(p), np.flatnonzero(pattern == p).tolist()) for p in np.unique(pattern)]


def _quadratic(
    rng: np.random.Generator, columns: Ints, pattern: Ints, cells: int
) -> list[tuple[tuple[int, int], ...]]:
    """Random moves of two cells for two others whose totals are the same."""
    by_sum: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    kinds = columns.shape[1]
    pairs = kinds * (kinds + 1) // 2
    tries = _TRIES * kinds
    if pairs <= tries:
        first, second = np.triu_indices(kinds)
    else:
        first, second = np.sort(rng.integers(0, kinds, (2, tries)), axis=0)
    sums = (columns[:, first] + columns[:, second]).astype(np.int8).T.copy()
    for key, a, b in zip(sums, first.tolist(), second.tolist(), strict=True):
        by_sum[key.tobytes()].append((a, b))
    members = dict(_alike(pattern))
    together = [
        (one, other) for same in by_sum.values() for one, other in pairwise(same) if len({*one, *other}) > 2
    ]
    out = []
    kept = rng.permutation(len(together))[: _MOVES * cells].tolist()
    for place, chance in zip(kept, rng.random((len(kept), 4)).tolist(), strict=True):
        change: dict[int, int] = defaultdict(int)
        (a, b), (c, d) = together[place]
        for p, sign, u in zip((a, b, c, d), (1, 1, -1, -1), chance, strict=True):
            change[members[p][int(u * len(members[p]))]] += sign
        if any(change.values()):
            out.append(_move(change))
    return out


def _circuits(members: Bools, order: Ints) -> list[tuple[tuple[int, int], ...]]:
    """Reduced in an order of the cells, the totals fix some cells by the others: what each of the others moves."""
    matrix = members[:, order].astype(float)
    pivots: list[int] = []
    row = 0
    for column in range(matrix.shape[1]):
        if row == len(matrix):
            break
        best = row + int(np.argmax(np.abs(matrix[row:, column])))
        if abs(matrix[best, column]) < 1e-9:
            continue
        matrix[[row, best]] = matrix[[best, row]]
        matrix[row] /= matrix[row, column]
        others = np.arange(len(matrix)) != row
        matrix[others] -= np.outer(matrix[others, column], matrix[row])
        pivots.append(column)
        row += 1
    out = []
    for free in np.setdiff1d(np.arange(matrix.shape[1]), pivots):
        for scale in (1, 2, 3, 6):
            steps = -scale * matrix[: len(pivots), free]
            if np.abs(steps - np.rint(steps)).max() < 1e-6:
                change = {int(order[free]): scale}
                change |= {
                    int(order[p]): int(step) for p, step in zip(pivots, np.rint(steps), strict=True) if step
                }
                out.append(_move(change))
                break
    return out


def draw_fibre(
    seed: int | np.random.SeedSequence,
    members: Bools,
    total: Floats,
    weight: Floats,
    size: Floats,
    cap: Floats,
    mean: Floats,
    sweeps: int = 2,
) -> Ints:
    """Draws of the cells given totals that cross, for R posterior draws of their law, each from the table before.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
    members : (D, m) bool
    total : (D,)
    weight : (R, m)
        Log odds of a unit; for a negative binomial count log(1 - 1/φ).
    size : (R, m)
        Units of a binomial count; minus the size of a negative binomial.
    cap : (m,)
        Most each cell can hold.
    mean : (m,)
        Near which to begin.
    sweeps : int
        A sweep is as many moves as there are cells.

    Returns
    -------
    (R, m) int
        Every total is met exactly.

    Raises
    ------
    ValueError
        No whole counts meet the totals.
    """
    table = first_table(members, total, cap, mean)
    if table is None:
        raise ValueError("no whole counts within the cells' limits meet the totals")
    rng = np.random.default_rng(seed)
    moves = moves_of(members)
    out = np.zeros(weight.shape, np.int64)
    if len(moves.begin) < 2:
        out[:] = table
        return out
    most = np.where(np.isfinite(cap), cap, float(total.sum()))
    w, s = (np.ascontiguousarray(x, dtype=np.float64) for x in (weight, size))
    begin, cell, step = moves.begin, moves.cell, moves.step
    walk(rng, w[:1], s[:1], most, begin, cell, step, table, BURN, np.zeros((1, len(table)), np.int64))
    walk(rng, w, s, most, begin, cell, step, table, sweeps, out)
    return out
