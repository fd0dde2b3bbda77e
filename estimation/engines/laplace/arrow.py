"""Linear algebra of an arrow-shaped precision under linear constraints: factor, solve, variances, draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular

from .grid import Grid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arrow:
    """Factor of H = AᵀWA + P, in the shape of a grid.

    Parameters
    ----------
    grid : Grid
    root : (J, q, q)
        Lower Cholesky factor of each row's own matrix.
    inverse : (J, q, q)
    gain : (J, p, q)
        The coupling of border and row times the row's inverse.
    border : (p, p)
        Lower Cholesky factor of what is left of the border.
    log_det : float
        Log determinant on the subspace where the constraints hold.
    held : (m, p), (m, J, q)
        H⁻¹ Cᵀ.
    tie : (m, m)
        Inverse of C H⁻¹ Cᵀ.
    """

    grid: Grid
    root: Floats
    inverse: Floats
    gain: Floats
    border: Floats
    log_det: float
    held: tuple[Floats, Floats]
    tie: Floats

    def solve(self, shared: Floats, own: Floats) -> tuple[Floats, Floats]:
        """The constrained inverse times vectors (…, p) and (…, J, q)."""
        return self.project(*_plain(self.inverse, self.gain, self.border, shared, own))

    def project(self, shared: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Move draws or solutions of the unconstrained law to where the constraints hold ("kriging")."""
        if not len(self.tie):
            return shared, own
        over = np.tensordot(own, self.grid.constraints, axes=([-2, -1], [1, 2])) @ self.tie
        return shared - over @ self.held[0], own - np.tensordot(over, self.held[1], axes=1)

    def variances(self) -> tuple[Floats, Floats, Floats]:
        """Posterior variances of the predictor (J, C), of border (p,) and of inner coefficients (J, q)."""
        grid = self.grid
        wide = cho_solve((self.border, True), np.eye(len(self.border)), check_finite=False)
        cross = -np.matmul(wide, self.gain)
        own = self.inverse - np.matmul(self.gain.transpose(0, 2, 1), cross)
        spread = ((grid.border @ wide) * grid.border).sum(axis=1)
        eta = spread + ((2 * np.matmul(grid.border, cross) + np.matmul(grid.inner, own)) * grid.inner).sum(
            axis=2
        )
        shared, inner = np.diag(wide).copy(), np.diagonal(own, axis1=1, axis2=2).copy()
        if len(self.tie):
            half = np.linalg.cholesky(self.tie)
            b = half.T @ self.held[0]
            u = np.tensordot(half.T, self.held[1], axes=1)
            eta -= (grid.predictor(b, u) ** 2).sum(axis=0)
            shared -= (b**2).sum(axis=0)
            inner -= (u**2).sum(axis=0)
        return eta, shared, inner

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        """Centred draws of the border (size, p) and of the inner coefficients (size, J, q)."""
        rows, width = self.root.shape[:2]
        shared = solve_triangular(
            self.border,
            rng.standard_normal((len(self.border), size)),
            lower=True,
            trans="T",
            check_finite=False,
        ).T
        own = np.matmul(np.linalg.inv(self.root).transpose(0, 2, 1), rng.standard_normal((rows, width, size)))
        own -= np.matmul(self.gain.transpose(0, 2, 1), shared.T)
        return self.project(shared, own.transpose(2, 0, 1))


def factor(grid: Grid, weight: Floats, border_precision: Floats, inner_precision: Floats) -> Arrow:
    """Factor the precision for curvatures (J, C) of the cells and prior precisions (p,) and (q,)."""
    weighted = weight[:, :, None] * grid.inner
    own = np.matmul(grid.inner.T, weighted) + np.diag(inner_precision)
    across = np.matmul(grid.border.T, weighted)
    wide = (grid.border.T * weight.sum(axis=0)) @ grid.border + np.diag(border_precision)
    root = np.linalg.cholesky(own)
    inverse = np.linalg.inv(own)
    gain = np.matmul(across, inverse)
    rows, size, width = gain.shape
    wide -= (
        gain.transpose(1, 0, 2).reshape(size, rows * width)
        @ across.transpose(1, 0, 2).reshape(size, rows * width).T
    )
    border = cholesky(wide, lower=True, check_finite=False)
    log_det = 2 * (np.log(np.diagonal(root, axis1=1, axis2=2)).sum() + np.log(np.diag(border)).sum())
    count = len(grid.constraints)
    held = _plain(inverse, gain, border, np.zeros((count, size)), grid.constraints)
    tied = np.tensordot(held[1], grid.constraints, axes=([1, 2], [1, 2]))
    if count:
        log_det += np.linalg.slogdet(tied)[1]
    return Arrow(grid, root, inverse, gain, border, float(log_det), held, np.linalg.inv(tied))


def _plain(
    inverse: Floats, gain: Floats, border: Floats, shared: Floats, own: Floats
) -> tuple[Floats, Floats]:
    """H⁻¹ times vectors (…, p) and (…, J, q), constraints aside."""
    left = shared - np.einsum("jpq,...jq->...p", gain, own)
    found = cho_solve((border, True), np.moveaxis(left, -1, 0).reshape(len(border), -1), check_finite=False)
    found = np.moveaxis(found.reshape(len(border), *left.shape[:-1]), 0, -1)
    back = np.einsum("jqk,...jk->...jq", inverse, own) - np.einsum("jpq,...p->...jq", gain, found)
    return found, back
