"""Monte-Carlo error of draws from points: what it says against how far means of many such samples lie apart."""

import numpy as np
import pytest

from attrition.estimation.montecarlo import batch_errors, exchangeable

POINTS, EACH = 50, 8
SIZE = POINTS * EACH
NAMES = ["of the draw", "of the point", "of both", "counted"]


def sample(rng):
    """Draws (R, 4) of unit variance: each its own, all of a point alike, half of either, and a constant."""
    scale = np.repeat(rng.standard_normal(POINTS), EACH)
    own = rng.standard_normal(SIZE)
    values = np.stack([own, scale, (own + scale) / np.sqrt(2), np.ones(SIZE)], axis=1)
    order = rng.permutation(SIZE)
    return values[order], scale[order, None, None], np.repeat(np.arange(POINTS), EACH)[order, None]


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(1)
    return [sample(rng) for _ in range(400)]


def test_errors_are_those_of_repeated_samples(many):
    apart = np.array([values[:, :3].mean(axis=0) for values, _, _ in many]).std(axis=0)
    by_batches = np.array([batch_errors(values, points) for values, _, points in many])
    # The error of a standard deviation of 400 is 3.5 %.
    np.testing.assert_allclose(np.sqrt((by_batches**2).mean(axis=0)), apart, rtol=0.12)
    np.testing.assert_allclose(apart, np.sqrt([1 / SIZE, 1 / POINTS, (1 / SIZE + 1 / POINTS) / 2]), rtol=0.12)


def test_the_least_effective_number(many):
    found = [exchangeable(values, NAMES, scales, [POINTS]) for values, scales, _ in many[:20]]
    assert {one.ess_at for one in found} == {"of the point"}
    assert {one.quantities for one in found} == {3}
    np.testing.assert_allclose([one.ess for one in found], POINTS, rtol=1e-6)
    values, scales, _ = many[0]
    # Half the variance follows the scales, give or take what 400 draws leave open.
    both = exchangeable(values[:, 2:3], ["both"], scales, [POINTS]).ess
    assert both == pytest.approx(1 / (0.5 / SIZE + 0.5 / POINTS), rel=0.2)
    assert exchangeable(values[:, :1], ["own"], scales, [POINTS]).ess > 0.9 * SIZE


def test_a_step_whose_points_say_nothing_costs_nothing(many):
    values, scales, points = many[0]
    other = np.random.default_rng(2).standard_normal((SIZE, 1, 1))
    one, two = (
        exchangeable(values[:, 1:2], ["q"], x, k).ess
        for x, k in ((scales, [POINTS]), (np.concatenate([scales, other], axis=1), [POINTS, POINTS]))
    )
    assert two == pytest.approx(one, rel=0.02)
    assert batch_errors(values, points).shape == (3,)
