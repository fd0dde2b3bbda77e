"""Negative binomial counts and ranges of them, against SciPy's."""

from __future__ import annotations

from math import inf

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.stats import nbinom

from attrition.models.negbin import negbin_logp, negbin_range

MEANS = np.array([0.3, 3.0, 12.0, 50.0, 400.0, 2e4])
FACTORS = np.array([1.01, 1.5, 4.0, 40.0])
LOW = np.array([0, 1, 5, 3, 0, 60, 0, 30, 7, 900], dtype=float)
HIGH = np.array([4, inf, inf, 8, 60, 120, 400, inf, 2000, 1e5])
INTERPRETED = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)


def law(mean, factor):
    size = mean / (factor - 1)
    return nbinom(size, 1 / factor)


def truth(low, high, mean, factor):
    """The smaller of the two tails carries the digits."""
    one = law(mean, factor)
    top = one.sf(high) if np.isfinite(high) else 0.0
    return one.sf(low - 1) - top if low > mean else one.cdf(high) - one.cdf(low - 1)


@pytest.fixture(scope="module")
def evaluate():
    log_mean, factor = pt.dvector(), pt.dvector()
    value = negbin_range(LOW, HIGH, log_mean, factor)
    slopes = pytensor.grad(pt.where(value < -500, 0.0, value).sum(), [log_mean, factor])
    return pytensor.function([log_mean, factor], [value, *slopes], mode=INTERPRETED)


def test_counts():
    log_mean, factor = np.log(MEANS)[:, None], np.array([1.01, 4.0])
    graph = negbin_logp(np.array(7.0), pt.constant(log_mean), pt.constant(factor))
    expected = [[law(m, f).logpmf(7) for f in factor] for m in MEANS]
    np.testing.assert_allclose(graph.eval(mode=INTERPRETED), expected, rtol=1e-8)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("factor", FACTORS)
def test_ranges(evaluate, mean, factor):
    """Wide and narrow, at the mean and in either tail, open and closed; in one batch, as a plan may hold them."""
    found = evaluate(np.full(len(LOW), np.log(mean)), np.full(len(LOW), factor))[0]
    expected = np.array([truth(low, high, mean, factor) for low, high in zip(LOW, HIGH, strict=True)])
    seen = expected > 1e-10
    assert seen.sum() > 1
    np.testing.assert_allclose(found[seen], np.log(expected[seen]), atol=2e-4)
    assert (found[~seen] < -20).all()


@pytest.mark.parametrize("mean", [3.0, 50.0])
def test_slopes(evaluate, mean):
    log_mean, factor = np.full(len(LOW), np.log(mean)), np.full(len(LOW), 3.0)
    value, *slopes = evaluate(log_mean, factor)
    for slope, ahead, behind in (
        (slopes[0], (log_mean + 1e-5, factor), (log_mean - 1e-5, factor)),
        (slopes[1], (log_mean, factor + 1e-5), (log_mean, factor - 1e-5)),
    ):
        numeric = (evaluate(*ahead)[0] - evaluate(*behind)[0]) / 2e-5
        inside = value > -500
        np.testing.assert_allclose(slope[inside], numeric[inside], rtol=1e-4, atol=1e-6)
