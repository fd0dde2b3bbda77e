"""Protecting sets: none of less weight protects, and none that is returned fails."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from attrition.estimation.disclosure import suppress as module
from attrition.estimation.disclosure.attacker import Attacker
from attrition.estimation.disclosure.greedy import greedy
from attrition.estimation.disclosure.optimum import optimum
from attrition.estimation.disclosure.suppress import suppress
from attrition.estimation.disclosure.table import LinkedTable
from attrition.estimation.disclosure.witness import protects

from .tables import counts_of

TABLES = {
    "one small count": {"referral": [[2, 9, 7], [12, 8, 6]]},
    "small counts in a row": {"referral": [[2, 1, 17], [12, 8, 6]]},
    "two stages": {"referral": [[30, 9], [12, 8]], "arrest": [[6, 2], [7, 1]]},
    "with zeros": {"referral": [[0, 3, 0], [6, 0, 11]]},
}


def random_table(seed: int) -> LinkedTable:
    rng = np.random.default_rng(seed)
    first = rng.poisson(rng.gamma(1.0, 9.0, (3, 3)))
    return counts_of(5, referral=first, arrest=rng.binomial(first, 0.4)).table


def attacked(table: LinkedTable, suppressed: np.ndarray, k: int) -> int:
    """Sensitive counts of which 0, or k and more, can be excluded by an integer program."""
    attacker = Attacker(table, suppressed)
    ends = [attacker.interval(int(c), k, entire=True) for c in np.flatnonzero(table.sensitive)]
    return sum(low > 0.5 or high < k - 0.5 for low, high in ends)


@pytest.mark.parametrize("name", TABLES)
def test_nothing_lighter_protects(name):
    table = counts_of(5, **TABLES[name]).table
    best = optimum(table, 5)
    assert best is not None
    assert not attacked(table, best, 5)
    extra = np.flatnonzero(table.held & ~table.primary)
    allowed = table.loss(best) - 1e-9
    tried = 0
    for size in range(4):
        for more in combinations(extra, size):
            trial = table.primary.copy()
            trial[list(more)] = True
            if table.loss(trial) < allowed:
                tried += 1
                assert not protects(table, trial, 5)
    assert tried


@pytest.mark.parametrize("seed", range(6))
def test_no_attack_succeeds_and_without_protection_they_do(seed):
    table = random_table(seed)
    assert table.sensitive.any()
    for found in (suppress(table, 5).suppressed, greedy(table, 5)):
        assert (found >= table.primary).all()
        assert not attacked(table, found, 5)
    assert attacked(table, table.primary, 5)


@pytest.mark.parametrize("seed", range(4))
def test_one_by_one_loses_little_more(seed):
    table = random_table(seed)
    best = optimum(table, 5)
    assert best is not None
    assert table.loss(best) - 1e-9 <= table.loss(greedy(table, 5)) <= 1.25 * table.loss(best)


def test_no_secondary_count_is_needless():
    table = random_table(1)
    found = greedy(table, 5)
    for extra in np.flatnonzero(found & ~table.primary):
        without = found.copy()
        without[extra] = False
        assert not protects(table, without, 5)


def test_nothing_sensitive_holds_nothing_back():
    table = counts_of(5, referral=[[20, 9], [7, 8]]).table
    found = suppress(table, 5)
    assert not found.suppressed.any()
    assert found.optimal


def test_large_parts_are_protected_one_by_one(monkeypatch):
    monkeypatch.setattr(module, "SMALL", 1)
    table = counts_of(5, **TABLES["one small count"]).table
    found = suppress(table, 5)
    assert not found.optimal
    assert protects(table, found.suppressed, 5)
