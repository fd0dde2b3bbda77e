"""The density through JAX is the sampler's own, for what has a form there and for what is called on the host."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np
import pytest

from attrition.data.errors import InputError
from attrition.estimation import extras
from attrition.estimation.engines.density import join, make_density
from attrition.estimation.engines.nuts import fit
from attrition.estimation.sections import EstimateSpec
from attrition.models.blueprint import Blueprint
from attrition.models.compile import CompiledModel, compile_model

from ..panels import Fact, bind, make_panel
from .test_arrowed import compiled_field, held_aside

jax = pytest.importorskip("jax", reason="attrition[gpu] is not installed")
accelerated = pytest.importorskip("attrition.estimation.engines.accelerated.density")

PLACES = ("A", "B", "C")
EFFECTS = ["intercept", "offense", "jurisdiction", "cell"]


def _panel(later: dict[str, list[Fact]], units: dict[str, str] | None = None) -> Blueprint:
    facts: list[Fact] = []
    for place, told in later.items():
        facts += [("referral", f"{o}/{place}", "exact", 30) for o in "ab"]
        facts += [(stage, f"{node}/{place}", *rest) for stage, node, *rest in told]
    panel = make_panel(facts, ("a", "b"), list(later), units=units)
    return bind(panel, EFFECTS)


def _exact_and_skipped() -> Blueprint:
    return _panel(
        {
            "A": [
                ("investigation", "a", "exact", 9),
                ("arrest", "a", "exact", 4),
                ("arrest", "b", "exact", 0),
            ],
            "B": [("arrest", "a", "exact", 3), ("investigation", "b", "exact", 11)],
            "C": [("investigation", "a", "exact", 30), ("arrest", "b", "exact", 5)],
        }
    )


def _totals_and_ranges() -> Blueprint:
    return _panel(
        {
            "A": [("investigation", "", "exact", 17)],
            "B": [("investigation", "a", "range", 3, 8), ("investigation", "b", "exact", 11)],
            "C": [("investigation", "", "at_least", 20)],
        }
    )


def _few_of_many() -> Blueprint:
    """Most cells silent: the field is gathered cell by cell, where else it is broadcast over the grid."""
    return _panel({"A": [("investigation", "a", "exact", 9)], "B": [], "C": []})


def _ratios() -> Blueprint:
    return _panel(
        {
            "A": [("investigation", "a", "exact", 9), ("arrest", "a", "exact", 14)],
            "B": [("investigation", "a", "exact", 9), ("arrest", "a", "range", 3, 8)],
            "C": [("arrest", "", "exact", 23)],
        },
        {"referral": "report", "investigation": "report", "arrest": "person"},
    )


@pytest.mark.parametrize("make", [_exact_and_skipped, _totals_and_ranges, _few_of_many, _ratios])
def test_one_density_and_one_gradient(make: Any) -> None:
    """To 1e-8 relative, at points of four chains evaluated side by side as the sampler does."""
    compiled = compile_model(make())
    joined = join(compiled)
    density, data = accelerated.make_log_density(*accelerated.with_arrays(joined))
    own = make_density(compiled, ("intercept",))
    points = own.start + np.random.default_rng(1).normal(0.0, 0.5, (4, own.size))
    both = jax.jit(jax.vmap(jax.value_and_grad(density), (0, None)))
    values, slopes = both(points, data)
    expected = [own.value_and_gradient(point) for point in points]
    np.testing.assert_allclose(values, [value for value, _ in expected], rtol=1e-8)
    np.testing.assert_allclose(slopes, [slope for _, slope in expected], rtol=1e-8, atol=1e-8)


def _one_rate() -> CompiledModel:
    panel = make_panel(
        [("referral", "/A", "exact", 400), ("investigation", "/A", "exact", 100)],
        jurisdictions=("A",),
        stages=("referral", "investigation"),
    )
    return compile_model(bind(panel, ["intercept"]))


@pytest.mark.slow
def test_draws_have_the_posterior_of_the_reference_engine() -> None:
    """One rate: both engines' means and spreads within five Monte-Carlo errors of some 300 effective draws."""
    compiled = _one_rate()
    settings = EstimateSpec(draws=300, tune=200, chains=4)
    done = extras.numpyro_sampler()(compiled, settings, 1, None, None)
    reference = fit(compiled, settings, 1)
    found, expected = (one.posterior["intercept"].to_numpy() for one in (done, reference))
    assert found.shape == (4, 300, 1)
    assert abs(found.mean() - expected.mean()) < 5 * expected.std() / np.sqrt(300)
    assert abs(np.log(found.std() / expected.std())) < 5 / np.sqrt(2 * 300)
    assert not done.sample_stats["diverging"].any()
    assert done.engine == "numpyro"


