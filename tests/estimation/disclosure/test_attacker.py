"""What an attacker finds out, against listing every table."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from attrition.estimation.disclosure.attacker import LOWER, UPPER, Attacker
from attrition.estimation.disclosure.counts import linked_counts
from attrition.estimation.disclosure.table import LinkedTable
from attrition.estimation.disclosure.witness import Witnesses

from .tables import blueprint, counts_of, lines_of


def _possible(table: LinkedTable, suppressed: np.ndarray, most: int) -> np.ndarray:
    """Every whole-number table that agrees with what is told, by trying all values of what is not."""
    at = np.flatnonzero(~table.held | suppressed)
    found = []
    for values in product(range(most + 1), repeat=len(at)):
        trial = table.values.copy()
        trial[at] = values
        if not np.abs(table.relations @ trial).any():
            found.append(trial)
    return np.array(found)


@pytest.mark.parametrize(
    "hidden", [[(1, 1), (1, 2), (2, 1), (2, 2)], [(1, 1), (1, 2)], [(0, 1), (1, 1), (2, 1)]]
)
def test_intervals_are_those_of_all_tables(hidden):
    counts = counts_of(5, referral=[[2, 3], [4, 1]])
    table = counts.table
    suppressed = np.zeros(len(table), dtype=bool)
    suppressed[[counts.position(0, (o, j, 0)) for o, j in hidden]] = True
    every = _possible(table, suppressed, 10)
    attacker = Attacker(table, suppressed)
    for count in np.flatnonzero(suppressed):
        low, high = attacker.interval(int(count), 10, entire=True)
        assert (low, high) == (every[:, count].min(), every[:, count].max())
        loose = attacker.interval(int(count), 10)
        assert loose[0] <= low <= high <= loose[1]


def test_a_count_alone_in_its_row_is_found():
    counts = counts_of(5, referral=[[2, 30, 7], [9, 8, 6]])
    suppressed = np.zeros(len(counts.table), dtype=bool)
    at = counts.position(0, (1, 1, 0))
    suppressed[at] = True
    assert Attacker(counts.table, suppressed).interval(at, 99) == pytest.approx((2, 2))


def test_a_later_stage_is_a_floor_and_an_earlier_one_a_ceiling():
    counts = counts_of(5, referral=[[20, 9]], arrest=[[6, 3]])
    table = counts.table
    referral, arrest = (counts.position(layer, (0, 1, 0)) for layer in (0, 1))
    hidden = table.held.copy()
    hidden[arrest] = False
    assert Attacker(table, hidden).reach(referral, LOWER, 99).value == pytest.approx(6)
    hidden = table.held.copy()
    hidden[referral] = False
    assert Attacker(table, hidden).reach(arrest, UPPER, 99).value == pytest.approx(20)


def test_a_ratio_has_no_ceiling():
    grids = {"case": np.array([[9.0, 7.0]]), "person": np.array([[12.0, 3.0]])}
    table = linked_counts(blueprint(1, 2, ("case", "person"), "ratio"), lines_of(grids), 5).table
    assert Attacker(table, table.held).interval(int(np.flatnonzero(table.sensitive)[0]), 50) == (0, 50)


def test_prices_prove_the_end():
    """By duality what the reduced costs allow is the end itself."""
    counts = counts_of(5, referral=[[2, 9, 7], [9, 8, 6]])
    table, at = counts.table, counts.position(0, (1, 1, 0))
    hidden = table.primary.copy()
    hidden[[counts.position(0, (1, 2, 0)), counts.position(0, (2, 1, 0)), counts.position(0, (2, 2, 0))]] = (
        True
    )
    found = Attacker(table, hidden).reach(at, UPPER, 99)
    told = table.held & ~hidden
    assert found.value == pytest.approx(-found.prices[told] @ table.values[told] * -1)


def test_a_told_count_is_not_asked_for():
    counts = counts_of(5, referral=[[20, 9], [7, 8]])
    nothing = np.zeros(len(counts.table), dtype=bool)
    with pytest.raises(ValueError, match="is told"):
        Attacker(counts.table, nothing).interval(0, 9)


def test_more_may_be_possible_where_the_limit_itself_is_not():
    """Two counts of one total of 11, one of them even: it can be 6, and an interval up to 5 must not end at 4."""
    values, relations = np.array([4.0, 2.0, 7.0]), sp.csr_matrix([[1.0, -2.0, 0.0], [1.0, 0.0, 1.0]])
    table = LinkedTable(np.append(values, 11.0), sp.csr_matrix(sp.hstack([relations, [[0.0], [-1.0]]])),
                        np.array([True, False, True, True]), np.array([True, False, False, False]))  # fmt: skip
    hidden = np.array([True, False, True, False])
    attacker = Attacker(table, hidden)
    assert _possible(table, hidden, 11)[:, 0].tolist() == [0, 2, 4, 6, 8, 10]
    assert attacker.interval(0, 5, entire=True) == (0, 5)
    assert attacker.interval(0, 11, entire=True) == (0, 10)
    assert not list(Witnesses(table, 5).failures(hidden))
    assert list(Witnesses(table, 11).failures(hidden))


def test_what_nobody_knows_may_be_anything_whatever_number_stands_for_it():
    """A count known only as small, in a total with another unknown; a number larger than k stands for it."""
    table = LinkedTable(np.array([9.0, 3.0, 12.0]), sp.csr_matrix([[1.0, 1.0, -1.0]]),
                        np.array([False, False, True]), np.array([True, False, False]))  # fmt: skip
    nothing = np.zeros(3, dtype=bool)
    assert Attacker(table, nothing).interval(0, 5) == (0, 5)
    assert not list(Witnesses(table, 5).failures(nothing))
    assert len(list(Witnesses(table, 13).failures(nothing))) == 1
