"""Where a metric begins, and a density in the coordinates in which its curvature is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from ..whitened import MOST, Whitening, whiten

Floats = NDArray[np.float64]
Density = Callable[[Any, Any], Any]
_SIGNS, _STEP = 32, 1e-4


def density_of(density: Density) -> Density:
    """The density of the coordinates; its data are those of ``density`` behind the map's own.

    The determinant of a linear map is a constant, which no sampler needs.
    """

    def whitened(coordinates: Any, data: Any) -> Any:
        centre, root, rest = data
        return density(centre + coordinates @ root, rest)

    return whitened


def whitening_of(density: Density, data: Any, centre: Floats) -> Whitening | None:
    """The map of ``whitened.whiten``, where there are a few thousand coordinates at most."""
    if len(centre) > MOST:
        return None
    both = jax.jit(jax.value_and_grad(density))

    def value_and_gradient(x: Floats) -> tuple[float, Floats]:
        value, slope = both(x, data)
        return float(value), np.asarray(slope)

    return whiten(value_and_gradient, centre)


def variances(density: Density, data: Any, start: Floats, seed: int) -> Floats:
    """Where a diagonal metric begins: one over the curvature of each coordinate at the start, (size,).

    The diagonal of a matrix is the mean of v ⊙ Hv over random signs v (Bekas, Kokiopoulou and Saad 2007). In our
    coordinates the prior's own curvature is about one: less is noise.
    """
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (_SIGNS, len(start)))
    slope = jax.jit(jax.vmap(jax.grad(density), in_axes=(0, None)))
    low, high = (np.asarray(slope(start + side * _STEP * signs, data)) for side in (-1.0, 1.0))
    found = (signs * (low - high)).mean(axis=0) / (2 * _STEP)
    return np.asarray(1.0 / np.maximum(np.where(np.isfinite(found), found, 1.0), 1.0))
