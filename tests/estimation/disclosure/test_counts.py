"""The linked counts of a run: what is known, what follows, what must not be found out."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.data.errors import InputError
from attrition.estimation.disclosure import counts as module
from attrition.estimation.disclosure.counts import linked_counts

from .tables import blueprint, counts_of, line, lines_of


def _held(counts):
    return counts.grid(counts.table.held)[..., 0], counts.grid(counts.table.values)[..., 0]


def test_totals_follow_from_their_parts():
    held, values = _held(counts_of(5, referral=[[1, 2, 3], [4, 5, 6]]))
    assert held.all()
    assert values[0].tolist() == [[21, 5, 7, 9], [6, 1, 2, 3], [15, 4, 5, 6]]


def test_a_part_follows_from_its_total():
    given = lines_of({"referral": np.array([[1, 2, np.nan], [4, 5, 6]])})
    counts = linked_counts(blueprint(2, 3), [*given, line("referral", "o0", "all", 9)], 7)
    held, values = _held(counts)
    assert held.all()
    assert values[0, 1, 3] == 6
    assert counts.grid(counts.table.sensitive)[0, 1, 3, 0]


def test_what_nobody_knows_is_neither_told_nor_invented():
    counts = counts_of(5, referral=[[1, 2, np.nan], [4, 5, np.nan]])
    held, _ = _held(counts)
    assert not held[0, :, 3].any()
    assert not held[0, :, 0].any()
    assert held[0, 0, 1]


def test_a_range_inside_what_is_sensitive_is_sensitive():
    given = lines_of({"referral": np.array([[np.nan, 20], [np.nan, 9]])})
    ranges = [
        line("referral", "o0", "j0", None, relation="suppressed", low=1, high=4),
        line("referral", "o1", "j0", None, relation="range", low=1, high=9),
    ]
    counts = linked_counts(blueprint(2, 2), given + ranges, 5)
    assert counts.grid(counts.table.sensitive)[0, 1:, 1, 0].tolist() == [True, False]


def test_unused_counts_are_known_and_excluded_ones_are_not():
    given = [
        line("referral", "o0", "j0", 3, status="unused"),
        line("referral", "o1", "j0", 4, status="excluded"),
    ]
    held, _ = _held(linked_counts(blueprint(2, 2), given, 5))
    assert held[0].sum() == 1


def test_what_does_not_add_up_is_no_equation():
    given = [*lines_of({"referral": np.array([[1, 2], [4, 5]])}), line("referral", "o0", "all", 99)]
    counts = linked_counts(blueprint(2, 2), given, 5)
    _, values = _held(counts)
    assert values[0, 1, 0] == 99
    assert np.abs(counts.table.relations @ counts.table.values).max() == 0


def test_other_origins_and_clocks_are_not_added():
    given = [line("referral", "o0", "j0", 3), line("referral", "o1", "j0", 4, origin="all_sources")]
    counts = linked_counts(blueprint(2, 2), given, 5)
    assert len(counts.layers) == 2
    assert counts.grid(counts.table.held).sum() == 2


def test_too_large_a_table_is_refused(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 5)
    with pytest.raises(InputError, match="too many counts to protect"):
        counts_of(5, referral=[[1, 2], [3, 4]])


def test_names_lead_back():
    counts = counts_of(5, referral=[[1, 2], [3, 4]])
    assert counts.name(counts.position(0, (1, 2, 0))) == {
        "stage": "referral", "origin": "referred_only", "clock": "cohort", "offense": "o0", "jurisdiction": "j1",
        "period": "all",
    }  # fmt: skip
