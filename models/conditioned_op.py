"""Departures from a conditional normal law as a fused operation; the formulas stand in ``conditioned``.

In: coordinates of the coefficients that the sightings are sums of, coordinates and logs of split totals, log standard
deviations, residuals and variances. Out: what moves the coefficients, the residuals of the cells of totals, and the log
determinant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from . import triangular, whitened
from .anchors import WALL, Anchors
from .fused import Fused
from .sightings import Sightings
from .triangular import errors_added, factor, factor_pullback, solve, solve_back
from .whitened import whiten, whiten_pullback

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MOVED = 6  # inputs that move anything
_FILES = (__file__, triangular.__file__, whitened.__file__)
_SOURCE = int(hashlib.sha256(b"".join(Path(file).read_bytes() for file in _FILES)).hexdigest()[:12], 16)


def _forward(
    w: Floats, coordinates: Floats, ends_at: Floats, log_sd: Floats, given: Floats, noise: Floats,
    matrix: Floats, of: Ints, gram: Floats, inner: Floats, soft: Floats, ends: Ints, before: Ints,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    size, width = matrix.shape
    apart = size - inner.shape[1]
    root = factor(log_sd, noise, gram)
    r, y, _, _, _, _, log_det = whiten(root, given, coordinates, ends_at, soft, ends, before)
    both = errors_added(root, noise, factor(log_sd, noise[apart:], inner))
    for i in range(size):
        log_det += np.log(both[i, i] - root[i, i]) - np.log(root[i, i])
    sums, move = np.zeros(size), np.zeros(width)
    scaled = np.empty(width)
    for c in range(width):
        scaled[c] = np.exp(log_sd[of[c]]) * w[c]
    for g in range(size):
        for c in range(width):
            sums[g] += matrix[g, c] * scaled[c]
    back = solve_back(root, y - solve(both, sums))
    for g in range(size):
        for c in range(width):
            move[c] += matrix[g, c] * back[g]
    for c in range(width):
        move[c] *= np.exp(log_sd[of[c]])
    return move, r[size - coordinates.shape[0] :].copy(), np.asarray(log_det)


def _backward(
    w: Floats, coordinates: Floats, ends_at: Floats, log_sd: Floats, given: Floats, noise: Floats,
    matrix: Floats, of: Ints, gram: Floats, inner: Floats, soft: Floats, ends: Ints, before: Ints,
    g_move: Floats, g_residual: Floats, g_log_det: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:  # fmt: skip
    size, width = matrix.shape
    apart = size - inner.shape[1]
    root = factor(log_sd, noise, gram)
    _, y, held, give, totals, deltas, _ = whiten(root, given, coordinates, ends_at, soft, ends, before)
    shared = factor(log_sd, noise[apart:], inner)
    both = errors_added(root, noise, shared)
    sd, scale = np.exp(log_sd), g_log_det.item()
    scaled, sums = np.empty(width), np.zeros(size)
    for c in range(width):
        scaled[c] = sd[of[c]] * w[c]
    for g in range(size):
        for c in range(width):
            sums[g] += matrix[g, c] * scaled[c]
    own = solve(both, sums)
    back = solve_back(root, y - own)
    # From the move to the solution ``back``, and to y and to ``own``.
    moved, g_back = np.zeros(width), np.zeros(size)
    for g in range(size):
        for c in range(width):
            moved[c] += matrix[g, c] * back[g]
            g_back[g] += matrix[g, c] * sd[of[c]] * g_move[c]
    into = solve(root, g_back)
    g_sums = solve_back(both, -into)
    g_root, g_shared = np.empty((size, size)), np.zeros((size - apart, size - apart))
    g_noise = np.zeros(size)
    for i in range(size):
        for j in range(i + 1):
            step = g_sums[i] * own[j]
            g_root[i, j] = -back[i] * into[j] - step
            if j >= apart:
                g_shared[i - apart, j - apart] = -step
        g_root[i, i] -= scale / root[i, i]
        if i < apart:
            g_noise[i] += 0.5 * scale / noise[i] - 0.5 * g_sums[i] * own[i] / np.sqrt(noise[i])
        else:
            g_shared[i - apart, i - apart] += scale / shared[i - apart, i - apart]
    g_r = np.zeros(size)
    g_r[size - coordinates.shape[0] :] = g_residual
    g_given, g_coordinates, g_ends_at = whiten_pullback(
        root, coordinates, ends_at, soft, ends, before, y, held, give, totals, deltas, g_r, into.copy(), scale, g_root
    )  # fmt: skip
    g_log_sd, more = factor_pullback(root, g_root, log_sd, gram)
    g_noise += more
    more_sd, more = factor_pullback(shared, g_shared, log_sd, inner)
    g_log_sd += more_sd
    g_noise[apart:] += more
    summed, g_w = np.zeros(width), np.empty(width)
    for g in range(size):
        for c in range(width):
            summed[c] += matrix[g, c] * g_sums[g]
    for c in range(width):
        g_w[c] = sd[of[c]] * summed[c]
        g_log_sd[of[c]] += sd[of[c]] * (g_move[c] * moved[c] + w[c] * summed[c])
    return g_w, g_coordinates, g_ends_at, g_log_sd, g_given, g_noise


class Depart(Fused):
    """The move (C,), the residuals of the cells of totals (G2,) and the log determinant."""

    _body = staticmethod(_forward)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: w, coordinates, ends_at, log_sd, given, noise, and the constants."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [tensors[0].type(), tensors[1].type(), pt.dscalar()])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only the first ones move anything."""
        return [[i < _MOVED] * 3 for i in range(len(node.inputs))]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """In an operation of its own; an output that nothing reads has no cotangent."""
        given = [
            pt.zeros_like(output) if isinstance(g.type, DisconnectedType) else g
            for output, g in zip(outputs, cotangents, strict=True)
        ]
        gradients = _DEPART_GRADIENT.make_node(*inputs, *given).outputs
        return [*gradients, *[disconnected_type() for _ in inputs[_MOVED:]]]


class DepartGradient(Fused):
    """Pullback of ``Depart``."""

    _body = staticmethod(_backward)

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``Depart`` and the cotangents of its outputs."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [x.type() for x in tensors[:_MOVED]])


@register_funcify_default_op_cache_key(Depart)
def _numba_depart(op: Depart, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_forward, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(DepartGradient)
def _numba_gradient(op: DepartGradient, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_backward, error_model="numpy"), _SOURCE


_DEPART, _DEPART_GRADIENT = Depart(), DepartGradient()


def depart(
    w: Any,
    coordinates: Any,
    ends_at: Any,
    log_sd: Any,
    given: Any,
    noise: Any,
    sightings: Sightings,
    anchors: Anchors,
) -> tuple[Any, Any, Any]:
    """What moves the sighted coefficients (C,), residuals (G2,) and the log determinant; see ``conditioned``."""
    move, residual, log_det = _DEPART.make_node(
        w, coordinates, ends_at, log_sd, given, noise, sightings.matrix, sightings.of, sightings.gram,
        sightings.inner, np.where(anchors.wall, WALL, 0.0), anchors.ends, anchors.before,
    ).outputs  # fmt: skip
    return move, residual, log_det
