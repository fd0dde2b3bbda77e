"""Second-order saddlepoint probability of category totals, with its gradient.

With ``K`` the cumulant function and ``u`` the tilt that solves ``K'(u) = Z``::

    log f = K(u) - u'Z - log det(2 pi K''(u)) / 2 + r(c),   c = rho4/8 - rho13²/8 - rho23²/12

where the rhos are the invariants of the tilted cumulants of orders three and four (McCullagh 1987, Tensor
Methods in Statistics, §6.3; one dimension: kappa4/8 - 5 kappa3²/24, Daniels 1954). For a Poisson or
multinomial total ``exp(c)`` is Stirling's next term, so the correction is added to the logarithm; ``r``
bounds it where a total hardly varies.

The cumulants of one categorical draw are derivatives of each other, ``d kappa_r / d a_c = kappa_{r+1, ..c}``
with ``a`` the log weights; so with the adjoints of the second, third and fourth cumulants one contraction a
cell and category gives the gradient, and the tilt's own movement adds ``-K''^{-1}`` times the sum over cells.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np

from .compiled import MATRIX, PAIR, REAL, VECTOR, WHOLE, inner, separate
from .cumulants import weight_adjoints, whitened_cumulants

LOG_TWO_PI = math.log(2.0 * math.pi)


@inner
def bounded(c):
    """The correction held within ±1, and its derivative."""
    c4 = c * c * c * c
    root = (1.0 + c4) ** 0.25
    return c / root, 1.0 / (root * (1.0 + c4))


@separate(PAIR(VECTOR, VECTOR, VECTOR, WHOLE, REAL, REAL, REAL, VECTOR, VECTOR))
def saddle_pair(e, lw_ref, n, m, t, lam, s, up, down):
    """One category against the reference; fills ``up`` and ``down`` (m,), d log f / d log weight of the two.

    Returns
    -------
    log f, and d log f / d log ``lam``.
    """
    p = lam * math.exp(s)
    value = p - lam - s * t
    k2 = p
    k3 = p
    k4 = p
    k5 = p
    for k in range(m):
        x = e[k] + s
        z = math.exp(-abs(x))
        small = z / (1.0 + z)
        big = 1.0 / (1.0 + z)
        q = big if x > 0.0 else small
        r = small if x > 0.0 else big
        nk = n[k]
        value += nk * (lw_ref[k] + math.log1p(z) + max(x, 0.0))
        w = q * r
        skew = r - q
        nw = nk * w
        k2 += nw
        k3 += nw * skew
        k4 += nw * (1.0 - 6.0 * w)
        k5 += nw * skew * (1.0 - 12.0 * w)
        up[k] = q
        down[k] = r
    c = k4 / (8.0 * k2 * k2) - 5.0 * k3 * k3 / (24.0 * k2 * k2 * k2)
    r, dr = bounded(c)
    value += r - 0.5 * (LOG_TWO_PI + math.log(k2))
    b2 = -0.5 / k2 + dr * (-k4 / (4.0 * k2**3) + 5.0 * k3 * k3 / (8.0 * k2**4))
    b3 = -dr * 5.0 * k3 / (12.0 * k2**3)
    b4 = dr / (8.0 * k2 * k2)
    move = (b2 * k3 + b3 * k4 + b4 * k5) / k2
    for k in range(m):
        q = up[k]
        r = down[k]
        w = q * r
        skew = r - q
        x = n[k] * w * (b2 * skew + b3 * (1.0 - 6.0 * w) + b4 * skew * (1.0 - 12.0 * w) - move)
        up[k] = n[k] * q + x
        down[k] = n[k] * r - x
    return value, p - lam + p * (b2 + b3 + b4 - move)


@separate(REAL(REAL, VECTOR, WHOLE, WHOLE, MATRIX, VECTOR, MATRIX, MATRIX, VECTOR))
def saddle_many(value, n, m, d, q, pois, low, g, gpois):
    """Any number of categories against the reference (the last column of ``q``).

    ``value`` is ``K(u) - u'Z`` and ``low`` the lower factor of ``K''``. Fills ``g`` (m, d + 1), d log f / d
    log weight, and ``gpois`` (d,), the adjoint to which the Poisson means contribute, less one.

    Returns
    -------
    log f
    """
    # Rows of the whitened indicators: column c of the inverse factor; the reference has zeros.
    white = np.zeros((d + 1, d))
    for c in range(d):
        for i in range(c, d):
            x = 1.0 if i == c else 0.0
            for j in range(c, i):
                x -= low[i, j] * white[c, j]
            white[c, i] = x / low[i, i]
        value -= 0.5 * LOG_TWO_PI + math.log(low[c, c])
    t3 = np.zeros((d, d, d))
    v = np.zeros((d, d))
    whitened_cumulants(white, n, m, d, q, pois, t3, v)
    t = np.zeros(d)
    rho4 = 0.0
    rho13 = 0.0
    rho23 = 0.0
    for i in range(d):
        rho4 += v[i, i]
        for j in range(d):
            t[i] += t3[j, j, i]
            for p in range(d):
                rho23 += t3[i, j, p] * t3[i, j, p]
        rho13 += t[i] * t[i]
    r, dr = bounded(rho4 / 8.0 - rho13 / 8.0 - rho23 / 12.0)
    value += r

    # The adjoint of the second cumulants; those of the third and fourth are applied in place.
    b2 = np.zeros((d, d))
    for i in range(d):
        b2[i, i] = -0.5
        for j in range(d):
            x = -v[i, j] + 0.5 * t[i] * t[j]
            for p in range(d):
                x += t3[i, j, p] * t[p]
                for o in range(d):
                    x += t3[i, p, o] * t3[j, p, o]
            b2[i, j] += 0.25 * dr * x
    total = np.zeros(d)
    weight_adjoints(white, n, m, d, q, pois, b2, t, t3, dr, g, gpois, total)

    # The tilt moves with the weights: -K''^{-1} times the sum of the adjoints over the cells.
    for i in range(d):
        x = total[i]
        for j in range(i):
            x -= low[i, j] * total[j]
        total[i] = x / low[i, i]
    for i in range(d - 1, -1, -1):
        x = total[i]
        for j in range(i + 1, d):
            x -= low[j, i] * total[j]
        total[i] = x / low[i, i]
    for k in range(m):
        mean = 0.0
        for c in range(d):
            mean += q[k, c] * total[c]
        for c in range(d):
            g[k, c] -= n[k] * q[k, c] * (total[c] - mean)
        g[k, d] += n[k] * q[k, d] * mean
    for c in range(d):
        gpois[c] -= total[c]
    return value
