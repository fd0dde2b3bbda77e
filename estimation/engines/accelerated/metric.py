"""A density in the coordinates in which its curvature is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.pytensorf import join_nonshared_inputs
from pytensor.graph.fg import FunctionGraph
from pytensor.link.jax.dispatch import jax_funcify

from ....models.compile import CompiledModel
from ..arrowed import Arrowed, arrowed, moved
from ..density import Joined
from ..shape import Shape, shape_of
from ..whitened import MOST, Whitening, whiten
from .density import lifted_for_jax

Floats = NDArray[np.float64]
Density = Callable[[Any, Any], Any]
Move = Callable[[Any, Any], tuple[Any, Any]]
_SIGNS, _STEP = 32, 1e-4


@dataclass(frozen=True)
class Scaled:
    """Coordinates each on a scale of its own: points are ``centre + sd * w``."""

    centre: Floats
    sd: Floats

    @property
    def size(self) -> int:
        """Number of coordinates w."""
        return len(self.centre)

    def points(self, coordinates: Floats) -> Floats:
        """Points (…, size) from coordinates (…, size)."""
        return self.centre + self.sd * coordinates

    def coordinates(self, points: Floats) -> Floats:
        """Coordinates (…, size) from points (…, size)."""
        return (points - self.centre) / self.sd


@dataclass(frozen=True)
class Map:
    """Coordinates in which a density is easier to sample.

    Parameters
    ----------
    known : Whitening, Recentred or Scaled
        The same for NumPy.
    move : callable
        From coordinates and ``arrays`` to a point, and the log density of coordinates that no point has.
    arrays : tuple
    """

    known: Whitening | Recentred | Scaled
    move: Move
    arrays: tuple[Any, ...]

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.known.size


def moved_density(density: Density, move: Move) -> Density:
    """The density of coordinates; its data are those of ``density`` behind the map's arrays.

    The determinant of a linear map is a constant, which no sampler needs.
    """

    def moved(coordinates: Any, data: Any) -> Any:
        arrays, rest = data
        point, aside = move(coordinates, arrays)
        return density(point, rest) + aside

    return moved


@dataclass(frozen=True)
class Recentred:
    """The coordinates of an arrow whose coefficients are centred as the scales at one point ask for.

    Parameters
    ----------
    linear : Arrowed
        From coordinates to points in that centring.
    exponent, which
        As ``Shape.recentred`` gives them.
    log_sd : callable
        From points (R, size), of either centring, to the log standard deviations of all blocks, (R, S · B).
    """

    linear: Arrowed
    exponent: Floats
    which: NDArray[np.int64]
    log_sd: Callable[[Floats], Floats]

    @property
    def size(self) -> int:
        """Number of coordinates w."""
        return self.linear.size

    def points(self, coordinates: Floats) -> Floats:
        """Points (R, size) from coordinates (R, size + m)."""
        points = self.linear.points(coordinates)
        return np.asarray(points * np.exp(self.exponent * self.log_sd(points)[:, self.which]))

    def coordinates(self, points: Floats) -> Floats:
        """Coordinates (R, size + m) from points (R, size)."""
        return self.linear.coordinates(points * np.exp(-self.exponent * self.log_sd(points)[:, self.which]))

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What ``Field.move`` takes."""
        return self.linear.arrays, self.exponent, self.which


@dataclass(frozen=True)
class Field:
    """What the maps of a field are made from.

    Parameters
    ----------
    shape : Shape
    graph : FunctionGraph
        From a point, and ``arrays``, to the log standard deviation of each block, (S,).
    arrays : tuple of array
    """

    shape: Shape
    graph: FunctionGraph
    arrays: tuple[NDArray[Any], ...]

    @cached_property
    def _scales(self) -> Callable[[Any], Any]:
        program = jax_funcify(self.graph)
        return lambda point: jax.numpy.stack(program(point, *self.arrays), axis=1).ravel()

    @cached_property
    def log_sd(self) -> Callable[[Floats], Floats]:
        """See ``Recentred``."""
        program = jax.jit(jax.vmap(self._scales))
        return lambda points: np.asarray(program(points))

    def move(self, w: Any, arrays: tuple[Any, ...]) -> tuple[Any, Any]:
        """What ``Recentred.points`` does, for JAX, and the log density of coordinates that no point has."""
        linear, exponent, which = arrays
        point, aside = moved(w, linear, jax.numpy)
        shift = exponent * self._scales(point)[which]
        return point * jax.numpy.exp(shift), aside + shift.sum()

    def at(self, points: Floats) -> Recentred:
        """The map at the mean of some points, (R, size), in the centring that their scales ask for."""
        scales = self.log_sd(points)
        sd = np.exp(scales.mean(axis=0)).reshape(len(self.shape.steps), -1)
        shape, exponent, which = self.shape.recentred(sd)
        centre = (points * np.exp(-exponent * scales[:, which])).mean(axis=0)
        return Recentred(arrowed(shape, centre, sd), exponent, which, self.log_sd)


