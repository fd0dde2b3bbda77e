"""Probability that every total lies in its range.

Ranges of all stages but the widest are enumerated. Where the range of the widest holds most of the
probability, the two tails are computed and taken from the exact probability of "anywhere", which is that of
the two neighboring categories merged.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np

from .compiled import FLAG, MATRIX, REAL, VECTOR, WHOLE, inner, separate
from .point import log_point
from .stretch import FEW, add_stretch, add_term, clear, finish, top_of

COMBINATIONS = 64
"""Largest product of the widths of the ranges that are enumerated."""
LOG_HALF = math.log(0.5)


@separate(REAL(MATRIX, VECTOR, VECTOR, VECTOR, WHOLE, MATRIX))
def log_merged(lw, n, z, lam, w, out):
    """Log probability with categories ``w - 1`` and ``w`` taken together: stage ``w`` anywhere."""
    m, c = lw.shape
    b = c - 1
    joint = np.empty((m, b))
    total = np.empty(b)
    mean = np.zeros(b)
    g = np.empty((m + 1, b))
    free = False
    for j in range(b):
        at = j if j < w else j + 1
        total[j] = z[at]
        if j > 0:
            mean[j] = lam[at] + (lam[w] if j == w - 1 else 0.0)
            free = free or mean[j] > 0.0
        for k in range(m):
            joint[k, j] = lw[k, at]
    total[w - 1] += z[w]
    for k in range(m):
        x = lw[k, w] - lw[k, w - 1]
        joint[k, w - 1] += max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    if not free and total[0] == np.inf:
        # The Poisson part ended in the stage that may be anything: only the cells are left.
        total[0] = n.sum()
        for j in range(1, b):
            total[0] -= total[j]
    value = log_point(joint, n, total, mean, free, True, g)
    for k in range(m + 1):
        for j in range(b):
            out[k, j if j < w else j + 1] = g[k, j]
        if k < m:
            share = 1.0 / (1.0 + math.exp(lw[k, w - 1] - lw[k, w]))
        else:
            share = lam[w] / mean[w - 1] if mean[w - 1] > 0.0 else 0.0
        out[k, w] = g[k, w - 1] * share
        out[k, w - 1] = g[k, w - 1] * (1.0 - share)
    return value


@inner
def place(totals, lam, free, w, first, units, z):
    """Category totals where stage ``w`` has ``first``; False where one is negative."""
    c = len(z)
    totals[w] = first
    z[0] = np.inf if free else units - totals[1]
    possible = z[0] >= 0.0
    for j in range(1, c):
        z[j] = totals[j] - (totals[j + 1] if j + 1 < c else 0.0)
        possible = possible and z[j] >= 0.0
    return possible


@separate(REAL(MATRIX, VECTOR, VECTOR, VECTOR, FLAG, WHOLE, REAL, REAL, MATRIX))
def log_line(lw, n, totals, lam, free, w, low, high, out):
    """Log probability that stage ``w`` lies in [``low``, ``high``] and the others have exactly their totals.

    ``totals`` (c,) by stage; its first place is not used, its place ``w`` is overwritten. Fills ``out`` (m +
    1, c).
    """
    m, c = lw.shape
    units = n.sum()
    below = totals[w + 1] if w + 1 < c else 0.0
    above = totals[w - 1]
    if w == 1:
        above = below + units
        for j in range(2, c):
            if lam[j] == 0.0:
                above -= totals[j] - (totals[j + 1] if j + 1 < c else 0.0)
        if lam[1] > 0.0:
            above = np.inf
        elif not free:
            above = units
    sums = np.empty(2)
    z = np.empty(c)
    clear(sums, out)
    first = max(np.ceil(low), below)
    last = min(np.floor(high), above)
    if last < first or not place(totals, lam, free, w, first, units, z):
        return -np.inf
    if first == below and last == above and last > first:
        return log_merged(lw, n, z, lam, w, out)
    g = np.empty((m + 1, c))
    top = first
    if last - first >= FEW:
        top = top_of(lw, n, z, lam, free, w, below, below + 0.5, above - 0.5)
    if first < top < last:
        place(totals, lam, free, w, first, units, z)
        whole = log_merged(lw, n, z, lam, w, g)
        share = np.empty((m + 1, c))
        add_stretch(lw, n, z, lam, free, w, below, above, below, first - 1.0, top, sums, out, share)
        if last < above:
            add_stretch(lw, n, z, lam, free, w, below, above, last + 1.0, above, top, sums, out, share)
        outside = finish(sums, out)
        if outside - whole < LOG_HALF:
            x = math.exp(outside - whole)
            for k in range(m + 1):
                for j in range(c):
                    out[k, j] = (g[k, j] - x * out[k, j]) / (1.0 - x)
            return whole + math.log1p(-x)
        clear(sums, out)
    place(totals, lam, free, w, first, units, z)
    add_stretch(lw, n, z, lam, free, w, below, above, first, last, top, sums, out, g)
    return finish(sums, out)


@separate(REAL(MATRIX, VECTOR, VECTOR, VECTOR, VECTOR, FLAG, MATRIX))
def log_ranges(lw, n, low, high, lam, free, out):
    """Log probability that every stage's total lies in its range; NaN where too many are wide.

    ``low`` and ``high`` (c - 1,) by stage. Fills ``out`` (m + 1, c), the gradient with that of the Poisson
    means (by their logarithms) in the last row.
    """
    m, c = lw.shape
    w = 1
    count = 1.0
    for j in range(1, c):
        if high[j - 1] - low[j - 1] > high[w - 1] - low[w - 1]:
            w = j
    for j in range(1, c):
        if j != w:
            count *= max(np.floor(high[j - 1]) - np.ceil(low[j - 1]) + 1.0, 0.0)
    sums = np.empty(2)
    clear(sums, out)
    if count > COMBINATIONS:
        return np.nan
    totals = np.zeros(c)
    g = np.empty((m + 1, c))
    for combination in range(int(count)):
        x = combination
        for j in range(1, c):
            if j != w:
                wide = int(np.floor(high[j - 1]) - np.ceil(low[j - 1])) + 1
                totals[j] = np.ceil(low[j - 1]) + x % wide
                x //= wide
        value = log_line(lw, n, totals, lam, free, w, low[w - 1], high[w - 1], g)
        add_term(sums, out, value, 1.0, g)
    return finish(sums, out)
