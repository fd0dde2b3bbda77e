"""Negative binomial with a mean and a variance factor: the law of counts along a ratio path, as a fused operation.

With mean μ and variance φ μ the size is μ / (φ - 1); sums of independent such counts with one φ keep the form. A factor
below 1, of a stretch of probability steps alone, gives by the same formula the binomial with chance 1 - φ.
``ratio_law_op`` turns the predictors along paths into the mean and variance factor of each total, ``Chain`` those into
the log probability of what was reported, with its slopes in the same pass.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numba import njit
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from .fused import Fused

Floats = NDArray[np.float64]
_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_LOG_WEIGHTS = np.log(_WEIGHTS)
_DIRECT = 48  # counts added one by one at each end of a range
_FEW, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(24)
_LOG_FEW = np.log(_FEW_WEIGHTS)
# From here on single counts are too small a step to be added one by one, and few nodes resolve a total.
_LARGE = 1000.0
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
_BEYOND = 50.0  # what a count loses in log probability for each unit that it lies above all trials: no mass, a slope


@njit(error_model="numpy")
def _digamma_less_log(x: float) -> float:
    """digamma(x) - log(x) for x > 0 (recurrence up to 8, then the asymptotic series)."""
    out, z = 0.0, x
    while z < 8.0:
        out -= 1.0 / z
        z += 1.0
    y = 1.0 / (z * z)
    series = y * (1 / 12.0 - y * (1 / 120.0 - y * (1 / 252.0 - y * (1 / 240.0 - y * (1 / 132.0)))))
    out -= 0.5 / z + series
    return out if z == x else out + math.log(z / x)


@njit(error_model="numpy")
def _stirling(x: float) -> float:
    """What Stirling's formula leaves of log x!, for x > 0 (Loader 2000)."""
    if x < 16.0:
        return math.lgamma(x + 1.0) - (x + 0.5) * math.log(x) + x - _HALF_LOG_TAU
    y = 1.0 / (x * x)
    return (1 / 12.0 - y * (1 / 360.0 - y * (1 / 1260.0 - y * (1 / 1680.0 - y / 1188.0)))) / x


@njit(error_model="numpy")
def _deviance(x: float, mean: float) -> float:
    """x log(x / mean) - x + mean, without loss of digits where the two are close."""
    v = (x - mean) / (x + mean)
    if not abs(v) < 0.1:  # nor a number
        return x * math.log(x / mean) - x + mean
    out, power, k = (x - mean) * v, 2.0 * x * v, 1.0
    while True:
        power *= v * v
        k += 2.0
        more = out + power / k
        if more == out:
            return out
        out = more


@njit(error_model="numpy")
def _chances(x: float, n: float, log_p: float, log_q: float) -> float:
    """Log probability of x of n, neither of them whole, by Loader's (2000) saddle-point expansion.

    Differences of log-gamma functions lose every digit where n is large.
    """
    if x <= 0.0:
        return n * log_q
    if x >= n:
        return n * log_p
    y = n - x
    return (
        _stirling(n) - _stirling(x) - _stirling(y) - _deviance(x, n * math.exp(log_p))
        - _deviance(y, n * math.exp(log_q)) - _HALF_LOG_TAU - 0.5 * math.log(x * (y / n))
    )  # fmt: skip


@njit(error_model="numpy")
def _binomial(y: float, log_mean: float, phi: float) -> tuple[float, float, float]:
    """``_point`` for a factor below 1.

    Sums of binomials with several chances are matched in mean and variance: their trials are then no whole number, and
    a count may lie half a unit above them.
    """
    chance = 1.0 - phi
    trials = math.exp(log_mean) / chance
    over = max(y - trials - 0.5, 0.0)
    if over > 0.0:
        value = (y - over) * math.log(chance) - _BEYOND * over
        slope = math.log(chance) + _BEYOND
        return value, slope * trials, (slope * trials - y + over) / chance
    if y >= trials:
        return y * math.log(chance), 0.0, -y / chance
    value = _chances(y, trials, math.log(chance), math.log(phi))
    left = trials - y
    slope = math.log((trials + 1.0) / (left + 1.0) * phi) + (
        _digamma_less_log(trials + 1.0) - _digamma_less_log(left + 1.0)
    )
    return value, slope * trials, -y / chance + left / phi + slope * trials / chance


