"""In which coordinates a density is sampled: those in which its curvature, where the chains have arrived, is one.

A device multiplies by a full matrix in the time it takes to read it. That costs a few gradients; in coordinates that
only have their own scales a posterior whose effects lean on one another costs hundreds of steps a draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Density = Callable[[Any, Any], Any]
_SIGNS, _STEP = 32, 1e-4
# Matrices of this many bytes that are in memory at once while one is inverted.
_COPIES = 6
_HOST = 2 * 2**30
# Added to the diagonal where a matrix is not positive definite; in our coordinates a prior's curvature is about one.
_SHIFTS = (0.0, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Whitened:
    """Coordinates w of points x = centre + w · root.

    Parameters
    ----------
    centre : (size,)
    root, inverse : (size, size)
        L⁻¹ and L, where L Lᵀ is the curvature at the centre.
    """

    centre: Any
    root: Any
    inverse: Any

    def coordinates(self, points: Any) -> Any:
        """Of points (chains, size)."""
        return (points - self.centre) @ self.inverse

    def points(self, coordinates: Any) -> Any:
        """From coordinates (…, size)."""
        return self.centre + coordinates @ self.root


def density_of(density: Density) -> Density:
    """The density of the coordinates; its data are those of ``density`` behind centre and root.

    The determinant of a linear map is a constant, which no sampler needs.
    """

    def whitened(coordinates: Any, data: Any) -> Any:
        centre, root, rest = data
        return density(centre + coordinates @ root, rest)

    return whitened


def room_for(size: int) -> bool:
    """Do matrices of all coordinates fit the device?"""
    told = jax.devices()[0].memory_stats() or {}
    return _COPIES * 8 * size**2 <= told.get("bytes_limit", _HOST)


def whiten(density: Density, data: Any, centre: Floats) -> Whitened | None:
    """Coordinates of unit curvature at a point, which should be one that a chain has come to; None if there are none.

    Notes
    -----
    Given the scales a field's density is log-concave, whatever was counted. In the scales it need not be, and there
    a point of the typical set serves better than a mode: at the mode of a hierarchical model scales may be zero.
    """
    found = _curvature(density, data, jnp.asarray(centre))
    for shift in _SHIFTS:
        inverse = jnp.linalg.cholesky(found + shift * jnp.eye(len(centre)))
        if bool(jnp.isfinite(inverse).all()):
            root = jax.scipy.linalg.solve_triangular(inverse, jnp.eye(len(centre)), lower=True)
            return Whitened(jnp.asarray(centre), root, inverse)
    return None


def _curvature(density: Density, data: Any, centre: Any) -> Any:
    """Minus the Hessian at a point, (size, size), by differences of gradients."""
    product, size = _products(density, centre), len(centre)
    some = [product(_units(first, size), data) for first in range(0, size, _SIGNS)]
    found = jnp.concatenate(some)[:size]
    return (found + found.T) / 2


def _units(first: int, size: int) -> Any:
    """Unit vectors of some coordinates, (32, size)."""
    return jax.nn.one_hot(first + jnp.arange(_SIGNS), size, dtype=float)


def _products(density: Density, centre: Any) -> Callable[[Any, Any], Any]:
    """From vectors v (n, size) to H v, H minus the Hessian at a point."""
    slope = jax.vmap(jax.grad(density), in_axes=(0, None))

    @jax.jit
    def products(vectors: Any, data: Any) -> Any:
        ends = jnp.concatenate([centre - _STEP * vectors, centre + _STEP * vectors])
        low, high = jnp.split(slope(ends, data), 2)
        return (low - high) / (2 * _STEP)

    return products


def variances(density: Density, data: Any, start: Floats, seed: int) -> Floats:
    """Where a diagonal metric begins: one over the curvature of each coordinate at the start, (size,).

    The diagonal of a matrix is the mean of v ⊙ Hv over random signs v (Bekas, Kokiopoulou and Saad 2007). In our
    coordinates the prior's own curvature is about one: less is noise.
    """
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (_SIGNS, len(start)))
    products = _products(density, jnp.asarray(start))
    found = np.mean([np.asarray(sign * products(sign[None], data)[0]) for sign in signs], axis=0)
    return np.asarray(1.0 / np.maximum(np.where(np.isfinite(found), found, 1.0), 1.0))
