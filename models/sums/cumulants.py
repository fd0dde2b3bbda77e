"""Whitened cumulants of category totals, and the adjoints that lead from them back to the weights.

In coordinates in which the totals have unit variance every inverse of ``K''`` is the identity. The third
cumulants are kept as the tensor ``t3`` (d, d, d), of the fourth only the contraction ``v`` (d, d) with one
identity. All derive from central moments of the cells' indicator vectors; with ``y`` the whitened indicator less
its mean, ``d E g(y) / d a_c = q_c (g(y_c) - E g(y) - y_c' E grad g(y))`` for the log weight ``a_c``.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import numpy as np

from .compiled import CUBE, MATRIX, NOTHING, REAL, VECTOR, WHOLE, inner, separate


@inner
def center(white, q, k, d, y, size):
    """Whitened indicators of cell ``k`` less their mean, and their squared lengths."""
    for i in range(d):
        mean = 0.0
        for c in range(d):
            mean += q[k, c] * white[c, i]
        for c in range(d + 1):
            y[c, i] = white[c, i] - mean
    for c in range(d + 1):
        size[c] = 0.0
        for i in range(d):
            size[c] += y[c, i] * y[c, i]


@separate(NOTHING(MATRIX, VECTOR, WHOLE, WHOLE, MATRIX, VECTOR, CUBE, MATRIX))
def whitened_cumulants(white, n, m, d, q, pois, t3, v):
    """Fill ``t3`` and ``v``, zero before, from the cells' tilted shares and the tilted Poisson means."""
    second = np.zeros((d, d))
    y = np.zeros((d + 1, d))
    size = np.zeros(d + 1)
    for k in range(m + 1):
        # The Poisson parts come last: uncentred, each with all its cumulants equal.
        poisson = k == m
        if not poisson:
            center(white, q, k, d, y, size)
        for i in range(d):
            for j in range(d):
                second[i, j] = 0.0
        for c in range(d if poisson else d + 1):
            if poisson:
                weight = pois[c]
                size[c] = 0.0
                for i in range(d):
                    y[c, i] = white[c, i]
                    size[c] += white[c, i] * white[c, i]
            else:
                weight = n[k] * q[k, c]
            if weight == 0.0:
                continue
            for i in range(d):
                for j in range(i + 1):
                    x = weight * y[c, i] * y[c, j]
                    second[i, j] += x
                    v[i, j] += x * size[c]
                    for p in range(j + 1):
                        t3[i, j, p] += x * y[c, p]
        if not poisson:
            # second is n times the cell's variance here.
            trace = 0.0
            for i in range(d):
                trace += second[i, i]
                for j in range(i):
                    second[j, i] = second[i, j]
            for i in range(d):
                for j in range(i + 1):
                    x = second[i, j] * trace
                    for p in range(d):
                        x += 2.0 * second[i, p] * second[j, p]
                    v[i, j] -= x / n[k]
    for i in range(d):
        for j in range(i + 1):
            v[j, i] = v[i, j]
            for p in range(j + 1):
                x = t3[i, j, p]
                t3[i, p, j] = x
                t3[j, i, p] = x
                t3[j, p, i] = x
                t3[p, i, j] = x
                t3[p, j, i] = x


@inner
def plain(y, size, c, d, b2, t, t3, dr):
    """The adjoints contracted with powers of one whitened vector."""
    x = 0.125 * size[c] * size[c]
    for i in range(d):
        x -= 0.25 * t[i] * y[c, i] * size[c]
        for j in range(d):
            z = 0.0
            for p in range(d):
                z += t3[i, j, p] * y[c, p]
            x -= z * y[c, i] * y[c, j] / 6.0
    x *= dr
    for i in range(d):
        for j in range(d):
            x += b2[i, j] * y[c, i] * y[c, j]
    return x


@separate(
    NOTHING(MATRIX, VECTOR, WHOLE, WHOLE, MATRIX, VECTOR, MATRIX, VECTOR, CUBE, REAL, MATRIX, VECTOR, VECTOR)
)
def weight_adjoints(white, n, m, d, q, pois, b2, t, t3, dr, g, gpois, total):
    """Contract the adjoints with the derivatives of each cell's cumulants by its log weights, at a fixed tilt.

    Parameters
    ----------
    b2 : (d, d) adjoint of the second cumulants.
    t : (d,) contraction of ``t3`` with the identity.
    dr : derivative of the bounded correction.
    g : (m, d + 1) filled with the expected counts plus the contraction.
    gpois : (d,) filled with the same over the Poisson means, less one.
    total : (d,) zero before; the contraction added up over cells: its adjoint by the tilt.
    """
    second = np.zeros((d, d))
    y = np.zeros((d + 1, d))
    size = np.zeros(d + 1)
    effect = np.zeros(d + 1)
    linear = np.zeros(d)
    for k in range(m):
        center(white, q, k, d, y, size)
        trace = 0.0
        for i in range(d):
            for j in range(i + 1):
                x = 0.0
                for c in range(d + 1):
                    x += q[k, c] * y[c, i] * y[c, j]
                second[i, j] = x
                second[j, i] = x
            trace += second[i, i]
        for i in range(d):
            x = -0.25 * trace * t[i]
            for c in range(d + 1):
                x += 0.5 * q[k, c] * size[c] * y[c, i]
            for j in range(d):
                x -= 0.5 * t[j] * second[j, i]
                for p in range(d):
                    x -= 0.5 * t3[i, j, p] * second[j, p]
            linear[i] = x
        mean = 0.0
        for c in range(d + 1):
            x = plain(y, size, c, d, b2, t, t3, dr)
            for i in range(d):
                z = linear[i]
                for j in range(d):
                    z += 0.5 * second[i, j] * y[c, j]
                x -= dr * z * y[c, i]
            x -= 0.25 * dr * trace * size[c]
            effect[c] = x
            mean += q[k, c] * x
        for c in range(d + 1):
            x = n[k] * q[k, c]
            g[k, c] = x
            effect[c] = x * (effect[c] - mean)
            if c < d:
                total[c] += effect[c]
            g[k, c] += effect[c]
    for c in range(d):
        if pois[c] != 0.0:
            size[c] = 0.0
            for i in range(d):
                y[c, i] = white[c, i]
                size[c] += white[c, i] * white[c, i]
            gpois[c] = plain(y, size, c, d, b2, t, t3, dr)
            total[c] += pois[c] * gpois[c]
        else:
            gpois[c] = 0.0