@njit(error_model="numpy")
def _point(y: float, log_mean: float, phi: float) -> tuple[float, float, float]:
    """Log probability of one count, and its slopes in the log mean and the variance factor."""
    if phi < 1.0:
        return _binomial(y, log_mean, phi)
    mean = math.exp(log_mean)
    size = mean / (phi - 1.0)
    value = _chances(y, y + size, math.log1p(-1.0 / phi), -math.log(phi))
    if y > 0.0:
        value += math.log(size / (size + y))
    rise = _digamma_less_log(y + size) - _digamma_less_log(size)
    slope = size * (math.log1p((y - mean) / (mean + size)) + rise)
    return value, slope, ((y - mean) / phi - slope) / (phi - 1.0)


@njit(error_model="numpy")
def _reach(mean: float, phi: float) -> float:
    """How far from its mean a count may lie."""
    return 8 * math.sqrt(mean * phi) + 40 * phi + 1


@njit(error_model="numpy")
def _spots(
    low: float,
    high: float,
    log_mean: float,
    phi: float,
    least: float,
    most: float,
    at: Floats,
    weight: Floats,
) -> int:
    """Counts at which the law over a range is evaluated, with log weights; how many there are.

    Beyond ``least`` and ``most`` what is multiplied with the law has died away.
    """
    used = 0
    large = low > _LARGE and high - low > _LARGE
    if high - low < _DIRECT:
        for i in range(int(high - low) + 1):
            at[used], weight[used] = low + i, 0.0
            used += 1
        return used
    first, end = low - 0.5, 1e300
    if large:
        end = high + 0.5
    else:
        for i in range(_DIRECT):
            at[used], weight[used] = low + i, 0.0
            used += 1
        first += _DIRECT
    if high < 1e300 and not large:
        for i in range(_DIRECT):
            if high - i < low + _DIRECT:
                break
            at[used], weight[used] = high - i, 0.0
            used += 1
        end = high - _DIRECT + 0.5
    if end > first:
        mean = math.exp(log_mean)
        # The tail beyond an end far from the mean falls at least as fast as geometrically with ratio 1 - 1/φ.
        reach = _reach(mean, phi)
        begin = max(first, min(mean, end) - reach)
        finish = min(end, max(mean, begin) + reach)
        if phi < 1.0:
            finish = max(min(finish, mean / (1.0 - phi) + 0.5), begin + 0.5)
        if max(begin, least) < min(finish, most):
            begin, finish = max(begin, least), min(finish, most)
        half = (finish - begin) / 2
        nodes, logs = (_FEW, _LOG_FEW) if large else (_NODES, _LOG_WEIGHTS)
        for i in range(nodes.shape[0]):
            at[used], weight[used] = begin + half * (1 + nodes[i]), logs[i] + math.log(half)
            used += 1
    return used


@njit(error_model="numpy")
def _range(low: float, high: float, log_mean: float, phi: float) -> tuple[float, float, float]:
    """Log probability that a count lies in a range, and its slopes."""
    if low == high:
        return _point(low, log_mean, phi)
    at, weight = np.empty(2 * _DIRECT + 64), np.empty(2 * _DIRECT + 64)
    used = _spots(low, high, log_mean, phi, 0.0, 1e300, at, weight)
    logs, slopes, spreads = np.empty(used), np.empty(used), np.empty(used)
    top = -np.inf
    for q in range(used):
        value, slopes[q], spreads[q] = _point(at[q], log_mean, phi)
        logs[q] = value + weight[q]
        top = max(top, logs[q])
    whole, slope, spread = 0.0, 0.0, 0.0
    for q in range(used):
        share = math.exp(logs[q] - top)
        whole += share
        slope += share * slopes[q]
        spread += share * spreads[q]
    return top + math.log(whole), slope / whole, spread / whole


