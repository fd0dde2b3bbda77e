"""The Gaussian field as fused operations: coefficients and scales in, linear predictors and log prior out.

Every block of effects is linear in its coefficients, so one sparse matrix (levels × coefficients) and one table
(active cells × blocks) describe the whole field. Two operations with hand-written gradients replace a graph of
several hundred nodes: what counts for a compiled sampler is the number of separate functions to compile.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
import scipy.sparse as sp
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from ..data.names import AXES
from .fused import Fused
from .layout import Layout
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Wide:
    """How blocks lie in the full grid of cells, for machines that broadcast faster than they gather.

    Parameters
    ----------
    shape : tuple of int
        Numbers of leaves (O, J, T).
    axes : tuple of tuple of int
        The axes of each block; none for one value a unit of cells.
    first : tuple of int
        Its first level.
    """

    shape: tuple[int, ...]
    axes: tuple[tuple[int, ...], ...]
    first: tuple[int, ...]


@dataclass(frozen=True)
class Design:
    """The field as arrays.

    Parameters
    ----------
    block : (F,) int
        Block of each coefficient.
    outer : (V, W) csr
    inner : (W, F) csr
        Values of all levels of all blocks are outer @ (inner @ coefficients); between them stand coefficients and sums
        of them.
    level : (A, B) int
        Row of ``outer`` that each active cell reads from each block.
    cell : (A,) int
        Its place in the full grid.
    wide : Wide or None
        None where the active cells are less than half of the grid, or a block has a slope.
    """

    block: Ints
    outer: sp.csr_matrix
    inner: sp.csr_matrix
    level: Ints
    cell: Ints
    wide: Wide | None

    def at(self, cells: Ints) -> Design:
        """The same for some of the active cells."""
        wide = self.wide
        if wide is not None and 2 * len(cells) < math.prod(wide.shape):
            wide = None
        return replace(self, level=np.ascontiguousarray(self.level[cells]), cell=self.cell[cells], wide=wide)

    def row(self, position: int, number: int) -> Floats:
        """What an active cell takes from all coefficients through one block, (F,)."""
        return np.asarray((self.outer[[self.level[position, number]]] @ self.inner).toarray()[0])


def make_design(blocks: Sequence[Block], layout: Layout) -> Design:
    """Stack the blocks' bases."""
    outers, inners, block, level, first = [], [], [], [], []
    offset = 0
    for number, one in enumerate(blocks):
        if one.cellwise:
            outer = inner = sp.identity(layout.units, format="csr")
            where = layout.unit
        else:
            outer = inner = sp.csr_matrix(np.ones((1, 1)))
            for basis in one.bases:
                outer, inner = (
                    sp.csr_matrix(sp.kron(whole, part))
                    for whole, part in zip((outer, inner), basis.sparse, strict=True)
                )
            sizes = [basis.levels for basis in one.bases]
            where = np.ravel_multi_index(
                tuple(layout.coordinates[AXES.index(axis)] for axis in one.axes), sizes
            )
            if one.slope is not None:
                # Every cell has a value of its own: that of its level, multiplied.
                outer = sp.csr_matrix(sp.diags_array(one.slope.by.ravel()[layout.cells]) @ outer[where])
                where = np.arange(layout.size)
        outers.append(outer)
        inners.append(inner)
        first.append(offset)
        block += [number] * inner.shape[1]
        level.append(where + offset)
        offset += outer.shape[0]
    return Design(
        np.array(block, dtype=np.int64),
        sp.csr_matrix(sp.block_diag(outers, format="csr")),
        sp.csr_matrix(sp.block_diag(inners, format="csr")),
        np.ascontiguousarray(np.stack(level, axis=1)).astype(np.int64),
        layout.cells,
        _wide(blocks, layout, first),
    )


def _wide(blocks: Sequence[Block], layout: Layout, first: Sequence[int]) -> Wide | None:
    if 2 * layout.size < math.prod(layout.shape) or any(block.slope is not None for block in blocks):
        return None
    axes = [() if block.cellwise else tuple(AXES.index(axis) for axis in block.axes) for block in blocks]
    return Wide(tuple(int(size) for size in layout.shape), tuple(axes), tuple(int(at) for at in first))


def _forward(
    intercept: Floats,
    z: Floats,
    log_sd: Floats,
    weight: Floats,
    block: Ints,
    inner: Floats,
    inner_columns: Ints,
    inner_starts: Ints,
    outer: Floats,
    outer_columns: Ints,
    outer_starts: Ints,
    level: Ints,
    _cell: Ints,
) -> Floats:
    steps, free = z.shape
    between = np.empty(inner_starts.shape[0] - 1)
    values = np.empty(outer_starts.shape[0] - 1)
    u = np.empty(free)
    eta = np.empty((steps, level.shape[0]))
    for s in range(steps):
        for f in range(free):
            u[f] = z[s, f] * np.exp((1.0 - weight[s, f]) * log_sd[s, block[f]])
        for w in range(between.shape[0]):
            total = 0.0
            for k in range(inner_starts[w], inner_starts[w + 1]):
                total += inner[k] * u[inner_columns[k]]
            between[w] = total
        for v in range(values.shape[0]):
            total = 0.0
            for k in range(outer_starts[v], outer_starts[v + 1]):
                total += outer[k] * between[outer_columns[k]]
            values[v] = total
        for a in range(level.shape[0]):
            total = intercept[s]
            for b in range(level.shape[1]):
                total += values[level[a, b]]
            eta[s, a] = total
    return eta


