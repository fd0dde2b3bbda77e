"""Reduction within one stage, worked by hand.

Cells a, b, c have 10, 20, 30 referrals unless a test says otherwise.
"""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from attrition.data.errors import InputError
from attrition.models.analyse import analyse
from attrition.models.clashes import SharedCounts

REFERRALS = [("referral", "a", 10, 10), ("referral", "b", 20, 20), ("referral", "c", 30, 30)]
NESTED = {"g": "all", "a": "g", "b": "g", "c": "all"}


def decision(analysis, i):
    return analysis.decisions[i]


def test_known_cells_are_conditioned_on_their_denominators(build):
    analysis = analyse(*build([*REFERRALS, ("investigation", "b", 4, 4)]))
    (group,) = analysis.groups
    assert (group.cells.tolist(), group.start.tolist(), group.n.tolist(), group.end.tolist()) == (
        [1],
        [0],
        [20],
        [-1],
    )
    assert (group.stages, group.low.tolist(), group.high.tolist()) == ((1,), [4], [4])
    assert group.statements == (("s3",),)
    assert [d.action for d in analysis.decisions] == ["known", "known", "known", "used"]
    assert analysis.counts[0].tolist() == [10, 20, 30]
    assert np.isnan(analysis.counts[1]).tolist() == [True, False, True]
    assert [(k.cell, k.stage, k.count) for k in analysis.known][-1] == (1, 1, 4)


def test_statements_without_a_range_are_ignored(build):
    panel, ranges = build([*REFERRALS, ("investigation", "b", 4, 4)])
    del ranges["s3"]
    analysis = analyse(panel, ranges)
    assert not analysis.groups
    assert len(analysis.decisions) == 3


@pytest.mark.parametrize(("preferred", "kept"), [((), 3), ((4,), 4)])
def test_a_repeat_is_dropped_and_a_preferred_one_stays(build, preferred, kept):
    facts = [*REFERRALS, ("investigation", "b", 4, 4), ("investigation", "b", 4, 4)]
    analysis = analyse(*build(facts, preferred=preferred))
    assert len(analysis.groups) == 1
    other = 7 - kept
    assert decision(analysis, kept).action == "used"
    assert (decision(analysis, other).action, decision(analysis, other).others) == ("dropped", (f"s{kept}",))
    assert f"row {kept}" in decision(analysis, other).reason


@pytest.mark.parametrize("node", ["b", "all"])
def test_two_values_for_the_same_cells_contradict(build, node):
    facts = [*REFERRALS, ("investigation", node, 4, 4), ("investigation", node, 5, 5)]
    with pytest.raises(InputError) as caught:
        analyse(*build(facts))
    text = str(caught.value)
    for part in ("row 3", "row 4", "4 (", "5 (", "[[prefer]]", "[[exclude]]"):
        assert part in text
    assert not isinstance(caught.value, SharedCounts)


def test_a_preference_settles_a_contradiction_and_says_so(build):
    facts = [*REFERRALS, ("investigation", "b", 4, 4), ("investigation", "b", 5, 5)]
    analysis = analyse(*build(facts, preferred=[4]))
    assert analysis.counts[1, 1] == 5
    assert decision(analysis, 3).action == "dropped"
    assert "it is the primary one" in decision(analysis, 3).reason


def test_two_preferred_sources_that_differ_still_contradict(build):
    facts = [*REFERRALS, ("investigation", "b", 4, 4), ("investigation", "b", 5, 5)]
    with pytest.raises(InputError, match="disagree"):
        analyse(*build(facts, preferred=[3, 4]))


def test_a_total_becomes_what_known_cells_leave(build):
    analysis = analyse(*build([*REFERRALS, ("investigation", "a", 3, 3), ("investigation", "all", 12, 12)]))
    total = next(g for g in analysis.groups if g.cells.size == 2)
    assert (total.cells.tolist(), total.n.tolist(), total.low.tolist()) == ([1, 2], [20, 30], [9])
    assert total.statements == (("s4",),)
    assert (decision(analysis, 4).action, decision(analysis, 4).others) == ("residual", ("s3",))


def test_a_residual_of_one_cell_is_a_known_count(build):
    facts = [*REFERRALS, *[("investigation", n, 3, 3) for n in "ab"], ("investigation", "all", 12, 12)]
    analysis = analyse(*build(facts))
    assert analysis.counts[1].tolist() == [3, 3, 6]
    known = next(k for k in analysis.known if (k.stage, k.cell) == (1, 2))
    assert known.statements == ("s5", "s3", "s4")
    assert [g.cells.tolist() for g in analysis.groups] == [[0], [1], [2]]
    assert decision(analysis, 5).action == "residual"


def test_nested_totals_are_subtracted(build):
    facts = [*REFERRALS, ("investigation", "all", 12, 12), ("investigation", "g", 5, 5)]
    analysis = analyse(*build(facts, NESTED))
    assert analysis.counts[1, 2] == 7
    total = next(g for g in analysis.groups if g.cells.size == 2)
    assert (total.cells.tolist(), total.low.tolist()) == ([0, 1], [5])


