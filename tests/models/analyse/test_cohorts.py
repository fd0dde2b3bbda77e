"""Linking of stages, worked by hand.

Cells a, b, c have 10, 20, 30 referrals unless a test says otherwise.
"""

from __future__ import annotations

from math import inf

import pytest

from attrition.data.errors import InputError
from attrition.models.analyse import analyse
from attrition.models.clashes import SharedCounts

REFERRALS = [("referral", "a", 10, 10), ("referral", "b", 20, 20), ("referral", "c", 30, 30)]
UNITS = {"referral": "report", "investigation": "report", "arrest": "person"}
PAIR = {"g": "all", "a": "g", "b": "g", "c": "all"}


def group_of(analysis, stages):
    """The one group that speaks of these stages and of more than one cell."""
    (group,) = [g for g in analysis.groups if g.stages == stages and g.cells.size > 1]
    return group


def test_a_skipped_stage_starts_from_the_nearest_known_one(build):
    facts = [*REFERRALS, ("investigation", "a", 6, 6), ("arrest", "a", 2, 2), ("arrest", "b", 5, 5)]
    analysis = analyse(*build(facts))
    found = {(g.stages[0], int(g.cells[0])): (int(g.start[0]), g.n[0], g.low[0]) for g in analysis.groups}
    assert found == {(1, 0): (0, 10, 6), (2, 0): (1, 6, 2), (2, 1): (0, 20, 5)}


def test_a_known_investigation_count_serves_where_referrals_are_missing(build):
    facts = [("investigation", "a", 6, 6), ("arrest", "a", 2, 2), ("arrest", "b", 1, 1)]
    analysis = analyse(*build(facts))
    (group,) = analysis.groups
    assert (group.start.tolist(), group.n.tolist(), group.low.tolist()) == ([1], [6], [2])
    assert [d.action for d in analysis.decisions] == ["known", "used", "unused"]
    assert "(b, all, all)" in analysis.decisions[2].reason


def test_a_total_is_conditioned_on_later_known_counts(build):
    facts = [*REFERRALS, ("investigation", "all", 25, 25), ("arrest", "a", 2, 2), ("arrest", "b", 5, 5)]
    analysis = analyse(*build(facts))
    total = group_of(analysis, (1,))
    assert total.end.tolist() == [2, 2, -1]
    assert total.n.tolist() == [8, 15, 30]
    assert (total.low.tolist(), total.high.tolist()) == ([18], [18])
    arrests = [g for g in analysis.groups if g.stages == (2,)]
    assert [(g.start.tolist(), g.n.tolist(), g.end.tolist()) for g in arrests] == [
        ([0], [10], [-1]),
        ([0], [20], [-1]),
    ]


def test_totals_of_the_same_cells_at_two_stages_share_one_group(build):
    facts = [*REFERRALS, ("investigation", "all", 25, 25), ("arrest", "all", 7, 7)]
    (group,) = analyse(*build(facts)).groups
    assert group.stages == (1, 2)
    assert (group.low.tolist(), group.high.tolist()) == ([25, 7], [25, 7])
    assert group.statements == (("s3",), ("s4",))


def test_a_known_stage_between_separates_totals(build):
    stages = ("referral", "investigation", "arrest", "conviction")
    facts = [*REFERRALS, ("investigation", "all", 25, 25), ("conviction", "all", 3, 3)]
    facts += [("arrest", n, 5, 5) for n in "abc"]
    analysis = analyse(*build(facts, stages=stages))
    assert group_of(analysis, (1,)).end.tolist() == [2, 2, 2]
    late = group_of(analysis, (3,))
    assert (late.start.tolist(), late.n.tolist(), late.end.tolist()) == ([2, 2, 2], [5, 5, 5], [-1, -1, -1])


@pytest.mark.parametrize("arrest", [("g", 5, 5), ("a", 1, 4), ("g", 3, inf)])
def test_nested_sums_of_two_stages_are_refused(build, arrest):
    facts = [*REFERRALS, ("investigation", "all", 25, 25), ("arrest", *arrest)]
    with pytest.raises(SharedCounts, match="share unobserved counts") as caught:
        analyse(*build(facts, PAIR))
    assert "row 3" in str(caught.value)
    assert "row 4" in str(caught.value)


def test_a_range_that_a_later_total_implies_is_dropped(build):
    facts = [*REFERRALS, ("investigation", "all", 3, inf), ("arrest", "all", 5, 5)]
    analysis = analyse(*build(facts))
    (group,) = analysis.groups
    assert group.stages == (2,)
    assert analysis.decisions[3].action == "dropped"


def test_cells_without_units_are_left_out(build):
    facts = [("referral", "a", 0, 0), *REFERRALS[1:], ("investigation", "all", 9, 9), ("arrest", "a", 0, 0)]
    analysis = analyse(*build(facts))
    (group,) = analysis.groups
    assert group.cells.tolist() == [1, 2]
    assert analysis.counts[:, 0].tolist() == [0, 0, 0]
    assert analysis.decisions[4].action == "known"


