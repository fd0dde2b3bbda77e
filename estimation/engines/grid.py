"""One step of a blueprint as a grid: jurisdictions by everything else, and the field split at the jurisdictions.

Blocks that tell jurisdictions apart couple one jurisdiction's cells; the others couple all. With the first kept
jurisdiction by jurisdiction the precision of the field is an arrow: a small matrix for each jurisdiction and a border,
whose size does not grow with their number (Rue and Held 2005, section 2.4). A zero sum over the jurisdictions would
fill the small matrices in; it is kept as a linear constraint instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data.names import AXES
from ...models.basis import Basis
from ...models.blueprint import Blueprint
from ...models.terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LONG = AXES.index("jurisdiction")
INTERCEPT = -1
_MOST_CONSTRAINTS = 64


@dataclass(frozen=True)
class Grid:
    """J rows (jurisdictions) by C columns (the other axes together); p border and q inner coefficients a row.

    Parameters
    ----------
    border : (C, p) float
        What each column takes from the coefficients that all rows share.
    inner : (C, q) float
        What it takes from those of its row.
    levels : (G, q) float
        The different rows of ``inner``.
    columns : tuple of (…,) int
        Which columns take each.
    border_block : (p,) int
        Number of the block of each, -1 for the intercept.
    inner_block : (q,) int
    constraints : (m, J, q) float
        Orthonormal linear functions of the inner coefficients that are zero.
    free : (B,) int
        Dimension of each block, the constraints taken off.
    y, n : (J, C) float
        Counts and units; cells that nobody counted have no units.
    cell : (A,) int
        Place of each active cell in the raveled grid.
    """

    border: Floats
    inner: Floats
    levels: Floats
    columns: tuple[Ints, ...]
    border_block: Ints
    inner_block: Ints
    constraints: Floats
    free: Ints
    y: Floats
    n: Floats
    cell: Ints

    def predictor(self, shared: Floats, own: Floats) -> Floats:
        """Linear predictor (…, J, C) of border coefficients (…, p) and inner ones (…, J, q)."""
        return (shared @ self.border.T)[..., None, :] + own @ self.inner.T


def make_grid(blueprint: Blueprint, y: Floats, n: Floats) -> Grid:
    """The grid of one step, from counts and units of its active cells, (A,)."""
    layout, blocks = blueprint.layout, blueprint.blocks
    long = [
        place for place, block in enumerate(blocks) if not block.cellwise and "jurisdiction" in block.axes
    ]
    split = bool(long) and all(_splits(blocks[place]) for place in long)
    axes = [axis for axis in range(3) if axis != _LONG or not split]
    rows = layout.shape[_LONG] if split else 1
    shape = tuple(layout.shape[axis] for axis in axes)
    columns = np.unravel_index(np.arange(int(np.prod(shape))), shape)
    level = {AXES[axis]: where for axis, where in zip(axes, columns, strict=True)}
    border, border_block = [np.ones((len(columns[0]), 1))], [np.array([INTERCEPT])]
    inner: list[Floats] = []
    inner_block: list[Ints] = []
    held: list[tuple[int, Floats]] = []
    free = np.zeros(len(blocks), dtype=np.int64)
    for place, block in enumerate(blocks):
        if block.cellwise:
            free[place] = layout.units
            continue
        free[place] = int(np.prod([basis.free for basis in block.bases]))
        if split and place in long:
            other = [(a, b) for a, b in zip(block.axes, block.bases, strict=True) if a != "jurisdiction"]
            values = _values(other, level)
            first = sum(piece.shape[1] for piece in inner)
            zero = _zero(block)
            held += [(first + k, zero) for k in range(values.shape[1]) if zero.shape[1]]
            inner.append(values)
            inner_block.append(np.full(values.shape[1], place))
        else:
            values = _values(list(zip(block.axes, block.bases, strict=True)), level)
            border.append(values)
            border_block.append(np.full(values.shape[1], place))
    width = sum(piece.shape[1] for piece in inner)
    constraints = [c for column, zero in held for c in _constraint(column, zero, rows, width)]
    coordinates = layout.coordinates
    column = np.ravel_multi_index(tuple(coordinates[axis] for axis in axes), shape)
    cell = (coordinates[_LONG] if split else 0) * len(columns[0]) + column
    each = np.concatenate(inner, axis=1) if inner else np.zeros((len(columns[0]), 0))
    levels, which = np.unique(each, axis=0, return_inverse=True) if inner else (each[:1], np.zeros(len(each)))
    full = np.zeros((2, rows * len(columns[0])))
    full[:, cell] = y, n
    return Grid(
        border=np.concatenate(border, axis=1),
        inner=each,
        levels=levels,
        columns=tuple(np.flatnonzero(which == level) for level in range(len(levels))),
        border_block=np.concatenate(border_block),
        inner_block=np.concatenate(inner_block) if inner else np.zeros(0, dtype=np.int64),
        constraints=np.array(constraints).reshape(len(constraints), rows, width),
        free=free,
        y=full[0].reshape(rows, -1),
        n=full[1].reshape(rows, -1),
        cell=cell,
    )


def _splits(block: Block) -> bool:
    """Are the levels of jurisdictions independent, but for a few sums that are zero?"""
    basis = _long(block)
    alike = np.allclose(basis.matrix.T @ basis.matrix, np.eye(basis.free), atol=1e-10)
    others = np.prod([b.free for a, b in zip(block.axes, block.bases, strict=True) if a != "jurisdiction"])
    return bool(alike and (basis.levels - basis.free) * others <= _MOST_CONSTRAINTS)


def _long(block: Block) -> Basis:
    return block.bases[block.axes.index("jurisdiction")]


def _zero(block: Block) -> Floats:
    """Orthonormal functions of the jurisdictions' levels that are zero, (J, m).

    What is left of vectors once the basis, orthonormal here, is taken out of them spans these; of as many random
    ones as there are functions nothing is lost. A full decomposition costs the cube of the levels.
    """
    matrix = _long(block).matrix
    left = np.random.default_rng(0).standard_normal((len(matrix), len(matrix) - matrix.shape[1]))
    for _ in range(2):
        left -= matrix @ (matrix.T @ left)
    return np.linalg.qr(left)[0]


def _constraint(column: int, zero: Floats, rows: int, width: int) -> list[Floats]:
    out = []
    for function in zero.T:
        one = np.zeros((rows, width))
        one[:, column] = function
        out.append(one)
    return out


def _values(axes: Sequence[tuple[str, Basis]], level: dict[str, Ints]) -> Floats:
    """What each column reads from a block's coefficients, (C, free)."""
    size = len(next(iter(level.values())))
    out = np.ones((size, 1))
    for axis, basis in axes:
        out = (out[:, :, None] * basis.matrix[level[axis]][:, None, :]).reshape(size, -1)
    return out
