"""The law of totals along ratio paths as a fused operation; ``paths.ratio_law`` is the same in NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from .fused import Fused

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


def _law(eta: Floats, phi: Floats, n: Floats, segment: Ints, step: Ints, ratio: Ints, stages: Ints) -> Floats:
    groups, cells, length = eta.shape
    depth = stages.shape[0]
    out = np.empty((2, groups, depth))
    mean = np.empty(cells)
    for i in range(groups):
        for k in range(cells):
            mean[k] = n[i, k]
        for d in range(depth):
            total, spread = 0.0, 0.0
            for k in range(cells):
                factor = 0.0
                for j in range(length):
                    if segment[i, k, j] != d:
                        continue
                    x, s = eta[i, k, j], step[i, k, j]
                    if ratio[s]:
                        one = np.exp(x)
                        factor = one * factor + phi[s]
                    else:
                        one = 1.0 / (1.0 + np.exp(-x))
                        factor = one * factor + 1.0 - one
                    mean[k] *= one
                total += mean[k]
                spread += mean[k] * factor
            out[0, i, d] = np.log(total)
            out[1, i, d] = spread / total
    return out


def _law_pullback(
    eta: Floats, phi: Floats, n: Floats, segment: Ints, step: Ints, ratio: Ints, stages: Ints, g: Floats
) -> tuple[Floats, Floats]:
    groups, cells, length = eta.shape
    depth = stages.shape[0]
    to_eta = np.zeros(eta.shape)
    to_phi = np.zeros(phi.shape)
    mean = np.empty((depth, cells))
    factor = np.empty((depth, cells))
    one = np.empty((cells, length))
    before = np.empty((cells, length))
    mean_before = np.empty((cells, length))
    total = np.empty(depth)
    spread = np.empty(depth)
    for i in range(groups):
        for d in range(depth):
            total[d], spread[d] = 0.0, 0.0
            for k in range(cells):
                m = n[i, k] if d == 0 else mean[d - 1, k]
                f = 0.0
                for j in range(length):
                    if segment[i, k, j] != d:
                        continue
                    x, s = eta[i, k, j], step[i, k, j]
                    before[k, j], mean_before[k, j] = f, m
                    if ratio[s]:
                        one[k, j] = np.exp(x)
                        f = one[k, j] * f + phi[s]
                    else:
                        one[k, j] = 1.0 / (1.0 + np.exp(-x))
                        f = one[k, j] * f + 1.0 - one[k, j]
                    m *= one[k, j]
                mean[d, k], factor[d, k] = m, f
                total[d] += m
                spread[d] += m * f
            spread[d] /= total[d]
        for k in range(cells):
            to_mean = 0.0
            for d in range(depth - 1, -1, -1):
                a, b = g[0, i, d], g[1, i, d]
                to_mean += (a + b * (factor[d, k] - spread[d])) / total[d]
                to_factor = b * mean[d, k] / total[d]
                for j in range(length - 1, -1, -1):
                    if segment[i, k, j] != d:
                        continue
                    s, p = step[i, k, j], one[k, j]
                    to_one = to_mean * mean_before[k, j]
                    if ratio[s]:
                        to_one += to_factor * before[k, j]
                        to_phi[s] += to_factor
                        to_eta[i, k, j] = to_one * p
                    else:
                        to_one += to_factor * (before[k, j] - 1.0)
                        to_eta[i, k, j] = to_one * p * (1.0 - p)
                    to_factor *= p
                    to_mean *= p
    return to_eta, to_phi


class RatioLaw(Fused):
    """Log means and variance factors of totals, stacked (2, S, D), from eta (S, m, L) and phi (steps,)."""

    _body = staticmethod(_law)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: eta, phi, n, segment, step, ratio, and the numbers 0 to D - 1."""
        tensors = [pt.as_tensor(x) for x in inputs]
        shape = (2, tensors[0].type.shape[0], tensors[6].type.shape[0])
        return Apply(self, tensors, [pt.tensor(dtype="float64", shape=shape)])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only eta and phi move anything."""
        return [[i < 2] for i in range(len(node.inputs))]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """In an operation of its own."""
        gradients = _LAW_PULLBACK.make_node(*inputs, cotangents[0]).outputs
        return [*gradients, *[disconnected_type() for _ in inputs[2:]]]


class RatioLawPullback(Fused):
    """Pullback of ``RatioLaw``."""

    _body = staticmethod(_law_pullback)

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``RatioLaw`` and the cotangent of its output."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [x.type() for x in tensors[:2]])


@register_funcify_default_op_cache_key(RatioLaw)
def _numba_law(op: RatioLaw, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_law, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(RatioLawPullback)
def _numba_law_pullback(op: RatioLawPullback, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_law_pullback, error_model="numpy"), _SOURCE


_LAW, _LAW_PULLBACK = RatioLaw(), RatioLawPullback()


def ratio_law(
    eta: Any, phi: Any, n: Floats, segment: Any, step: Any, ratio_steps: Sequence[bool], depth: int
) -> Any:
    """Log means and variance factors of the totals of ratio paths, stacked (2, S, D); see ``paths.ratio_law``."""
    return _LAW(
        eta, phi, n, np.asarray(segment, dtype=np.int64), np.maximum(step, 0).astype(np.int64),
        np.array(ratio_steps, dtype=np.int64), np.arange(depth),
    )  # fmt: skip
