"""Sums of binomials (and a Poisson) against convolution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from attrition.models.sums.op import log_probability, value_and_gradient

CASES = {
    "small rates": ([40, 60, 80, 100, 30, 20, 50, 60], [0.01, 0.02, 0.05, 0.03, 0.1, 0.04, 0.02, 0.01], 0.0),
    "few units, mixed rates": ([3, 4, 5, 2, 6, 3, 2, 4], [0.05, 0.9, 0.3, 0.6, 0.2, 0.5, 0.95, 0.1], 0.0),
    "moderate": ([50, 80, 20, 100, 60, 40, 90, 70], [0.05, 0.6, 0.3, 0.2, 0.8, 0.5, 0.1, 0.3], 0.0),
    "sparse": ([5, 8, 10, 3, 2, 6, 12, 4], [0.02] * 8, 0.0),
    "other origins": (
        [40, 60, 80, 100, 30, 20, 50, 60],
        [0.01, 0.02, 0.05, 0.03, 0.1, 0.04, 0.02, 0.01],
        20.0,
    ),
}


def weights(p):
    p = np.asarray(p, float)
    return np.stack([np.log1p(-p), np.log(p)], axis=-1)


def evaluate(n, p, totals, mean=0.0, high=None):
    totals = np.atleast_1d(np.asarray(totals, float))
    high = totals if high is None else np.broadcast_to(np.asarray(high, float), totals.shape)
    k = len(totals)
    others = np.full((k, 1), np.log(mean)) if mean else None
    units = np.tile(np.asarray(n, float), (k, 1))
    return value_and_gradient(np.tile(weights(p), (k, 1, 1)), units, totals[:, None], high[:, None], others)


@pytest.mark.parametrize("name", CASES)
def test_probability_and_gradient_in_the_bulk(name, one_stage_pmf):
    n, p, mean = CASES[name]
    n, p = np.array(n), np.array(p)
    pmf = one_stage_pmf(p, n, mean)
    below = np.cumsum(pmf)
    first, last = np.searchsorted(below, [0.001, 0.999])
    totals = np.arange(first, last + 1)
    value, gradient, of_mean = evaluate(n, p, totals, mean)
    error = np.abs(value - np.log(pmf[totals]).astype(float))
    assert error.max() <= 2e-4
    exact = (totals <= 12) | ((n.sum() - totals <= 12) & (mean == 0))
    assert error[exact].max(initial=0) <= 1e-12

    # d log f / d logit p against differences of the convolution.
    by_logit = gradient[:, :, 1] * (1 - p) - gradient[:, :, 0] * p
    step = 1e-5
    logit = np.log(p / (1 - p))
    for k in range(len(n)):
        ends = []
        for sign in (1, -1):
            moved = logit.copy()
            moved[k] += sign * step
            ends.append(np.log(one_stage_pmf(1 / (1 + np.exp(-moved)), n, mean)[totals]))
        truth = ((ends[0] - ends[1]) / (2 * step)).astype(float)
        np.testing.assert_allclose(by_logit[:, k], truth, atol=5e-4)
    if mean:
        up, down = (np.log(one_stage_pmf(p, n, mean * np.exp(s * step))[totals]) for s in (1, -1))
        np.testing.assert_allclose(of_mean[:, 0], ((up - down) / (2 * step)).astype(float), atol=5e-4)


def test_a_mean_of_one_beside_large_counts(one_stage_pmf):
    n, p = np.array([50, 80, 40]), np.array([0.005, 0.006, 0.008])
    pmf = one_stage_pmf(p, n)
    value, _, _ = evaluate(n, p, np.arange(20))
    assert np.abs(value - np.log(pmf[:20]).astype(float)).max() <= 2e-6


@pytest.mark.parametrize("name", [k for k in CASES if k != "other origins"])
def test_probabilities_sum_to_one(name):
    n, p, _ = CASES[name]
    value, gradient, _ = evaluate(n, p, np.arange(sum(n) + 1))
    assert np.exp(value).sum() == pytest.approx(1.0, abs=5e-5)
    # Every unit is somewhere: the gradient by the log weights of a cell sums to its units.
    np.testing.assert_allclose(gradient.sum(axis=2), np.tile(n, (len(value), 1)), rtol=1e-9)


def test_far_tails(one_stage_pmf):
    n, p, _ = CASES["moderate"]
    pmf = one_stage_pmf(p, n)
    totals = np.array([14, 20, 40, 60, 350, 420, 470, 495])
    value, _, _ = evaluate(n, p, totals)
    truth = np.log(pmf[totals]).astype(float)
    assert truth.min() < -200
    np.testing.assert_allclose(value, truth, atol=2e-3)


def test_rates_near_zero_and_one_together(one_stage_pmf):
    """The total hardly varies: a saddlepoint density would be far above one."""
    n, p = np.array([50, 50, 40, 30]), np.array([1 - 1e-6, 1e-6, 1e-3, 0.999])
    totals = np.arange(60, 100)
    value, gradient, _ = evaluate(n, p, totals)
    pmf = one_stage_pmf(p, n)
    np.testing.assert_allclose(value, np.log(pmf[totals]).astype(float), atol=5e-3)
    middle = (totals >= 79) & (totals <= 81)
    np.testing.assert_allclose(value[middle], np.log(pmf[totals[middle]]).astype(float), atol=1e-10)
    assert np.isfinite(gradient).all()


def test_equal_rates_are_one_binomial():
    n = np.array([100_000, 250_000, 650_000])
    totals = np.array([0, 1, 300, 29_000, 30_000, 31_000, 999_990, 1_000_000])
    value, _, _ = evaluate(n, [0.03, 0.03, 0.03], totals)
    np.testing.assert_allclose(value, binom.logpmf(totals, n.sum(), 0.03), rtol=1e-9, atol=1e-7)


def test_boundaries():
    n, p = np.array([3.0, 5.0]), np.array([0.2, 0.7])
    value, gradient, _ = evaluate(n, p, [-1, 0, 8, 9])
    assert value[0] == value[3] == -np.inf
    assert value[1] == pytest.approx((n * np.log1p(-p)).sum(), abs=1e-13)
    assert value[2] == pytest.approx((n * np.log(p)).sum(), abs=1e-13)
    assert not gradient[[0, 3]].any()
    np.testing.assert_allclose(gradient[2], [[0, 3], [0, 5]])


def test_nothing_at_all():
    nothing = np.zeros((1, 2))
    log_pi = np.zeros((1, 2, 2))
    assert log_probability(log_pi, nothing, [[0.0]], [[0.0]])[0] == 0.0
    assert log_probability(log_pi, nothing, [[1.0]], [[1.0]])[0] == -np.inf
    assert log_probability(log_pi, nothing, [[2.0]], [[2.0]], [[np.log(3.0)]])[0] == pytest.approx(
        np.log(4.5) - 3, abs=1e-12
    )


def test_padding_contributes_nothing_whatever_it_holds():
    n, p = [3.0, 5.0, 9.0, 40.0], [0.2, 0.7, 0.4, 0.5]
    for total in (3.0, 30.0):
        value, gradient, _ = evaluate(n, p, total)
        padded = np.full((1, 7, 2), np.nan)
        padded[0, [0, 2, 3, 6]] = weights(p)
        padded[0, 4] = -np.inf
        units = np.zeros((1, 7))
        units[0, [0, 2, 3, 6]] = n
        again, of_padded, _ = value_and_gradient(padded, units, [[total]], [[total]])
        assert again[0] == value[0]
        np.testing.assert_array_equal(of_padded[0, [0, 2, 3, 6]], gradient[0])
        assert not of_padded[0, [1, 4, 5]].any()


def test_weights_are_free():
    """Doubling the weights of a cell adds n log 2."""
    log_pi = weights([0.2, 0.7, 0.4])[None]
    n = np.array([[30.0, 50.0, 40.0]])
    for total in (5.0, 60.0):
        plain = log_probability(log_pi, n, [[total]], [[total]])[0]
        double = log_pi + np.array([np.log(2.0), 0, 0])[None, :, None]
        assert log_probability(double, n, [[total]], [[total]])[0] == pytest.approx(
            plain + 30 * np.log(2), abs=1e-9
        )
