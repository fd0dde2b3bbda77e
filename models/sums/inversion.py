"""Exact probability of category totals by inverting the tilted characteristic function.

Used where the totals hardly vary although they are large (cells with rates near 0 and 1 together): there a
density is no approximation of a probability, and few nodes suffice. The trapezoid rule on the circle is exact
but for aliases, whose tilted probability is below 1e-13 at the spacing chosen.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np

from .compiled import MATRIX, REAL, VECTOR, WHOLE, separate

NODES = 6000
"""Grids above this size are refused."""


@separate(REAL(VECTOR, WHOLE, VECTOR, WHOLE, MATRIX, VECTOR, MATRIX, MATRIX, VECTOR))
def invert(n, m, z, d, q, pois, h, g, gpois):
    """Tilted probability of the totals and expected counts given them, as ``convolve_grid`` gives.

    Parameters
    ----------
    h : (d, d) variance of the totals under the tilt.

    Returns
    -------
    log of the tilted probability; NaN where the grid would be too large.
    """
    total = 0.0
    noise = False
    for k in range(m):
        total += n[k]
    for j in range(d):
        if pois[j] > 0.0:
            noise = True
    nodes = np.empty(d, np.int64)
    count = 1.0
    for j in range(d):
        wide = np.ceil(17.0 + 7.0 * math.sqrt(h[j, j]))
        if not noise:
            wide = min(wide, total + 1.0)
        # Odd: the angle pi, where a characteristic function may vanish, is never a node.
        count *= 2 * int(wide / 2.0) + 1
        if count > NODES:
            return np.nan
        nodes[j] = 2 * int(wide / 2.0) + 1
    half = int(count - 1.0) // 2
    angle = np.empty(d)
    size = np.empty(m)
    turn = np.empty(m)
    f = 0.0
    for k in range(m):
        for j in range(d + 1):
            g[k, j] = 0.0
    for j in range(d):
        gpois[j] = 0.0
    for flat in range(half + 1):
        x = flat
        phase = 0.0
        level = 0.0
        for j in range(d - 1, -1, -1):
            angle[j] = 2.0 * math.pi * (x % nodes[j] - nodes[j] // 2) / nodes[j]
            x //= nodes[j]
            phase += pois[j] * math.sin(angle[j]) - angle[j] * z[j]
            half_sine = math.sin(0.5 * angle[j])
            level -= 2.0 * pois[j] * half_sine * half_sine
        for k in range(m):
            lost = 0.0
            im = 0.0
            for j in range(d):
                half_sine = math.sin(0.5 * angle[j])
                lost += 2.0 * q[k, j] * half_sine * half_sine
                im += q[k, j] * math.sin(angle[j])
            size[k] = 0.5 * math.log1p(max(lost * lost + im * im - 2.0 * lost, -1.0))
            turn[k] = math.atan2(im, 1.0 - lost)
            level += n[k] * size[k]
            phase += n[k] * turn[k]
        if level < -60.0:
            continue
        weight = math.exp(level) * (1.0 if flat == half else 2.0)
        f += weight * math.cos(phase)
        for j in range(d):
            gpois[j] += weight * math.cos(phase + angle[j])
        for k in range(m):
            x = weight * n[k] * math.exp(-size[k])
            for j in range(d):
                g[k, j] += x * q[k, j] * math.cos(phase + angle[j] - turn[k])
    for k in range(m):
        g[k, d] = n[k]
        for j in range(d):
            g[k, j] /= f
            g[k, d] -= g[k, j]
    for j in range(d):
        gpois[j] = gpois[j] / f - 1.0
    return math.log(f / count)