def test_a_total_that_its_parts_make_up_is_dropped(build):
    facts = [*REFERRALS, *[("investigation", n, 3, 3) for n in "abc"], ("investigation", "all", 9, 9)]
    analysis = analyse(*build(facts))
    assert (decision(analysis, 6).action, decision(analysis, 6).others) == ("dropped", ("s3", "s4", "s5"))


@pytest.mark.parametrize(
    ("value", "cells", "word"), [(5, "ab", "below"), (5, "abc", "below"), (11, "abc", "above")]
)
def test_a_total_that_contradicts_its_parts_names_them(build, value, cells, word):
    facts = [*REFERRALS, *[("investigation", n, 3, 3) for n in cells], ("investigation", "all", value, value)]
    with pytest.raises(InputError, match=word) as caught:
        analyse(*build(facts))
    (problem,) = caught.value.problems
    for row in range(3, 4 + len(cells)):
        assert f"row {row}" in problem.where
    assert f"{value}" in problem.found
    assert f"{3 * len(cells)}" in problem.found


@pytest.mark.parametrize(("preferred", "left"), [([5], [9.0]), ([3], [3.0, 4.0])])
def test_a_preference_settles_a_total_against_its_parts(build, preferred, left):
    facts = [
        *REFERRALS, ("investigation", "a", 6, 6), ("investigation", "b", 4, 4), ("investigation", "g", 9, 9),
    ]  # fmt: skip
    analysis = analyse(*build(facts, NESTED, preferred=preferred))
    assert [g.low[0] for g in analysis.groups] == (left if preferred == [5] else [6.0, 4.0])


def test_contradictions_are_gathered(build):
    facts = [
        ("referral", "a", 10, 10), ("referral", "a", 11, 11), ("investigation", "b", 1, 1),
        ("investigation", "b", 2, 2), ("arrest", "c", 7, 7), ("arrest", "all", 2, 2),
    ]  # fmt: skip
    with pytest.raises(InputError) as caught:
        analyse(*build(facts))
    assert len(caught.value.problems) == 3


PLACES = {"x": "all", "y": "all"}
GRID = [("referral", f"{o}/{j}", 10, 10) for o in "ab" for j in "xy"]
TWO = {"a": "all", "b": "all"}


def test_crossing_totals_are_refused_with_their_rows(build):
    facts = [*GRID, ("investigation", "a", 5, 5), ("investigation", "all/x", 4, 4)]
    with pytest.raises(SharedCounts, match="cross") as caught:
        analyse(*build(facts, TWO, PLACES))
    assert "row 4" in str(caught.value)
    assert "row 5" in str(caught.value)
    assert "[[exclude]]" in str(caught.value)


def test_a_crossing_goes_away_once_its_cell_is_known(build):
    facts = [
        *GRID, ("investigation", "a", 5, 5), ("investigation", "all/x", 4, 4), ("investigation", "all", 9, 9),
        ("investigation", "b/y", 3, 3),
    ]  # fmt: skip
    # a/x + a/y = 5, a/x + b/x = 4, b/y = 3, all = 9: b/x = 9 - 5 - 3 = 1, then a/x = 3, a/y = 2.
    analysis = analyse(*build(facts, TWO, PLACES))
    assert analysis.counts[1].tolist() == [3, 2, 1, 3]


def test_first_stage_totals_fix_denominators_only_where_they_leave_one_cell(build):
    facts = [("referral", "all", 30, 30), ("referral", "a", 10, 10), ("investigation", "a", 4, 4)]
    facts += [("investigation", "b", 2, 2), ("investigation", "all", 9, 9), ("referral", "b", 1, 99)]
    analysis = analyse(*build(facts))
    assert [d.action for d in analysis.decisions] == ["unused", "known", "used", "unused", "unused", "unused"]
    assert [g.cells.tolist() for g in analysis.groups] == [[0]]
    assert "referral" in decision(analysis, 3).reason
    assert "(b, all, all)" in decision(analysis, 3).reason
    pinned = analyse(*build([*facts[:2], ("referral", "b", 15, 15), ("investigation", "all", 9, 9)]))
    assert pinned.counts[0].tolist() == [10, 15, 5]
    assert pinned.groups[0].n.tolist() == [10, 15, 5]


def test_a_first_stage_total_of_zero_fixes_each_cell(build):
    analysis = analyse(*build([("referral", "all", 0, 0), ("investigation", "all", 0, 0)]))
    assert not analysis.groups
    assert analysis.counts[0].tolist() == [0, 0, 0]


