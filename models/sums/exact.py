"""Exact probability of category totals by tilted convolution, with its gradient.

The cells' tilted distributions are convolved on the grid of totals up to the observed ones. The gradient with
respect to a log weight is the expected count given the totals, from the convolution of all other cells (one
pass
forward, one back).
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np
from numba import types

from .compiled import MATRIX, REAL, VECTOR, WHOLE, inner, separate


@separate(types.Tuple((types.int64[:, ::1], types.int32[::1], types.int32[::1]))(VECTOR, WHOLE, WHOLE))
def grid_pairs(z, d, size):
    """Flat positions of all pairs of grid points whose sum lies on the grid, and the digits of each point."""
    count = 1
    for j in range(d):
        count *= int((z[j] + 1) * (z[j] + 2)) // 2
    digits = np.empty((size, d), np.int64)
    for a in range(size):
        x = a
        for j in range(d - 1, -1, -1):
            base = int(z[j]) + 1
            digits[a, j] = x % base
            x //= base
    first = np.empty(count, np.int32)
    second = np.empty(count, np.int32)
    at = 0
    for a in range(size):
        for b in range(size - a):
            fits = True
            for j in range(d):
                if digits[a, j] + digits[b, j] > z[j]:
                    fits = False
            if fits:
                first[at] = a
                second[at] = b
                at += 1
    return digits, first, second


@separate(types.void(MATRIX, WHOLE, REAL, MATRIX, WHOLE, types.int64[:, ::1]))
def cell_row_by_logs(row, k, units, q, d, digits):
    """The same where the first would underflow: the reference is unlikely in this cell."""
    last = math.log(q[k, d]) if q[k, d] > 0.0 else -np.inf
    for a in range(len(digits)):
        left = units
        x = math.lgamma(units + 1.0)
        for j in range(d):
            if digits[a, j] > 0:
                left -= digits[a, j]
                x -= math.lgamma(digits[a, j] + 1.0)
                x += digits[a, j] * math.log(q[k, j]) if q[k, j] > 0.0 else -np.inf
        if left > 0.0:
            x += left * last
        row[k, a] = math.exp(x - math.lgamma(left + 1.0)) if left >= 0.0 else 0.0


@inner
def cell_row(row, k, units, q, d, digits):
    """Multinomial probabilities of cell ``k`` on the grid, each from one a unit lower."""
    last = q[k, d]
    step = units * math.log(last) if last > 0.0 else -np.inf
    if step < -600.0:
        cell_row_by_logs(row, k, units, q, d, digits)
        return
    row[k, 0] = math.exp(step)
    for a in range(1, len(digits)):
        used = 0
        stride = 1
        lower = 0
        which = 0
        for j in range(d - 1, -1, -1):
            if digits[a, j] > 0:
                lower = a - stride
                which = j
            used += digits[a, j]
            stride *= digits[-1, j] + 1
        if used <= units:
            row[k, a] = row[k, lower] * (units - used + 1.0) * q[k, which] / (last * digits[a, which])


@separate(types.void(MATRIX, WHOLE, VECTOR, WHOLE, types.int64[:, ::1]))
def poisson_row(row, k, pois, d, digits):
    """Poisson probabilities on the grid."""
    for a in range(len(digits)):
        x = 0.0
        for j in range(d):
            x -= pois[j]
            if digits[a, j] > 0:
                x -= math.lgamma(digits[a, j] + 1.0)
                x += digits[a, j] * math.log(pois[j]) if pois[j] > 0.0 else -np.inf
        row[k, a] = math.exp(x)


@separate(REAL(VECTOR, WHOLE, VECTOR, WHOLE, WHOLE, MATRIX, VECTOR, MATRIX, VECTOR))
def convolve_grid(n, m, z, d, size, q, pois, g, gpois):
    """Tilted probability of the totals ``z`` (d,) and expected counts given them.

    Fills ``g`` (m, d + 1), the expected counts of each cell (reference last), and ``gpois`` (d,), the
    expected Poisson counts over their tilted means, less one.

    Returns
    -------
    log of the probability under the tilted shares ``q`` and tilted Poisson means ``pois``.
    """
    digits, first, second = grid_pairs(z, d, size)
    anything = False
    for j in range(d):
        if pois[j] > 0.0:
            anything = True
    parts = m + 1 if anything else m
    row = np.zeros((parts, size))
    for k in range(m):
        cell_row(row, k, n[k], q, d, digits)
    if anything:
        poisson_row(row, m, pois, d, digits)
    forward = np.zeros((parts + 1, size))
    forward[0, 0] = 1.0
    pairs = len(first)
    for k in range(parts):
        for i in range(pairs):
            forward[k + 1, first[i] + second[i]] += forward[k, first[i]] * row[k, second[i]]
    f = forward[parts, size - 1]
    back = np.zeros(size)
    ahead = np.zeros(size)
    back[0] = 1.0
    mean = np.empty(d)
    for k in range(parts - 1, -1, -1):
        for j in range(d):
            mean[j] = 0.0
        for a in range(size):
            ahead[a] = 0.0
        for i in range(pairs):
            a = first[i]
            b = second[i]
            ahead[a + b] += back[a] * row[k, b]
            x = forward[k, a] * row[k, b] * back[size - 1 - a - b]
            if x != 0.0:
                for j in range(d):
                    mean[j] += x * digits[b, j]
        back, ahead = ahead, back
        if k == m:
            for j in range(d):
                gpois[j] = mean[j] / (f * pois[j]) - 1.0 if pois[j] > 0.0 and f > 0.0 else 0.0
            continue
        rest = n[k]
        for j in range(d):
            g[k, j] = mean[j] / f if f > 0.0 else n[k] * q[k, j]
            rest -= g[k, j]
        g[k, d] = rest
    if not anything:
        for j in range(d):
            gpois[j] = 0.0
    return math.log(f) if f > 0.0 else -1e300
