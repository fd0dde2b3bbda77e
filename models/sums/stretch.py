"""Adding up the probabilities along one stage, the others held.

Few totals are simply added. Otherwise the saddlepoint is integrated between half-integers by Gauss-Legendre,
with the Euler-Maclaurin terms of the ends, cut where it has fallen out of sight; totals next to a boundary,
where a density is no approximation of a probability, are added one by one.
"""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

import math

import numpy as np

from .compiled import FLAG, MATRIX, NOTHING, PAIR, REAL, VECTOR, WHOLE, inner, separate
from .point import log_point
from .tilt import tilt_many

FEW = 40
"""Totals that are simply added."""
CUT = 32.0
"""Nats below the largest density at which a range is cut."""
LOOSE = 5.0
"""How much further down the cut may be."""
EDGE = 12
"""Totals this near a boundary are added, not integrated."""
_RULE = np.polynomial.legendre.leggauss(32)
ABSCISSA = np.ascontiguousarray(_RULE[0])
WEIGHT = np.ascontiguousarray(_RULE[1])
# sum = integral - [f']/24 + 7 [f''']/5760 - …, in central differences at the half-integer: -1/24 and 17/5760.
END = np.array([17.0 / 5760.0, -1.0 / 24.0 - 17.0 / 1920.0, 1.0 / 24.0 + 17.0 / 1920.0, -17.0 / 5760.0])


@inner
def clear(sums, slope):
    """Empty a sum of probabilities and that of their gradients."""
    sums[0] = -np.inf
    sums[1] = 0.0
    for k in range(slope.shape[0]):
        for j in range(slope.shape[1]):
            slope[k, j] = 0.0


@separate(NOTHING(VECTOR, MATRIX, REAL, REAL, MATRIX))
def add_term(sums, slope, value, weight, g):
    """Add ``weight * exp(value)`` and its gradient, kept relative to ``exp(sums[0])``."""
    if value == -np.inf or weight == 0.0:
        return
    if value > sums[0]:
        shrink = math.exp(sums[0] - value)
        sums[0] = value
        sums[1] *= shrink
        for k in range(slope.shape[0]):
            for j in range(slope.shape[1]):
                slope[k, j] *= shrink
    x = weight * math.exp(value - sums[0])
    sums[1] += x
    for k in range(slope.shape[0]):
        for j in range(slope.shape[1]):
            slope[k, j] += x * g[k, j]


@separate(REAL(VECTOR, MATRIX))
def finish(sums, slope):
    """Turn the sums into a logarithm and its gradient."""
    if not sums[1] > 0.0:
        clear(sums, slope)
        return -np.inf
    for k in range(slope.shape[0]):
        for j in range(slope.shape[1]):
            slope[k, j] /= sums[1]
    return sums[0] + math.log(sums[1])


@inner
def set_total(z, w, t, below):
    """Make ``t`` the total of stage ``w``; ``below`` is that of the next stage."""
    move = t - below - z[w]
    z[w] += move
    z[w - 1] -= move


@separate(PAIR(MATRIX, VECTOR, VECTOR, VECTOR, FLAG, WHOLE, REAL, REAL))
def level(lw, n, z, lam, free, w, t, below):
    """Exponent of the saddlepoint at total ``t`` of stage ``w``, concave in ``t``, and its slope."""
    m, c = lw.shape
    set_total(z, w, t, below)
    act = np.empty(c, np.int64)
    ref = 0
    if not free:
        for j in range(1, c):
            if z[j] > z[ref]:
                ref = j
    d = 0
    for j in range(c):
        if j != ref and z[j] > 0.0:
            act[d] = j
            d += 1
    u = np.zeros(c)
    tilt = np.empty(d)
    q = np.empty((m, d + 1))
    pois = np.empty(d)
    mean = np.empty(d)
    goal = np.empty(d)
    h = np.zeros((d, d))
    low = np.zeros((d, d))
    for j in range(d):
        mean[j] = lam[act[j]]
        goal[j] = z[act[j]]
    value, _ = tilt_many(lw, n, m, act, d, ref, goal, z[ref], mean, free, tilt, q, pois, h, low)
    for j in range(d):
        u[act[j]] = tilt[j]
    return value, u[w - 1] - u[w]


