"""The sampler's coordinates: a linear map to where the curvature is one, and the C function that goes through it."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.estimation.engines import nuts
from attrition.estimation.engines.density import Density, _caller, make_density
from attrition.estimation.engines.whitened import through, whiten
from attrition.estimation.sections import EstimateSpec
from attrition.models.compile import CompiledModel, compile_model

from ..panels import bind, make_panel

PLACES = ("a", "b", "c", "d", "e")


@pytest.fixture(scope="module")
def compiled() -> CompiledModel:
    """Two steps that have nothing in common but the place."""
    counts = zip((90, 140, 60, 200, 75), (20, 31, 25, 44, 9), (8, 11, 12, 15, 2), strict=True)
    facts = [
        (stage, f"/{place}", "exact", count)
        for place, told in zip(PLACES, counts, strict=True)
        for stage, count in zip(("referral", "investigation", "arrest"), told, strict=True)
    ]
    panel = make_panel(facts, jurisdictions=PLACES, stages=("referral", "investigation", "arrest"))
    return compile_model(bind(panel, ["intercept", "jurisdiction"]))


@pytest.fixture(scope="module")
def density(compiled: CompiledModel) -> Density:
    return make_density(compiled, ("intercept",))


def quadratic(curvature: np.ndarray):
    return lambda x: (-0.5 * float(x @ curvature @ x), -curvature @ x)


def test_curvature_becomes_one_block_by_block() -> None:
    """What does not lean on one another stands in blocks of its own, however the coordinates are ordered."""
    rng = np.random.default_rng(1)
    order, curvature = rng.permutation(9), np.zeros((9, 9))
    for at in (order[:4], order[4:]):
        root = rng.normal(size=(len(at), len(at))) * np.geomspace(1, 100, len(at))
        curvature[np.ix_(at, at)] = root @ root.T + 2 * np.eye(len(at))
    centre = rng.normal(size=9)
    made = whiten(quadratic(curvature), centre)
    assert made is not None
    assert sorted(np.diff(made.starts)) == [4, 5]
    moves = made.points(np.eye(9)) - centre
    np.testing.assert_allclose(moves @ curvature @ moves.T, np.eye(9), atol=1e-6)
    np.testing.assert_allclose(moves, made.root, atol=1e-12)
    points = rng.normal(size=(3, 9))
    np.testing.assert_allclose(made.points(made.coordinates(points)), points, atol=1e-9)


def test_no_direction_is_flatter_than_the_prior() -> None:
    """A density that is not log-concave there, too."""
    made = whiten(quadratic(np.diag([-3.0, 9.0])), np.zeros(2))
    assert made is not None
    np.testing.assert_allclose(abs(made.points(np.eye(2))), np.diag([1.0, 1 / 3]), atol=1e-6)


def test_where_the_gradient_ends_there_is_no_map() -> None:
    assert whiten(lambda x: (0.0, np.full(2, np.nan)), np.zeros(2)) is None


def test_the_function_of_the_coordinates_is_that_of_the_points(density: Density) -> None:
    """Its value is the density's own; its gradient the transposed map of the density's."""
    made = whiten(density.value_and_gradient, density.start)
    assert made is not None
    called = _caller(through(density.callback, made), density.size)
    for w in np.random.default_rng(2).normal(size=(5, density.size)):
        value, slope = called(w)
        (point,) = made.points(w[None])
        expected, of_point = density.value_and_gradient(point)
        assert value == pytest.approx(expected, rel=1e-12)
        moves = made.points(np.eye(density.size)) - made.centre
        np.testing.assert_allclose(slope, moves @ of_point, rtol=1e-9, atol=1e-9)


def test_a_bad_point_is_told_through_the_map(density: Density) -> None:
    made = whiten(density.value_and_gradient, density.start)
    assert made is not None
    value, _ = _caller(through(density.callback, made), density.size)(np.full(density.size, np.inf))
    assert not np.isfinite(value)


def test_both_ways_have_one_posterior(compiled: CompiledModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means and spreads within five Monte-Carlo errors of a thousand effective draws."""
    settings = EstimateSpec(draws=1000, tune=400, chains=2)
    found = []
    for fewest in (1, 10**6):
        monkeypatch.setattr(nuts, "_FEWEST", fewest)
        posterior = nuts.fit(compiled, settings, 1).posterior
        found.append(
            np.concatenate(
                [posterior[name].to_numpy().reshape(2000, -1) for name in ("intercept", "total_spread")],
                axis=1,
            )
        )
    one, two = found
    assert (abs(one.mean(0) - two.mean(0)) < 5 * two.std(0) / np.sqrt(500)).all()
    assert (abs(np.log(one.std(0) / two.std(0))) < 5 / np.sqrt(2 * 500)).all()
    assert not np.array_equal(one, two)
