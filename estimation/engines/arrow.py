"""Linear algebra of an arrow-shaped precision under linear constraints: factor, solve, variances, draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, cho_solve, cholesky, solve_triangular

from .grid import Grid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arrow:
    """Factor of H = AᵀWA + P, in the shape of a grid.

    Parameters
    ----------
    grid : Grid
    unroot : (J, q, q)
        Inverse of the lower Cholesky factor of each row's own matrix.
    gain : (p, J·q)
        The coupling of border and rows times the rows' inverses.
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
    unroot: Floats
    gain: Floats
    border: Floats
    log_det: float
    held: tuple[Floats, Floats]
    tie: Floats

    def solve(self, shared: Floats, own: Floats) -> tuple[Floats, Floats]:
        """The constrained inverse times vectors (…, p) and (…, J, q)."""
        return self.project(*_plain(self.unroot, self.gain, self.border, shared, own))

    def project(self, shared: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Move draws or solutions of the unconstrained law to where the constraints hold ("kriging")."""
        if not len(self.tie):
            return shared, own
        over = np.tensordot(own, self.grid.constraints, axes=([-2, -1], [1, 2])) @ self.tie
        return shared - over @ self.held[0], own - np.tensordot(over, self.held[1], axes=1)

    def variances(self) -> tuple[Floats, Floats, Floats]:
        """Posterior variances of the predictor (J, C), of border (p,) and of inner coefficients (J, q)."""
        grid = self.grid
        rows, width = self.unroot.shape[:2]
        wide = cho_solve((self.border, True), np.eye(len(self.border)), check_finite=False)
        cross = (wide @ self.gain).reshape(len(wide), rows, width)
        own = np.matmul(self.unroot.transpose(0, 2, 1), self.unroot)
        own += np.matmul(
            self.gain.reshape(len(wide), rows, width).transpose(1, 2, 0), cross.transpose(1, 0, 2)
        )
        eta = np.empty(grid.n.shape)
        for level, columns in zip(grid.levels, grid.columns, strict=True):
            border = grid.border[columns]
            spread = ((border @ wide) * border).sum(axis=1)
            eta[:, columns] = spread - 2 * (border @ (cross @ level)).T + ((own @ level) @ level)[:, None]
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
        rows, width = self.unroot.shape[:2]
        shared = solve_triangular(
            self.border,
            rng.standard_normal((len(self.border), size)),
            lower=True,
            trans="T",
            check_finite=False,
        ).T
        own = np.matmul(self.unroot.transpose(0, 2, 1), rng.standard_normal((rows, width, size)))
        return self.project(shared, own.transpose(2, 0, 1) - (shared @ self.gain).reshape(size, rows, width))


def factor(grid: Grid, weight: Floats, border_precision: Floats, inner_precision: Floats) -> Arrow:
    """Factor the precision for curvatures (J, C) of the cells and prior precisions (p,) and (q,)."""
    levels, rows, width = grid.levels, len(weight), grid.inner.shape[1]
    size = grid.border.shape[1]  # written out: what may be empty leaves no length to guess
    # Columns that take the same from a row are summed first: they differ at the border alone.
    summed = np.stack([weight[:, columns].sum(axis=1) for columns in grid.columns], axis=1)
    own = np.matmul(levels.T, summed[:, :, None] * levels) + np.diag(inner_precision)
    reached = np.stack([grid.border[columns].T @ weight[:, columns].T for columns in grid.columns], axis=2)
    root = np.linalg.cholesky(own)
    unroot = np.linalg.inv(root)
    half = np.matmul((reached @ levels).transpose(1, 0, 2), unroot.transpose(0, 2, 1))
    gain = np.matmul(half, unroot).transpose(1, 0, 2).reshape(size, rows * width)
    half = half.transpose(1, 0, 2).reshape(size, rows * width)
    root_weight = grid.border.T * np.sqrt(np.maximum(weight.sum(axis=0), 0.0))
    wide = _squared(half, -1.0, _squared(root_weight, 1.0, np.diag(border_precision)))
    border = cholesky(wide, lower=True, check_finite=False)
    log_det = 2 * (np.log(np.diagonal(root, axis1=1, axis2=2)).sum() + np.log(np.diag(border)).sum())
    count = len(grid.constraints)
    held = _plain(unroot, gain, border, np.zeros((count, len(border))), grid.constraints)
    tied = np.tensordot(held[1], grid.constraints, axes=([1, 2], [1, 2]))
    if count:
        log_det += np.linalg.slogdet(tied)[1]
    return Arrow(grid, unroot, gain, border, float(log_det), held, np.linalg.inv(tied))


def _squared(matrix: Floats, sign: float, plus: Floats) -> Floats:
    """The lower triangle of ± A Aᵀ + B, which is all that a Cholesky factor reads, at half the arithmetic."""
    if not matrix.shape[1]:
        return plus
    return blas.dsyrk(sign, matrix.T, 1.0, plus, trans=True, lower=True)


def _plain(
    unroot: Floats, gain: Floats, border: Floats, shared: Floats, own: Floats
) -> tuple[Floats, Floats]:
    """H⁻¹ times vectors (…, p) and (…, J, q), constraints aside."""
    size = math.prod(shared.shape[:-1])
    left = shared - own.reshape(*own.shape[:-2], gain.shape[1]) @ gain.T
    found = cho_solve((border, True), np.moveaxis(left, -1, 0).reshape(len(border), size), check_finite=False)
    found = np.moveaxis(found.reshape(len(border), *left.shape[:-1]), 0, -1)
    back = np.matmul(unroot.transpose(0, 2, 1), np.matmul(unroot, own[..., None]))[..., 0]
    return found, back - (found @ gain).reshape(own.shape)
