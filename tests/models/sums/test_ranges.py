"""Interval probabilities against sums of the brute-force distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, poisson

from attrition.models.sums.op import log_probability, too_wide, value_and_gradient

N = np.array([[50.0, 80, 20, 100, 60, 40, 90, 70]])
P = np.array([0.05, 0.6, 0.3, 0.2, 0.8, 0.5, 0.1, 0.3])
LOG_PI = np.log(np.stack([1 - P, P], axis=1))[None]


def one(low, high, log_pi=LOG_PI, n=N, others=None):
    return log_probability(log_pi, n, [[low]], [[high]], None if others is None else [[others]])[0]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (170, 179),
        (100, 160),
        (160, 190),
        (0, 175),
        (175, np.inf),
        (150, 10_000),
        (0, 20),
        (5, 60),
        (0, 100),
        (260, 510),
        (300, np.inf),
        (430, 500),
        (470, 509),
        (1, 509),
        (174, 174),
        (-5, 175),
        (169.5, 179.9),
    ],
)
def test_ranges_of_one_stage(one_stage_pmf, low, high):
    pmf = one_stage_pmf(P, N[0])
    t = np.arange(len(pmf))
    inside = (t >= low) & (t <= high)
    # The smaller side, so that a probability next to one is compared in its complement.
    truth = np.log(pmf[inside].sum()) if pmf[inside].sum() < 0.5 else np.log1p(-pmf[~inside].sum())
    assert one(low, high) == pytest.approx(float(truth), rel=2e-6, abs=2e-6 if truth > -100 else 1e-3)


def test_tails_reach_two_hundred_nats():
    assert one(430, np.inf) < -200
    assert one(0, 20) < -130


def test_a_large_binomial_in_both_tails():
    n, log_pi = np.array([[400_000.0, 600_000.0]]), np.log([[[0.97, 0.03], [0.97, 0.03]]])
    for low, high in ((30_500, np.inf), (31_500, np.inf), (0, 29_000), (29_900, 30_100), (30_000, 30_900)):
        last = min(high, 1_000_000)
        upper = low > 30_000
        log_tail = binom.logsf if upper else binom.logcdf
        near, far = (low - 1, last) if upper else (last, low - 1)
        truth = log_tail(near, 1_000_000, 0.03)
        other = log_tail(far, 1_000_000, 0.03)
        if np.isfinite(other):
            truth = truth + np.log1p(-np.exp(other - truth))
        assert one(low, high, log_pi, n) == pytest.approx(truth, abs=1e-5)


def test_everything_possible_has_probability_one():
    assert one(0, N.sum()) == pytest.approx(0.0, abs=1e-9)
    assert one(-3, np.inf) == pytest.approx(0.0, abs=1e-9)
    assert one(0, np.inf, others=np.log(7.0)) == pytest.approx(0.0, abs=1e-9)
    _, gradient, _ = value_and_gradient(LOG_PI, N, [[0.0]], [[np.inf]])
    np.testing.assert_allclose(gradient[0], N[0][:, None] * np.stack([1 - P, P], axis=1), rtol=1e-9)


def test_nearly_everything_is_taken_from_its_complement(one_stage_pmf):
    pmf = one_stage_pmf(P, N[0])
    assert one(100, np.inf) == pytest.approx(-float(pmf[:100].sum()), rel=1e-4)


def test_impossible_ranges():
    assert one(511, 600) == -np.inf
    assert one(-9, -1) == -np.inf
    assert one(180, 170) == -np.inf


def test_other_origins_have_no_upper_end():
    n, log_pi = np.zeros((1, 1)), np.zeros((1, 1, 2))
    for low, high in ((0, 3), (120, np.inf), (0, 80), (95, 160), (300, np.inf), (1, np.inf)):
        tail = poisson.logsf if low > 100 else poisson.logcdf
        near, far = (low - 1, high) if low > 100 else (high, low - 1)
        truth = tail(near, 100.0)
        other = tail(far, 100.0)
        truth = truth + np.log1p(-np.exp(other - truth)) if np.isfinite(other) else truth
        assert one(low, high, log_pi, n, np.log(100.0)) == pytest.approx(truth, rel=1e-5, abs=1e-5)


@pytest.fixture(scope="module")
def two_stages(many_stages_pmf):
    rng = np.random.default_rng(3)
    pi, n = rng.dirichlet([4, 2, 1], 5), np.array([30.0, 20, 40, 10, 25])
    pmf = many_stages_pmf(pi, n, [90, 70])
    first, second = np.meshgrid(np.arange(91), np.arange(71), indexing="ij")
    return np.log(pi)[None], n[None], pmf, first + second, second


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((40, 10), (55, 12)),
        ((0, 20), (60, 20)),
        ((45, 0), (45, 45)),
        ((45, 0), (45, 18)),
        ((45, 20), (45, 60)),
        ((60, 0), (63, np.inf)),
        ((0, 25), (70, 26)),
        ((50, 22), (50, 22)),
        ((0, 22), (44, 25)),
    ],
)
def test_ranges_of_two_stages(two_stages, low, high):
    log_pi, n, pmf, reached, last = two_stages
    inside = (reached >= low[0]) & (reached <= high[0]) & (last >= low[1]) & (last <= high[1])
    value = log_probability(log_pi, n, [low], [high])[0]
    assert value == pytest.approx(np.log(pmf[inside].sum()), abs=2e-5)


def test_a_stage_of_which_nothing_is_known_drops_out(two_stages):
    log_pi, n, *_ = two_stages
    both = log_probability(log_pi, n, [[50.0, 0.0]], [[50.0, np.inf]])[0]
    merged = np.stack([log_pi[..., 0], np.logaddexp(log_pi[..., 1], log_pi[..., 2])], axis=-1)
    assert both == pytest.approx(log_probability(merged, n, [[50.0]], [[50.0]])[0], abs=1e-12)
    both = log_probability(log_pi, n, [[0.0, 15.0]], [[np.inf, 15.0]])[0]
    merged = np.stack([np.logaddexp(log_pi[..., 0], log_pi[..., 1]), log_pi[..., 2]], axis=-1)
    assert both == pytest.approx(log_probability(merged, n, [[15.0]], [[15.0]])[0], abs=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "means"),
    [
        ([200.0], [208.0], None),
        ([900.0], [np.inf], None),
        ([0.0], [420.0], None),
        ([300.0], [460.0], None),
        ([300.0, 100.0], [600.0, 103.0], None),
        ([450.0, 0.0], [450.0, 400.0], None),
        ([450.0, 0.0], [450.0, 100.0], [30.0, 10.0]),
        ([460.0, 150.0], [np.inf, 150.0], [30.0, 10.0]),
        ([460.0, 150.0], [np.inf, 150.0], [0.0, 10.0]),
    ],
)
def test_gradient_is_that_of_the_value(low, high, means):
    n = 8 * np.array([[30.0, 20, 40, 10, 25]])
    log_pi = np.log(np.random.default_rng(3).dirichlet([4, 2, 1][: len(low) + 1], 5))[None]
    others = np.full((1, len(low)), -1e3) if means is None else np.log(np.maximum([means], 1e-300))
    _, gradient, of_means = value_and_gradient(log_pi, n, [low], [high], others)

    def differences(function, at, step=1e-4):
        result = np.zeros_like(at)
        for place in np.ndindex(at.shape):
            move = np.zeros_like(at)
            move[place] = step
            near, far = (function(at + k * move) - function(at - k * move) for k in (1, 2))
            result[place] = (8 * near - far) / (12 * step)
        return result

    truth = differences(lambda x: log_probability(x, n, [low], [high], others)[0], log_pi)
    np.testing.assert_allclose(gradient, truth, atol=1e-6 * np.abs(gradient).max())
    if means is not None:
        truth = differences(lambda x: log_probability(log_pi, n, [low], [high], x)[0], others)
        np.testing.assert_allclose(of_means, truth, atol=1e-6)


def test_two_wide_ranges_are_refused():
    low, high = np.array([[40.0, 5.0], [40.0, 5.0]]), np.array([[400.0, 90.0], [400.0, 68.0]])
    np.testing.assert_array_equal(too_wide(low, high), [True, False])
    log_pi, n = np.log(np.full((2, 3, 3), 1 / 3)), np.full((2, 3), 50.0)
    value = log_probability(log_pi, n, low, high)
    assert np.isnan(value[0])
    assert np.isfinite(value[1])
