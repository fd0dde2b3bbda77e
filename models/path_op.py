"""The chances along a path as a fused operation; ``paths.categories`` is the same in NumPy."""

from __future__ import annotations

import hashlib
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

from .batches import Batch
from .contract import Floats, Ints
from .fused import Fused

_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


def _stretches(eta: Floats, segment: NDArray[np.int8], i: int, k: int, stretch: Floats) -> bool:
    """Log rate of each stretch of one path; whether the last, beyond the stages spoken of, holds a step."""
    has_end = False
    stretch[:] = 0.0
    for step in range(eta.shape[2]):
        d = segment[i, k, step]
        if d >= 0:
            x = eta[i, k, step]
            stretch[d] -= np.log1p(np.exp(-abs(x))) + max(-x, 0.0)
            if d == stretch.shape[0] - 1:
                has_end = True
    return has_end


def _log1mexp(x: float) -> float:
    return np.log(-np.expm1(x)) if x > -0.6931471805599453 else np.log1p(-np.exp(x))


def _slope(x: float) -> float:
    """Derivative of log(1 - exp(x))."""
    return np.exp(x) / np.expm1(x)


_stretches_jit = numba.njit(error_model="numpy")(_stretches)
_log1mexp_jit = numba.njit(error_model="numpy")(_log1mexp)
_slope_jit = numba.njit(error_model="numpy")(_slope)


def _chances(eta: Floats, segment: NDArray[np.int8], stages: Ints) -> Floats:
    depth = stages.item()
    out = np.empty((eta.shape[0], eta.shape[1], depth + 1))
    stretch = np.empty(depth + 1)
    for i in range(eta.shape[0]):
        for k in range(eta.shape[1]):
            has_end = _stretches_jit(eta, segment, i, k, stretch)
            reach = 0.0
            for d in range(depth):
                out[i, k, d] = reach + _log1mexp_jit(stretch[d])
                reach += stretch[d]
            out[i, k, depth] = reach
            if has_end:
                out[i, k, depth] += _log1mexp_jit(stretch[depth])
                given = _log1mexp_jit(reach + stretch[depth])
                for d in range(depth + 1):
                    out[i, k, d] -= given
    return out


def _pullback(eta: Floats, segment: NDArray[np.int8], stages: Ints, g: Floats) -> Floats:
    depth = stages.item()
    out = np.zeros(eta.shape)
    stretch = np.empty(depth + 1)
    slope = np.empty(depth + 1)
    for i in range(eta.shape[0]):
        for k in range(eta.shape[1]):
            has_end = _stretches_jit(eta, segment, i, k, stretch)
            whole = 0.0
            total = 0.0
            for d in range(depth + 1):
                whole += stretch[d]
                total += g[i, k, d]
            given = total * _slope_jit(whole) if has_end else 0.0
            # Stretch d enters its own stopping chance and the reach of every later category.
            after = total
            for d in range(depth + 1):
                after -= g[i, k, d]
                slope[d] = after - given
                if d < depth or has_end:
                    slope[d] += g[i, k, d] * _slope_jit(stretch[d])
            for step in range(eta.shape[2]):
                d = segment[i, k, step]
                if d >= 0:
                    x = eta[i, k, step]
                    z = np.exp(-abs(x))
                    out[i, k, step] = slope[d] * (1.0 / (1.0 + z) if x < 0.0 else z / (1.0 + z))
    return out


class Chances(Fused):
    """Log chances (S, m, D + 1) of stopping before, between and after the stages spoken of, from eta (S, m, L)."""

    _body = staticmethod(_chances)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: eta, segment (S, m, L) and D."""
        tensors = [pt.as_tensor(x) for x in inputs]
        shape = (*tensors[0].type.shape[:2], None)
        return Apply(self, tensors, [pt.tensor(dtype="float64", shape=shape)])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only eta moves anything."""
        return [[True], [False], [False]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """In an operation of its own."""
        return [
            *_CHANCES_PULLBACK.make_node(*inputs, cotangents[0]).outputs,
            disconnected_type(),
            disconnected_type(),
        ]


class ChancesPullback(Fused):
    """Pullback of ``Chances``."""

    _body = staticmethod(_pullback)

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``Chances`` and the cotangent of its output."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [tensors[0].type()])


@register_funcify_default_op_cache_key(Chances)
def _numba_chances(op: Chances, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_chances, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(ChancesPullback)
def _numba_pullback(op: ChancesPullback, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_pullback, error_model="numpy"), _SOURCE


_CHANCES, _CHANCES_PULLBACK = Chances(), ChancesPullback()


def chances(eta: Any, batch: Batch) -> Any:
    """Log chances along the paths of a batch; see ``Chances`` and ``paths.categories``."""
    return _CHANCES(eta, batch.segment, np.asarray(batch.depth))
