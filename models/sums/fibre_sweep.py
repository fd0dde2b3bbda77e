"""Gibbs updates of whole counts along moves that keep their totals."""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np
from numba import types

from .compiled import MATRIX, PLACES, VECTOR, WHOLE, inner, separate

TABLES = types.int64[:, ::1]
LEAST = 1e-13
"""Weight, against the largest, below which a line of tables is not followed further."""


@inner
def ratio(x, size, weight):
    """Probability of ``x`` over that of ``x - 1``: binomial for a positive size, negative binomial for a negative."""
    return (size - x + 1.0) * weight / x if size >= 0.0 else (x - 1.0 - size) * weight / x


@inner
def climb(z, cell, step, first, last, size, odds, sign):
    """Probability of the table one ``sign`` step further along a move, over that of ``z`` as it stands."""
    out = 1.0
    for i in range(first, last):
        k = cell[i]
        d = sign * step[i]
        x = z[k]
        if d > 0:
            for j in range(d):
                out *= ratio(x + j + 1.0, size[k], odds[k])
        else:
            for j in range(-d):
                out /= ratio(float(x - j), size[k], odds[k])
    return out


@inner
def shift(z, cell, step, first, last, by):
    """Move a table along a move."""
    for i in range(first, last):
        z[cell[i]] += by * step[i]


@inner
def room(z, cell, step, first, last, most, sign):
    """How far a table can go along a move in one direction."""
    out = 1 << 60
    for i in range(first, last):
        d = sign * step[i]
        k = cell[i]
        left = int(most[k]) - z[k] if d > 0 else z[k]
        out = min(out, left // abs(d))
    return out


@separate(types.void(types.npy_rng, MATRIX, MATRIX, VECTOR, PLACES, PLACES, PLACES, PLACES, WHOLE, TABLES))
def walk(rng, weight, size, most, begin, cell, step, z, sweeps, out):
    """For each row of the law move the table ``z`` a number of sweeps and keep it."""
    rows, m = weight.shape
    count = begin.shape[0] - 1
    odds = np.empty(m)
    for r in range(rows):
        for k in range(m):
            odds[k] = math.exp(min(max(weight[r, k], -300.0), 300.0))
        for _ in range(sweeps * m):
            move = min(int(rng.random() * count), count - 1)
            first = begin[move]
            last = begin[move + 1]
            up = room(z, cell, step, first, last, most, 1)
            down = room(z, cell, step, first, last, most, -1)
            if up + down == 0:
                continue
            # One pass over the line from where the table stands: every table on it replaces the chosen one with the
            # chance its weight has among those seen so far.
            total = 1.0
            chosen = 0
            for sign in (1, -1):
                far = up if sign > 0 else down
                term = 1.0
                top = 1.0
                at = 0
                while at < far:
                    term *= climb(z, cell, step, first, last, size[r], odds, sign)
                    shift(z, cell, step, first, last, sign)
                    at += 1
                    top = max(top, term)
                    total += term
                    if rng.random() * total < term:
                        chosen = sign * at
                    if term < LEAST * top or not math.isfinite(total):
                        break
                shift(z, cell, step, first, last, -sign * at)
            shift(z, cell, step, first, last, chosen)
        for k in range(m):
            out[r, k] = z[k]
