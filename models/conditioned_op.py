"""Departures from a conditional normal law as a fused operation; the formulas stand in ``conditioned``.

In: coordinates of the coefficients that the sightings are sums of, the log standard deviations, the residuals r and
their variances. Out: what moves the coefficients, and the log determinant. The gradient of the Cholesky factor is the
unblocked one of Murray (2016, arXiv 1602.07527).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from .fused import Fused
from .sightings import Sightings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


def _factor(log_sd: Floats, noise: Floats, gram: Floats) -> Floats:
    size = noise.shape[0]
    root = np.zeros((size, size))
    for k in range(log_sd.shape[0]):
        variance = np.exp(2.0 * log_sd[k])
        for i in range(size):
            for j in range(i + 1):
                root[i, j] += variance * gram[k, i, j]
    for i in range(size):
        root[i, i] += noise[i]
        for j in range(i):
            total = root[i, j]
            for m in range(j):
                total -= root[i, m] * root[j, m]
            root[i, j] = total / root[j, j]
        total = root[i, i]
        for m in range(i):
            total -= root[i, m] * root[i, m]
        root[i, i] = np.sqrt(total)
    return root


def _solve(root: Floats, more: Floats, b: Floats) -> Floats:
    """(S + diag(more))⁻¹ b."""
    x = b.copy()
    for i in range(x.shape[0]):
        total = x[i]
        for j in range(i):
            total -= root[i, j] * x[j]
        x[i] = total / (root[i, i] + more[i])
    return x


def _solve_back(root: Floats, more: Floats, b: Floats) -> Floats:
    """(S + diag(more))⁻ᵀ b."""
    x = b.copy()
    for i in range(x.shape[0] - 1, -1, -1):
        x[i] /= root[i, i] + more[i]
        for j in range(i):
            x[j] -= root[i, j] * x[i]
    return x


# Sums may be taken in any order, so that they run on vectors; a number that is none stays one.
_FAST = {"reassoc", "contract"}
_factor_jit = numba.njit(error_model="numpy", fastmath=_FAST)(_factor)
_solve_jit = numba.njit(error_model="numpy", fastmath=_FAST)(_solve)
_solve_back_jit = numba.njit(error_model="numpy", fastmath=_FAST)(_solve_back)


def _forward(
    w: Floats, log_sd: Floats, r: Floats, noise: Floats, matrix: Floats, of: Ints, gram: Floats
) -> tuple[Floats, Floats]:
    size, width = matrix.shape
    root = _factor_jit(log_sd, noise, gram)
    none, error = np.zeros(size), np.sqrt(noise)
    scaled = np.empty(width)
    for c in range(width):
        scaled[c] = np.exp(log_sd[of[c]]) * w[c]
    sums = np.zeros(size)
    log_det = 0.0
    for g in range(size):
        for c in range(width):
            sums[g] += matrix[g, c] * scaled[c]
        log_det += np.log(error[g]) - np.log(root[g, g])
    back = _solve_back_jit(root, none, _solve_jit(root, none, r) - _solve_jit(root, error, sums))
    move = np.zeros(width)
    for g in range(size):
        for c in range(width):
            move[c] += matrix[g, c] * back[g]
    for c in range(width):
        move[c] *= np.exp(log_sd[of[c]])
    return move, np.asarray(log_det)


def _backward(
    w: Floats, log_sd: Floats, r: Floats, noise: Floats, matrix: Floats, of: Ints, gram: Floats,
    g_move: Floats, g_log_det: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    size, width = matrix.shape
    root = _factor_jit(log_sd, noise, gram)
    none, error = np.zeros(size), np.sqrt(noise)
    sd = np.exp(log_sd)
    scaled = np.empty(width)
    for c in range(width):
        scaled[c] = sd[of[c]] * w[c]
    sums = np.zeros(size)
    for g in range(size):
        for c in range(width):
            sums[g] += matrix[g, c] * scaled[c]
    said, own = _solve_jit(root, none, r), _solve_jit(root, error, sums)
    back = _solve_back_jit(root, none, said - own)
    # From the move to the solution ``back``.
    g_w, g_sd, g_noise = np.empty(width), np.zeros(log_sd.shape[0]), np.zeros(size)
    moved, g_back = np.zeros(width), np.zeros(size)
    for g in range(size):
        for c in range(width):
            moved[c] += matrix[g, c] * back[g]
            g_back[g] += matrix[g, c] * sd[of[c]] * g_move[c]
    inner = _solve_jit(root, none, g_back)
    g_r = _solve_back_jit(root, none, inner)
    g_sums = _solve_back_jit(root, error, -inner)
    # To the factor.
    g_root = np.empty((size, size))
    scale = g_log_det.item()
    for i in range(size):
        for j in range(i + 1):
            g_root[i, j] = -back[i] * inner[j] - g_r[i] * said[j] - g_sums[i] * own[j]
        g_root[i, i] -= scale / root[i, i]
        g_noise[i] += 0.5 * scale / noise[i] - 0.5 * g_sums[i] * own[i] / error[i]
    summed = np.zeros(width)
    for g in range(size):
        for c in range(width):
            summed[c] += matrix[g, c] * g_sums[g]
    for c in range(width):
        g_w[c] = sd[of[c]] * summed[c]
        g_sd[of[c]] += sd[of[c]] * (g_move[c] * moved[c] + w[c] * summed[c])
    # Through the factor to the covariance, in place.
    for j in range(size - 1, -1, -1):
        d = root[j, j]
        total = g_root[j, j]
        for i in range(j + 1, size):
            total -= root[i, j] * g_root[i, j] / d
        total /= d
        above, g_above = root[j, :j], g_root[j, :j].copy()
        for m in range(j):
            g_above[m] -= total * above[m]
        for i in range(j + 1, size):
            column = g_root[i, j] / d
            g_root[i, j] = column
            row, g_row = root[i, :j], g_root[i, :j]
            for m in range(j):
                g_above[m] -= column * row[m]
            for m in range(j):
                g_row[m] -= column * above[m]
        g_root[j, :j] = g_above
        g_root[j, j] = 0.5 * total
        g_noise[j] += 0.5 * total
    for k in range(log_sd.shape[0]):
        total = 0.0
        for i in range(size):
            for j in range(i + 1):
                total += g_root[i, j] * gram[k, i, j]
        g_sd[k] += 2.0 * sd[k] * sd[k] * total
    return g_w, g_sd, g_r, g_noise


class Depart(Fused):
    """The move (C,) and the log determinant from w (C,), log_sd (K,), r (G,) and noise (G,)."""

    _body = staticmethod(_forward)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: w, log_sd, r, noise, matrix, of, gram."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [tensors[0].type(), pt.dscalar()])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only the first four move anything."""
        return [[i < 4] * 2 for i in range(len(node.inputs))]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """In an operation of its own; an output that nothing reads has no cotangent."""
        given = [
            pt.zeros_like(output) if isinstance(g.type, DisconnectedType) else g
            for output, g in zip(outputs, cotangents, strict=True)
        ]
        gradients = _DEPART_GRADIENT.make_node(*inputs, *given).outputs
        return [*gradients, *[disconnected_type() for _ in inputs[4:]]]


class DepartGradient(Fused):
    """Pullback of ``Depart``."""

    _body = staticmethod(_backward)

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``Depart`` and the cotangents of its outputs."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [x.type() for x in tensors[:4]])


@register_funcify_default_op_cache_key(Depart)
def _numba_depart(op: Depart, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_forward, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(DepartGradient)
def _numba_gradient(op: DepartGradient, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_backward, error_model="numpy"), _SOURCE


_DEPART, _DEPART_GRADIENT = Depart(), DepartGradient()


def depart(w: Any, log_sd: Any, r: Any, noise: Any, sightings: Sightings) -> tuple[Any, Any]:
    """The move of the sighted coefficients (C,) and the log determinant; see ``conditioned``."""
    move, log_det = _DEPART.make_node(
        w, log_sd, r, noise, sightings.matrix, sightings.of, sightings.gram
    ).outputs
    return move, log_det
