"""The kernel as a PyTensor operation and as a plain function."""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from numba import types
from numpy.typing import ArrayLike, NDArray
from pytensor.gradient import DisconnectedType, disconnected_type, grad_not_implemented
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from .compiled import CUBE, MATRIX, SOURCE_NUMBER, VECTOR, inner, separate
from .point import log_point
from .ranges import COMBINATIONS, log_ranges

Floats = NDArray[np.float64]

NO_POISSON = -1e3
"""Log mean that stands for "no Poisson part" (any below -690 does)."""
LEAST = -700.0
"""Log weights are read as at least this, so that no density is a hole without a slope."""


@separate(types.Tuple((VECTOR, CUBE, MATRIX))(CUBE, MATRIX, MATRIX, MATRIX, MATRIX))
def _evaluate(log_pi, n, low, high, log_poisson):
    s, width, c = log_pi.shape
    logp = np.empty(s)
    grad = np.zeros((s, width, c))
    # No rows at all: no Poisson parts.
    others = log_poisson.shape[0] > 0
    grad_poisson = np.zeros(log_poisson.shape)
    lw = np.empty((width, c))
    units = np.empty(width)
    at = np.empty(width, np.int64)
    z = np.empty(c)
    lam = np.zeros(c)
    room = np.empty((width + 1, c))
    for i in range(s):
        m = 0
        for k in range(width):
            if n[i, k] > 0.0:
                for j in range(c):
                    lw[m, j] = max(log_pi[i, k, j], LEAST)
                units[m] = n[i, k]
                at[m] = k
                m += 1
        free = False
        for j in range(1, c):
            lam[j] = np.exp(log_poisson[i, j - 1]) if others and log_poisson[i, j - 1] > -690.0 else 0.0
            free = free or lam[j] > 0.0
        points = True
        for j in range(c - 1):
            points = points and low[i, j] == high[i, j] and low[i, j] == np.floor(low[i, j])
        g = room[: m + 1]
        if points:
            z[0] = units[:m].sum() - low[i, 0]
            for j in range(1, c):
                z[j] = low[i, j - 1] - (low[i, j] if j < c - 1 else 0.0)
            logp[i] = log_point(lw[:m], units[:m], z, lam, free, True, g)
        else:
            logp[i] = log_ranges(lw[:m], units[:m], low[i], high[i], lam, free, g)
        for j in range(c):
            for k in range(m):
                grad[i, at[k], j] = g[k, j]
            if others and j > 0:
                grad_poisson[i, j - 1] = g[m, j]
    return logp, grad, grad_poisson


