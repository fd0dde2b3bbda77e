"""The coordinates in which a density's curvature is one, for a sampler that calls a C function.

A diagonal metric does not know how effects lean on one another: what offenses share on what places share, a random
walk's steps on each other. Where there are a few thousand coordinates the whole curvature can be had by differences of
gradients, and two products with its factor cost no more than a gradient does.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from os import cpu_count
from typing import Any

import numba
import numpy as np
import scipy.linalg
import scipy.sparse as sp
from llvmlite import ir
from numba.extending import intrinsic
from numpy.typing import NDArray

from .linker import SIGNATURE, Callback
from .pointers import address_as_void_pointer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Coordinates of which a matrix is still small.
MOST = 4000
_STEP = 1e-4
# Differences of gradients cannot tell what is below this part of the diagonal from nothing.
_NOTHING = 1e-6
# The least curvature of any direction: in our coordinates it is that of the prior.
_LEAST = 1.0


@dataclass(frozen=True)
class Whitening:
    """A linear map from coordinates w to points x: x[order] = centre[order] + Rᵀ w, R in blocks down the diagonal.

    Parameters
    ----------
    centre : (size,)
    order : (size,) int
        Coordinates block by block; those of different blocks do not lean on one another.
    starts : (blocks + 1,) int
        Where in ``order`` each block begins.
    roots : (Σ length²,)
        Of each block L⁻¹, row by row, where L Lᵀ is its curvature at the centre.
    """

    centre: Floats
    order: Ints
    starts: Ints
    roots: Floats

    @property
    def size(self) -> int:
        """Number of coordinates w."""
        return len(self.centre)

    def _blocks(self) -> list[tuple[Ints, Floats]]:
        ends = np.cumsum([0, *np.diff(self.starts) ** 2])
        return [
            (self.order[a:b], self.roots[i:k].reshape(b - a, b - a))
            for a, b, i, k in zip(self.starts[:-1], self.starts[1:], ends[:-1], ends[1:], strict=True)
        ]

    @property
    def root(self) -> Floats:
        """The whole matrix: points are ``centre + w @ root``, (size, size)."""
        out = np.zeros((len(self.order), len(self.order)))
        for first, (at, root) in zip(self.starts, self._blocks(), strict=False):
            out[first : first + len(at), at] = root
        return out

    def points(self, coordinates: Floats) -> Floats:
        """Points (…, size) from coordinates (…, size)."""
        out = np.empty_like(coordinates)
        for first, (at, root) in zip(self.starts, self._blocks(), strict=False):
            out[..., at] = self.centre[at] + coordinates[..., first : first + len(at)] @ root
        return out

    def coordinates(self, points: Floats) -> Floats:
        """Coordinates (R, size) from points (R, size)."""
        found = [
            scipy.linalg.solve_triangular(root, (points[:, at] - self.centre[at]).T, lower=True, trans="T").T
            for at, root in self._blocks()
        ]
        return np.concatenate(found, axis=1)


def whiten(value_and_gradient: Callable[[Floats], tuple[float, Floats]], centre: Floats) -> Whitening | None:
    """The map whose coordinates have unit curvature at a point to which a chain has come.

    Returns None where a gradient near the point is not finite.

    Notes
    -----
    Given the scales a field's density is log-concave, whatever was counted. In the scales it need not be, and there
    a point of the typical set serves better than a mode: at the mode of a hierarchical model scales may be zero.
    """
    curvature = _curvature(value_and_gradient, centre)
    if not np.isfinite(curvature).all():
        return None
    scale = np.sqrt(np.maximum(np.diag(curvature), _LEAST))
    leans = sp.csr_matrix(np.abs(curvature) > _NOTHING * scale[:, None] * scale)
    _, label = sp.csgraph.connected_components(leans, directed=False)
    order = np.argsort(label, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(label[order], prepend=-1)), len(order))
    roots = []
    for at in np.split(order, starts[1:-1]):
        values, vectors = np.linalg.eigh(curvature[np.ix_(at, at)])
        lower = np.linalg.cholesky((vectors * np.maximum(values, _LEAST)) @ vectors.T)
        roots.append(scipy.linalg.solve_triangular(lower, np.eye(len(at)), lower=True).ravel())
    return Whitening(centre, order, starts, np.concatenate(roots))


def _curvature(value_and_gradient: Callable[[Floats], tuple[float, Floats]], centre: Floats) -> Floats:
    """Minus the Hessian at a point, by differences of gradients."""

    def column(k: int) -> Floats:
        ends = np.tile(centre, (2, 1))
        ends[:, k] += -_STEP, _STEP
        low, high = (value_and_gradient(end)[1].copy() for end in ends)
        return (low - high) / (2 * _STEP)

    with ThreadPoolExecutor(cpu_count() or 1) as threads:
        found = np.array(list(threads.map(column, range(len(centre)))))
    return (found + found.T) / 2


def through(inner: Callback, whitening: Whitening) -> Callback:
    """The C function of the coordinates, for a density's own C function; the map's determinant is a constant."""
    arrays = (whitening.centre, whitening.order, whitening.starts, whitening.roots)
    table = [inner.address, inner.table.ctypes.data, len(whitening.starts) - 1]
    table += [array.ctypes.data for array in arrays]
    return Callback(_compiled(), np.array(table, dtype=np.int64), arrays, inner)


@cache
def _compiled() -> Any:
    return numba.cfunc(SIGNATURE, cache=True)(_whitened)


def _call(typing: Any, address: Any, size: Any, point: Any, gradient: Any, value: Any, user: Any) -> Any:
    """Call a C function of the samplers' signature at an address known only when the program runs."""
    signature = numba.types.int64(address, size, point, gradient, value, user)

    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        target = builder.inttoptr(arguments[0], ir.FunctionType(word, [word] * 5).as_pointer())
        given = [
            builder.ptrtoint(one, word) if isinstance(one.type, ir.PointerType) else one
            for one in arguments[1:]
        ]
        return builder.call(target, given)

    return signature, generate


# As a decorator it would leave type checkers the function that makes the code, which has an argument more.
_call_at: Any = intrinsic(_call)


def _whitened(size: int, point: Any, gradient: Any, value: Any, user: Any) -> int:
    data = numba.carray(user, (7,), np.int64)
    blocks = data[2]
    centre = numba.carray(address_as_void_pointer(data[3]), (size,), np.float64)
    order = numba.carray(address_as_void_pointer(data[4]), (size,), np.int64)
    starts = numba.carray(address_as_void_pointer(data[5]), (blocks + 1,), np.int64)
    length = 0
    for b in range(blocks):
        length += (starts[b + 1] - starts[b]) ** 2
    roots = numba.carray(address_as_void_pointer(data[6]), (length,), np.float64)
    w, out = numba.carray(point, (size,)), numba.carray(gradient, (size,))
    x, slope = np.empty(size), np.empty(size)
    at = 0
    for b in range(blocks):
        first, n = starts[b], starts[b + 1] - starts[b]
        root = roots[at : at + n * n].reshape(n, n)
        moved = np.dot(w[first : first + n], root)
        for i in range(n):
            x[order[first + i]] = centre[order[first + i]] + moved[i]
        at += n * n
    code = _call_at(
        data[0], np.int64(size), np.int64(x.ctypes.data), np.int64(slope.ctypes.data), value, data[1]
    )
    if code != 0:
        return code
    at = 0
    for b in range(blocks):
        first, n = starts[b], starts[b + 1] - starts[b]
        root = roots[at : at + n * n].reshape(n, n)
        out[first : first + n] = np.dot(root, slope[order[first : first + n]])
        at += n * n
    return code
