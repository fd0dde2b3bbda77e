"""Linear bases: how a block of effects is spanned by independent coefficients.

Every block of the rate is ``value = (B_1 ⊗ B_2 ⊗ …) u`` with ``u`` independent N(0, sd²). A constraint (zero sum,
zero sum among siblings) or a structure (random walk) is a choice of B, so no block needs a penalty or a singular
density, and every engine sees one kind of latent field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import block_diag

from ..data.axes import Axis

Floats = NDArray[np.float64]
Parts = tuple[sp.csr_matrix, sp.csr_matrix]
# Below so many levels a zero sum is cheaper written out.
_FEW = 5


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
    parts : (levels, between), (between, free) csr, optional
        Two matrices with few entries whose product is ``matrix``. A constraint makes every value depend on all
        coefficients, but through their sum alone: written out, the work grows with the square of the levels.
    """

    matrix: Floats
    fresh: Floats
    parts: Parts | None = None

    @property
    def levels(self) -> int:
        """Number of levels of the axis."""
        return self.matrix.shape[0]

    @property
    def free(self) -> int:
        """Number of free coefficients."""
        return self.matrix.shape[1]

    @property
    def sparse(self) -> Parts:
        """The matrix as a product of two with as few entries as are known."""
        if self.parts is not None:
            return self.parts
        return _whole(self.matrix)

    def read(self, by: Floats) -> Basis:
        """The basis of values ``by`` (more, levels) @ values."""
        outer, inner = self.sparse
        return Basis(by @ self.matrix, by @ self.fresh, (sp.csr_matrix(sp.csr_matrix(by) @ outer), inner))


def side_by_side(bases: Sequence[Basis]) -> Basis:
    """The basis of sums of values, each with coefficients of its own."""
    outer, inner = zip(*(basis.sparse for basis in bases), strict=True)
    return Basis(
        np.hstack([basis.matrix for basis in bases]),
        np.hstack([basis.fresh for basis in bases]),
        (sp.hstack(outer, format="csr"), sp.block_diag(inner, format="csr")),
    )


def _whole(matrix: Floats) -> Parts:
    """A matrix of which no parts are known."""
    return sp.csr_matrix(matrix), sp.identity(matrix.shape[1], format="csr")


def _with_sum(straight: Floats, share: Floats, row: Floats) -> Parts:
    """``straight`` (levels, free) + ``share`` (levels,) × ``row`` (free,) in two parts."""
    return (
        sp.hstack([sp.csr_matrix(straight), sp.csr_matrix(share[:, None])], format="csr"),
        sp.vstack([sp.identity(len(row)), sp.csr_matrix(row[None])], format="csr"),
    )


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


def helmert_parts(levels: int) -> Parts:
    """``helmert`` as a product: the coefficients and their sum, of which each level takes a share."""
    if levels < _FEW:
        return _whole(helmert(levels))
    share = np.full(levels, -1.0 / (np.sqrt(levels) + levels))
    share[-1] = -1.0 / np.sqrt(levels)
    return _with_sum(np.eye(levels, levels - 1), share, np.ones(levels - 1))


def zero_sum(levels: int) -> Basis:
    """Exchangeable levels that sum to zero."""
    return Basis(helmert(levels), np.eye(levels), helmert_parts(levels))


def siblings(axis: Axis, names: Sequence[str]) -> Basis:
    """Exchangeable nodes that sum to zero among those with the same parent; ``names`` in sibling order.

    Where their parent has a remainder they are not all there is, and are free; the remainder is a mean over its
    members, and varies less than one of them.
    """
    pieces: list[Floats] = []
    parts: list[Parts] = []
    scales: list[float] = []
    for parent, group in groupby(names, key=lambda name: axis.by_name[name].parent):
        made = [axis.by_name[name].made == "rest" for name in group]
        scale = [mean_scale(axis, parent or "") if rest else 1.0 for rest in made]
        free = any(made)
        pieces.append(np.diag(scale) if free else helmert(len(made)))
        parts.append(_whole(pieces[-1]) if free else helmert_parts(len(made)))
        scales += scale
    outer, inner = (sp.block_diag(side, format="csr") for side in zip(*parts, strict=True))
    return Basis(block_diag(*pieces), np.diag(scales), (outer, inner))


def over(axis: Axis, constrained: bool) -> Basis:
    """Exchangeable leaves of an axis, zero-sum if constrained; leaves made for unsplit totals have no level.

    Where leaves have weights it is their weighted sum that is zero: the intercept is then the level of the total they
    make up, and a leaf that is nearly all of it hardly departs from that. A remainder unit is a mean over its members:
    its effect is drawn apart, its standard deviation divided by the square root of their number.
    """
    nodes = [axis.by_name[name] for name in axis.leaves]
    plain = [i for i, node in enumerate(nodes) if not node.made]
    rest = [i for i, node in enumerate(nodes) if node.made == "rest"]
    weight = np.array([nodes[i].weight for i in plain])
    inner = np.eye(len(plain))
    parts = _whole(inner)
    if constrained and np.ptp(weight) == 0:
        inner, parts = helmert(len(plain)), helmert_parts(len(plain))
    elif constrained:
        share = weight / weight.sum()
        inner, parts = inner - share, _with_sum(inner, -np.ones(len(plain)), share)
    matrix = np.zeros((len(nodes), inner.shape[1] + len(rest)))
    matrix[plain, : inner.shape[1]] = inner
    fresh = np.zeros((len(nodes), len(nodes)))
    fresh[plain, plain] = 1.0
    for column, row in enumerate(rest, start=inner.shape[1]):
        matrix[row, column] = fresh[row, row] = mean_scale(axis, nodes[row].parent or "")
    place = sp.csr_matrix(np.eye(len(nodes))[:, plain])
    outer = sp.hstack([place @ parts[0], sp.csr_matrix(matrix[:, inner.shape[1] :])], format="csr")
    return Basis(matrix, fresh, (outer, sp.block_diag([parts[1], np.eye(len(rest))], format="csr")))


def mean_scale(axis: Axis, place: str) -> float:
    """Standard deviation of the mean of a place's members that are not recorded, relative to that of one."""
    known = sum(not axis.by_name[child].made for child in axis.children[place])
    return float(1 / np.sqrt(max(axis.by_name[place].members - known, 1)))


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
