"""Counts of other origins or other months stand apart from the funnel's own, on the same denominators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attrition.data.errors import InputError
from attrition.models.layers import NARROW, analyse_layers, known_ends
from attrition.models.unsplit import arrange

from ..panels import bind, make_panel

PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}
TREE = {"ab": "all", "a": "ab", "b": "ab"}
PLACES = {"US": "all", "NE": "US", "NY": "US"}
FIRST = [("referral", "a", "exact", 30), ("referral", "b", "exact", 20)]


def analysis_of(facts, marks, units=None, ranges=None):
    """The analysis of facts, some of them marked as of another layer."""
    panel = make_panel(facts, TREE, units=units)
    told = tuple(replace(s, **marks.get(s.id, {})) for s in panel.statements)
    given = {s.id: (s.count, s.count) if s.low is None else (s.low, s.high) for s in told}
    return analyse_layers(replace(panel, statements=told), given | (ranges or {}))


def groups_of(analysis):
    return sorted(
        (g.origin, g.stages, g.start.tolist(), g.n.tolist(), g.low.tolist()) for g in analysis.groups
    )


MIXED = {"origin": "all_sources"}
SHIFTED = {"shifted": True}


def test_a_mixed_count_beside_a_referred_one_is_unused_with_the_reason():
    facts = [*FIRST, ("arrest", "a", "exact", 3), ("arrest", "ab", "exact", 9)]
    analysis = analysis_of(facts, {"s3": MIXED})
    (decision,) = [d for d in analysis.decisions if d.action == "unused"]
    assert (decision.statement, decision.others) == ("s3", ("s2",))
    assert "began as referrals" in decision.reason
    assert groups_of(analysis) == [("referred", (2,), [0], [30], [3])]


@pytest.mark.parametrize("mark", [MIXED, SHIFTED], ids=["mixed", "shifted"])
def test_nothing_is_subtracted_across_layers(mark):
    """The total of one layer less the part of the other would leave 6 for b: neither may say so."""
    facts = [*FIRST, ("arrest", "ab", "exact", 9), ("investigation", "a", "exact", 3)]
    apart = analysis_of(
        [*facts, ("arrest", "a", "exact", 3)],
        {"s4": mark, "s3": mark} if mark is SHIFTED else {"s2": mark, "s3": mark},
    )
    lows = {tuple(g.low.tolist()) for g in apart.groups}
    assert (6.0,) not in lows
    within = analysis_of([*FIRST, ("arrest", "ab", "exact", 9), ("arrest", "a", "exact", 3)], {})
    assert (6.0,) in {tuple(g.low.tolist()) for g in within.groups}


def test_shifted_counts_have_groups_and_are_no_denominators():
    facts = [*FIRST, ("investigation", "a", "exact", 12), ("arrest", "a", "exact", 4)]
    assert groups_of(analysis_of(facts, {"s2": SHIFTED})) == [
        ("referred", (1,), [0], [30], [12]),
        ("referred", (2,), [0], [30], [4]),
    ]
    analysis = analysis_of(facts, {"s2": SHIFTED, "s3": SHIFTED})
    assert groups_of(analysis) == [("referred", (1,), [0], [30], [12]), ("referred", (2,), [1], [12], [4])]
    assert np.isnan(analysis.counts[1:]).all()


def test_the_origin_of_a_mixed_group():
    facts = [
        *FIRST,
        ("investigation", "a", "exact", 12),
        ("arrest", "a", "exact", 4),
        ("arrest", "b", "exact", 2),
    ]
    marks = {"s2": MIXED, "s3": MIXED, "s4": {"origin": "unknown"}}
    analysis = analysis_of(facts, marks)
    assert [(g.origin, g.start.tolist()) for g in analysis.groups] == [
        ("all_sources", [0]),
        ("between", [1]),
        ("unknown", [0]),
    ]
    assert np.isnan(analysis.counts[1:]).all()
    assert np.isfinite(analysis.weights[1]).sum() == 1


def test_mixed_counts_may_exceed_the_referrals_and_not_one_another():
    facts = [*FIRST, ("investigation", "a", "exact", 80), ("arrest", "a", "exact", 70)]
    marks = {"s2": MIXED, "s3": MIXED}
    assert [g.low.tolist() for g in analysis_of(facts, marks).groups] == [[80], [70]]
    with pytest.raises(InputError, match="above its denominator"):
        analysis_of(facts, {})
    with pytest.raises(InputError, match="above its denominator"):
        analysis_of([*facts[:3], ("arrest", "a", "exact", 90)], marks)


def test_a_bound_on_a_mixed_count_is_open_above():
    analysis = analysis_of(
        [*FIRST, ("arrest", "a", "at_least", 5)], {"s2": MIXED}, ranges={"s2": (5.0, np.inf)}
    )
    assert [g.high.tolist() for g in analysis.groups] == [[np.inf]]


class TestNarrowDenominators:
    def analysis(self, low, high, units=PERSONS):
        facts = [("referral", "a", "range", low, high), ("investigation", "a", "exact", 12)]
        return analysis_of(facts, {"s1": MIXED}, units)

    def test_a_narrow_range_is_conditioned_on_at_its_middle(self):
        analysis = self.analysis(40, 40 * NARROW)
        ((key, span),) = analysis.loose.items()
        assert span == (40, 60)
        assert analysis.counts[key[:2]] == round(np.sqrt(40 * 60))

    @pytest.mark.parametrize(("low", "high", "units"), [(40, 61, PERSONS), (40, 50, None), (0, 1, PERSONS)])
    def test_wide_ones_and_those_of_probabilities_are_not(self, low, high, units):
        analysis = self.analysis(low, high, units)
        assert not analysis.loose
        assert not analysis.groups
        assert {d.action for d in analysis.decisions} == {"unused"}

    def test_the_range_of_another_layer_is_not_that_of_an_exact_count(self):
        """43 investigations of the year and about 45 of other twelve months, each with its own arrests."""
        facts = [
            ("investigation", "a", "exact", 43), ("arrest", "a", "exact", 12),
            ("investigation", "a", "range", 40, 50), ("arrest", "a", "exact", 14),
        ]  # fmt: skip
        panel = make_panel(facts, TREE, units=PERSONS | {"investigation": "report"})
        told = (replace(s, shifted=s.id in ("s2", "s3")) for s in panel.statements)
        blueprint = bind(replace(panel, statements=tuple(told)), ["intercept"])
        analysis = blueprint.analysis
        assert list(analysis.loose.values()) == [(40, 50)]
        rough = {
            analysis.groups[number].n[0]: (which[0], *np.exp(ends[0]) * analysis.groups[number].n[0])
            for batch in blueprint.batches
            for number, which, ends in zip(
                batch.groups, batch.data["rough"], batch.data["rough_ends"], strict=True
            )
        }
        assert rough == {43: (-1, 43, 43), 45: (0, pytest.approx(40), pytest.approx(50))}
        low, high = known_ends(analysis)
        assert low[1, 0] == high[1, 0] == 43

    @pytest.mark.parametrize(("units", "high"), [(100, 80), (66, 66)])
    def test_a_rough_count_of_units_counted_before_is_an_outcome(self, units, high):
        """About 100 investigations, 30 of them a's: those of b are 60 to 80, and no more than its referrals."""
        facts = [
            ("referral", "a", "exact", 50), ("referral", "b", "exact", units), ("referral", "c", "exact", 9),
            ("investigation", "a", "exact", 30), ("investigation", "ab", "range", 90, 110), ("arrest", "c", "exact", 2),
        ]  # fmt: skip
        panel = make_panel(facts, {**TREE, "c": "all"}, units=PERSONS | {"investigation": "report"})
        told = (replace(s, shifted=s.id == "s5") for s in panel.statements)
        analysis = bind(replace(panel, statements=tuple(told)), ["intercept"]).analysis
        assert not analysis.loose
        found = {group.n[0]: (group.low.tolist(), group.high.tolist()) for group in analysis.groups}
        assert found == {50: ([30], [30]), units: ([60], [high]), 9: ([2], [2])}

    def test_what_is_left_of_a_rough_nation_is_as_rough(self):
        """90 to 110 less 30 known: from 60 to 80."""
        facts = [
            ("referral", "ab/US", "range", 90, 110), ("referral", "ab/NE", "exact", 30),
            ("investigation", "ab/US", "exact", 12), ("investigation", "ab/NE", "exact", 5),
        ]  # fmt: skip
        panel = make_panel(facts, {"ab": "all"}, PLACES, units=PERSONS)
        blueprint = bind(arrange(panel, remainder=True), ["intercept"])
        names = blueprint.panel.axes.cell_names
        ((key, span),) = blueprint.analysis.loose.items()
        assert (key[0], names(key[1])[1]) == (0, "US:rest")
        middle = round(np.sqrt(90 * 110))
        assert span == pytest.approx((90 - 30, 110 - 30))
        assert blueprint.analysis.counts[key[:2]] == middle - 30
        assert [unknown.name for unknown in blueprint.unknowns] == ["rough_count"]