def test_a_total_over_one_cell_with_units_is_its_count(build):
    facts = [
        ("referral", "a", 0, 0),
        ("referral", "b", 5, 5),
        ("investigation", "g", 3, 3),
        ("arrest", "b", 1, 1),
    ]
    analysis = analyse(*build(facts, PAIR))
    assert analysis.counts[1, 1] == 3
    assert [(g.stages, g.n.tolist()) for g in analysis.groups] == [((1,), [5]), ((2,), [3])]


def test_the_nearest_known_stage_limits_what_is_possible(build):
    facts = [*REFERRALS, ("investigation", "a", 0, 0), ("investigation", "c", 2, 2), ("arrest", "g", 3, 3)]
    analysis = analyse(*build([*facts, ("arrest", "c", 0, 2)], PAIR))
    assert analysis.counts[2, 1] == 3  # no arrest of a without an investigation
    assert analysis.decisions[6].action == "dropped"


def test_cells_whose_count_is_pinned_by_a_later_stage_are_left_out(build):
    facts = [*REFERRALS, ("arrest", "a", 10, 10), ("investigation", "all", 19, 19)]
    group = group_of(analyse(*build(facts)), (1,))
    assert (group.cells.tolist(), group.low.tolist()) == ([1, 2], [9])


@pytest.mark.parametrize(
    "facts",
    [
        [("investigation", "a", 11, 11)],
        [("investigation", "a", 11, 15)],
        [("investigation", "all", 61, 61)],
        [("investigation", "a", 4, 4), ("arrest", "a", 5, 5)],
        [("investigation", "all", 9, 9), ("arrest", "all", 10, 10)],
        [("investigation", "all", 9, 9), ("arrest", "a", 10, 10)],
        [("investigation", "a", 4, 6), ("arrest", "a", 7, 7)],
    ],
)
def test_outcomes_above_their_denominators_contradict_and_name_likely_causes(build, facts):
    with pytest.raises(InputError) as caught:
        analyse(*build([*REFERRALS, *facts]))
    assert not isinstance(caught.value, SharedCounts)
    text = str(caught.value)
    assert f"row {len(facts) + 2}" in text
    for cause in ("unit", "origin", "clock"):
        assert cause in text


@pytest.mark.parametrize(
    "fact", [("investigation", "a", 2, 2), ("investigation", "a", 1, 4), ("investigation", "g", 2, 2)]
)
def test_outcomes_of_no_units_contradict(build, fact):
    facts = [("referral", "a", 0, 0), ("referral", "b", 0, 0), fact]
    with pytest.raises(InputError):
        analyse(*build(facts, PAIR))


class TestRatioSteps:
    def test_outcomes_may_exceed_their_denominators(self, build):
        facts = [*REFERRALS, ("investigation", "a", 4, 4), ("arrest", "a", 9, 9), ("arrest", "g", 60, 60)]
        analysis = analyse(*build(facts, PAIR, units=UNITS))
        assert [(g.stages, g.n.tolist(), g.low.tolist()) for g in analysis.groups] == [
            ((1,), [10], [4]), ((2,), [4], [9]), ((2,), [20], [51]),
        ]  # fmt: skip

    def test_unless_the_plan_limits_them(self, build):
        facts = [("investigation", "a", 4, 4), ("arrest", "a", 9, 9)]
        with pytest.raises(InputError, match="above its denominator"):
            analyse(*build(facts, units=UNITS, limits={"investigation-arrest": 2.0}))
        analyse(*build(facts, units=UNITS, limits={"investigation-arrest": 3.0}))

    def test_no_bound_above_is_kept_open(self, build):
        facts = [*REFERRALS, ("arrest", "all", 7, inf)]
        (group,) = analyse(*build(facts, units=UNITS)).groups
        assert (group.low.tolist(), group.high.tolist()) == ([7], [inf])

    def test_a_total_before_a_known_ratio_outcome_is_refused(self, build):
        facts = [*REFERRALS, ("investigation", "all", 25, 25), ("arrest", "a", 2, 2)]
        with pytest.raises(SharedCounts, match="ratio step"):
            analyse(*build(facts, units=UNITS))

    def test_two_totals_around_a_ratio_step_are_one_group(self, build):
        facts = [*REFERRALS, ("investigation", "all", 25, 25), ("arrest", "all", 40, inf)]
        (group,) = analyse(*build(facts, units=UNITS)).groups
        assert (group.stages, group.low.tolist(), group.high.tolist()) == ((1, 2), [25, 40], [25, inf])

    def test_three_totals_around_a_ratio_step_are_refused(self, build):
        facts = [
            *REFERRALS,
            ("investigation", "all", 25, 25),
            ("arrest", "all", 40, 40),
            ("conviction", "all", 9, 9),
        ]
        stages = ("referral", "investigation", "arrest", "conviction")
        with pytest.raises(SharedCounts, match="ratio step"):
            analyse(*build(facts, stages=stages, units=UNITS))

    def test_a_total_over_cells_on_both_sides_of_a_ratio_step_is_refused(self, build):
        units = {"referral": "report", "investigation": "person", "arrest": "person"}
        facts = [*REFERRALS, ("investigation", "a", 12, 12), ("arrest", "all", 9, 9)]
        with pytest.raises(SharedCounts, match="different sides"):
            analyse(*build(facts, units=units))
