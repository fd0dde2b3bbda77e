"""The exponential tilt under which the expected totals equal the observed ones.

Category weights are ``exp(lw[k, c] + u[c])`` with ``u`` zero for a reference category. The equations
``K'(u) = Z`` are those of a convex minimum, ``min K(u) - u'Z``.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np
from numba import types

from .compiled import FLAG, MATRIX, PAIR, PLACES, REAL, VECTOR, WHOLE, separate


@separate(REAL(VECTOR, VECTOR, WHOLE, REAL, REAL, REAL, FLAG))
def tilt_pair(e, n, m, t, rest, lam, free):
    """Tilt of one category against the reference.

    Newton's method on the log odds of the mean (on its log where a Poisson part makes the other side free),
    which is exact in one step for equal cells.

    Parameters
    ----------
    e : (m,) log weight of the category less that of the reference.
    n : (m,)
    t, rest : totals of the category and of the reference (``rest`` unused where ``free``).
    lam : mean of the Poisson part, 0 for none.
    """
    goal = math.log(t) if free else math.log(t / rest)
    s = 0.0
    lo = -np.inf
    hi = np.inf
    last = np.inf
    if not free:
        # The log-odds of the cells' mean would overflow where all weights are extreme: begin at their centre.
        total = 0.0
        for k in range(m):
            s -= n[k] * e[k]
            total += n[k]
        s = s / total + goal
    for _ in range(200):
        k1 = lam * math.exp(s)
        k2 = k1
        other = 0.0
        for k in range(m):
            x = e[k] + s
            z = math.exp(-abs(x))
            small = z / (1.0 + z)
            big = 1.0 / (1.0 + z)
            nk = n[k]
            if x > 0.0:
                k1 += nk * big
                other += nk * small
            else:
                k1 += nk * small
                other += nk * big
            k2 += nk * small * big
        if k2 <= 0.0 or k1 <= 0.0 or (not free and other <= 0.0):
            # Nothing varies here: the mean sits at one end.
            step = 3.0 if k1 < t else -3.0
            gap = 1.0
        elif free:
            gap = goal - math.log(k1)
            step = gap * k1 / k2
        else:
            gap = goal - math.log(k1 / other)
            step = gap * k1 * other / ((k1 + other) * k2)
        if gap > 0.0:
            lo = s
        else:
            hi = s
        new = s + step
        if not (lo <= new <= hi):
            new = 0.5 * (lo + hi)
        elif step > 30.0 or step < -30.0:
            new = s + (30.0 if step > 0.0 else -30.0)
        move = abs(new - s)
        s = new
        error = move * move * k2
        # The last clause: rounding, not Newton, now decides the step.
        if error < 1e-24 or move < 1e-14 * abs(s) or (error < 1e-12 and move > 0.3 * last):
            break
        last = move
    return s


@separate(REAL(MATRIX, VECTOR, WHOLE, PLACES, WHOLE, WHOLE, VECTOR, MATRIX))
def shares(lw, n, m, act, d, ref, u, q):
    """Tilted category shares ``q[k, j]`` (reference last); returns the cells' part of ``K(u)``."""
    total = 0.0
    for k in range(m):
        top = lw[k, ref]
        for j in range(d):
            x = lw[k, act[j]] + u[j]
            if x > top:
                top = x
        mass = math.exp(lw[k, ref] - top)
        q[k, d] = mass
        for j in range(d):
            x = math.exp(lw[k, act[j]] + u[j] - top)
            q[k, j] = x
            mass += x
        for j in range(d + 1):
            q[k, j] /= mass
        total += n[k] * (top + math.log(mass))
    return total


@separate(REAL(MATRIX, WHOLE, MATRIX))
def cholesky(h, d, low):
    """Lower factor of ``h``; returns the smallest pivot (≤ 0 where it is not positive definite)."""
    least = np.inf
    for i in range(d):
        for j in range(i + 1):
            x = h[i, j]
            for k in range(j):
                x -= low[i, k] * low[j, k]
            if i == j:
                if not x > 1e-250:
                    return 0.0
                least = min(least, x)
                low[i, i] = math.sqrt(x)
            else:
                low[i, j] = x / low[j, j]
    return least