class TestNarrowDenominatorsOfSeveralSources:
    """What stands for a range contradicts only what lies outside of it."""

    OUTCOME = ("investigation", "a", "exact", 12)
    ABOUT = ("referral", "a", "range", 40, 50)

    def analysis(self, *firsts, preferred=()):
        facts = [*firsts, self.OUTCOME]
        marks = {f"s{i}": {"preferred": "at first hand"} for i in preferred}
        return analysis_of(facts, marks | {f"s{len(firsts)}": MIXED}, PERSONS)

    def test_a_count_inside_the_range_is_kept(self):
        analysis = self.analysis(self.ABOUT, ("referral", "a", "exact", 43))
        assert analysis.counts[0][np.isfinite(analysis.counts[0])] == [43]
        assert not analysis.loose
        lost = next(d for d in analysis.decisions if d.statement == "s0")
        assert (lost.action, lost.others) == ("dropped", ("s1",))
        assert lost.reason == "gives way to t.csv, row 1, which says it more narrowly"

    def test_a_preferred_range_is_kept_and_contradicts_nothing_in_it(self):
        analysis = self.analysis(self.ABOUT, ("referral", "a", "exact", 43), preferred=[0])
        ((_, span),) = analysis.loose.items()
        assert span == (40, 50)
        lost = next(d for d in analysis.decisions if d.statement == "s1")
        assert lost.reason == "gives way to t.csv, row 0, which is preferred: at first hand"

    def test_the_narrower_of_two_ranges_that_overlap_is_kept(self):
        analysis = self.analysis(self.ABOUT, ("referral", "a", "range", 48, 52))
        ((_, span),) = analysis.loose.items()
        assert span == (48, 52)

    @pytest.mark.parametrize("other", [("exact", 51), ("range", 51, 55)])
    def test_what_lies_outside_contradicts_and_is_named_by_what_it_says(self, other):
        with pytest.raises(InputError) as caught:
            self.analysis(self.ABOUT, ("referral", "a", *other))
        (problem,) = caught.value.problems
        assert {"t.csv, row 0", "t.csv, row 1"} == set(problem.where.split(" and "))
        assert "40 to 50 (t.csv, row 0)" in problem.found
        assert "45" not in problem.found

    def test_a_preferred_range_contradicts_what_lies_outside(self):
        analysis = self.analysis(self.ABOUT, ("referral", "a", "exact", 51), preferred=[0])
        lost = next(d for d in analysis.decisions if d.statement == "s1")
        assert lost.reason == "contradicts t.csv, row 0, which is preferred: at first hand"

    @pytest.mark.parametrize(("parts", "holds"), [((22, 28), True), ((20, 19), False), ((30, 21), False)])
    def test_a_rough_total_contradicts_only_parts_that_sum_to_what_it_excludes(self, parts, holds):
        """40 to 50 in all, of which both parts are known."""
        facts = [
            ("referral", "ab", "range", 40, 50), ("referral", "a", "exact", parts[0]),
            ("referral", "b", "exact", parts[1]),
        ]  # fmt: skip
        if not holds:
            with pytest.raises(InputError, match="the sum of its parts"):
                self.analysis(*facts)
            return
        analysis = self.analysis(*facts)
        total = next(d for d in analysis.decisions if d.statement == "s0")
        assert (total.action, total.reason) == ("dropped", "its cells are known roughly: 50 in all")