def _chain(law: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    groups, depth = low.shape
    out = np.empty(groups)
    slope = np.zeros(law.shape)
    at, weight = np.empty(2 * _DIRECT + 64), np.empty(2 * _DIRECT + 64)
    for i in range(groups):
        if depth == 1:
            out[i], slope[0, i, 0], slope[1, i, 0] = _range(low[i, 0], high[i, 0], law[0, i, 0], law[1, i, 0])
            continue
        onward = law[0, i, 1] - law[0, i, 0]
        then = law[1, i, 1]
        thinned = then < 1.0
        if thinned:
            # Of a total whose cells are not known each unit passes with the one chance that all have together.
            onward = min(onward, -1e-9)
            then = 1.0 - math.exp(onward)
        ahead = math.exp(onward)
        least = (low[i, 1] - _reach(low[i, 1], then)) / ahead
        most = (high[i, 1] + _reach(high[i, 1], then) + 120 * then) / ahead if high[i, 1] < 1e300 else 1e300
        used = _spots(low[i, 0], high[i, 0], law[0, i, 0], law[1, i, 0], least, most, at, weight)
        logs, found = np.empty(used), np.empty((used, 4))
        top = -np.inf
        for q in range(used):
            here, found[q, 0], found[q, 1] = _point(at[q], law[0, i, 0], law[1, i, 0])
            given = math.log(max(at[q], 1e-9)) + onward
            inner, found[q, 2], found[q, 3] = _range(low[i, 1], high[i, 1], given, then)
            if thinned:
                found[q, 2] -= found[q, 3] * ahead
                found[q, 3] = 0.0
            logs[q] = here + inner + weight[q]
            top = max(top, logs[q])
        whole = 0.0
        for q in range(used):
            share = math.exp(logs[q] - top)
            whole += share
            slope[0, i, 0] += share * (found[q, 0] - found[q, 2])
            slope[1, i, 0] += share * found[q, 1]
            slope[0, i, 1] += share * found[q, 2]
            slope[1, i, 1] += share * found[q, 3]
        out[i] = top + math.log(whole)
        for d in range(depth):
            slope[0, i, d] /= whole
            slope[1, i, d] /= whole
    return out, slope


class Chain(Fused):
    """Log probabilities (S,) of ranges at one or two stages, and their slopes in the law (2, S, D)."""

    _body = staticmethod(_chain)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: law (2, S, D), low and high (S, D)."""
        tensors = [pt.as_tensor(x) for x in inputs]
        vector = pt.tensor(dtype="float64", shape=(tensors[0].type.shape[1],))
        return Apply(self, tensors, [vector, tensors[0].type()])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only the law moves anything."""
        return [[True, True], [False, False], [False, False]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Scale the stored slopes."""
        g = pt.as_tensor(cotangents[0])
        return [g[None, :, None] * outputs[1], disconnected_type(), disconnected_type()]


@register_funcify_default_op_cache_key(Chain)
def _numba_chain(op: Chain, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_chain, error_model="numpy"), _SOURCE


_CHAIN = Chain()


def negbin_chain(low: Floats, high: Floats, log_mean: Any, factor: Any) -> Any:
    """Log probability of the ranges of one total at D successive stages, (S,); D is 1 or 2.

    Given the total y at the first stage, the next is negative binomial with mean y times the ratio of the two
    expectations; an inexact y is summed over. Narrow ranges are summed; of wide ones the counts nearest to either end
    are summed, and between them the density is integrated, cut at eight standard deviations from the mean or from
    the near end, whichever is inside. The error of one range is below 2e-4.

    Parameters
    ----------
    low, high : (S, D)
        Inclusive; equal where the count is known, ``high`` infinite where nothing limits it.
    log_mean, factor : (S, D)
        See ``paths.ratio_law``.
    """
    ends = np.where(np.isfinite(high), high, 1e300)
    law = pt.stack([log_mean, factor])
    return _CHAIN.make_node(law, np.ascontiguousarray(low), np.ascontiguousarray(ends)).outputs[0]
