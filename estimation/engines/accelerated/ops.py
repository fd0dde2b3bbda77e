"""The fused operations of a model as JAX sees them; importing this file teaches them to PyTensor's JAX linker.

The field, its scales and the chances along a path, which are all that exact counts of single cells need, are written
for the device. Whatever else a plan needs is called on the host, one chain after the other: right, and slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor.variable import TensorConstant

from ....models import paths
from ....models.field_op import FieldEta, FieldGradient, FieldPrior, Wide
from ....models.fused import Fused
from ....models.path_op import Chances, ChancesPullback
from ....models.scales_op import LogScales, LogScalesPullback, SpreadPrior
from ....models.sums.op import SumLogp


def _log1mexp(x: Any) -> Any:
    """log(1 - exp(x)) for x < 0; the argument of the branch not taken is kept where its slope is finite."""
    near = x > -math.log(2)
    return jnp.where(
        near,
        jnp.log(-jnp.expm1(jnp.where(near, x, -1.0))),
        jnp.log1p(-jnp.exp(jnp.where(near, -1.0, x))),
    )


OPS = paths.Ops(
    where=jnp.where,
    exp=jnp.exp,
    stack=jnp.stack,
    softplus=jax.nn.softplus,
    log1mexp=_log1mexp,
    log=jnp.log,
    minimum=jnp.minimum,
    logsumexp=lambda x: jax.scipy.special.logsumexp(x, axis=-1, keepdims=True),
    phi=jax.scipy.special.ndtr,
    put=lambda x, at, values: x.at[..., at].set(values),
    cumsum=lambda x: jnp.cumsum(x, axis=-1),
    join=lambda xs: jnp.concatenate(xs, axis=-1),
)


def _eta(
    wide: Wide | None,
    intercept: Any,
    z: Any,
    log_sd: Any,
    weight: Any,
    block: Any,
    inner: Any,
    inner_columns: Any,
    inner_starts: Any,
    outer: Any,
    outer_columns: Any,
    outer_starts: Any,
    level: Any,
    cell: Any,
) -> Any:
    u = z * jnp.exp((1.0 - weight) * log_sd[:, block])
    values = _times(outer, outer_columns, outer_starts, _times(inner, inner_columns, inner_starts, u.T))
    if wide is None:
        return intercept[:, None] + values[level].sum(axis=1).T
    # Sums over axes, of which the gradient is made, are fast; adding up at the places of a table is not.
    eta, own = jnp.zeros((1, 1, 1, len(intercept))), []
    for number, (axes, first) in enumerate(zip(wide.axes, wide.first, strict=True)):
        if not axes:
            own.append(values[level[:, number]])
            continue
        shape = tuple(size if axis in axes else 1 for axis, size in enumerate(wide.shape))
        eta = eta + values[first : first + math.prod(shape)].reshape(*shape, -1)
    eta = jnp.broadcast_to(eta, (*wide.shape, len(intercept))).reshape(-1, len(intercept))
    eta = eta.at[cell].get(unique_indices=True, indices_are_sorted=True, mode="promise_in_bounds")
    return intercept[:, None] + sum(own, eta).T


def _times(data: Any, columns: Any, starts: Any, right: Any) -> Any:
    """A sparse matrix, given by its rows, times a dense one."""
    rows = starts.shape[0] - 1
    row = jnp.repeat(jnp.arange(rows), jnp.diff(starts), total_repeat_length=data.shape[0])
    terms = data[:, None] * right[columns]
    return jax.ops.segment_sum(terms, row, num_segments=rows, indices_are_sorted=True)


def _field_prior(z: Any, log_sd: Any, weight: Any, block: Any) -> Any:
    log_scale = weight * log_sd[:, block]
    return (-0.5 * (z * jnp.exp(-log_scale)) ** 2 - log_scale - 0.5 * math.log(2 * math.pi)).sum()


def _log_split(h: Any, basis: Any) -> Any:
    return jax.nn.log_softmax(h[:, 1:] @ basis.T, axis=-1)


def _scales(h: Any, basis: Any) -> Any:
    return h[:, :1] + 0.5 * _log_split(h, basis)


def _spread_prior(h: Any, basis: Any, spread: Any) -> Any:
    steps, blocks = h.shape
    each = 0.5 * math.log(2.0 / math.pi) - jnp.log(spread) + math.lgamma(blocks) + 0.5 * math.log(blocks)
    total = -0.5 * (jnp.exp(h[:, 0]) / spread) ** 2 + h[:, 0]
    return steps * each + total.sum() + _log_split(h, basis).sum()


def _with_slopes(density: Callable[..., Any], moved: int) -> Callable[..., Any]:
    """Value and gradients by the first arguments, as the fused operation gives them."""

    def both(*inputs: Any) -> Any:
        value, slopes = jax.value_and_grad(density, tuple(range(moved)))(*inputs)
        return value, *slopes

    return both


def _pullback(forward: Callable[..., Any], moved: int) -> Callable[..., Any]:
    """The transposed product: the inputs of ``forward`` and the cotangent of its output to the cotangents of some."""

    def transposed(*inputs: Any) -> Any:
        *given, cotangent = inputs
        fixed = given[moved:]
        _, back = jax.vjp(lambda *moving: forward(*moving, *fixed), *given[:moved])
        slopes = back(cotangent)
        return slopes if moved > 1 else slopes[0]

    return transposed


def _always(made: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    """A conversion that does not depend on the node."""
    return lambda op, node=None, **_kwargs: made


jax_funcify.register(FieldEta)(lambda op, node=None, **_kwargs: partial(_eta, op.wide))
jax_funcify.register(FieldGradient)(lambda op, node=None, **_kwargs: _pullback(partial(_eta, op.wide), 3))
for operation, form in (
    (FieldPrior, _with_slopes(_field_prior, 2)),
    (LogScales, _scales),
    (LogScalesPullback, _pullback(_scales, 1)),
    (SpreadPrior, _with_slopes(_spread_prior, 1)),
):
    jax_funcify.register(operation)(_always(form))


def _chances(node: Apply) -> Callable[..., Any]:
    # A single number stays in the graph, so the depth is known when the function is made.
    depth = int(cast("TensorConstant", node.inputs[2]).data)
    return lambda eta, segment, _stages: paths.stops(eta, segment, depth, True, OPS)


jax_funcify.register(Chances)(lambda op, node, **_kwargs: _chances(node))
jax_funcify.register(ChancesPullback)(lambda op, node, **_kwargs: _pullback(_chances(node), 1))


@jax_funcify.register(Fused)
@jax_funcify.register(SumLogp)
def _on_host(op: Op, node: Apply, **_kwargs: Any) -> Callable[..., Any]:
    """Any other operation of ours: its own machine code, called on the host."""
    shapes = [jax.ShapeDtypeStruct(out.type.shape, out.type.dtype) for out in node.outputs]

    def evaluate(*inputs: Any) -> Any:
        storage: list[list[Any]] = [[None] for _ in shapes]
        op.perform(node, [np.asarray(x) for x in inputs], storage)
        return tuple(
            np.asarray(cell[0], dtype=shape.dtype) for cell, shape in zip(storage, shapes, strict=True)
        )

    def called(*inputs: Any) -> Any:
        found = jax.pure_callback(evaluate, tuple(shapes), *inputs, vmap_method="sequential")
        return found if len(found) > 1 else found[0]

    return called
