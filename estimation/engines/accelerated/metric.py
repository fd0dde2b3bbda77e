"""In which coordinates a density is sampled: those in which its curvature, where the chains have arrived, is one.

In coordinates that only have scales of their own, effects that lean on one another cost many times the steps. The whole
curvature is taken of a few thousand coordinates at most: the product with its factor is then small beside a gradient.
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
# Coordinates of which a matrix is still small.
_FEW = 4000
# The least curvature of any direction: in our coordinates it is that of the prior.
_LEAST = 1.0


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
        return (jnp.asarray(points) - self.centre) @ self.inverse

    def back(self, coordinates: Any) -> Any:
        """Points from coordinates (…, size)."""
        return self.centre + coordinates @ self.root


def density_of(density: Density) -> Density:
    """The density of the coordinates; its data are those of ``density`` behind the map's own.

    The determinant of a linear map is a constant, which no sampler needs.
    """

    def whitened(coordinates: Any, data: Any) -> Any:
        centre, root, rest = data
        return density(centre + coordinates @ root, rest)

    return whitened


def whiten(density: Density, data: Any, centre: Floats) -> Whitened | None:
    """Coordinates of unit curvature at a point to which a chain has come; None of more than a few thousand.

    Notes
    -----
    Given the scales a field's density is log-concave, whatever was counted. In the scales it need not be, and there
    a point of the typical set serves better than a mode: at the mode of a hierarchical model scales may be zero.
    """
    size = len(centre)
    if size > _FEW:
        return None
    values, vectors = jnp.linalg.eigh(_curvature(density, data, jnp.asarray(centre)))
    inverse = jnp.linalg.cholesky((vectors * jnp.maximum(values, _LEAST)) @ vectors.T)
    root = jax.scipy.linalg.solve_triangular(inverse, jnp.eye(size), lower=True)
    return Whitened(jnp.asarray(centre), root, inverse)


def _curvature(density: Density, data: Any, centre: Any) -> Any:
    """Minus the Hessian at a point, (size, size)."""
    products, size = _products(density, centre), len(centre)
    units = jax.jit(lambda first: jax.nn.one_hot(first + jnp.arange(_SIGNS), size, dtype=centre.dtype))
    found = jnp.concatenate([products(units(first), data) for first in range(0, size, _SIGNS)])[:size]
    return (found + found.T) / 2


def _products(density: Density, centre: Any) -> Callable[[Any, Any], Any]:
    """From vectors v (n, size) to H v, H minus the Hessian at a point, by differences of gradients."""
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
    found = (signs * np.asarray(_products(density, jnp.asarray(start))(signs, data))).mean(axis=0)
    return np.asarray(1.0 / np.maximum(np.where(np.isfinite(found), found, 1.0), 1.0))
