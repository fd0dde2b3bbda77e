"""Linear bases: how a block of effects is spanned by independent coefficients.

Every block of the rate is ``value = (B_1 ⊗ B_2 ⊗ …) u`` with ``u`` independent N(0, sd²). A constraint (zero sum,
zero sum among siblings) or a structure (random walk) is a choice of B, so no block needs a penalty or a singular
density, and every engine sees one kind of latent field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from ..data.axes import Axis

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Basis:
    """A basis of one axis.

    Parameters
    ----------
    matrix : (levels, free) float
        Columns span the allowed values.
    fresh : (levels, levels or free) float
        What a *new* unit of the population is drawn from: the same structure without the constraint on these
        members.
    """

    matrix: Floats
    fresh: Floats

    @property
    def levels(self) -> int:
        """Number of levels of the axis."""
        return self.matrix.shape[0]

    @property
    def free(self) -> int:
        """Number of free coefficients."""
        return self.matrix.shape[1]


def identity(levels: int) -> Basis:
    """Unconstrained, exchangeable levels."""
    return Basis(np.eye(levels), np.eye(levels))


def helmert(levels: int) -> Floats:
    """An orthonormal basis, (levels, levels - 1), of the vectors that sum to zero."""
    if levels == 1:
        return np.zeros((1, 0))
    # The columns are those of a reflection that maps the constant vector to the last axis: the nearest orthonormal
    # zero-sum basis to the identity, so that coefficient i stays (nearly) the effect of level i.
    shift = 1.0 / (np.sqrt(levels) + levels)
    matrix = np.eye(levels, levels - 1) - shift
    matrix[-1] = -1.0 / np.sqrt(levels)
    return matrix


def zero_sum(levels: int) -> Basis:
    """Exchangeable levels that sum to zero."""
    return Basis(helmert(levels), np.eye(levels))


def siblings(axis: Axis, names: Sequence[str]) -> Basis:
    """Exchangeable nodes that sum to zero among those with the same parent; ``names`` in sibling order."""
    sizes: list[int] = []
    last: str | None = None
    for name in names:
        parent = axis.by_name[name].parent
        if sizes and parent == last:
            sizes[-1] += 1
        else:
            sizes.append(1)
        last = parent
    return Basis(block_diag(*[helmert(size) for size in sizes]), np.eye(len(names)))


def random_walk(levels: int) -> Basis:
    """First-order random walk, summing to zero, scaled to a typical marginal sd of one.

    The scale divides by the geometric mean of the marginal standard deviations of the constrained walk (Sørbye and
    Rue 2014), so that the prior of the block does not depend on the number of levels.
    """
    if levels == 1:
        return Basis(np.zeros((1, 0)), np.zeros((1, 0)))
    difference = np.diff(np.eye(levels), axis=0)
    values, vectors = np.linalg.eigh(difference.T @ difference)
    matrix = vectors[:, 1:] / np.sqrt(values[1:])
    marginal = np.sqrt((matrix**2).sum(axis=1))
    matrix /= np.exp(np.log(marginal).mean())
    return Basis(matrix, matrix)
