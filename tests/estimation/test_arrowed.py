"""A field's coordinates of unit curvature, against the density's own curvature."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.linalg import block_diag

from attrition.estimation.engines.arrowed import Arrowed, arrowed, moved
from attrition.estimation.engines.density import Density, join, make_density
from attrition.estimation.engines.shape import shape_of
from attrition.models.blueprint import Blueprint
from attrition.models.compile import CompiledModel, compile_model

from ..panels import bind, make_panel

OFFENSES, PLACES, PERIODS = ("a", "b"), tuple("ABCDEF"), ("2021", "2022", "2023")
RATIO = (("referral", "report"), ("investigation", "report"), ("arrest", "person"))
EFFECTS = ["intercept", "offense", "jurisdiction", "offense_jurisdiction", "time"]


def _blueprint(effects: list[str], units: dict[str, str] | None = None) -> Blueprint:
    rng = np.random.default_rng(3)
    facts: list[Any] = []
    for offense in OFFENSES:
        for place in PLACES:
            for period in PERIODS:
                referred = int(rng.integers(20, 400))
                node = f"{offense}/{place}/{period}"
                facts += [
                    ("referral", node, "exact", referred),
                    ("investigation", node, "exact", int(rng.binomial(referred, 0.3))),
                    ("arrest", node, "exact", int(rng.binomial(referred, 0.1))),
                ]
    return bind(make_panel(facts, OFFENSES, PLACES, PERIODS, units=units), effects)


def held_aside(known: Arrowed) -> Any:
    """Q of all steps, (size, m): the directions in which no point moves."""
    pieces = [part["held"] for part in known.parts]
    rest = known.size - sum(len(piece) for piece in pieces)
    return block_diag(*pieces, np.zeros((rest, 0)))


def _gradient(density: Density, known: Arrowed) -> Callable[[Any], Any]:
    """Gradients of the density of the coordinates, by the chain rule."""
    slopes = known.points(np.eye(known.size)) - known.centre
    held = held_aside(known)

    def gradient(coordinates: Any) -> Any:
        each = [density.value_and_gradient(point)[1] for point in known.points(coordinates)]
        return np.array(each) @ slopes.T - coordinates @ held @ held.T

    return gradient


@cache
def compiled_field(units: tuple[tuple[str, str], ...] = ()) -> CompiledModel:
    """Exact counts, or ratios where units of counts are given."""
    return compile_model(_blueprint(EFFECTS, dict(units) or None))


@cache
def _typical(units: tuple[tuple[str, str], ...] = ()) -> tuple[Density, Arrowed, Any]:
    """Density, map, and a point near the mode, by Newton's steps in the field and none in the scales."""
    compiled = compiled_field(units)
    joined = join(compiled)
    names = tuple(f"sd_{name}" for name in compiled.blocks)
    density, shape = make_density(compiled, names), shape_of(compiled, joined.sizes)
    assert shape is not None
    point = shape.pooled(density.start)
    sd = np.stack([value[0] for value in density.expand(point[None]).values()], axis=1)
    for _ in range(8):
        known = arrowed(shape, point, sd)
        slope = _gradient(density, known)(np.zeros((1, known.size)))[0]
        slope[known.size - len(shape.rest) :] = 0.0
        point = known.points(slope)
    return density, arrowed(shape, point, sd), point


@pytest.mark.parametrize("units", [(), RATIO])
def test_curvature_is_one(units: tuple[tuple[str, str], ...]) -> None:
    """In the field, of exact counts; of ratios the diagonal is near it, since their curvature is taken as expected."""
    density, known, point = _typical(units)
    gradient = _gradient(density, known)
    step = 1e-4 * np.eye(known.size)
    at = known.coordinates(point[None])
    curvature = (gradient(at - step) - gradient(at + step)) / 2e-4
    width = len(known.lean)
    if not units:
        np.testing.assert_allclose(curvature[:width, :width], np.eye(width), atol=2e-3)
    else:
        assert np.abs(np.log(np.diag(curvature)[:width])).max() < np.log(3)


def test_others_are_leaned_on() -> None:
    """With the scales' own coordinates the whole curvature is one, where none of its directions is nearly flat."""
    density, known, _ = _typical()
    leaned = known.leaned(_gradient(density, known))
    gradient = _gradient(density, leaned)
    step = 1e-4 * np.eye(leaned.size)
    curvature = (gradient(-step) - gradient(step)) / 2e-4
    width = len(leaned.lean)
    np.testing.assert_allclose(curvature[:width, :width], np.eye(width), atol=0.02)
    assert leaned.lean.any()
    np.testing.assert_allclose(curvature[:width, width:], 0.0, atol=0.02)
    assert (np.diag(curvature)[width:] < 1.02).all()


def test_there_and_back() -> None:
    """Coordinates of points are those that give them; there is one more for each constraint."""
    _, known, point = _typical()
    points = point + np.random.default_rng(1).normal(size=(3, len(point)))
    coordinates = known.coordinates(points)
    np.testing.assert_allclose(known.points(coordinates), points, atol=1e-10)
    # One sum of the places is zero, and one for the contrast of two offenses; of two steps.
    assert known.size == len(point) + 2 * 2
    np.testing.assert_allclose(moved(coordinates, known.arrays, np)[1], 0.0, atol=1e-10)


@pytest.mark.parametrize("effects", [["intercept", "offense"], [*EFFECTS, "cell"]])
def test_what_is_no_arrow(effects: list[str]) -> None:
    """A field that tells no places apart, and one with an effect of each cell."""
    compiled = compile_model(_blueprint(effects))
    joined = join(compiled)
    assert shape_of(compiled, joined.sizes) is None
