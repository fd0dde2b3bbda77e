"""In which coordinates a density is sampled: those in which its curvature, where the chains have arrived, is one.

In coordinates that only have scales of their own, effects that lean on one another cost hundreds of steps a draw. The
curvature of a field is nearly an arrow: effects of one place lean on one another and on what all places share, hardly
on those of another place. The factor of an arrow costs little beside a gradient; that of the whole matrix would have
to be read from memory twice a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ....models.blueprint import Blueprint

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Density = Callable[[Any, Any], Any]
PLACE, SHARED, ALONE = "jurisdiction", -1, -2
_SIGNS, _STEP = 32, 1e-4
# Coordinates of which a full matrix is still small; sets of signs that tell places apart.
_MOST, _SETS = 4000, 4
# The least curvature of any direction, as a part of what its coordinates have each by itself.
_LEAST = 0.02


def places_of(blueprint: Blueprint, sizes: dict[str, int]) -> Ints:
    """Which jurisdiction each coordinate of the sampler belongs to, by number of its coefficient.

    Parameters
    ----------
    blueprint : Blueprint
    sizes : mapping of str to int
        Number of coordinates of each variable, in the sampler's order; the field's coefficients are ``z``.

    Returns
    -------
    (size,) int
        ``SHARED`` for what all have in common, ``ALONE`` for effects of single cells.
    """
    layout, field = blueprint.layout, []
    for block in blueprint.blocks:
        if block.cellwise:
            field.append(np.full(layout.units, ALONE))
            continue
        free = tuple(basis.free for basis in block.bases)
        if PLACE not in block.axes:
            field.append(np.full(int(np.prod(free)), SHARED))
            continue
        field.append(np.indices(free)[block.axes.index(PLACE)].ravel())
    out = {name: np.full(size, SHARED) for name, size in sizes.items()}
    if "z" in out:
        out["z"] = np.tile(np.concatenate(field), layout.steps)
    return np.concatenate(list(out.values())).astype(np.int64)


@dataclass(frozen=True)
class Whitened:
    """Coordinates w of points x = centre + L⁻ᵀ w, with L Lᵀ an arrow near the curvature at the centre.

    Parameters
    ----------
    centre, scale : (size,)
        ``scale`` is that of coordinates that stand alone.
    shared : (m,) int
    slots : (places, k) int
        Coordinates of each place, ``size`` where it has fewer.
    point, root : (m, m)
        The factor of what is shared given all places, and its inverse.
    points, roots : (places, k, k)
        Factors of the places' own curvature, and their inverses.
    leaning : (places, k, m)
        L⁻¹ of each place times its block with what is shared.
    """

    centre: Any
    scale: Any
    shared: Any
    slots: Any
    point: Any
    root: Any
    points: Any
    roots: Any
    leaning: Any

    @property
    def data(self) -> tuple[Any, ...]:
        """What ``density_of`` reads."""
        return self.centre, self.scale, self.shared, self.slots, self.root, self.roots, self.leaning

    def coordinates(self, points: Any) -> Any:
        """Of points (chains, size)."""
        away = jnp.asarray(points) - self.centre
        common, own = away[:, self.shared], _own(away, self.slots)
        out = (away / self.scale).at[:, self.shared].set(common @ self.point)
        own = jnp.einsum("gab,cga->cgb", self.points, own) + jnp.einsum("gas,cs->cga", self.leaning, common)
        return out.at[:, self.slots].set(own, mode="drop")

    def back(self, coordinates: Any) -> Any:
        """Points from coordinates (…, size)."""
        flat = coordinates.reshape(-1, coordinates.shape[-1])
        return jax.vmap(lambda one: _point(one, *self.data))(flat).reshape(coordinates.shape)


def _own(values: Any, slots: Any) -> Any:
    """Values (…, size) of each place, (…, places, k); 0 where it has fewer."""
    return values.at[..., slots].get(mode="fill", fill_value=0.0)


def _point(
    w: Any, centre: Any, scale: Any, shared: Any, slots: Any, root: Any, roots: Any, leaning: Any
) -> Any:
    common = w[shared] @ root
    own = jnp.einsum("gab,ga->gb", roots, _own(w, slots) - leaning @ common)
    away = (w * scale).at[shared].set(common, unique_indices=True).at[slots].set(own, mode="drop")
    return centre + away


def density_of(density: Density) -> Density:
    """The density of the coordinates; its data are those of ``density`` behind the map's own.

    The determinant of a linear map is a constant, which no sampler needs.
    """

    def whitened(w: Any, data: Any) -> Any:
        own, rest = data
        return density(_point(w, *own), rest)

    return whitened


def whiten(density: Density, data: Any, centre: Floats, places: Ints, seed: int) -> Whitened | None:
    """Coordinates of nearly unit curvature at a point to which a chain has come; None where too much is shared.

    Of few coordinates the whole curvature is taken.

    Parameters
    ----------
    density : callable
    data : tuple of array
    centre : (size,)
    places : (size,) int
        See ``places_of``.
    seed : int
        Of the signs by which the places are told apart.

    Notes
    -----
    Given the scales a field's density is log-concave, whatever was counted. In the scales it need not be, and there
    a point of the typical set serves better than a mode: at the mode of a hierarchical model scales may be zero.
    Coordinates of one place stand in one group; in a vector of random signs by place the products of all places are
    found at once, and what places have in common with one another is noise that averages out.
    """
    places = np.full_like(places, SHARED) if len(places) <= _MOST else places
    shared = np.flatnonzero(places == SHARED)
    if len(shared) > _MOST:
        return None
    size, products = len(centre), _products(density, jnp.asarray(centre))
    slots = _slots(places)
    columns = _applied(products, data, [(shared[k : k + 1], np.ones(1)) for k in range(len(shared))], size)
    stream = np.random.default_rng(seed)
    own = np.zeros((*slots.shape, slots.shape[1]))
    for _ in range(_SETS):
        signs = np.asarray(stream.choice([-1.0, 1.0], len(slots)), dtype=float)
        kept = [(slots[:, k], signs) for k in range(slots.shape[1])]
        for k, found in enumerate(_applied(products, data, kept, size)):
            own[:, :, k] += signs[:, None] * np.append(found, 0.0)[slots] / _SETS
    own = own + np.eye(slots.shape[1]) * (slots == size)[:, :, None]
    point, points = (
        _safe((columns[:, shared] + columns[:, shared].T) / 2),
        _safe((own + np.swapaxes(own, 1, 2)) / 2),
    )
    roots = np.linalg.inv(points)
    border = np.append(columns, np.zeros((len(columns), 1)), axis=1)[:, slots]
    leaning = np.einsum("gab,sgb->gas", roots, border)
    # What is left of the shared curvature where the places give way, in units of that curvature.
    flat = leaning.reshape(-1, len(shared))
    through = np.linalg.solve(point, flat.T @ flat)
    left = np.eye(len(shared)) - np.linalg.solve(point, through.T)
    values, vectors = np.linalg.eigh((left + left.T) / 2)
    point = np.linalg.cholesky(point @ ((vectors * np.maximum(values, _LEAST)) @ vectors.T) @ point.T)
    scale = np.sqrt(variances(density, data, centre, seed)) if (places == ALONE).any() else np.ones(size)
    arrays = (centre, scale, shared, slots, point, np.linalg.inv(point), points, roots, leaning)
    return Whitened(*(jnp.asarray(array) for array in arrays))


def _slots(places: Ints) -> Ints:
    """Coordinates of each place, (places, k), padded with the number of all coordinates."""
    found = [np.flatnonzero(places == one) for one in range(int(places.max(initial=-1)) + 1)]
    out = np.full((len(found), max(map(len, found), default=1)), len(places))
    for row, own in zip(out, found, strict=True):
        row[: len(own)] = own
    return out


def _safe(matrix: Floats) -> Floats:
    """Cholesky factors of symmetric matrices (…, n, n), of which no direction's curvature may be next to nothing."""
    scale = np.sqrt(np.maximum(np.einsum("...ii->...i", matrix), 1.0))
    values, vectors = np.linalg.eigh(matrix / (scale[..., :, None] * scale[..., None, :]))
    mended = (vectors * np.maximum(values, _LEAST)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.linalg.cholesky(scale[..., :, None] * mended * scale[..., None, :])


def _applied(
    products: Callable[[Any, Any], Any], data: Any, vectors: Sequence[tuple[Ints, Floats]], size: int
) -> Floats:
    """H v for vectors given by the places and values of their numbers, (n, size)."""
    out = np.empty((len(vectors), size))
    for first in range(0, len(vectors), _SIGNS):
        some = np.zeros((_SIGNS, size + 1))
        for row, (at, values) in zip(some, vectors[first : first + _SIGNS], strict=False):
            row[at] = values
        found = products(some[:, :size], data)
        out[first : first + _SIGNS] = np.asarray(found)[: len(vectors) - first]
    return out


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
