"""A binomial count with a normal effect of its own on the logit, the effect integrated out.

log ∫ exp(y x - n log(1 + e^x)) N(x; η, τ²) dx by the trapezoidal rule over all that matters, which converges
geometrically (Trefethen and Weideman 2014), or by adaptive Gauss-Hermite quadrature where τ is small (Liu and Pierce
1994). Its derivatives in η are joint cumulants of the integrand's own under the posterior of the effect, and those in
log τ follow from the heat equation: the integral is smoothed by τ² exactly as by time.

The quadrature takes many cells at a time and step by step, each step a loop without branches, so that it runs on whole
vector registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numba
import numpy as np
from numpy.polynomial.hermite import hermgauss
from numpy.typing import NDArray

from ..vectors import exp, log1p

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TRAPEZOIDS = 0  # instead of a number of nodes
TOGETHER = 128  # cells at a time: what is known of them stays in the processor's first cache
_MOST = 50
_MOST_NODES = 2000
# Newton steps that cells take together; those that are not there then go on alone, with a bracket.
_STEPS = 8
# Of a step's square in standard deviations: its own square is what is left.
_CLOSE = 1e-10
# The trapezoids' error is e^(-2π² / step²) where the count says much, with the step in standard deviations, and
# e^(-π² / step) at the wall that a count of none or all is, with the step in logits: e^-30 for both.
_BENT, _WALL = 1.5, 9.0
_LITTLE = 1e-11  # of the value at the top, where the trapezoids end
_LOG_ROOT = 0.9189385332046727  # log √(2π)
_CONTRACT = {"contract"}


@dataclass(frozen=True)
class Marginal:
    """Log probabilities of counts and their derivatives in the linear predictor, each of the counts' shape."""

    value: Floats
    slope: Floats
    second: Floats


@dataclass(frozen=True)
class Higher:
    """Derivatives that gradients in the scales take, each of the counts' shape.

    The third in the linear predictor; and those of the value, of its slope and of its second derivative in log τ, which
    are zero where there is no effect.
    """

    third: Floats
    by_sd: Floats
    slope_by_sd: Floats
    second_by_sd: Floats


@numba.njit(nogil=True, error_model="numpy", cache=True)
def sigmoid(x: float) -> float:
    """The rate of a logit."""
    if x >= 0:
        return 1.0 / (1.0 + np.exp(-x))
    e = np.exp(x)
    return e / (1.0 + e)


@numba.njit(forceinline=True, error_model="numpy")
def rate_and_log(x: float, y: float, n: float) -> tuple[float, float]:
    """The rate of a logit, and the binomial log probability without its coefficient."""
    e = exp(-abs(x))
    p = 1.0 / (1.0 + e)
    return p if x >= 0 else e * p, y * x - n * (max(x, 0.0) + log1p(e))


@numba.njit(nogil=True, error_model="numpy", cache=True)
def rate_and_log_of_one(x: float, y: float, n: float) -> tuple[float, float]:
    """The same by the library's functions, which are faster for one number alone."""
    e = np.exp(-abs(x))
    p = 1.0 / (1.0 + e)
    return p if x >= 0 else e * p, y * x - n * (max(x, 0.0) + np.log1p(e))


@numba.njit(nogil=True, error_model="numpy", cache=True)
def effect_mode(eta: float, y: float, n: float, tau: float, start: float) -> tuple[float, float]:
    """Most likely effect and the curvature there, by Newton steps that bisect where they shrink too slowly."""
    low, high = -np.inf, np.inf
    e = start
    last = np.inf
    precision = 1.0 / (tau * tau)
    curvature = precision
    for _ in range(_MOST):
        p = sigmoid(eta + e)
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


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _modes(eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, curvature: Floats, far: Ints) -> None:
    """Most likely effects, from a guess in ``mode``, and the curvatures there."""
    precision = 1.0 / (tau * tau)
    left = 0
    for _ in range(_STEPS):
        left = 0
        for i in range(len(eta)):
            p, _ = rate_and_log(eta[i] + mode[i], 0.0, 0.0)
            bend = n[i] * p * (1 - p) + precision
            move = (y[i] - n[i] * p - mode[i] * precision) / bend
            mode[i] += move
            curvature[i] = bend
            far[i] = not move * move * bend < _CLOSE
            left += far[i]
        if left == 0:
            break
    if left:
        for i in range(len(eta)):
            if far[i]:
                mode[i], curvature[i] = effect_mode(eta[i], y[i], n[i], tau, 0.0)


