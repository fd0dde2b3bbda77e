"""The count with its effect integrated out, against a fine grid; and draws of the effect against its moments."""

import numpy as np
import pytest

from attrition.estimation.engines.laplace.cells import TRAPEZOIDS, effect_mode, higher, integrated
from attrition.estimation.engines.laplace.effects import draw_effects
from attrition.estimation.engines.laplace.point import FEW_NODES, NODES, SMALL

CASES = [(n, y, tau) for n in (1, 7, 200, 5000) for y in (0, 1, n // 3, n) for tau in (0.15, 0.8, 2.0, 10.0)]


def grid(eta, y, n, tau):
    """Log integral on 20,001 points about the mode, and mean and variance of the effect."""
    middle, curvature = effect_mode(eta, y, n, tau, 0.0)
    # The concave logarithm falls at least as fast as the effect's own law, and no faster than at the mode's curvature.
    reach = min(12 * tau, 40 / np.sqrt(curvature))
    e = middle + np.linspace(-reach, reach, 20001)
    x = eta + e
    log = y * x - n * np.logaddexp(0, x) - 0.5 * (e / tau) ** 2 - np.log(tau) - 0.5 * np.log(2 * np.pi)
    weight = np.exp(log - log.max())
    total = np.log(weight.sum() * (e[1] - e[0])) + log.max()
    weight /= weight.sum()
    mean = (weight * e).sum()
    return total, mean, (weight * (e - mean) ** 2).sum()


def value(eta, y, n, tau, nodes=TRAPEZOIDS):
    one = [np.array([float(x)]) for x in (eta, y, n)]
    return integrated(*one, tau, np.zeros(1), nodes)


def above(eta, y, n, tau, nodes=TRAPEZOIDS):
    one = [np.array([float(x)]) for x in (eta, y, n)]
    return higher(*one, tau, np.zeros(1), nodes)


@pytest.mark.parametrize(("n", "y", "tau"), CASES)
@pytest.mark.parametrize("eta", [-4.0, 0.3])
def test_integral(n, y, tau, eta):
    assert value(eta, y, n, tau).value[0] == pytest.approx(grid(eta, y, n, tau)[0], abs=1e-8)


@pytest.mark.parametrize(("n", "y", "tau"), [case for case in CASES if case[2] <= SMALL])
@pytest.mark.parametrize(("nodes", "close"), [(FEW_NODES, 3e-4), (NODES, 1e-6)])
def test_nodes_where_the_effect_is_small(n, y, tau, nodes, close):
    assert value(-1.3, y, n, tau, nodes).value[0] == pytest.approx(grid(-1.3, y, n, tau)[0], abs=close)


@pytest.mark.parametrize(("n", "y", "tau"), CASES)
def test_derivatives(n, y, tau):
    eta, h = -1.3, 1e-4
    here, up, down = (value(eta + d, y, n, tau) for d in (0, h, -h))
    wide, narrow = (value(eta, y, n, tau * np.exp(d)) for d in (h, -h))
    more = above(eta, y, n, tau)
    close = {"rel": 1e-5, "abs": 1e-6 * max(n, 1)}
    for name, found in (("value", here.slope), ("slope", here.second), ("second", more.third)):
        difference = (getattr(up, name) - getattr(down, name)) / (2 * h)
        assert found[0] == pytest.approx(difference[0], **close)
    for name, found in (("value", more.by_sd), ("slope", more.slope_by_sd), ("second", more.second_by_sd)):
        difference = (getattr(wide, name) - getattr(narrow, name)) / (2 * h)
        assert found[0] == pytest.approx(difference[0], rel=1e-5, abs=2e-5 * n)


@pytest.mark.parametrize("tau", [0.3, 0.8])
def test_nodes_give_the_derivatives_of_trapezoids(tau):
    """Cells of every sort at once, more than are taken together, some without units."""
    rng = np.random.default_rng(3)
    eta, n = rng.normal(-1, 1.5, 300), rng.choice([0.0, 1.0, 8.0, 60.0, 4000.0], 300)
    y = rng.binomial(n.astype(int), 1 / (1 + np.exp(-eta))).astype(float)
    for look in (integrated, higher):
        far = rng.normal(0, 30, 300)  # guesses from which plain Newton steps do not end
        fine, coarse = look(eta, y, n, tau, np.zeros(300)), look(eta, y, n, tau, far, NODES)
        for name in vars(fine):
            wanted, found = getattr(fine, name), getattr(coarse, name)
            np.testing.assert_allclose(found, wanted, rtol=6e-3, atol=2e-3, err_msg=name)
            assert (found[n == 0] == 0).all()


def test_without_effect_it_is_the_binomial():
    seen = value(-0.4, 3, 10, 0.0)
    p = 1 / (1 + np.exp(0.4))
    assert seen.value[0] == pytest.approx(3 * -0.4 - 10 * np.log1p(np.exp(-0.4)))
    assert (seen.slope[0], seen.second[0]) == pytest.approx((3 - 10 * p, -10 * p * (1 - p)))
    more = above(-0.4, 3, 10, 0.0)
    assert more.third[0] == pytest.approx(-10 * p * (1 - p) * (1 - 2 * p))
    assert more.by_sd[0] == more.slope_by_sd[0] == more.second_by_sd[0] == 0


@pytest.mark.parametrize(("n", "y", "tau"), [(0, 0, 0.7), (4, 0, 1.5), (40, 11, 0.4), (3000, 20, 0.9)])
def test_draws(n, y, tau):
    rng = np.random.default_rng(1)
    # The guess is poor on purpose: the draws are exact whatever it is.
    eta = np.full((40000, 1), -1.0)
    one = [np.array([float(x)]) for x in (y, n)]
    e = draw_effects(rng, eta, *one, tau, np.array([0.5]))[:, 0]
    _, mean, variance = grid(-1.0, y, n, tau)
    assert e.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / len(e)))
    assert e.var() == pytest.approx(variance, rel=0.04)


@pytest.mark.parametrize(("y", "n", "tau", "eta", "guess"), [
    (0, 60, 18.0, 20.0, -60.0), (60, 60, 18.0, -25.0, 40.0), (3, 60, 18.0, 25.0, 0.0), (0, 5, 6.0, 9.0, 30.0),
])  # fmt: skip
def test_draws_of_an_effect_that_may_be_anything(y, n, tau, eta, guess):
    """Scales far out in their posterior, and a guess made for another predictor: such draws did not end."""
    rng = np.random.default_rng(2)
    one = [np.array([float(x)]) for x in (y, n)]
    e = draw_effects(rng, np.full((20000, 1), eta), *one, tau, np.array([guess]))[:, 0]
    at = np.linspace(-12 * tau, 12 * tau, 400_001)
    log = y * (eta + at) - n * np.logaddexp(0, eta + at) - 0.5 * (at / tau) ** 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = (weight * at).sum()
    variance = (weight * (at - mean) ** 2).sum()
    assert e.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / len(e)))
    assert e.var() == pytest.approx(variance, rel=0.06)
