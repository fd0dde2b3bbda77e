"""Cells of which two totals are known across a ratio step: their counts follow their law, by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binom, nbinom

from attrition.estimation.countlaws import log_binomial_within, log_matched, log_negbin_within, share_out

from ..panels import make_panel
from .test_completion import CASES, FOUR, PERSONS, chi_square, drawn

SIZE = 6000


def ratio_law(count, n, rate, phi):
    """Probability of outcomes of n units, negative binomial; of no units none."""
    some = np.maximum(n, 1) * rate / (phi - 1)
    return np.where(n > 0, nbinom.pmf(count, some, 1 / phi), count == 0)


def worlds(n, most, laws):
    """Every pair of counts at two stages of two cells, (N, 2, 2), and its probability."""
    one = np.array(list(itertools.product(range(most + 1), repeat=2)))
    chance = [laws[0](one[:, 0], units) * laws[1](one[:, 1], one[:, 0]) for units in n]
    a, b = (x.ravel() for x in np.meshgrid(*[np.arange(len(one))] * 2, indexing="ij"))
    return np.stack([one[a], one[b]], axis=-1).astype(float), chance[0][a] * chance[1][b]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("exact", 6), ("exact", 2)),
        (("exact", 6), ("range", 1, 3)),
        (("range", 4, 6), ("exact", 2)),
        (("range", 3, 6), ("range", 1, 2)),
        (("at_most", 5), ("range", 1, 3)),
    ],
)
@pytest.mark.parametrize("units", ["ratio first", "ratio then"])
def test_two_totals_across_a_ratio_step(first, second, units):
    n, p, rate, phi = (4, 3), 0.4, 0.9, 1.8
    laws = [lambda y, n: ratio_law(y, n, rate, phi), lambda y, n: binom.pmf(y, n, p)]
    if units == "ratio then":
        laws.reverse()
    counts, _ = drawn(
        make_panel(
            [("referral", "a", "exact", n[0]), ("referral", "b", "exact", n[1]), ("investigation", "all", *first),
             ("arrest", "all", *second)],
            "ab", units=CASES if units == "ratio first" else PERSONS, stages=FOUR[:3],
        ),
        np.array([rate, p] if units == "ratio first" else [p, rate]), SIZE, phi=phi,
    )  # fmt: skip
    tables, probability = worlds(n, 9, laws)
    totals = tables.sum(axis=2)
    ends = [{"exact": (x[-1], x[-1]), "range": x[1:], "at_most": (0, x[-1])}[x[0]] for x in (first, second)]
    agree = np.all(
        [(totals[:, d] >= low) & (totals[:, d] <= high) for d, (low, high) in enumerate(ends)], axis=0
    )
    law = probability[agree] / probability[agree].sum()
    assert chi_square(tables[agree], law, counts[:, 1:]) > 1e-3


def test_probabilities_of_ranges():
    mean, factor = np.array([0.5, 6.0, 300.0]), np.array([3.0, 2.0, 4.0])
    law = nbinom(mean / (factor - 1), 1 / factor)
    for low, high in ((0, 4), (3, 7), (2, np.inf), (5, 5)):
        numbers = np.arange(low, min(high, 3000) + 1)[:, None]
        exact = law.pmf(numbers).sum(axis=0)
        found = np.exp(log_negbin_within(low, high, mean, factor))
        np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-12)
    n, chance = np.array([5.0, 9.0, 400.0]), np.array([0.2, 0.7, 0.03])
    for low, high in ((0, 4), (3, 7), (2, np.inf), (5, 5)):
        exact = binom.sf(low - 1, n, chance) - (0 if np.isinf(high) else binom.sf(high, n, chance))
        np.testing.assert_allclose(
            np.exp(log_binomial_within(low, high, n, chance)), exact, rtol=1e-7, atol=1e-12
        )
    # Of a factor below 1 it is the binomial of that mean and variance.
    np.testing.assert_allclose(np.exp(log_matched(n - 1, n * 0.3, np.full(3, 0.7))), binom.pmf(n - 1, n, 0.3))


def test_a_total_is_shared_even_where_shapes_are_tiny():
    shape = np.tile([1e-5, 2e-5, 0.0], (20_000, 1))
    drawn = share_out(np.random.default_rng(1), np.full(len(shape), 7.0), shape)
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean(axis=0) / 7 == pytest.approx([1 / 3, 2 / 3, 0], abs=0.015)
