"""The normal law of totals that cross, as a PyTensor operation with its gradient in the same pass."""

# The types of compiled functions are in their signatures.
# mypy: allow-untyped-defs, allow-incomplete-defs

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from numba import types
from numpy.typing import ArrayLike, NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor.variable import TensorVariable

from .compiled import CUBE, MATRIX, REAL, SOURCE_NUMBER, VECTOR, WHOLE, inner, separate

Floats = NDArray[np.float64]
TOO_FLAT = 1e-10
"""Share of a total's variance that is left by the totals before it, below which the law has no density."""


@separate(REAL(MATRIX, MATRIX, WHOLE))
def _invert(a, inverse, d):
    """Inverse of ``a``, which is overwritten; gives the log determinant, NaN where it is singular."""
    log_determinant = 0.0
    for j in range(d):
        whole = a[j, j]
        for k in range(j):
            a[j, j] -= a[j, k] * a[j, k]
        if not a[j, j] > TOO_FLAT * whole:
            return np.nan
        log_determinant += np.log(a[j, j])
        a[j, j] = np.sqrt(a[j, j])
        for i in range(j + 1, d):
            for k in range(j):
                a[i, j] -= a[i, k] * a[j, k]
            a[i, j] /= a[j, j]
    # The inverse of the Cholesky factor, transposed, and then its product with itself.
    for j in range(d):
        for i in range(j, d):
            x = 1.0 if i == j else 0.0
            for k in range(j, i):
                x -= a[i, k] * inverse[j, k]
            inverse[j, i] = x / a[i, i]
    for i in range(d):
        for j in range(i, d):
            x = 0.0
            for k in range(j, d):
                x += inverse[i, k] * inverse[j, k]
            a[i, j] = x
    for i in range(d):
        for j in range(d):
            inverse[i, j] = a[min(i, j), max(i, j)]
    return log_determinant


@separate(types.Tuple((VECTOR, MATRIX, MATRIX))(MATRIX, MATRIX, CUBE, MATRIX))
def _evaluate(mean, variance, members, total):
    s, d, m = members.shape
    logp = np.empty(s)
    to_mean = np.zeros((s, m))
    to_variance = np.zeros((s, m))
    covariance = np.empty((d, d))
    precision = np.empty((d, d))
    away = np.empty(d)
    pull = np.empty(d)
    on = np.empty(d, np.int64)
    for i in range(s):
        covariance[:] = 0.0
        for a in range(d):
            away[a] = total[i, a]
        for k in range(m):
            count = 0
            for a in range(d):
                if members[i, a, k] > 0.0:
                    on[count] = a
                    count += 1
                    away[a] -= mean[i, k]
            for a in range(count):
                for b in range(count):
                    covariance[on[a], on[b]] += variance[i, k]
        value = -0.5 * (d * np.log(2.0 * np.pi) + _invert(covariance, precision, d))
        if np.isnan(value):
            logp[i] = -np.inf
            continue
        for a in range(d):
            pull[a] = 0.0
            for b in range(d):
                pull[a] += precision[a, b] * away[b]
            value -= 0.5 * away[a] * pull[a]
        logp[i] = value
        for k in range(m):
            count = 0
            slope = 0.0
            for a in range(d):
                if members[i, a, k] > 0.0:
                    on[count] = a
                    count += 1
                    slope += pull[a]
            bend = slope * slope
            for a in range(count):
                for b in range(count):
                    bend -= precision[on[a], on[b]]
            to_mean[i, k] = slope
            to_variance[i, k] = 0.5 * bend
    return logp, to_mean, to_variance


@inner
def _fresh(x):
    return x.copy()


class MarginsLogp(Op):
    """Log density of totals that cross, with its gradient.

    Inputs ``mean`` and ``variance`` (S, m) of the cells' counts, ``members`` (S, D, m), ``total`` (S, D); outputs
    ``logp`` (S,) and its gradients with respect to the first two.
    """

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Check ranks and cast to double precision."""
        tensors = [pt.cast(pt.as_tensor(x), "float64") for x in inputs]
        ranks = [x.type.ndim for x in tensors]
        if ranks != [2, 2, 3, 2]:
            raise TypeError(f"mean, variance, members, total must have ranks 2, 2, 3, 2; found {ranks}")
        vector = pt.tensor(dtype="float64", shape=(tensors[0].type.shape[0],))
        return Apply(self, tensors, [vector.type(), tensors[0].type(), tensors[1].type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """Evaluate outside compiled graphs."""
        results = _evaluate(*(np.array(x, dtype=np.float64, order="C") for x in inputs))
        for storage, value in zip(output_storage, results, strict=True):
            storage[0] = value

    def infer_shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        """Shapes of the outputs."""
        return [(shapes[0][0],), shapes[0], shapes[1]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only ``mean`` and ``variance`` move anything."""
        return [[True] * 3, [True] * 3, [False] * 3, [False] * 3]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Scale the stored gradients."""
        scale = pt.as_tensor(cotangents[0])[:, None]
        return [scale * outputs[1], scale * outputs[2], disconnected_type(), disconnected_type()]


@register_funcify_default_op_cache_key(MarginsLogp)
def _numba_margins(op: MarginsLogp, node: Apply | None = None, **_kwargs: Any) -> tuple[Any, int]:
    @numba_njit
    def margins_logp(mean, variance, members, total):
        # Copies of one memory layout: the kernel is compiled once, whatever the graph hands over.
        return _evaluate(_fresh(mean), _fresh(variance), _fresh(members), _fresh(total))

    return margins_logp, SOURCE_NUMBER


_OP = MarginsLogp()


def margins_logp(mean: Any, variance: Any, members: Any, total: Any) -> TensorVariable:
    """Log density of totals that cross under the normal law of their moments, as a tensor.

    Parameters
    ----------
    mean, variance : (S, m) tensor
        Of the independent counts of the cells; padded cells have 0.
    members : (S, D, m)
        1 where a cell belongs to a total; no total may follow from the others.
    total : (S, D)

    Returns
    -------
    (S,) tensor
        log N(total; A mean, A diag(variance) A'). Minus infinity, with zero gradient, where that law is degenerate.
    """
    logp, _, _ = _OP.make_node(mean, variance, members, total).outputs
    return cast("TensorVariable", logp)


def margins_logp_and_gradient(
    mean: ArrayLike, variance: ArrayLike, members: ArrayLike, total: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """The same number outside graphs, with its gradients by ``mean`` and ``variance``; (S,), (S, m), (S, m)."""
    arrays = [np.array(x, dtype=np.float64, order="C") for x in (mean, variance, members, total)]
    return _evaluate(*arrays)