def test_coordinates_centred_anew_have_the_density_of_the_points() -> None:
    """Up to a constant: what is added to the density is the log determinant of the map, and what is along Q."""
    metric = importlib.import_module("attrition.estimation.engines.accelerated.metric")
    compiled = compiled_field()
    joined = join(compiled)
    field = metric.field_of(compiled, joined)
    rng = np.random.default_rng(1)
    points = field.shape.pooled(joined.start) + rng.normal(0.0, 0.3, (3, field.shape.size))
    known = field.at(points)
    np.testing.assert_allclose(known.points(known.coordinates(points)), points, rtol=1e-9)
    held = held_aside(known.linear)
    found = []
    for at in rng.normal(0.0, 1.0, (3, known.size)):
        point, added = field.move(at, known.arrays)
        np.testing.assert_allclose(point, known.points(at[None])[0], rtol=1e-9)
        slope = jax.jacobian(lambda w: field.move(w, known.arrays)[0])(at)
        determinant = np.linalg.slogdet(np.vstack([slope, held.T]))[1]
        found.append(determinant - (added + 0.5 * ((at @ held) ** 2).sum()))
    np.testing.assert_allclose(found, found[0], atol=1e-8)


@pytest.mark.slow
def test_a_field_sampled_through_its_arrow_has_the_posterior_of_the_reference_engine() -> None:
    """Two steps of 36 counts each: means of scales and coefficients within a fifth of an sd, spreads within a fifth."""
    compiled = compiled_field()
    settings = EstimateSpec(draws=500, tune=250, chains=4)
    done = extras.numpyro_sampler()(compiled, settings, 1, None, None)
    reference = fit(compiled, EstimateSpec(draws=1000, tune=500, chains=4), 1)
    assert done.sample_stats["n_steps"].mean() < 40
    for name in ("intercept", "sd_offense_jurisdiction", "effect_jurisdiction", "effect_time"):
        found, expected = (
            np.log(v) if name.startswith("sd") else v
            for v in (one.posterior[name].to_numpy() for one in (done, reference))
        )
        sd = expected.std(axis=(0, 1))
        assert (np.abs(found.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))) < 0.2 * sd).all(), name
        assert (np.abs(np.log(found.std(axis=(0, 1)) / sd)) < 0.2).all(), name


def test_without_the_extra_the_plan_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install."""
    for name in ("numpyro", "numpyro.infer.hmc"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in [
        name for name in sys.modules if name.startswith("attrition.estimation.engines.accelerated.fit")
    ]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InputError, match=r"attrition\[gpu\]"):
        extras.numpyro_sampler()


def test_a_gaussian_becomes_a_standard_one() -> None:
    """In the coordinates of its curvature."""
    metric = importlib.import_module("attrition.estimation.engines.accelerated.metric")
    rng, size = np.random.default_rng(1), 40
    root = rng.normal(size=(size, size))
    curvature = root @ root.T * np.geomspace(1, 100, size) * np.geomspace(1, 100, size)[:, None] + np.eye(
        size
    )

    def density(x: Any, data: Any) -> Any:
        return -0.5 * x @ data @ x

    maps = metric.Maps(density, curvature, None, 1)
    first = maps.first(np.zeros(size))
    made = maps.again(first, rng.normal(size=(2, 4, size)))
    assert made.move is first.move  # one program serves both
    inside = metric.moved_density(density, made.move)
    found = jax.hessian(lambda w: inside(w, (made.arrays, curvature)))(np.zeros(size))
    np.testing.assert_allclose(-found, np.eye(size), atol=1e-6)
