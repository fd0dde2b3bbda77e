"""Coordinates of unit curvature for a field of many places, at a cost that grows with the places alone.

The whole curvature of a field is known but for what the data say of each cell: H = AᵀWA + P, with the design A, the
prior's precisions P and the cells' information W. Kept jurisdiction by jurisdiction it is an arrow under a few linear
constraints, the zero sums over the jurisdictions (``grid``, ``arrow``). With H = L Lᵀ and Q an orthonormal basis of
L⁻¹Cᵀ,

    x = centre + L⁻ᵀ (w - Q Qᵀ w)

has the curvature H on the subspace where C x = 0 if w has that of the identity: noise is made white with a coordinate
more for each constraint, and these are projected out ("conditioning by kriging", Rue and Held 2005, section 2.3.3).
What w has along Q is standard normal by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from .arrow import Arrow, factor
from .shape import Shape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A rate that a chain has strayed to must not let its cell's curvature vanish, nor rule all others.
_LEAST, _MOST = 1e-3, 1e3
_STEP = 1e-4
# The least curvature of coordinates that are no field's: in ours it is that of their prior.
_LEAST_OTHER = 1.0
# Where a direction's curvature is below this part of the largest the point is far from where the density lies, and
# leaning would mislead.
_FAR = -0.05


@dataclass(frozen=True)
class Arrowed:
    """A linear map from coordinates w (…, size + m) to points (…, size).

    Parameters
    ----------
    centre : (size,)
    order : (size,) int
        Place of each coordinate of a point among those that the parts give.
    parts : tuple of mapping
        Of each step ``unborder`` (p, p), ``unroot`` (J, q, q), ``gain`` (p, J·q), ``held`` (p + J·q, m), which is Q,
        ``wide`` (p,) and ``inner``, the basis and the scales (free, columns) of each block of inner coefficients.
    lean : (F, r)
        How the field's coordinates follow those that are no field's, which come last.
    free : (r, r)
        From coordinates of unit curvature to these.
    """

    centre: Floats
    order: Ints
    parts: tuple[Mapping[str, Any], ...]
    lean: Floats
    free: Floats

    @property
    def size(self) -> int:
        """Number of coordinates w."""
        return len(self.centre) + sum(part["held"].shape[1] for part in self.parts)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What ``moved`` takes."""
        return self.centre, self.order, self.parts, self.lean, self.free

    def leaned(self, gradient: Callable[[Floats], Floats], seen: Floats | None = None) -> Arrowed:
        """The map with unit curvature in all coordinates.

        Parameters
        ----------
        gradient : callable
            From coordinates (k, size) of this map to gradients of their density.
        seen : (n, size of a point), optional
            Where chains have been. The curvature at one point says little of how far the field's scales may go: they
            are then as wide as was seen, and the curvature counts as so many draws more as there are of them.

        Notes
        -----
        With the field's own curvature one, that of all is [[I, c], [cᵀ, D]]: the others keep S = D - cᵀc.
        """
        rest = len(self.free)
        if not rest:
            return self
        ends = np.zeros((2, rest, self.size))
        ends[:, np.arange(rest), self.size - rest + np.arange(rest)] = [[-_STEP], [_STEP]]
        low, high = (gradient(end) for end in ends)
        columns = ((low - high) / (2 * _STEP)).T
        lean, own = columns[:-rest], (columns[-rest:] + columns[-rest:].T) / 2
        curved = np.maximum(np.abs(np.diag(own)), _LEAST_OTHER)
        values, vectors = np.linalg.eigh(own - lean.T @ lean)
        if values[0] < _FAR * curved.max():
            return replace(self, lean=np.zeros_like(lean), free=np.diag(curved**-0.5))
        free = (vectors / np.sqrt(np.maximum(np.abs(values), _LEAST_OTHER))).T
        if seen is not None:
            others = seen[:, np.argsort(self.order)[-rest:]]
            white = np.linalg.solve(free.T, (others - others.mean(axis=0)).T)
            wide = (white @ white.T + rest * np.eye(rest)) / (len(seen) + rest)
            free = np.linalg.cholesky(wide).T @ free
        return replace(self, lean=lean, free=free)

    def points(self, coordinates: Floats) -> Floats:
        """Points (…, size) from coordinates (…, size + m)."""
        return np.asarray(moved(coordinates, self.arrays, np)[0])

    def coordinates(self, points: Floats) -> Floats:
        """Coordinates (R, size + m) from points (R, size), with nothing along Q."""
        pieces = np.empty((len(points), len(self.order)))
        pieces[:, self.order] = points - self.centre
        found, first = [], 0

        def read(scale: Floats) -> Floats:
            nonlocal first
            first += scale.size
            return pieces[:, first - scale.size : first].reshape(-1, *scale.shape) / scale

        for part in self.parts:
            rows, width, _ = part["unroot"].shape
            shared = read(part["wide"])
            own = [basis @ read(scale) for basis, scale in part["inner"]]
            inner = np.concatenate(own, axis=2) + (shared @ part["gain"]).reshape(-1, rows, width)
            white = np.linalg.solve(part["unroot"].transpose(0, 2, 1), inner.transpose(1, 2, 0))
            found.append(np.linalg.solve(part["unborder"].T, shared.T).T)
            found.append(white.transpose(2, 0, 1).reshape(len(points), -1))
        others = pieces[:, first:]
        field = np.concatenate(found, axis=1) + others @ self.lean.T
        return np.concatenate([field, np.linalg.solve(self.free.T, others.T).T], axis=1)