class TestRanges:
    def test_suppressed_cell_is_a_group_of_its_own(self, build):
        analysis = analyse(*build([*REFERRALS, ("investigation", "a", 1, 4)]))
        (group,) = analysis.groups
        assert (group.low.tolist(), group.high.tolist()) == ([1], [4])
        assert decision(analysis, 3).action == "used"

    def test_at_least_is_capped_by_the_denominators(self, build):
        analysis = analyse(
            *build([*REFERRALS, ("investigation", "all", 7, inf), ("investigation", "a", 3, 3)])
        )
        total = next(g for g in analysis.groups if g.cells.size == 2)
        assert (total.low.tolist(), total.high.tolist()) == ([4], [50])

    @pytest.mark.parametrize(("low", "high"), [(0, 10), (0, inf)])
    def test_a_range_that_allows_everything_is_dropped(self, build, low, high):
        analysis = analyse(*build([*REFERRALS, ("investigation", "a", low, high)]))
        assert not analysis.groups
        assert decision(analysis, 3).action == "dropped"

    def test_two_ranges_of_the_same_cells_intersect(self, build):
        analysis = analyse(*build([*REFERRALS, ("investigation", "b", 1, 6), ("investigation", "b", 4, 9)]))
        (group,) = analysis.groups
        assert (group.low.tolist(), group.high.tolist(), group.statements) == ([4], [6], (("s3", "s4"),))
        assert [d.action for d in analysis.decisions[3:]] == ["used", "used"]

    def test_two_ranges_that_meet_in_one_value_make_it_known(self, build):
        analysis = analyse(*build([*REFERRALS, ("investigation", "b", 1, 4), ("investigation", "b", 4, 9)]))
        assert analysis.counts[1, 1] == 4

    def test_the_wider_of_two_ranges_is_dropped(self, build):
        analysis = analyse(*build([*REFERRALS, ("investigation", "b", 1, 9), ("investigation", "b", 4, 6)]))
        assert [d.action for d in analysis.decisions[3:]] == ["dropped", "used"]

    @pytest.mark.parametrize("other", [(5, 5), (5, 9), (5, inf)])
    def test_a_range_that_excludes_another_statement_contradicts(self, build, other):
        facts = [*REFERRALS, ("investigation", "b", 1, 4), ("investigation", "b", *other)]
        with pytest.raises(InputError) as caught:
            analyse(*build(facts))
        assert "row 3" in str(caught.value)
        assert "row 4" in str(caught.value)
        kept = analyse(*build(facts, preferred=[3]))
        assert kept.groups[0].high.tolist() == [4]

    def test_a_range_over_known_cells_is_checked_and_dropped(self, build):
        facts = [*REFERRALS, ("investigation", "b", 4, 4), ("investigation", "b", 1, 4)]
        analysis = analyse(*build(facts))
        assert decision(analysis, 4).action == "dropped"
        assert len(analysis.groups) == 1

    def test_a_range_around_a_known_total_becomes_a_range_of_the_rest(self, build):
        facts = [*REFERRALS, ("investigation", "g", 5, 5), ("investigation", "all", 7, 9)]
        analysis = analyse(*build(facts, NESTED))
        rest = next(g for g in analysis.groups if g.cells.tolist() == [2])
        assert (rest.low.tolist(), rest.high.tolist()) == ([2], [4])
        assert decision(analysis, 4).action == "residual"

    def test_a_suppressed_cell_in_a_known_total_is_refused(self, build):
        facts = [*REFERRALS, ("investigation", "a", 1, 4), ("investigation", "all", 12, 12)]
        with pytest.raises(SharedCounts, match="inside a known total") as caught:
            analyse(*build(facts))
        assert "row 3" in str(caught.value)
        assert "row 4" in str(caught.value)

    def test_a_suppressed_cell_that_the_total_implies_is_dropped(self, build):
        facts = [*REFERRALS, ("investigation", "a", 0, 4), ("investigation", "all", 3, 3)]
        analysis = analyse(*build(facts))
        assert decision(analysis, 3).action == "dropped"
        assert analysis.groups[0].low.tolist() == [3]

    def test_a_total_can_fix_its_suppressed_cells(self, build):
        facts = [*REFERRALS, ("investigation", "a", 1, 4), ("investigation", "b", 1, 4)]
        facts += [("investigation", "c", 5, 5), ("investigation", "all", 13, 13)]
        analysis = analyse(*build(facts))
        assert analysis.counts[1].tolist() == [4, 4, 5]
        assert len(analysis.groups) == 3

    def test_a_range_that_its_total_excludes_contradicts(self, build):
        facts = [*REFERRALS, ("investigation", "a", 5, 8), ("investigation", "all", 3, 3)]
        with pytest.raises(InputError, match="contradicts the total") as caught:
            analyse(*build(facts))
        assert not isinstance(caught.value, SharedCounts)

    def test_a_lower_bound_implied_by_its_parts_is_dropped(self, build):
        facts = [*REFERRALS, ("investigation", "a", 2, 4), ("investigation", "all", 1, inf)]
        analysis = analyse(*build(facts))
        assert [g.cells.tolist() for g in analysis.groups] == [[0]]
        assert decision(analysis, 4).action == "dropped"

    @pytest.mark.parametrize("outer", [(9, 12), (1, 12), (9, inf)])
    def test_ranges_within_ranges_are_refused(self, build, outer):
        facts = [*REFERRALS, ("investigation", "a", 2, 4), ("investigation", "all", *outer)]
        with pytest.raises(SharedCounts, match="contains another"):
            analyse(*build(facts))
