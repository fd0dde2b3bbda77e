"""Tables with totals that cross: every one meets them, and each comes as often as it should."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, chi2, nbinom

from attrition.models.sums.fibre import draw_fibre, first_table, moves_of


def margins(shape, missing=()):
    """Row and column totals of a table, the last column's left out, without some cells."""
    rows, columns = shape
    index = np.array([c for c in product(range(rows), range(columns)) if c not in missing])
    return np.array([index[:, 0] == r for r in range(rows)] + [index[:, 1] == c for c in range(columns - 1)])


CASES = {
    "a two-way table": margins((2, 3)),
    "without a diagonal": margins((3, 3), {(0, 0), (1, 1), (2, 2)}),
    "overlapping sets": np.array([[1, 1, 0, 0, 1], [0, 1, 1, 0, 1], [0, 0, 1, 1, 1]], dtype=bool),
    "two cells of one pattern": np.array([[1, 1, 1, 0], [0, 0, 1, 1]], dtype=bool),
}


@pytest.mark.parametrize("ratio", [False, True], ids=["binomial", "negative binomial"])
@pytest.mark.parametrize("name", CASES)
def test_tables_come_as_often_as_their_probability(name, ratio):
    members = CASES[name]
    rng = np.random.default_rng(len(name))
    m = members.shape[1]
    n, p = np.full(m, 3.0), rng.uniform(0.2, 0.8, m)
    total = (members @ rng.integers(1, 3, m)).astype(float)
    if ratio:
        law, cap = nbinom(n, 1 - p), np.full(m, np.inf)
        weight, size = np.log(p), -n
    else:
        law, cap = binom(n.astype(int), p), n
        weight, size = np.log(p / (1 - p)), n
    most = np.minimum(cap, np.where(members, total[:, None], np.inf).min(axis=0))
    every = np.array(list(product(*(range(int(c) + 1) for c in most))))
    every = every[(every @ members.T == total).all(axis=1)]
    assert len(every) > 1
    chance = law.pmf(every).prod(axis=1)
    chance /= chance.sum()
    size = np.broadcast_to(size, (6000, m))
    drawn = draw_fibre(1, members, total, np.broadcast_to(weight, (6000, m)), size, cap, n / 2, sweeps=5)
    assert (drawn @ members.T == total).all()
    seen, counts = np.unique(drawn, axis=0, return_counts=True)
    at = {tuple(row): i for i, row in enumerate(every.tolist())}
    observed = np.zeros(len(every))
    observed[[at[tuple(row)] for row in seen.tolist()]] = counts
    often = chance * 6000 > 8
    found = np.r_[observed[often], observed[~often].sum()]
    expected = np.r_[chance[often], chance[~often].sum()] * 6000
    expected, found = expected[expected > 0], found[expected > 0]
    statistic = ((found - expected) ** 2 / expected).sum()
    # Thinned by five sweeps the draws are all but independent; a wrong law gives thousands.
    assert statistic < 2 * chi2.ppf(0.999, len(found) - 1)


def test_moves_keep_every_total():
    for members in CASES.values():
        moves = moves_of(members)
        assert len(moves.begin) > 1
        for first, last in zip(moves.begin[:-1], moves.begin[1:], strict=True):
            change = np.zeros(members.shape[1], dtype=np.int64)
            change[moves.cell[first:last]] += moves.step[first:last]
            assert change.any()
            assert not (members @ change).any()


def test_a_first_table_is_near_the_mean_and_within_its_limits():
    members = margins((4, 5))
    rng = np.random.default_rng(0)
    n = rng.integers(10, 60, 20).astype(float)
    table = rng.binomial(n.astype(int), 0.3)
    found = first_table(members, (members @ table).astype(float), n, n * 0.3)
    assert (members @ found == members @ table).all()
    assert ((found >= 0) & (found <= n)).all()
    assert np.abs(found - n * 0.3).sum() <= np.abs(table - n * 0.3).sum() + len(n)
    assert first_table(members, (members @ table).astype(float), np.full(20, 1.0)) is None