@numba.njit(forceinline=True, error_model="numpy")
def _at_node(
    eta: float, y: float, n: float, precision: float, at: float, raised: float
) -> tuple[float, float]:
    """The rate where the effect is ``at``, and the weight of that node."""
    p, value = rate_and_log(eta + at, y, n)
    return p, exp(value - 0.5 * at * at * precision + raised)


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _add(
    eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, width: Floats, node: float, raised: float,
    base: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Weights of one node; and the first two derivatives there, as departures from those at the mode."""
    precision = 1.0 / (tau * tau)
    for i in range(len(eta)):
        p, w = _at_node(eta[i], y[i], n[i], precision, mode[i] + width[i] * node, raised - base[0, i])
        a, b = y[i] - n[i] * p - base[1, i], -n[i] * p * (1 - p) - base[2, i]
        sums[0, i] += w
        sums[1, i] += w * a
        sums[2, i] += w * b
        sums[3, i] += w * a * a


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _add_higher(
    eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, width: Floats, node: float, raised: float,
    base: Floats, sums: Floats,
) -> None:  # fmt: skip
    """The same with the third and fourth derivatives themselves, and the products that higher cumulants take."""
    precision = 1.0 / (tau * tau)
    for i in range(len(eta)):
        p, w = _at_node(eta[i], y[i], n[i], precision, mode[i] + width[i] * node, raised - base[0, i])
        v = n[i] * p * (1 - p)
        a, b = y[i] - n[i] * p - base[1, i], -v - base[2, i]
        c, d = -v * (1 - 2 * p), -v * (1 - 6 * p * (1 - p))
        sums[0, i] += w
        sums[1, i] += w * a
        sums[2, i] += w * b
        sums[3, i] += w * a * a
        sums[4, i] += w * c
        sums[5, i] += w * d
        sums[6, i] += w * a * b
        sums[7, i] += w * a * c
        sums[8, i] += w * b * b
        sums[9, i] += w * a * a * a
        sums[10, i] += w * a * a * b
        sums[11, i] += w * a * a * a * a


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _trapezoids(
    eta: float, y: float, n: float, tau: float, mode: float, width: float, base: Floats, sums: Floats
) -> None:
    """The sums of one cell, over all that matters."""
    for side in (-1, 1):
        for node in range(max(side, 0), _MOST_NODES):
            at = mode + side * node * width
            p, value = rate_and_log_of_one(eta + at, y, n)
            w = np.exp(value - 0.5 * (at / tau) ** 2 - base[0])
            v = n * p * (1 - p)
            a, b = y - n * p - base[1], -v - base[2]
            c, d = -v * (1 - 2 * p), -v * (1 - 6 * p * (1 - p))
            for k, one in enumerate((1.0, a, b, a * a, c, d, a * b, a * c, b * b, a**3, a * a * b, a**4)):
                sums[k] += w * one
            if w < _LITTLE:
                break


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _put(base: Floats, sums: Floats, width: Floats, tau: float, out: Floats) -> None:
    for i in range(out.shape[1]):
        w = sums[0, i]
        a, b, aa = sums[1, i] / w, sums[2, i] / w, sums[3, i] / w
        out[0, i] = base[0, i] + np.log(w * width[i] / tau) - _LOG_ROOT
        out[1, i] = base[1, i] + a
        out[2, i] = base[2, i] + b + aa - a * a


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _put_higher(base: Floats, sums: Floats, tau: float, out: Floats) -> None:
    square = tau * tau
    for i in range(out.shape[1]):
        w = sums[0, i]
        a, b, c, d = sums[1, i] / w, sums[2, i] / w, sums[4, i] / w, sums[5, i] / w
        aa, ab, ac, bb = sums[3, i] / w, sums[6, i] / w, sums[7, i] / w, sums[8, i] / w
        aaa, aab, aaaa = sums[9, i] / w, sums[10, i] / w, sums[11, i] / w
        # Joint cumulants from moments.
        c11, c12, c13, c22 = aa - a * a, ab - a * b, ac - a * c, bb - b * b
        c111 = aaa - 3 * a * aa + 2 * a * a * a
        c112 = aab - 2 * a * ab - b * aa + 2 * a * a * b
        c1111 = aaaa - 4 * a * aaa - 3 * aa * aa + 12 * a * a * aa - 6 * a * a * a * a
        first, second = base[1, i] + a, base[2, i] + b + c11
        third = c + 3 * c12 + c111
        fourth = d + 4 * c13 + 3 * c22 + 6 * c112 + c1111
        out[0, i] = third
        out[1, i] = square * (second + first * first)
        out[2, i] = square * (third + 2 * first * second)
        out[3, i] = square * (fourth + 2 * second * second + 2 * first * third)


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _quadrature(
    eta: Floats,
    y: Floats,
    n: Floats,
    tau: float,
    mode: Floats,
    nodes: Floats,
    log_weights: Floats,
    out: Floats,
) -> None:
    """Fill out, (3, N) for a marginal or (4, N) for what is higher; trapezoids where there are no nodes."""
    curvature, far, width = np.empty(TOGETHER), np.empty(TOGETHER, np.int64), np.empty(TOGETHER)
    base, sums = np.empty((3, TOGETHER)), np.empty((12, TOGETHER))
    for start in range(0, len(eta), TOGETHER):
        part = slice(start, min(start + TOGETHER, len(eta)))
        et, yy, nn, e = eta[part], y[part], n[part], mode[part]
        _modes(et, yy, nn, tau, e, curvature, far)
        for i in range(len(et)):
            p, value = rate_and_log(et[i] + e[i], yy[i], nn[i])
            base[0, i] = value - 0.5 * (e[i] / tau) ** 2
            base[1, i] = yy[i] - nn[i] * p
            base[2, i] = -nn[i] * p * (1 - p)
            width[i] = (
                np.sqrt(2.0 / curvature[i]) if len(nodes) else 1 / np.sqrt(_BENT * curvature[i] + _WALL)
            )
        sums[:] = 0.0
        for k in range(len(nodes)):
            raised = nodes[k] ** 2 + log_weights[k]
            if len(out) == 3:
                _add(et, yy, nn, tau, e, width, nodes[k], raised, base, sums)
            else:
                _add_higher(et, yy, nn, tau, e, width, nodes[k], raised, base, sums)
        for i in range(0 if len(nodes) else len(et)):
            _trapezoids(et[i], yy[i], nn[i], tau, e[i], width[i], base[:, i], sums[:, i])
        if len(out) == 3:
            _put(base, sums, width, tau, out[:, part])
        else:
            _put_higher(base, sums, tau, out[:, part])
        for i in range(len(et)):
            if nn[i] <= 0:
                out[:, start + i] = 0.0


@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath=_CONTRACT)
def _without(eta: Floats, y: Floats, n: Floats, out: Floats) -> None:
    """Cells that have no effect of their own: fill out, as above."""
    for i in range(len(eta)):
        p, value = rate_and_log(eta[i], y[i], n[i])
        v = n[i] * p * (1 - p)
        if len(out) == 3:
            out[0, i] = value
            out[1, i] = y[i] - n[i] * p
            out[2, i] = -v
        else:
            out[0, i] = -v * (1 - 2 * p)


@cache
def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Nodes and the logarithms of their weights; to find them takes as long as some thousand cells."""
    at, weights = (np.empty(0), np.empty(0)) if nodes == TRAPEZOIDS else hermgauss(nodes)
    return at, np.log(weights)


def _filled(size: int, eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, nodes: int) -> Floats:
    out = np.zeros((size, eta.size))
    flat_eta, flat_y, flat_n = (np.ascontiguousarray(x, dtype=float).ravel() for x in (eta, y, n))
    if tau <= 0:
        _without(flat_eta, flat_y, flat_n, out)
    else:
        _quadrature(flat_eta, flat_y, flat_n, tau, mode.reshape(-1), *_rule(nodes), out)
    return out.reshape(size, *eta.shape)


def integrated(
    eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, nodes: int = TRAPEZOIDS
) -> Marginal:
    """The integral of every count and its first derivatives.

    Parameters
    ----------
    eta, y, n : (…) float
        Linear predictor, count, and number of units; cells without units count nothing.
    tau : float
        Standard deviation of the effect; zero for none.
    mode : (…) float
        Most likely effects of an earlier call, replaced by those found; contiguous.
    nodes : int
        Of the Gauss-Hermite rule, or ``TRAPEZOIDS``.

    Returns
    -------
    Marginal
        Without the binomial coefficients, which are constant.
    """
    return Marginal(*_filled(3, eta, y, n, tau, mode, nodes))


def higher(eta: Floats, y: Floats, n: Floats, tau: float, mode: Floats, nodes: int = TRAPEZOIDS) -> Higher:
    """What gradients take beside it, from the same arguments."""
    return Higher(*_filled(4, eta, y, n, tau, mode, nodes))
