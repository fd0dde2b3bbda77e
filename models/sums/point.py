"""Probability of one set of exact totals: which of the three methods, and the boundaries.

A category whose total is zero is left out: its tilt is minus infinity and its limit exact. What remains is
closed (one category or one cell), a small grid (``exact``), totals that hardly vary (``inversion``), or the
saddlepoint.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np

from .compiled import FLAG, MATRIX, PAIR, PLACES, REAL, VECTOR, WHOLE, inner, separate
from .exact import convolve_grid
from .inversion import invert
from .saddlepoint import saddle_many, saddle_pair
from .tilt import tilt_many, tilt_pair

SMALL = 12.0
"""One category: exact up to this count."""
GRID = 60
"""More categories: exact up to this many grid points."""
STILL = 1.0
"""One category: variance below which a larger count is inverted exactly."""
STILL_MANY = 0.5
"""More categories: the same, in one direction given the others (a total of 1 has nearly 1)."""


@inner
def still_pair(e, n, m, s, lam):
    """Whether the tilted total hardly varies."""
    k2 = lam * math.exp(s)
    for k in range(m):
        z = math.exp(-abs(e[k] + s))
        k2 += n[k] * z / ((1.0 + z) * (1.0 + z))
        if k2 >= STILL:
            return False
    return True


@separate(PAIR(VECTOR, VECTOR, VECTOR, WHOLE, REAL, REAL, REAL, FLAG, VECTOR, VECTOR))
def exact_pair(e, base, n, m, s, t, lam, small, up, down):
    """One category against the reference without approximation."""
    q = np.empty((m, 2))
    g = np.empty((m, 2))
    z = np.empty(1)
    pois = np.empty(1)
    gpois = np.empty(1)
    h = np.empty((1, 1))
    z[0] = t
    pois[0] = lam * math.exp(s)
    h[0, 0] = pois[0]
    value = pois[0] - lam - s * t
    for k in range(m):
        x = e[k] + s
        w = math.exp(-abs(x))
        q[k, 0] = 1.0 / (1.0 + w) if x > 0.0 else w / (1.0 + w)
        q[k, 1] = w / (1.0 + w) if x > 0.0 else 1.0 / (1.0 + w)
        h[0, 0] += n[k] * q[k, 0] * q[k, 1]
        value += n[k] * (base[k] + math.log1p(w) + max(x, 0.0))
    if small:
        value += convolve_grid(n, m, z, 1, int(t) + 1, q, pois, g, gpois)
    else:
        value += invert(n, m, z, 1, q, pois, h, g, gpois)
    for k in range(m):
        up[k] = g[k, 0]
        down[k] = g[k, 1]
    return value, pois[0] * (1.0 + gpois[0]) - lam


@separate(REAL(MATRIX, VECTOR, WHOLE, WHOLE, REAL, REAL, REAL, FLAG, FLAG, MATRIX))
def one_active(lw, n, a, ref, t, rest, lam, free, lattice, g):
    """One category against the reference."""
    m = len(n)
    e = np.empty(m)
    base = np.empty(m)
    up = np.empty(m)
    down = np.empty(m)
    for k in range(m):
        base[k] = lw[k, ref]
        e[k] = lw[k, a] - base[k]
    s = tilt_pair(e, n, m, t, rest, lam, free)
    small = t <= SMALL
    if lattice and (small or still_pair(e, n, m, s, lam)):
        value, glam = exact_pair(e, base, n, m, s, t, lam, small, up, down)
    else:
        value, glam = saddle_pair(e, base, n, m, t, lam, s, up, down)
    for k in range(m):
        g[k, a] = up[k]
        g[k, ref] = down[k]
    g[m, a] = glam
    return value


@separate(REAL(MATRIX, VECTOR, PLACES, WHOLE, WHOLE, VECTOR, VECTOR, FLAG, FLAG, MATRIX))
def many_active(lw, n, act, d, ref, z, lam, free, lattice, g):
    """Two or more categories against the reference."""
    m = len(n)
    u = np.empty(d)
    q = np.empty((m, d + 1))
    part = np.empty((m, d + 1))
    pois = np.empty(d)
    gpois = np.zeros(d)
    mean = np.empty(d)
    goal = np.empty(d)
    h = np.zeros((d, d))
    low = np.zeros((d, d))
    grid = 1.0
    for j in range(d):
        mean[j] = lam[act[j]]
        goal[j] = z[act[j]]
        grid *= goal[j] + 1.0
    value, pivot = tilt_many(lw, n, m, act, d, ref, goal, z[ref], mean, free, u, q, pois, h, low)
    done = False
    if lattice and grid <= GRID:
        value += convolve_grid(n, m, goal, d, int(grid), q, pois, part, gpois)
        done = True
    elif lattice and pivot < STILL_MANY:
        x = invert(n, m, goal, d, q, pois, h, part, gpois)
        if x == x:
            value += x
            done = True
    if not done:
        if pivot > 0.0:
            value = saddle_many(value, n, m, d, q, pois, low, part, gpois)
        else:
            for k in range(m):
                for j in range(d + 1):
                    part[k, j] = n[k] * q[k, j]
    for k in range(m):
        for j in range(d):
            g[k, act[j]] = part[k, j]
        g[k, ref] = part[k, d]
    for j in range(d):
        g[m, act[j]] = pois[j] * (1.0 + gpois[j]) - mean[j]
    return value


@separate(REAL(MATRIX, VECTOR, VECTOR, VECTOR, FLAG, FLAG, MATRIX))
def log_point(lw, n, z, lam, free, lattice, g):
    """Log probability of the category totals ``z``.

    Parameters
    ----------
    lw : (m, c) log weights.
    n : (m,) positive counts.
    z : (c,) totals by category; ``z[0]`` is not read where ``free``.
    lam : (c,) means of the Poisson parts, 0 for none; ``lam[0]`` unused.
    free : whether there is any Poisson part, so that the total of category 0 is not determined.
    lattice : False for totals between integers (nodes of an integral): the saddlepoint only.
    g : (m + 1, c) filled with d log f / d ``lw`` and, in the last row, d log f / d log ``lam``.
    """
    m, c = lw.shape
    total = 0.0
    for k in range(m):
        total += n[k]
    for k in range(m + 1):
        for j in range(c):
            g[k, j] = 0.0
    bound = 0.0
    for j in range(c):
        if j == 0 and free:
            continue
        if z[j] < 0.0:
            return -np.inf
        if lam[j] == 0.0:
            bound += z[j]
    # Totals between integers come with rounding errors.
    if bound > total + 1e-6 or (not free and bound < total - 1e-6):
        return -np.inf
    extra = 0.0
    bare = free
    if free and bound > total - 1e-6:
        # Every unit is needed for the categories without a Poisson part; the others are Poisson alone.
        bare = False
        for j in range(1, c):
            if lam[j] > 0.0:
                extra += z[j] * math.log(lam[j]) - lam[j] - math.lgamma(z[j] + 1.0)
                g[m, j] = z[j] - lam[j]
    act = np.empty(c, np.int64)
    d = 0
    ref = 0
    most = -1.0
    for j in range(c):
        if j == 0 and free:
            continue
        if z[j] == 0.0:
            if bare:
                extra -= lam[j]
                g[m, j] = -lam[j]
        elif bare or lam[j] == 0.0:
            act[d] = j
            d += 1
            if z[j] > most:
                most = z[j]
                ref = j
    if m == 0:
        return extra
    if bare:
        ref = 0
    else:
        at = 0
        for j in range(d):
            if act[j] != ref:
                act[at] = act[j]
                at += 1
        d = at
    if d == 0:
        for k in range(m):
            extra += n[k] * lw[k, ref]
            g[k, ref] = n[k]
        return extra
    if m == 1 and not bare:
        extra += math.lgamma(total + 1.0) - math.lgamma(z[ref] + 1.0) + z[ref] * lw[0, ref]
        g[0, ref] = z[ref]
        for j in range(d):
            extra += z[act[j]] * lw[0, act[j]] - math.lgamma(z[act[j]] + 1.0)
            g[0, act[j]] = z[act[j]]
        return extra
    if d == 1:
        return extra + one_active(lw, n, act[0], ref, z[act[0]], z[ref], lam[act[0]], bare, lattice, g)
    return extra + many_active(lw, n, act, d, ref, z, lam, bare, lattice, g)
