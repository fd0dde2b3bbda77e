"""Whole numbers drawn between two ends follow their law, however long the range."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, nbinom

from attrition.estimation.countlaws import draw_between, draw_negbin, log_binomial, log_negbin

SIZE = 10_000


def law_of(mean: float, factor: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and their probabilities."""
    at = np.arange(low, min(high, 40_000) + 1)
    p = nbinom(mean / (factor - 1), 1 / factor).pmf(at)
    return at, p / p.sum()


@pytest.mark.parametrize(
    ("mean", "factor", "low", "high"),
    [
        (5.0, 50.0, 0, np.inf),  # two thirds of it at 0, a tail of thousands
        (5.0, 20.0, 0, np.inf),
        (5.0, 50.0, 1, 1e6),
        (30.0, 60.0, 0, 1000),
        (900.0, 3.0, 0, np.inf),
        (900.0, 3.0, 1000, 1_004),
        (4.0, 1.5, 60, np.inf),  # far above its mean
        (2000.0, 2.0, 0, 1700),  # far below
    ],
)
def test_negative_binomials_within_a_range(mean, factor, low, high):
    rng = np.random.default_rng(3)
    drawn = draw_negbin(rng, np.full(SIZE, mean), np.full(SIZE, factor), low, high)
    at, p = law_of(mean, factor, low, high)
    assert ((drawn >= low) & (drawn <= high)).all()
    assert (drawn == np.floor(drawn)).all()
    middle = (at * p).sum()
    sd = np.sqrt(((at - middle) ** 2 * p).sum())
    assert drawn.mean() == pytest.approx(middle, abs=4 * sd / np.sqrt(SIZE))
    for share in (0.1, 0.5, 0.7, 0.9, 0.99):
        edge = at[np.searchsorted(p.cumsum(), share)]
        below = p[at <= edge].sum()
        assert (drawn <= edge).mean() == pytest.approx(
            below, abs=4 * np.sqrt(max(below * (1 - below), 0) / SIZE) + 1e-9
        )


def test_a_law_that_is_narrow_against_its_range_is_found():
    n, chance = 1e8, 0.37
    ends = np.zeros(4000), np.full(4000, n)
    drawn = draw_between(
        np.random.default_rng(5),
        *ends,
        lambda at: log_binomial(at, np.full((4000, 1), n), np.full((4000, 1), chance)),
    )
    sd = np.sqrt(n * chance * (1 - chance))
    assert drawn.mean() == pytest.approx(n * chance, abs=4 * sd / np.sqrt(4000))
    assert drawn.std() == pytest.approx(sd, rel=0.05)


def test_laws_are_those_of_scipy():
    at = np.array([0.0, 1.0, 7.0, 40.0])
    np.testing.assert_allclose(log_negbin(at, np.array(6.0), np.array(2.5)), nbinom(4.0, 0.4).logpmf(at))
    np.testing.assert_allclose(log_binomial(at, np.array(40.0), np.array(0.3)), binom(40, 0.3).logpmf(at))
    assert log_negbin(np.array([0.0, 1.0]), np.zeros(2), np.full(2, 2.0)) == pytest.approx([0.0, -690], abs=5)