@inner
def _fresh2(x):
    y = np.empty(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = x[i, j]
    return y


@inner
def _fresh3(x):
    y = np.empty(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            for k in range(x.shape[2]):
                y[i, j, k] = x[i, j, k]
    return y


class SumLogp(Op):
    """Log probability of totals over independent parts, with its gradient in the same pass.

    Inputs ``log_pi`` (S, m, D + 1), ``n`` (S, m), ``low`` (S, D), ``high`` (S, D), ``log_poisson`` (S, D), or
    (0, 0) for none; outputs ``logp`` (S,) and its gradients with respect to ``log_pi`` and ``log_poisson``. The
    weights ``exp(log_pi)`` are free: they need not sum to one, and the gradient with respect to one is the
    expected count given the totals.
    """

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Check ranks and cast to double precision."""
        tensors = [pt.cast(pt.as_tensor(x), "float64") for x in inputs]
        ranks = [x.type.ndim for x in tensors]
        if ranks != [3, 2, 2, 2, 2]:
            raise TypeError(f"log_pi, n, low, high, log_poisson must have ranks 3, 2, 2, 2, 2; found {ranks}")
        vector = pt.tensor(dtype="float64", shape=(tensors[0].type.shape[0],))
        return Apply(self, tensors, [vector.type(), tensors[0].type(), tensors[4].type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """Evaluate outside compiled graphs."""
        results = _evaluate(*(np.array(x, dtype=np.float64, order="C") for x in inputs))
        for storage, value in zip(output_storage, results, strict=True):
            storage[0] = value

    def infer_shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        """Shapes of the outputs."""
        return [(shapes[0][0],), shapes[0], shapes[4]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only ``log_pi`` and ``log_poisson`` move anything."""
        moves, fixed = [True] * 3, [False] * 3
        return [moves, fixed, fixed, fixed, moves]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Scale the stored gradients; second derivatives are refused, not silently zero."""
        fixed = [disconnected_type() for _ in range(3)]
        if any(not isinstance(x.type, DisconnectedType) for x in cotangents[1:]):
            return [
                grad_not_implemented(self, 0, inputs[0]),
                *fixed,
                grad_not_implemented(self, 4, inputs[4]),
            ]
        scale = pt.as_tensor(cotangents[0])
        # No Poisson parts are an empty matrix, whose gradient is as empty.
        absent = inputs[4].type.shape[0] == 0
        poisson = outputs[2] if absent else scale[:, None] * outputs[2]
        return [scale[:, None, None] * outputs[1], *fixed, poisson]


@register_funcify_default_op_cache_key(SumLogp)
def _numba_sum_logp(op: SumLogp, node: Apply | None = None, **_kwargs: Any) -> tuple[Any, int]:
    @numba_njit
    def sum_logp(log_pi, n, low, high, log_poisson):
        # Copies of one memory layout: the kernel is compiled once, whatever the graph hands over.
        return _evaluate(_fresh3(log_pi), _fresh2(n), _fresh2(low), _fresh2(high), _fresh2(log_poisson))

    return sum_logp, SOURCE_NUMBER


_OP = SumLogp()


def sum_logp(log_pi: Any, n: Any, low: Any, high: Any, log_poisson: Any | None = None) -> TensorVariable:
    """Log probability that the totals over independent parts lie in their ranges, as a tensor.

    Parameters
    ----------
    log_pi : (S, m, D + 1) tensor
        Log probabilities that a unit of a cell reached exactly 0, …, D of the stages spoken of.
    n : (S, m) tensor
        Units in each cell; a padded cell has 0 and contributes nothing, whatever its ``log_pi``.
    low, high : (S, D) tensor
        Inclusive ranges of the totals of units that reached stage d or further; equal where exact, ``high``
        may be infinite. All but the widest of a statement are enumerated; see ``too_wide``.
    log_poisson : (S, D) tensor, optional
        Log means of independent Poisson counts that end in each stage.

    Returns
    -------
    (S,) tensor
        Minus infinity, with zero gradient, for impossible totals; NaN where ``too_wide``.
    """
    if log_poisson is None:
        log_poisson = np.zeros((0, 0))
    logp, _, _ = _OP.make_node(log_pi, n, low, high, log_poisson).outputs
    return cast("TensorVariable", logp)


def log_probability(
    log_pi: ArrayLike, n: ArrayLike, low: ArrayLike, high: ArrayLike, log_poisson: ArrayLike | None = None
) -> Floats:
    """The same number outside graphs; NumPy arrays of the shapes of ``sum_logp``, result (S,)."""
    return value_and_gradient(log_pi, n, low, high, log_poisson)[0]


def value_and_gradient(
    log_pi: ArrayLike, n: ArrayLike, low: ArrayLike, high: ArrayLike, log_poisson: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """``log_probability`` and its gradients by ``log_pi`` (S, m, D + 1) and ``log_poisson`` (S, D)."""
    if log_poisson is None:
        log_poisson = np.full(np.shape(low), NO_POISSON)
    arrays = [np.array(x, dtype=np.float64, order="C") for x in (log_pi, n, low, high, log_poisson)]
    ranks = [x.ndim for x in arrays]
    if ranks != [3, 2, 2, 2, 2]:
        raise TypeError(f"log_pi, n, low, high, log_poisson must have ranks 3, 2, 2, 2, 2; found {ranks}")
    s, m, c = arrays[0].shape
    shapes = [x.shape for x in arrays[1:]]
    if shapes != [(s, m), (s, c - 1), (s, c - 1), (s, c - 1)] or c < 2:
        raise ValueError(f"log_pi has shape {(s, m, c)}; n, low, high, log_poisson have {shapes}")
    return _evaluate(*arrays)


def too_wide(low: ArrayLike, high: ArrayLike) -> NDArray[np.bool_]:
    """Whether the kernel refuses the ranges of a statement: more than one stage is wide.

    Parameters
    ----------
    low, high : (…, D)

    Returns
    -------
    (…,) bool
        True where the product of the widths of all ranges but the widest exceeds 64.
    """
    width = np.maximum(np.floor(np.asarray(high, float)) - np.ceil(np.asarray(low, float)) + 1.0, 0.0)
    return np.prod(np.sort(width, axis=-1)[..., :-1], axis=-1) > COMBINATIONS