@separate(REAL(MATRIX, VECTOR, VECTOR, VECTOR, FLAG, WHOLE, REAL, REAL, REAL, REAL))
def crossing(lw, n, z, lam, free, w, below, inside, outside, height):
    """Where the exponent has fallen to ``height``, or up to ``LOOSE`` less, between ``inside`` and ``outside``.

    Returns ``outside`` where it does not fall so far.
    """
    t = outside
    if outside == np.inf:
        reach = 64.0 + 8.0 * math.sqrt(max(inside, 0.0))
        t = inside + reach
        while level(lw, n, z, lam, free, w, t, below)[0] > height:
            reach *= 2.0
            t = inside + reach
    for _ in range(100):
        value, slope = level(lw, n, z, lam, free, w, t, below)
        if value >= height - LOOSE:
            break
        # Newton's method on a concave function, from outside: it never steps over the crossing.
        t -= (value - height) / slope
    return t


@separate(REAL(MATRIX, VECTOR, VECTOR, VECTOR, FLAG, WHOLE, REAL, REAL, REAL))
def top_of(lw, n, z, lam, free, w, below, first, last):
    """Where on [``first``, ``last``] the exponent is largest, within a half."""
    if level(lw, n, z, lam, free, w, first, below)[1] <= 0.0:
        return first
    if last == np.inf:
        reach = 64.0
        while level(lw, n, z, lam, free, w, first + reach, below)[1] > 0.0:
            reach *= 2.0
        last = first + reach
    elif level(lw, n, z, lam, free, w, last, below)[1] >= 0.0:
        return last
    while last - first > 0.5:
        middle = 0.5 * (first + last)
        if level(lw, n, z, lam, free, w, middle, below)[1] > 0.0:
            first = middle
        else:
            last = middle
    return 0.5 * (first + last)


@separate(
    NOTHING(
        MATRIX, VECTOR, VECTOR, VECTOR, FLAG, WHOLE, REAL, REAL, REAL, REAL, REAL, VECTOR, MATRIX, MATRIX
    )
)  # fmt: skip
def add_stretch(lw, n, z, lam, free, w, below, above, first, last, top, sums, slope, g):
    """Add the probabilities of totals ``first`` to ``last`` of stage ``w``.

    ``below`` and ``above`` are the neighboring stages' totals, ``top`` the mode of all, ``g`` room for a
    gradient.
    """
    if last < first:
        return
    begin = first
    end = last
    left = last + 1.0
    right = last
    if last - first >= FEW:
        # Strictly inside, where the tilt is finite.
        floor = max(first, below + 0.5)
        ceiling = min(last, above - 0.5)
        peak = min(max(top, floor), ceiling)
        height = level(lw, n, z, lam, free, w, peak, below)[0] - CUT
        if peak > floor:
            x = crossing(lw, n, z, lam, free, w, below, peak, floor, height)
            if x > floor:
                begin = np.floor(x)
        if peak < ceiling:
            x = crossing(lw, n, z, lam, free, w, below, peak, ceiling, height)
            if x < ceiling:
                end = np.ceil(x)
        left = max(begin, below + EDGE + 1.0)
        right = min(end, above - EDGE - 1.0)
        if right - left < FEW:
            left = end + 1.0
            right = end
    t = begin
    while t <= end:
        if t == left and right >= left:
            t = right + 1.0
            continue
        set_total(z, w, t, below)
        add_term(sums, slope, log_point(lw, n, z, lam, free, True, g), 1.0, g)
        t += 1.0
    if right < left:
        return
    radius = 0.5 * (right - left + 1.0)
    nodes = len(ABSCISSA)
    for i in range(nodes + 8):
        if i < nodes:
            t = 0.5 * (left + right) + radius * ABSCISSA[i]
            weight = radius * WEIGHT[i]
        elif i < nodes + 4:
            t = right + 2.0 - (i - nodes)
            weight = END[i - nodes]
        else:
            t = left - 2.0 + (i - nodes - 4)
            weight = END[i - nodes - 4]
        set_total(z, w, t, below)
        add_term(sums, slope, log_point(lw, n, z, lam, free, False, g), weight, g)