def field_of(compiled: CompiledModel, joined: Joined) -> Field | None:
    """The field of a compiled model, None where it has not the shape of an arrow."""
    shape = shape_of(compiled, joined.sizes)
    if shape is None:
        return None
    # A block whose scale is given has a covariate, and no such shape.
    scales = [pt.log(joined.model[f"sd_{block.name}"]) for block in compiled.blueprint.blocks]
    outputs = joined.model.replace_rvs_by_values(scales)
    outputs, x = join_nonshared_inputs(joined.point, outputs, joined.model.value_vars)
    return Field(shape, *lifted_for_jax(x, outputs))


class Maps:
    """The coordinates in which a density is sampled.

    Where the field is an arrow its curvature is taken from that, centred anew and leaning on the scales. Of another
    density with a few thousand coordinates at most the whole curvature is taken, at a place to which a chain has come;
    of a larger one the curvature of each. Every map of a density has one form, so that one program serves them all.

    Parameters
    ----------
    density, data
        As ``make_log_density`` gives them.
    field : Field or None
    seed : int
        For the signs that tell the diagonal of a curvature.
    """

    def __init__(self, density: Density, data: Any, field: Field | None, seed: int) -> None:
        self._density, self._data, self._field, self._seed = density, data, field, seed
        if field is not None:
            self._slopes = jax.jit(jax.vmap(jax.grad(moved_density(density, field.move)), in_axes=(0, None)))
        self._both = jax.jit(jax.value_and_grad(density))

    def first(self, start: Floats) -> Map:
        """The map at a central point, of which nothing is known."""
        if self._field is not None:
            return self._arrow(self._field, self._field.shape.pooled(start)[None])
        sd = np.sqrt(_variances(self._density, self._data, start, self._seed))
        if len(start) > MOST:
            return Map(Scaled(start, sd), _scale, (start, sd))
        at = np.arange(len(start) + 1)
        return self._straight(Whitening(start, at[:-1], at, sd))

    def again(self, current: Map, seen: Floats) -> Map:
        """The map where the chains have come to; ``seen`` (steps, chains, size) is their way there."""
        if isinstance(current.known, Recentred) and self._field is not None:
            late = seen[len(seen) // 2 :]
            return self._arrow(self._field, *(one.reshape(-1, one.shape[-1]) for one in (late, seen)))
        if isinstance(current.known, Scaled):
            return current
        found = whiten(self._value_and_gradient, seen[-1, 0])
        return current if found is None else self._straight(found)

    def _arrow(self, field: Field, points: Floats, seen: Floats | None = None) -> Map:
        plain = field.at(points)
        given = jax.device_put(plain.arrays), self._data
        known = replace(plain, linear=plain.linear.leaned(lambda w: np.asarray(self._slopes(w, given)), seen))
        return Map(known, field.move, jax.device_put(known.arrays))

    def _value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        value, slope = self._both(x, self._data)
        return float(value), np.asarray(slope)

    @staticmethod
    def _straight(known: Whitening) -> Map:
        return Map(known, _straight, (known.centre, known.root))


def _scale(w: Any, arrays: tuple[Any, ...]) -> tuple[Any, Any]:
    return arrays[0] + arrays[1] * w, 0.0


def _straight(w: Any, arrays: tuple[Any, ...]) -> tuple[Any, Any]:
    return arrays[0] + w @ arrays[1], 0.0


def _variances(density: Density, data: Any, start: Floats, seed: int) -> Floats:
    """One over the curvature of each coordinate at a point, (size,).

    The diagonal of a matrix is the mean of v ⊙ Hv over random signs v (Bekas, Kokiopoulou and Saad 2007). In our
    coordinates the prior's own curvature is about one: less is noise.
    """
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (_SIGNS, len(start)))
    slope = jax.jit(jax.vmap(jax.grad(density), in_axes=(0, None)))
    low, high = (np.asarray(slope(start + side * _STEP * signs, data)) for side in (-1.0, 1.0))
    found = (signs * (low - high)).mean(axis=0) / (2 * _STEP)
    return np.asarray(1.0 / np.maximum(np.where(np.isfinite(found), found, 1.0), 1.0))
