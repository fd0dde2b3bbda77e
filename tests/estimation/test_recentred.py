"""A model centred anew is the same model."""

from __future__ import annotations

import numpy as np

from attrition.estimation.engines.density import make_density
from attrition.estimation.engines.drawn import scales, variables
from attrition.estimation.engines.recentred import carried, low_scales, recentred

from .test_arrowed import compiled_field


def test_effects_stay_and_the_density_changes_by_the_determinant() -> None:
    """At points carried over: the same effects, and log densities apart by Σ (w - w') log sd of all coefficients."""
    before = compiled_field()
    names = (*variables(before), *(f"effect_{name}" for name in before.blocks))
    one = make_density(before, names)
    points = one.start + np.random.default_rng(1).normal(0.0, 0.5, (5, one.size))
    draws = one.expand(points)
    scale = scales(before, draws)
    after = recentred(before, scale)
    assert before.cautious
    assert not after.cautious
    two = make_density(after, names)
    assert two.places == one.places
    sd = np.stack([draws[f"sd_{name}"] for name in before.blocks], axis=-1)
    for place, point in enumerate(points):
        there = point.copy()
        last = {name: values[place] for name, values in draws.items()}
        there[one.places["z"]] = carried(
            point[one.places["z"]], before, after, {name: values[place] for name, values in scale.items()}
        )
        moved = two.expand(there[None])
        for name in before.blocks:
            np.testing.assert_allclose(moved[f"effect_{name}"][0], last[f"effect_{name}"], rtol=1e-9)
        determinant = sum(
            ((old - new).reshape(len(old), -1).sum(axis=1) * np.log(sd[place, :, number])).sum()
            for number, (old, new) in enumerate(zip(before.weights, after.weights, strict=True))
        )
        apart = two.value_and_gradient(there)[0] - one.value_and_gradient(point)[0]
        assert abs(determinant) > 1
        np.testing.assert_allclose(apart, determinant, rtol=1e-8)


def test_scales_to_centre_by_are_low_ones() -> None:
    found = low_scales({"time": np.linspace(0.0, 1.0, 101)[:, None] * [1.0, 2.0]})
    np.testing.assert_allclose(found["time"], [0.25, 0.5])
