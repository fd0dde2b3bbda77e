"""A binomial count with a normal effect of its own on the logit, the effect integrated out.

log ∫ exp(y x - n log(1 + e^x)) N(x; η, τ²) dx by the trapezoidal rule over all that matters, which converges
geometrically (Trefethen and Weideman 2014), or by adaptive Gauss-Hermite quadrature where τ is small (Liu and Pierce
1994). Its derivatives in η are joint cumulants of the integrand's own under the posterior of the effect, and those in
log τ follow from the heat equation: the integral is smoothed by τ² exactly as by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.polynomial.hermite import hermgauss
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TRAPEZOIDS = 0  # instead of a number of nodes
_MOST = 50
_MOST_NODES = 2000
# The trapezoids' error is e^(-2π² / step²) where the count says much, with the step in standard deviations, and
# e^(-π² / step) at the wall that a count of none or all is, with the step in logits: e^-30 for both.
_BENT, _WALL = 1.5, 9.0
_FAR = 25.0  # nats below the top, where the trapezoids end
# A fifth of a standard deviation from the most likely value, squared.
_NEARLY = 0.04
# Curvature of a count over that of its effect's own law, up to which half the proposals are taken.
_LITTLE = 3.0


@dataclass(frozen=True)
class Marginal:
    """Log probabilities of counts and their derivatives in the linear predictor, each of the counts' shape.

    ``by_sd`` and ``slope_by_sd``, ``curvature_by_sd``: derivatives of the value, of its slope and of its second
    derivative in log τ; zero where there is no effect.
    """

    value: Floats
    slope: Floats
    second: Floats
    third: Floats
    by_sd: Floats
    slope_by_sd: Floats
    second_by_sd: Floats


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + np.exp(-x))
    e = np.exp(x)
    return e / (1.0 + e)


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _log_kernel(x: float, y: float, n: float) -> tuple[float, float]:
    """Binomial log probability without its coefficient, and the rate."""
    e = np.exp(-abs(x))
    p = 1.0 / (1.0 + e)
    return y * x - n * (max(x, 0.0) + np.log1p(e)), p if x >= 0 else e * p


@numba.njit(nogil=True, error_model="numpy", cache=True)
def effect_mode(eta: float, y: float, n: float, tau: float, start: float) -> tuple[float, float]:
    """Most likely effect and the curvature there, by Newton steps that bisect where they shrink too slowly."""
    low, high = -np.inf, np.inf
    e = start
    last = np.inf
    precision = 1.0 / (tau * tau)
    curvature = precision
    for _ in range(_MOST):
        p = _sigmoid(eta + e)
        slope = y - n * p - e * precision
        curvature = n * p * (1 - p) + precision
        if slope > 0:
            low = e
        else:
            high = e
        move = slope / curvature
        if (not low < e + move < high or abs(move) > 0.5 * last) and low > -np.inf and high < np.inf:
            move = 0.5 * (low + high) - e
        last = abs(move)
        e += move
        if move * move * curvature < 1e-16:
            break
    return e, curvature


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _moments(eta: float, y: float, n: float, tau: float, at: float, out: Floats) -> float:
    """Log density of an effect, but for a constant; and the count's first four derivatives in the predictor."""
    kernel, p = _log_kernel(eta + at, y, n)
    v = n * p * (1 - p)
    out[0] = y - n * p
    out[1] = -v
    out[2] = -v * (1 - 2 * p)
    out[3] = -v * (1 - 6 * p * (1 - p))
    return kernel - 0.5 * (at / tau) ** 2


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _integrated(
    eta: Floats,
    y: Floats,
    n: Floats,
    tau: float,
    mode: Floats,
    nodes: Floats,
    log_weights: Floats,
    out: Floats,
) -> None:
    """Fill out (7, N); ``mode`` (N,) is where the search starts, and then what it found."""
    log = np.empty(_MOST_NODES)
    moment = np.empty((4, _MOST_NODES))
    for i in range(eta.shape[0]):
        if n[i] <= 0:
            out[:, i] = 0.0
            continue
        if tau <= 0:
            p = _sigmoid(eta[i])
            v = n[i] * p * (1 - p)
            out[0, i] = _log_kernel(eta[i], y[i], n[i])[0]
            out[1, i] = y[i] - n[i] * p
            out[2, i] = -v
            out[3, i] = -v * (1 - 2 * p)
            out[4:, i] = 0.0
            continue
        e, curvature = effect_mode(eta[i], y[i], n[i], tau, mode[i])
        mode[i] = e
        top = -np.inf
        if nodes.shape[0]:
            count, width = nodes.shape[0], np.sqrt(2.0 / curvature)
            for k in range(count):
                at = e + width * nodes[k]
                log[k] = _moments(eta[i], y[i], n[i], tau, at, moment[:, k]) + nodes[k] ** 2 + log_weights[k]
                top = max(top, log[k])
        else:
            count, width = 0, 1.0 / np.sqrt(_BENT * curvature + _WALL)
            for side in (-1, 1):
                at = e + max(side, 0) * width
                while count < _MOST_NODES:
                    log[count] = _moments(eta[i], y[i], n[i], tau, at, moment[:, count])
                    top = max(top, log[count])
                    count += 1
                    if log[count - 1] < top - _FAR:
                        break
                    at += side * width
        total = 0.0
        for k in range(count):
            log[k] = np.exp(log[k] - top)
            total += log[k]
        mean = np.zeros(4)
        for k in range(count):
            log[k] /= total
            for r in range(4):
                mean[r] += log[k] * moment[r, k]
        c11 = c12 = c13 = c22 = c111 = c112 = c1111 = 0.0
        for k in range(count):
            a, b, c = moment[0, k] - mean[0], moment[1, k] - mean[1], moment[2, k] - mean[2]
            w = log[k]
            c11 += w * a * a
            c12 += w * a * b
            c13 += w * a * c
            c22 += w * b * b
            c111 += w * a * a * a
            c112 += w * a * a * b
            c1111 += w * a * a * a * a
        first = mean[0]
        second = mean[1] + c11
        third = mean[2] + 3 * c12 + c111
        fourth = mean[3] + 4 * c13 + 3 * c22 + 6 * c112 + c1111 - 3 * c11 * c11
        square = tau * tau
        out[0, i] = top + np.log(total * width / tau) - 0.9189385332046727
        out[1, i] = first
        out[2, i] = second
        out[3, i] = third
        out[4, i] = square * (second + first * first)
        out[5, i] = square * (third + 2 * first * second)
        out[6, i] = square * (fourth + 2 * second * second + 2 * first * third)


