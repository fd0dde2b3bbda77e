"""The sampler's density as a C function: its answers, its data, and draws that depend on the seed alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode

from attrition.estimation.engines.density import Density, make_density
from attrition.estimation.engines.nuts import _program, fit
from attrition.estimation.sections import EstimateSpec
from attrition.models.blueprint import Blueprint
from attrition.models.compile import CompiledModel, compile_model

from ..panels import bind, make_panel

PLACES = ("a", "b", "c", "d")
FREE = ("intercept", "spread", "z")


def _blueprint(counts: tuple[float, ...]) -> Blueprint:
    facts = [
        fact
        for place, n, y in zip(PLACES, (90.0, 140.0, 60.0, 200.0), counts, strict=True)
        for fact in (("referral", f"/{place}", "exact", n), ("investigation", f"/{place}", "exact", y))
    ]
    panel = make_panel(facts, jurisdictions=PLACES, stages=("referral", "investigation"))
    return bind(panel, ["intercept", "jurisdiction"])


def _density(compiled: CompiledModel) -> Density:
    return make_density(compiled, FREE)


def _interpreted(compiled: CompiledModel, density: Density, at: np.ndarray) -> float:
    """PyMC's own value at a joined point."""
    mode = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
    point = {name: values[0] for name, values in density.expand(at[None]).items() if name in FREE}
    return float(compiled.model.compile_logp(mode=mode)(point))


@pytest.fixture(scope="module")
def blueprint() -> Blueprint:
    return _blueprint((20.0, 31.0, 25.0, 44.0))


@pytest.fixture(scope="module")
def density(blueprint: Blueprint) -> Density:
    return _density(compile_model(blueprint))


def test_the_seed_alone_decides_the_draws(blueprint: Blueprint) -> None:
    compiled = compile_model(blueprint)
    settings = EstimateSpec(draws=60, tune=60, chains=3)
    first, again, other = (fit(compiled, settings, seed).posterior["intercept"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first[:, 0])) == 3


def test_where_a_chain_starts_does_not_depend_on_who_asked_before(density: Density) -> None:
    start = _program(density, None, 1).initial_point_func
    one, two = start(11), start(12)
    assert np.array_equal(start(12), two)
    assert np.array_equal(start(11), one)
    assert not np.array_equal(one, two)
    assert not np.array_equal(_program(density, None, 2).initial_point_func(11), one)
    assert (np.abs(one - density.start) <= 1).all()


def test_threads_get_the_answers_of_one(density: Density) -> None:
    points = density.start + np.random.default_rng(0).normal(0.0, 0.5, (400, density.size))
    alone = [density.value_and_gradient(point) for point in points]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(density.value_and_gradient, points))
    for (value, slope), (other, of_other) in zip(alone, together, strict=True):
        assert value == other
        assert np.array_equal(slope, of_other)


def test_every_view_of_a_point_is_read_alike(density: Density) -> None:
    point = density.start + 0.3 * np.arange(density.size)
    spread = np.zeros((density.size, 2))
    spread[:, 1] = point
    assert density.value_and_gradient(spread[:, 1])[0] == density.value_and_gradient(point)[0]


def test_a_point_of_another_length_is_refused(density: Density) -> None:
    with pytest.raises(ValueError, match=rf"takes \({density.size},\)"):
        density.value_and_gradient(np.zeros(density.size + 1))


def test_a_point_that_is_no_number_has_no_density(density: Density) -> None:
    value, _ = density.value_and_gradient(np.full(density.size, np.nan))
    assert not np.isfinite(value)


def test_other_scales_and_counts_are_data_of_the_same_code(blueprint: Blueprint, density: Density) -> None:
    scales = {"jurisdiction": np.array([0.7])}
    changed = (compile_model(blueprint, scales), compile_model(_blueprint((12.0, 40.0, 26.0, 80.0))))
    at = density.start + 0.3
    values = [density.value_and_gradient(at)[0]]
    for compiled in changed:
        other = _density(compiled)
        assert other.callback.code is density.callback.code
        values.append(other.value_and_gradient(at)[0])
        assert values[-1] == pytest.approx(_interpreted(compiled, other, at), rel=1e-12)
    assert len(set(values)) == 3
