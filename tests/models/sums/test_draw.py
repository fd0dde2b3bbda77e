"""Draws of the parts given their totals, against enumeration."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import binom, chi2

from attrition.models.sums.draw import draw_parts, draw_parts_many


def totals_of(z):
    """Totals of units that reached stage 1, …, D."""
    return np.cumsum(z.sum(axis=-2)[..., :0:-1], axis=-1)[..., ::-1]


def check_margins(z, n, low, high):
    assert (z >= 0).all()
    assert (z.sum(axis=-1) == n).all()
    assert (totals_of(z) >= low).all()
    assert (totals_of(z) <= high).all()


def enumerate_tables(pi, n, low, high):
    """Every table with totals in the ranges, and its probability."""
    categories = pi.shape[1]
    rows = [[z for z in itertools.product(range(u + 1), repeat=categories) if sum(z) == u] for u in n]
    tables = np.array(list(itertools.product(*rows)))
    reached = totals_of(tables)
    tables = tables[((reached >= low) & (reached <= high)).all(axis=1)]
    weight = np.exp((tables * np.log(pi) - gammaln(tables + 1)).sum(axis=(1, 2)))
    return tables, weight / weight.sum()


CASES = {
    "one stage": ([2, 2], [4, 3, 5, 2], [6], [6]),
    "one stage, range": ([2, 2], [4, 3, 5, 2], [6], [9]),
    "one stage, open above": ([2, 2], [4, 3, 2], [5], [np.inf]),
    "two cells": ([1, 1], [8, 9], [7], [7]),
    "two stages": ([1, 1, 1], [4, 3, 3], [6, 3], [6, 3]),
    "two stages, one range": ([1, 1, 1], [4, 3, 3], [5, 3], [7, 3]),
    "two stages, two ranges": ([1, 1, 1], [3, 2, 2], [4, 0], [6, 3]),
    "one cell, range": ([1, 1], [9], [4], [7]),
    "a padded cell": ([1, 1], [4, 0, 5], [4], [4]),
}


@pytest.mark.parametrize("name", CASES)
def test_frequencies_are_the_probabilities(name):
    concentration, n, low, high = CASES[name]
    pi = np.random.default_rng(2).dirichlet(concentration, len(n))
    tables, probability = enumerate_tables(pi, n, low, high)
    draws = 20_000
    z = draw_parts_many(11, np.tile(np.log(pi), (draws, 1, 1)), n, low, high, sweeps=6)
    check_margins(z, n, low, high)
    seen = Counter(map(bytes, z))
    observed = np.array([seen[bytes(table)] for table in tables.astype(np.int64)])
    assert observed.sum() == draws
    expected = draws * probability
    rare = expected < 8
    observed = np.append(observed[~rare], observed[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    used = expected > 0
    statistic = ((observed - expected)[used] ** 2 / expected[used]).sum()
    assert used.sum() > 2
    assert chi2.sf(statistic, used.sum() - 1) > 1e-3


def test_every_draw_keeps_the_margins():
    rng = np.random.default_rng(4)
    n = np.array([*rng.poisson(60, 8), 0, 100_000])
    log_pi = np.log(rng.dirichlet([3, 2, 1, 1], (400, len(n))))
    z = np.stack([rng.multinomial(int(k), np.exp(p)) for k, p in zip(n, log_pi[0], strict=True)])
    exact = totals_of(z)
    low, high = exact - np.array([0, 30, 0]), exact + np.array([0, 50, 0])
    check_margins(draw_parts_many(1, log_pi, n, low, high), n, low, high)
    again = draw_parts(rng, log_pi[1], n, low, high, z=z, sweeps=3)
    check_margins(again, n, low, high)
    assert (again != z).any()
    np.testing.assert_array_equal(totals_of(z), exact)


def test_draws_follow_their_own_probabilities():
    """Draw r is from the r-th rates: the split moves with them although the chain is one."""
    pi = np.empty((3000, 2, 2))
    pi[::2] = [[0.9, 0.1], [0.1, 0.9]]
    pi[1::2] = [[0.1, 0.9], [0.9, 0.1]]
    z = draw_parts_many(5, np.log(pi), [50, 50], [50], [50])
    y = np.arange(51)
    weight = np.exp(2 * (gammaln(51) - gammaln(y + 1) - gammaln(51 - y)) - 2 * y * np.log(9))
    mean = (y * weight).sum() / weight.sum()
    assert z[::2, 0, 1].mean() == pytest.approx(mean, abs=0.15)
    assert z[1::2, 0, 1].mean() == pytest.approx(50 - mean, abs=0.15)


def test_an_interval_of_one_cell_is_a_truncated_binomial():
    z = draw_parts_many(6, np.log(np.tile([0.7, 0.3], (40_000, 1, 1))), [1000], [320], [400], sweeps=1)
    y = np.arange(320, 401)
    weight = binom.pmf(y, 1000, 0.3)
    mean = (y * weight).sum() / weight.sum()
    sd = np.sqrt((y**2 * weight).sum() / weight.sum() - mean**2)
    assert z[:, 0, 1].mean() == pytest.approx(mean, abs=4 * sd / 200)
    assert z[:, 0, 1].std() == pytest.approx(sd, rel=0.03)


@pytest.mark.parametrize("total", [0, 1, 60, 119, 120])
def test_extreme_rates_still_start_and_stay(total):
    log_pi = np.array([[-700.0, 0.0], [0.0, -700.0], [np.log(0.5), np.log(0.5)]])
    z = draw_parts(np.random.default_rng(0), log_pi, [40, 40, 40], [total], [total])
    check_margins(z, [40, 40, 40], [total], [total])


def test_other_origins_as_a_row():
    """A Poisson part is a row of very many units that rarely arrive."""
    rows = np.array([[0.8, 0.2], [1 - 30e-9, 30e-9]])
    z = draw_parts_many(7, np.log(np.tile(rows, (20_000, 1, 1))), [100, 10**9], [60], [60])
    y = np.arange(61)
    weight = binom.pmf(y, 100, 0.2) * np.exp((60 - y) * np.log(30) - gammaln(61 - y))
    assert z[:, 0, 1].mean() == pytest.approx((y * weight).sum() / weight.sum(), abs=0.12)


def test_the_seed_decides():
    log_pi = np.log(np.tile([[0.5, 0.5]] * 4, (50, 1, 1)))
    first, again, other = (draw_parts_many(s, log_pi, [9] * 4, [18], [18]) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_impossible_totals_and_tables_are_refused():
    rng, log_pi, n = np.random.default_rng(0), np.log(np.full((2, 3), 1 / 3)), [5, 6]
    with pytest.raises(ValueError, match=r"no table .* 11 units"):
        draw_parts(rng, log_pi, n, [4, 5], [4, 5])
    with pytest.raises(ValueError, match="no table"):
        draw_parts_many(1, log_pi[None], n, [12, 0], [12, 5])
    with pytest.raises(ValueError, match="outside"):
        draw_parts(rng, log_pi, n, [4, 2], [4, 2], z=np.array([[5, 0, 0], [6, 0, 0]]))
    with pytest.raises(ValueError, match="rows that sum to n"):
        draw_parts(rng, log_pi, n, [4, 2], [4, 2], z=np.array([[3, 1, 2], [3, 1, 0]]))
    with pytest.raises(ValueError, match="shape"):
        draw_parts(rng, log_pi, n, [4], [4])
