"""Negative binomial counts and ranges of them, against SciPy's."""

from __future__ import annotations

from math import inf

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.stats import binom, nbinom

from attrition.models.negbin import negbin_chain

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
    value = negbin_chain(LOW[:, None], HIGH[:, None], log_mean[:, None], factor[:, None])
    slopes = pytensor.grad(pt.where(value < -500, 0.0, value).sum(), [log_mean, factor])
    return pytensor.function([log_mean, factor], [value, *slopes], mode=INTERPRETED)


def test_counts():
    for factor in (1.01, 4.0):
        seven = np.full((len(MEANS), 1), 7.0)
        graph = negbin_chain(
            seven, seven, pt.constant(np.log(MEANS)[:, None]), pt.constant(np.full((len(MEANS), 1), factor))
        )
        expected = [law(m, factor).logpmf(7) for m in MEANS]
        np.testing.assert_allclose(graph.eval(mode=INTERPRETED), expected, rtol=1e-8)


@pytest.mark.parametrize("mean", [1e8, 1e11, 1e14])
def test_large_means_keep_their_digits(mean):
    """A sampler's step may lead there: neither a gain out of nothing nor a false slope may meet it."""
    low, high = np.array([137_000.0, 137_000.0, mean]), np.array([inf, 137_000.0, mean])
    log_mean, factor = pt.dvector(), pt.dvector()
    value = negbin_chain(low[:, None], high[:, None], log_mean[:, None], factor[:, None])
    run = pytensor.function(
        [log_mean, factor], [value, *pytensor.grad(value.sum(), [log_mean, factor])], mode=INTERPRETED
    )
    found, to_mean, to_factor = run(np.full(3, np.log(mean)), np.full(3, 4.0))
    assert found[0] == pytest.approx(0.0, abs=1e-4)
    # In the limit of a Poisson law of clusters: the mass at few counts is that of no clusters, nearly.
    size = mean / 3
    assert found[1] == pytest.approx(law(mean, 4.0).logpmf(137_000), rel=1e-6)
    assert found[2] == pytest.approx(-0.5 * np.log(2 * np.pi * 4 * mean), abs=1e-4)
    assert to_mean[1] == pytest.approx(-size * np.log(4), rel=1e-2)
    assert abs(to_mean[2]) < 1
    assert to_factor[2] == pytest.approx(-0.125, abs=1e-3)


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


def one_law(mean, factor):
    """By SciPy, binomial where the factor is below 1."""
    return binom(round(mean / (1 - factor)), 1 - factor) if factor < 1 else law(mean, factor)


def two_stages(low, high, means, factors):
    """Log probability of two ranges, summed over every count of the first stage."""
    far = means[0] + 40 * np.sqrt(means[0] * factors[0]) + 60 * factors[0]
    first = np.arange(low[0], min(high[0], np.ceil(far)) + 1)
    ahead = means[1] / means[0]
    total = 0.0
    for y, p in zip(first, one_law(means[0], factors[0]).pmf(first), strict=True):
        then = binom(int(y), ahead) if factors[1] < 1 else law(max(y, 1e-9) * ahead, factors[1])
        total += p * (then.cdf(high[1]) - then.cdf(low[1] - 1))
    return np.log(total)


# low and high of both stages, means, factors
TWO = {
    "exact, exact": ((5, 3), (5, 3), (6, 2), (2.0, 1.5)),
    "exact, range": ((5, 2), (5, 6), (6, 2), (2.0, 1.5)),
    "range, exact": ((2, 3), (8, 3), (6, 2), (2.0, 1.5)),
    "at least, range": ((3, 2), (inf, 6), (6, 2), (2.0, 1.5)),
    "wide, at least": ((0, 2), (60, inf), (20, 15), (3.0, 2.0)),
    "wide, none": ((0, 0), (90, 0), (40, 2), (3.0, 1.2)),
    "a wide first stage, a second that is known closely": ((1, 900), (inf, 900), (1000, 900), (50.0, 1.05)),
    "the other way round": ((1, 500), (inf, 3000), (1000, 900), (1.05, 50.0)),
    "far from what is expected": ((100, 900), (inf, 900), (300, 270), (20.0, 1.5)),
    "large": ((900, 300), (1200, 310), (1000, 300), (20.0, 1.05)),
    "probability, ratio": ((6, 9), (6, 9), (6, 12), (0.5, 2.0)),
    "probability at least, ratio": ((4, 9), (inf, 9), (6, 12), (0.5, 2.0)),
    "all pass": ((12, 9), (12, 9), (6, 12), (0.5, 2.0)),
    "ratio, probability": ((9, 4), (30, 4), (12, 5), (3.0, 0.7)),
    "ratio, all pass": ((9, 9), (9, 9), (12, 9), (3.0, 0.25)),
}


@pytest.fixture(scope="module")
def chain():
    """All pairs at once: the value, and its slopes in the log means and factors, each (pairs, 2)."""
    low, high = (np.array([case[i] for case in TWO.values()], dtype=float) for i in (0, 1))
    log_mean, factor = pt.dmatrix(), pt.dmatrix()
    value = negbin_chain(low, high, log_mean, factor)
    slopes = pytensor.grad(value.sum(), [log_mean, factor])
    return pytensor.function([log_mean, factor], [value, *slopes], mode=INTERPRETED)


def laws():
    """Log means and factors of all pairs, (pairs, 2) each."""
    means, factors = (np.array([case[i] for case in TWO.values()], dtype=float) for i in (2, 3))
    return np.log(means), factors


@pytest.mark.parametrize("name", TWO)
def test_two_stages_equal_a_sum_over_the_first(chain, name):
    found = chain(*laws())[0][list(TWO).index(name)]
    assert found == pytest.approx(two_stages(*TWO[name]), abs=3e-4)


def test_slopes_of_two_stages(chain):
    log_mean, factor = laws()
    _, *slopes = chain(log_mean, factor)
    for at, wanted in zip((0, 1), slopes, strict=True):
        for stage in (0, 1):
            step = np.zeros_like(factor)
            step[:, stage] = 1e-5
            ahead = chain(log_mean + (at == 0) * step, factor + (at == 1) * step)[0]
            behind = chain(log_mean - (at == 0) * step, factor - (at == 1) * step)[0]
            numeric = (ahead - behind) / 2e-5
            smooth = np.array([name != "all pass" for name in TWO])
            # The nodes of integrals move with the law, which costs digits.
            np.testing.assert_allclose(wanted[smooth, stage], numeric[smooth], rtol=2e-3, atol=2e-3)


def test_slope_where_all_pass(chain):
    """Mean and factor of a binomial move together: twelve of twelve have probability p to the twelfth."""
    log_mean, factor = laws()
    row = list(TWO).index("all pass")
    _, to_mean, to_factor = chain(log_mean, factor)
    p = 1 - factor[row, 0]
    along = to_mean[row, 0] / p - to_factor[row, 0]
    # The mean of the second stage given the first does not move when p does: both log means shift.
    assert along + to_mean[row, 1] / p == pytest.approx(12 / p, rel=1e-6)


def test_what_is_no_number_ends():
    """A sampler's step may lead out of the numbers; the expansion must not look for its last term for ever."""
    low = np.array([[5.0]])
    value = negbin_chain(low, low, pt.as_tensor(np.array([[np.nan]])), pt.as_tensor(np.array([[2.0]])))
    assert np.isnan(value.eval(mode=INTERPRETED)).all()
