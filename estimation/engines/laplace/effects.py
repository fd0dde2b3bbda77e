"""Exact draws of a cell's own effect, normal on the logit, given its count and the rest of its linear predictor.

By rejection: a proposal from the effect's own law moved along one tangent of the count's concave logarithm, tried
for many cells at a time; or, where the count says more than the law does, under three tangents of both (Gilks and
Wild 1992).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ..vectors import exp
from .cells import TOGETHER, rate_and_log, rate_and_log_of_one, sigmoid

Floats = NDArray[np.float64]
# A fifth of a standard deviation from the most likely value, squared.
_NEARLY = 0.04
# Curvature of a count over that of its effect's own law, up to which half the proposals are taken.
_LITTLE = 3.0
# Proposals that cells make together; a cell none of whose is taken goes on alone.
_TRIES = 3
_CONTRACT = {"contract"}


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _tangent(eta: float, y: float, n: float, tau: float, e: float) -> tuple[float, float]:
    """Log posterior of an effect, but for a constant, and its slope."""
    p, value = rate_and_log_of_one(eta + e, y, n)
    return value - 0.5 * (e / tau) ** 2, y - n * p - e / (tau * tau)


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _settled(eta: float, y: float, n: float, square: float, e: float) -> float:
    """An effect near its most likely value, from a guess that may be far away: Newton's steps, kept in a bracket.

    Where a count is all or none of what was possible, or the guess is of another predictor, plain steps end where
    nothing is likely.
    """
    low, high = square * (y - n), square * y
    for _ in range(200):
        p = sigmoid(eta + e)
        slope, bend = y - n * p - e / square, n * p * (1 - p) + 1 / square
        if slope * slope < _NEARLY * bend:
            break
        if slope > 0:
            low = e
        else:
            high = e
        e += slope / bend
        # Strictly: from one end of the bracket a step may lead to the other, and from there back.
        if not low < e < high:
            e = 0.5 * (low + high)
    return e


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _draw_effect(eta: float, y: float, n: float, tau: float, start: float, rng: Any) -> float:
    """One effect from its posterior."""
    if n <= 0:
        return tau * rng.standard_normal()
    square = tau * tau
    e = _settled(eta, y, n, square, start)
    p, middle = rate_and_log_of_one(eta + e, y, n)
    # How much the count says changes with the effect, by e a unit at most.
    if n * p * (1 - p) * square * np.exp(tau) < _LITTLE:
        slope = y - n * p
        while True:
            at = square * slope + tau * rng.standard_normal()
            if -rng.standard_exponential() <= rate_and_log_of_one(eta + at, y, n)[1] - middle - slope * (
                at - e
            ):
                return at
    sd = 1 / np.sqrt(n * p * (1 - p) + 1 / square)
    # Tangents beside the middle; further out where the middle was missed, so that the outer slopes fall away from it.
    reach = 1.2 * sd
    a, b = e - reach, e + reach
    va, sa = _tangent(eta, y, n, tau, a)
    while sa <= 0:
        a -= reach
        va, sa = _tangent(eta, y, n, tau, a)
    vb, sb = _tangent(eta, y, n, tau, b)
    while sb >= 0:
        b += reach
        vb, sb = _tangent(eta, y, n, tau, b)
    vm, sm = _tangent(eta, y, n, tau, e)
    # Where neighbours meet.
    left = (vm - va + sa * a - sm * e) / (sa - sm) if sa - sm > 1e-12 * sa else a
    right = (vb - vm + sm * e - sb * b) / (sm - sb) if sm - sb > -1e-12 * sb else b
    hl = va + sa * (left - a)
    hr = vb + sb * (right - b)
    top = max(max(hl, hr), vm)
    wl = np.exp(hl - top) / sa
    wr = np.exp(hr - top) / -sb
    width = right - left
    rise = sm * width
    if abs(rise) < 1e-9:
        wm = np.exp(hl - top) * width
    else:
        wm = np.exp(hl - top) * np.expm1(rise) / sm
    while True:
        u = rng.random() * (wl + wm + wr)
        v = rng.random()
        if u < wl:
            at = left + np.log(1 - v) / sa
            hull = va + sa * (at - a)
        elif u < wl + wm:
            at = left + (v * width if abs(rise) < 1e-9 else np.log1p(v * np.expm1(rise)) / sm)
            hull = vm + sm * (at - e)
        else:
            at = right + np.log(1 - v) / sb
            hull = vb + sb * (at - b)
        value = rate_and_log_of_one(eta + at, y, n)[1] - 0.5 * (at / tau) ** 2
        if -rng.standard_exponential() <= value - hull:
            return at


@numba.njit(forceinline=True, error_model="numpy")
def _nearer(eta: float, y: float, n: float, square: float, e: float) -> float:
    """One of Newton's steps, held within what an effect can be."""
    p, _ = rate_and_log(eta + e, y, n)
    moved = e + (y - n * p - e / square) / (n * p * (1 - p) + 1 / square)
    return min(max(moved, square * (y - n)), square * y)


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _touch(tau: float, work: Floats, many: int, served: Any) -> None:
    """Where tangents touch: effects near the most likely ones, from guesses; and for which cells they will do.

    Rows of ``work`` are the predictor, count and units, and the effect, value and slope that are filled in.
    """
    square, change = tau * tau, np.exp(tau)
    for i in range(many):
        eta, y, n = work[0, i], work[1, i], work[2, i]
        # Twice, written out: a loop in a loop keeps the compiler from taking several cells at once.
        e = _nearer(eta, y, n, square, _nearer(eta, y, n, square, work[3, i]))
        p, value = rate_and_log(eta + e, y, n)
        work[3, i], work[4, i], work[5, i] = e, value, y - n * p
        bent = n * p * (1 - p) * square
        # How much the count says changes with the effect, by e a unit at most. Where the guess was too far off for two
        # steps, what it says there tells nothing.
        away = (y - n * p) * square - e
        served[i] = (bent * change < _LITTLE) & (away * away < square * (bent + 1))


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _try(tau: float, work: Floats, uniform: Floats, effect: Floats, taken: Any) -> None:
    """Proposals from standard normal numbers in ``effect``, which they replace; and which are taken."""
    eta, y, n, e, middle, slope = work
    for i in range(len(eta)):
        effect[i] = tau * tau * slope[i] + tau * effect[i]
        _, value = rate_and_log(eta[i] + effect[i], y[i], n[i])
        taken[i] = uniform[i] <= exp(value - middle[i] - slope[i] * (effect[i] - e[i]))


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _move(work: Floats, place: Any, source: int, target: int) -> None:
    place[target] = place[source]
    for row in range(len(work)):
        work[row, target] = work[row, source]


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _draw_effects(eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, rng: Any, out: Any) -> None:
    work, uniform, effect = np.empty((6, TOGETHER)), np.empty(TOGETHER), np.empty(TOGETHER)
    yes, place = np.empty(TOGETHER, np.bool_), np.empty(TOGETHER, np.int64)
    for r in range(eta.shape[0]):
        for start in range(0, eta.shape[1], TOGETHER):
            left = min(TOGETHER, eta.shape[1] - start)
            for i in range(left):
                place[i] = start + i
                work[0, i], work[1, i], work[2, i] = eta[r, start + i], y[start + i], n[start + i]
                work[3, i] = mode[start + i]
            _touch(tau, work, left, yes)
            many, left = left, 0
            for i in range(many):
                if yes[i]:
                    _move(work, place, i, left)
                    left += 1
                else:
                    out[r, place[i]] = _draw_effect(work[0, i], work[1, i], work[2, i], tau, work[3, i], rng)
            for _ in range(_TRIES):
                many, left = left, 0
                for i in range(many):
                    uniform[i], effect[i] = rng.random(), rng.standard_normal()
                _try(tau, work[:, :many], uniform, effect, yes)
                for i in range(many):
                    if yes[i]:
                        out[r, place[i]] = effect[i]
                    else:
                        _move(work, place, i, left)
                        left += 1
            for i in range(left):
                out[r, place[i]] = _draw_effect(work[0, i], work[1, i], work[2, i], tau, work[3, i], rng)


def draw_effects(
    rng: np.random.Generator, eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats
) -> NDArray[np.float32]:
    """Exact draws of the effects given the rest of the predictor (R, N); ``mode`` (N,) is a good guess of each."""
    out = np.empty(eta.shape, dtype=np.float32)
    eta, y, n = (np.ascontiguousarray(x, dtype=float) for x in (eta, y, n))
    _draw_effects(eta, y, n, tau, mode, rng, out)
    return out
