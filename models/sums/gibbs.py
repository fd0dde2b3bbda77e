"""Gibbs updates of the parts given that their totals lie in known ranges.

A table has a row for every cell and a column for every category; its row sums are the cells' units, and sums
of its columns the totals. Gibbs updates with exact full conditionals: a 2×2 minor keeps every margin and is
Fisher's noncentral hypergeometric; a transfer inside one row between neighboring categories moves one stage's
total within its range and is a truncated binomial. Minors connect all tables with given margins (Diaconis and
Sturmfels 1998).
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np
from numba import types

from .compiled import CUBE, MATRIX, VECTOR, WHOLE, inner, separate

TABLE = types.int64[:, ::1]
TABLES = types.int64[:, :, ::1]
STEEP = 300.0
"""Largest log odds told apart."""


@inner
def ratio(a, rows, column, others, odds):
    """Probability of ``a`` over that of ``a - 1``; ``column`` < 0 for a binomial."""
    if column < 0:
        return (rows - a + 1.0) * odds / a
    return (rows - a + 1.0) * (column - a + 1.0) * odds / (a * (others - column + a))


@inner
def from_mode(rng, low, high, rows, column, others, log_odds):
    """Draw an integer on [``low``, ``high``] by inversion, beginning at the mode.

    Weights C(rows, a) C(others, column - a) odds^a, or C(rows, a) odds^a where ``column`` < 0.
    """
    if high <= low:
        return low
    odds = math.exp(min(max(log_odds, -STEEP), STEEP))
    if column < 0:
        mode = int((rows + 1.0) * odds / (1.0 + odds))
    else:
        b = odds * (rows + column + 2.0) + others - column
        c = odds * (rows + 1.0) * (column + 1.0)
        mode = int(2.0 * c / (b + math.sqrt(max(b * b - 4.0 * (odds - 1.0) * c, 0.0))))
    mode = min(max(mode, low), high)
    total = 1.0
    term = 1.0
    top = mode
    while top < high and term > 1e-18:
        top += 1
        term *= ratio(top, rows, column, others, odds)
        total += term
    term = 1.0
    bottom = mode
    while bottom > low and term > 1e-18:
        term /= ratio(bottom, rows, column, others, odds)
        bottom -= 1
        total += term
    left = rng.random() * total - 1.0
    a = mode
    term = 1.0
    while left > 0.0 and a < top:
        a += 1
        term *= ratio(a, rows, column, others, odds)
        left -= term
    if left <= 0.0:
        return a
    a = mode
    term = 1.0
    while left > 0.0 and a > bottom:
        term /= ratio(a, rows, column, others, odds)
        a -= 1
        left -= term
    return a


@separate(types.boolean(MATRIX, VECTOR, VECTOR, VECTOR, TABLE))
def begin(log_pi, n, low, high, z):
    """Fill ``z`` with a table near the expected one with totals in the ranges; False where there is none."""
    m, c = log_pi.shape
    units = 0.0
    for k in range(m):
        units += n[k]
    totals = np.zeros(c + 1)
    mean = np.zeros(c + 1)
    for k in range(m):
        if n[k] > 0.0:
            for j in range(c):
                mean[j] += n[k] * math.exp(log_pi[k, j])
    for j in range(c - 1, 0, -1):
        mean[j] += mean[j + 1]
    totals[0] = units
    for j in range(1, c):
        least = 0.0
        most = units
        for i in range(1, c):
            if i >= j:
                least = max(least, np.ceil(low[i - 1]))
            if i <= j:
                most = min(most, np.floor(high[i - 1]))
        if least > most:
            return False
        totals[j] = min(max(np.round(mean[j]), least), most)
    room = np.empty(m)
    for k in range(m):
        room[k] = n[k]
    for j in range(c - 1, -1, -1):
        need = totals[j] - totals[j + 1]
        left = need
        weight = 0.0
        for k in range(m):
            if room[k] > 0.0:
                weight += n[k] * math.exp(max(log_pi[k, j], -STEEP))
        for k in range(m):
            z[k, j] = 0
            if room[k] > 0.0:
                take = np.floor(min(room[k], need * n[k] * math.exp(max(log_pi[k, j], -STEEP)) / weight))
                take = min(take, left)
                z[k, j] = int(take)
                room[k] -= take
                left -= take
        for turn in range(2):
            for k in range(m):
                take = min(room[k], left)
                if turn == 0:
                    take = min(take, 1.0)
                z[k, j] += int(take)
                room[k] -= take
                left -= take
    return True


@separate(types.void(types.npy_rng, MATRIX, VECTOR, VECTOR, TABLE, WHOLE))
def sweep(rng, log_pi, low, high, z, sweeps):
    """Update the table ``z`` in place, ``sweeps`` times."""
    m, c = log_pi.shape
    order = np.arange(m)
    totals = np.zeros(c + 1, np.int64)
    for j in range(c - 1, 0, -1):
        totals[j] = totals[j + 1]
        for k in range(m):
            totals[j] += z[k, j]
    for _ in range(sweeps):
        for i in range(m - 1, 0, -1):
            j = int(rng.random() * (i + 1))
            order[i], order[j] = order[j], order[i]
        for i in range(m if m > 2 else m - 1):
            k = order[i]
            o = order[(i + 1) % m]
            for a in range(c):
                for b in range(a + 1, c):
                    rows = z[k, a] + z[k, b]
                    others = z[o, a] + z[o, b]
                    column = z[k, a] + z[o, a]
                    if rows == 0 or others == 0 or column == 0 or column == rows + others:
                        continue
                    odds = (log_pi[k, a] - log_pi[k, b]) - (log_pi[o, a] - log_pi[o, b])
                    x = from_mode(rng, max(0, column - others), min(rows, column), rows, column, others, odds)
                    z[k, a] = x
                    z[k, b] = rows - x
                    z[o, a] = column - x
                    z[o, b] = others - column + x
        for j in range(1, c):
            if not low[j - 1] < high[j - 1]:
                continue
            for k in range(m):
                rows = z[k, j - 1] + z[k, j]
                if rows == 0:
                    continue
                outside = totals[j] - z[k, j]
                first = max(0.0, np.ceil(low[j - 1]) - outside)
                last = min(float(rows), np.floor(high[j - 1]) - outside)
                x = from_mode(rng, int(first), int(last), rows, -1, 0, log_pi[k, j] - log_pi[k, j - 1])
                z[k, j] = x
                z[k, j - 1] = rows - x
                totals[j] = outside + x


@separate(types.void(types.npy_rng, CUBE, VECTOR, VECTOR, TABLE, WHOLE, TABLES))
def chain(rng, log_pi, low, high, z, sweeps, out):
    """One draw for each set of probabilities, every one from the table before."""
    for r in range(log_pi.shape[0]):
        sweep(rng, log_pi[r], low, high, z, sweeps)
        for k in range(z.shape[0]):
            for j in range(z.shape[1]):
                out[r, k, j] = z[k, j]