def _backward(
    intercept: Floats,
    z: Floats,
    log_sd: Floats,
    weight: Floats,
    block: Ints,
    inner: Floats,
    inner_columns: Ints,
    inner_starts: Ints,
    outer: Floats,
    outer_columns: Ints,
    outer_starts: Ints,
    level: Ints,
    _cell: Ints,
    g: Floats,
) -> tuple[Floats, Floats, Floats]:
    steps, free = z.shape
    grad_intercept = np.zeros(intercept.shape)
    grad_z = np.empty((steps, free))
    grad_sd = np.zeros(log_sd.shape)
    gw = np.empty(inner_starts.shape[0] - 1)
    gv = np.empty(outer_starts.shape[0] - 1)
    gu = np.empty(free)
    for s in range(steps):
        gv[:] = 0.0
        gw[:] = 0.0
        gu[:] = 0.0
        for a in range(level.shape[0]):
            grad_intercept[s] += g[s, a]
            for b in range(level.shape[1]):
                gv[level[a, b]] += g[s, a]
        for v in range(gv.shape[0]):
            for k in range(outer_starts[v], outer_starts[v + 1]):
                gw[outer_columns[k]] += outer[k] * gv[v]
        for w in range(gw.shape[0]):
            for k in range(inner_starts[w], inner_starts[w + 1]):
                gu[inner_columns[k]] += inner[k] * gw[w]
        for f in range(free):
            moved = gu[f] * np.exp((1.0 - weight[s, f]) * log_sd[s, block[f]])
            grad_z[s, f] = moved
            grad_sd[s, block[f]] += (1.0 - weight[s, f]) * moved * z[s, f]
    return grad_intercept, grad_z, grad_sd


def _prior(z: Floats, log_sd: Floats, weight: Floats, block: Ints) -> tuple[Floats, Floats, Floats]:
    logp = 0.0
    grad_z = np.empty(z.shape)
    grad_sd = np.zeros(log_sd.shape)
    for s in range(z.shape[0]):
        for f in range(z.shape[1]):
            w = weight[s, f]
            log_scale = w * log_sd[s, block[f]]
            precise = z[s, f] * np.exp(-2.0 * log_scale)
            logp += -0.5 * precise * z[s, f] - log_scale - _HALF_LOG_TWO_PI
            grad_z[s, f] = -precise
            grad_sd[s, block[f]] += w * (precise * z[s, f] - 1.0)
    return np.asarray(logp), grad_z, grad_sd


class FieldEta(Fused):
    """Linear predictors (S, A) from intercept (S,), z (S, F) and log_sd (S, B)."""

    __props__: ClassVar[tuple[str, ...]] = ("wide",)
    _body = staticmethod(_forward)

    def __init__(self, wide: Wide | None = None) -> None:
        self.wide = wide

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: intercept, z, log_sd, weight, block, both matrices as data, columns and starts, level, cell."""
        tensors = [pt.as_tensor(x) for x in inputs]
        shape = (tensors[0].type.shape[0], tensors[-1].type.shape[0])
        return Apply(self, tensors, [pt.tensor(dtype="float64", shape=shape)])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only intercept, z and log_sd move anything."""
        return [[i < 3] for i in range(len(node.inputs))]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """The transposed products, in an operation of their own."""
        gradients = FieldGradient(self.wide).make_node(*inputs, cotangents[0]).outputs
        return [*gradients, *[disconnected_type() for _ in inputs[3:]]]


class FieldGradient(Fused):
    """Pullback of ``FieldEta``."""

    __props__: ClassVar[tuple[str, ...]] = ("wide",)
    _body = staticmethod(_backward)

    def __init__(self, wide: Wide | None = None) -> None:
        self.wide = wide

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``FieldEta`` and the cotangent of its output."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [x.type() for x in tensors[:3]])


class FieldPrior(Fused):
    """Log density of z (S, F) given log_sd (S, B), with its gradients in the same pass."""

    _body = staticmethod(_prior)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: z, log_sd, weight, block."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [pt.dscalar(), tensors[0].type(), tensors[1].type()])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only z and log_sd move anything."""
        return [[i < 2] * 3 for i in range(4)]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Scale the stored gradients."""
        g = pt.as_tensor(cotangents[0])
        return [g * outputs[1], g * outputs[2], disconnected_type(), disconnected_type()]


@register_funcify_default_op_cache_key(FieldEta)
def _numba_eta(op: FieldEta, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_forward, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(FieldGradient)
def _numba_gradient(op: FieldGradient, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_backward, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(FieldPrior)
def _numba_prior(op: FieldPrior, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_prior, error_model="numpy"), _SOURCE


_FIELD_PRIOR = FieldPrior()


def field_eta(intercept: Any, z: Any, log_sd: Any, weight: Floats, design: Design) -> Any:
    """Linear predictors (S, A) of the field; see ``FieldEta``."""
    return FieldEta(design.wide)(
        intercept, z, log_sd, weight, design.block, *_arrays(design.inner), *_arrays(design.outer),
        design.level, design.cell,
    )  # fmt: skip


def _arrays(matrix: sp.csr_matrix) -> tuple[Floats, Ints, Ints]:
    return matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)


def field_prior(z: Any, log_sd: Any, weight: Any, block: Any) -> Any:
    """Log density of the coefficients given the scales, a scalar; see ``FieldPrior``."""
    return _FIELD_PRIOR.make_node(z, log_sd, weight, block).outputs[0]