def integrated(
    eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, nodes: int = TRAPEZOIDS
) -> Marginal:
    """The integral of every count and its derivatives.

    Parameters
    ----------
    eta, y, n : (…) float
        Linear predictor, count, and number of units; cells without units count nothing.
    tau : float
        Standard deviation of the effect; zero for none.
    mode : (…) float
        Most likely effects of an earlier call, replaced by those found.
    nodes : int
        Of the Gauss-Hermite rule, or ``TRAPEZOIDS``.

    Returns
    -------
    Marginal
        Without the binomial coefficients, which are constant.
    """
    at, weights = _rule(nodes)
    out = np.empty((7, eta.size))
    _integrated(eta.ravel(), y.ravel(), n.ravel(), tau, mode.reshape(-1), at, weights, out)
    return Marginal(*(row.reshape(eta.shape) for row in out))


def _rule(nodes: int) -> tuple[Floats, Floats]:
    if nodes == TRAPEZOIDS:
        return np.empty(0), np.empty(0)
    at, weights = hermgauss(nodes)
    return at, np.log(weights)


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _tangent(eta: float, y: float, n: float, tau: float, e: float) -> tuple[float, float]:
    """Log posterior of an effect, but for a constant, and its slope."""
    value, p = _log_kernel(eta + e, y, n)
    return value - 0.5 * (e / tau) ** 2, y - n * p - e / (tau * tau)


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _settled(eta: float, y: float, n: float, square: float, e: float) -> float:
    """An effect near its most likely value, from a guess that may be far away: Newton's steps, kept in a bracket.

    Where a count is all or none of what was possible, or the guess is of another predictor, plain steps end where
    nothing is likely.
    """
    low, high = square * (y - n), square * y
    for _ in range(200):
        p = _sigmoid(eta + e)
        slope, bend = y - n * p - e / square, n * p * (1 - p) + 1 / square
        if slope * slope < _NEARLY * bend:
            break
        if slope > 0:
            low = e
        else:
            high = e
        e += slope / bend
        if not low <= e <= high:
            e = 0.5 * (low + high)
    return e


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _draw_effect(eta: float, y: float, n: float, tau: float, start: float, rng: Any) -> float:
    """One effect from its posterior: by rejection from its own law moved along one tangent of the count's concave
    logarithm, or, where the count says more than the law, under three tangents of both (Gilks and Wild 1992)."""
    if n <= 0:
        return tau * rng.standard_normal()
    square = tau * tau
    e = _settled(eta, y, n, square, start)
    p = _sigmoid(eta + e)
    # How much the count says changes with the effect, by e a unit at most.
    if n * p * (1 - p) * square * np.exp(tau) < _LITTLE:
        middle, p = _log_kernel(eta + e, y, n)
        slope = y - n * p
        while True:
            at = square * slope + tau * rng.standard_normal()
            if -rng.standard_exponential() <= _log_kernel(eta + at, y, n)[0] - middle - slope * (at - e):
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
        value = _log_kernel(eta + at, y, n)[0] - 0.5 * (at / tau) ** 2
        if -rng.standard_exponential() <= value - hull:
            return at


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _draw_effects(eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, rng: Any, out: Any) -> None:
    for r in range(eta.shape[0]):
        for i in range(eta.shape[1]):
            out[r, i] = _draw_effect(eta[r, i], y[i], n[i], tau, mode[i], rng)


def draw_effects(
    rng: np.random.Generator, eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats
) -> NDArray[np.float32]:
    """Exact draws of the effects given the rest of the predictor (R, N); ``mode`` (N,) is a good guess of each."""
    out = np.empty(eta.shape, dtype=np.float32)
    _draw_effects(eta, y, n, tau, mode, rng, out)
    return out
