"""One total spread split over the blocks, on an unconstrained scale, as fused operations.

Coordinates h (S, B): the log of the total sd T, then B - 1 coordinates u of the split w = softmax(H u), with H the
orthonormal zero-sum basis; log sd_b = log T + log(w_b) / 2. T is half-normal and w uniform on the simplex, so the
prior of the whole does not widen when a block is added.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from .basis import helmert
from .fused import Fused

Floats = NDArray[np.float64]
_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


def _log_split(h: Floats, basis: Floats, s: int, log_w: Floats) -> None:
    """Fill log w of step s."""
    blocks = h.shape[1]
    top = -np.inf
    for b in range(blocks):
        y = 0.0
        for c in range(blocks - 1):
            y += basis[b, c] * h[s, 1 + c]
        log_w[b] = y
        top = max(top, y)
    total = 0.0
    for b in range(blocks):
        total += np.exp(log_w[b] - top)
    for b in range(blocks):
        log_w[b] -= top + np.log(total)


_log_split_jit = numba.njit(error_model="numpy")(_log_split)


def _scales(h: Floats, basis: Floats) -> Floats:
    out = np.empty(h.shape)
    log_w = np.empty(h.shape[1])
    for s in range(h.shape[0]):
        _log_split_jit(h, basis, s, log_w)
        for b in range(h.shape[1]):
            out[s, b] = h[s, 0] + 0.5 * log_w[b]
    return out


def _scales_pullback(h: Floats, basis: Floats, g: Floats) -> Floats:
    out = np.zeros(h.shape)
    log_w = np.empty(h.shape[1])
    for s in range(h.shape[0]):
        _log_split_jit(h, basis, s, log_w)
        total = 0.0
        for b in range(h.shape[1]):
            total += g[s, b]
        out[s, 0] = total
        for b in range(h.shape[1]):
            y = 0.5 * (g[s, b] - total * np.exp(log_w[b]))
            for c in range(h.shape[1] - 1):
                out[s, 1 + c] += basis[b, c] * y
    return out


def _prior(h: Floats, basis: Floats, spread: Floats) -> tuple[Floats, Floats]:
    blocks = h.shape[1]
    scale = spread.item()
    # Half-normal T with d T = T d log T; uniform w with Jacobian sqrt(B) prod(w) of softmax on the zero-sum plane.
    constant = 0.5 * math.log(2.0 / math.pi) - np.log(scale) + math.lgamma(blocks) + 0.5 * np.log(blocks)
    logp = 0.0
    grad = np.zeros(h.shape)
    log_w = np.empty(blocks)
    for s in range(h.shape[0]):
        _log_split_jit(h, basis, s, log_w)
        ratio = np.exp(h[s, 0]) / scale
        logp += constant - 0.5 * ratio * ratio + h[s, 0]
        grad[s, 0] = 1.0 - ratio * ratio
        for b in range(blocks):
            logp += log_w[b]
            y = 1.0 - blocks * np.exp(log_w[b])
            for c in range(blocks - 1):
                grad[s, 1 + c] += basis[b, c] * y
    return np.asarray(logp), grad


class LogScales(Fused):
    """Log standard deviations (S, B) from coordinates h (S, B)."""

    _body = staticmethod(_scales)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: h and the zero-sum basis (B, B - 1)."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [tensors[0].type()])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only h moves anything."""
        return [[True], [False]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """In an operation of its own."""
        return [*_LOG_SCALES_PULLBACK.make_node(*inputs, cotangents[0]).outputs, disconnected_type()]


class LogScalesPullback(Fused):
    """Pullback of ``LogScales``."""

    _body = staticmethod(_scales_pullback)

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``LogScales`` and the cotangent of its output."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [tensors[0].type()])


class SpreadPrior(Fused):
    """Log density of the coordinates h, a scalar, with its gradient."""

    _body = staticmethod(_prior)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: h, the zero-sum basis and the scale of the half-normal."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [pt.dscalar(), tensors[0].type()])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only h moves anything."""
        return [[True, True], [False, False], [False, False]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Scale the stored gradient."""
        return [pt.as_tensor(cotangents[0]) * outputs[1], disconnected_type(), disconnected_type()]


@register_funcify_default_op_cache_key(LogScales)
def _numba_scales(op: LogScales, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_scales, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(LogScalesPullback)
def _numba_scales_pullback(op: LogScalesPullback, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_scales_pullback, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(SpreadPrior)
def _numba_prior(op: SpreadPrior, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_prior, error_model="numpy"), _SOURCE


_LOG_SCALES, _LOG_SCALES_PULLBACK, _SPREAD_PRIOR = LogScales(), LogScalesPullback(), SpreadPrior()


def log_scales(h: Any, blocks: int) -> Any:
    """Log standard deviations (S, B); see ``LogScales``."""
    return _LOG_SCALES(h, helmert(blocks))


def spread_prior(h: Any, blocks: int, scale: float) -> Any:
    """Log density of the coordinates, a scalar; see ``SpreadPrior``."""
    return _SPREAD_PRIOR.make_node(h, helmert(blocks), np.asarray(float(scale))).outputs[0]


def draw_coordinates(rng: np.random.Generator, scale: float, shape: tuple[int, int]) -> Floats:
    """Coordinates (S, B) of a half-normal total and a uniform split."""
    total = np.abs(rng.normal(0.0, scale, shape[0]))
    split = rng.dirichlet(np.ones(shape[1]), shape[0])
    return np.column_stack([np.log(total), np.log(split) @ helmert(shape[1])])