def moved(w: Any, arrays: tuple[Any, ...], xp: ModuleType) -> tuple[Any, Any]:
    """Points of coordinates, and the log density of what is along Q; ``xp`` is NumPy or a module like it."""
    centre, order, parts, lean, free = arrays
    others = w[..., len(lean) :] @ free
    w = w[..., : len(lean)] - others @ lean.T
    pieces, aside, first = [], 0.0, 0
    for part in parts:
        wide, (rows, width, _) = len(part["wide"]), part["unroot"].shape
        white = w[..., first : first + wide + rows * width]
        first += wide + rows * width
        along = white @ part["held"]
        aside = aside - 0.5 * (along**2).sum(axis=-1)
        white = white - along @ part["held"].T
        shared = white[..., :wide] @ part["unborder"]
        own = white[..., wide:].reshape(*white.shape[:-1], rows, width)
        own = xp.einsum("...ja,jab->...jb", own, part["unroot"]) - (shared @ part["gain"]).reshape(own.shape)
        pieces.append(shared * part["wide"])
        start = 0
        for basis, scale in part["inner"]:
            block = basis.T @ own[..., start : start + scale.shape[1]] * scale
            pieces.append(block.reshape(*white.shape[:-1], -1))
            start += scale.shape[1]
    pieces.append(others)
    return centre + xp.concatenate(pieces, axis=-1)[..., order], aside


def arrowed(shape: Shape, centre: Floats, sd: Floats) -> Arrowed:
    """The coordinates whose curvature is one at a point; ``sd`` (S, B) are the scales there."""
    parts, places = [], []
    for step, tau in zip(shape.steps, sd, strict=True):
        grid, (wide, narrow) = step.grid, step.weight
        own_sd = tau[grid.inner_block]
        border_sd = np.where(grid.border_block < 0, 1.0, tau[np.maximum(grid.border_block, 0)])
        # What a coefficient in its own centring is, over what it is in units of the predictor.
        scale = border_sd ** (wide - 1)
        inner = [
            (basis, own_sd[columns] ** (weight - 1))
            for (columns, basis, _), weight in zip(step.inner, narrow, strict=True)
        ]
        found = [basis @ (centre[at] / by) for (_, basis, at), (_, by) in zip(step.inner, inner, strict=True)]
        eta = grid.predictor(centre[step.border] / scale, np.concatenate(found, axis=1))
        rate = np.exp(eta) if step.ratio else 1 / (1 + np.exp(-eta))
        changed = rate / step.rate if step.ratio else rate * (1 - rate) / (step.rate * (1 - step.rate))
        precision = np.where(grid.border_block < 0, step.precision, border_sd**-2.0)
        arrow = factor(grid, step.information * np.clip(changed, _LEAST, _MOST), precision, own_sd**-2.0)
        parts.append(_part(arrow, scale, tuple(inner)))
        places += [step.border, *(at.ravel() for _, _, at in step.inner)]
    places.append(shape.rest)
    rest, width = len(places[-1]), sum(len(part["held"]) for part in parts)
    order = np.argsort(np.concatenate(places))
    return Arrowed(centre, order, tuple(parts), np.zeros((width, rest)), np.eye(rest))


def _part(arrow: Arrow, wide: Floats, inner: tuple[tuple[Floats, Floats], ...]) -> Mapping[str, Any]:
    unborder = scipy.linalg.solve_triangular(arrow.border, np.eye(len(arrow.border)), lower=True)
    held = arrow.grid.constraints
    border = -(held.reshape(len(held), -1) @ arrow.gain.T) @ unborder.T
    own = np.einsum("jab,mjb->mja", arrow.unroot, held).reshape(len(held), -1)
    return {
        "unborder": unborder, "unroot": arrow.unroot, "gain": arrow.gain, "wide": wide, "inner": inner,
        "held": np.linalg.qr(np.concatenate([border, own], axis=1).T)[0],
    }  # fmt: skip