@separate(types.void(VECTOR, WHOLE, WHOLE, MATRIX, VECTOR, MATRIX))
def variance(n, m, d, q, pois, h):
    """Lower triangle of ``K''`` at the tilted shares ``q`` and tilted Poisson means ``pois``."""
    for i in range(d):
        for j in range(i + 1):
            h[i, j] = 0.0
        h[i, i] = pois[i]
    for k in range(m):
        for i in range(d):
            x = n[k] * q[k, i]
            for j in range(i):
                h[i, j] -= x * q[k, j]
            # 1 - q as the sum of the others: exact where one category has nearly everything.
            other = 0.0
            for j in range(d + 1):
                if j != i:
                    other += q[k, j]
            h[i, i] += x * other


@separate(
    PAIR(
        MATRIX,
        VECTOR,
        WHOLE,
        PLACES,
        WHOLE,
        WHOLE,
        VECTOR,
        REAL,
        VECTOR,
        FLAG,
        VECTOR,
        MATRIX,
        VECTOR,
        MATRIX,
        MATRIX,
    )
)
def tilt_many(lw, n, m, act, d, ref, z, zref, lam, free, u, q, pois, h, low):
    """Tilt of ``d`` categories against the reference by a damped Newton method.

    Fills ``u`` (d,), ``q`` (m, d + 1), ``pois`` (d,), ``h`` and its factor ``low``.

    Returns
    -------
    value : ``K(u) - u'z``
    pivot : smallest pivot of the factor, 0 where the variance is singular.
    """
    step = np.zeros(d)
    for j in range(d):
        u[j] = 0.0
    before = np.inf
    value = np.inf
    pivot = 0.0
    scaling = 0
    last = np.inf
    for _ in range(500):
        value = shares(lw, n, m, act, d, ref, u, q)
        for j in range(d):
            pois[j] = lam[j] * math.exp(u[j])
            value += pois[j] - lam[j] - u[j] * z[j]
        if not value <= before + 1e-9 + 1e-13 * abs(before):
            for j in range(d):
                step[j] *= 0.5
                u[j] -= step[j]
            continue
        # Proportional scaling of the means: exact for equal cells, so a good beginning; it has its own
        # descent.
        if scaling < 3:
            scaling += 1
            rest = 0.0
            for k in range(m):
                rest += n[k] * q[k, d]
            shift = 0.0 if free or rest <= 0.0 else math.log(zref / rest)
            for j in range(d):
                mean = pois[j]
                for k in range(m):
                    mean += n[k] * q[k, j]
                x = math.log(z[j] / mean) - shift if mean > 0.0 else 20.0
                step[j] = min(max(x, -300.0), 300.0)
                u[j] += step[j]
            continue
        before = value
        variance(n, m, d, q, pois, h)
        pivot = cholesky(h, d, low)
        if pivot <= 0.0:
            return value, 0.0
        for i in range(d):
            x = z[i] - pois[i]
            for k in range(m):
                x -= n[k] * q[k, i]
            for j in range(i):
                x -= low[i, j] * step[j]
            step[i] = x / low[i, i]
        decrement = 0.0
        for i in range(d):
            decrement += step[i] * step[i]
        # The last clause: rounding, not Newton, now decides the step.
        if decrement < 1e-22 or (decrement < 1e-12 and decrement > 0.1 * last):
            break
        last = decrement
        largest = 0.0
        for i in range(d - 1, -1, -1):
            x = step[i]
            for j in range(i + 1, d):
                x -= low[j, i] * step[j]
            step[i] = x / low[i, i]
            largest = max(largest, abs(step[i]))
        if largest > 5.0:
            for i in range(d):
                step[i] *= 5.0 / largest
        for i in range(d):
            u[i] += step[i]
    return value, pivot
