"""Cohorts that are still developing, against enumeration of what becomes of every unit, lag by lag."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, chi2

from attrition.data.errors import InputError
from attrition.models.field import FieldDraws
from attrition.models.simulate import simulate_panel

from ..dated import (
    ARR,
    CASES,
    INV,
    KIND,
    PERIODS,
    RATES,
    UNKNOWN,
    Z,
    delays,
    density,
    panel_of,
    referrals,
    worlds,
)
from ..panels import bind, group_logp, make_panel


@pytest.mark.parametrize("name", CASES)
def test_density_equals_enumeration(name):
    n, reports = CASES[name]
    panel = panel_of([*referrals(n), *reports])
    everything = worlds(n)
    blueprint, found = density(panel)
    assert {d.action for d in blueprint.analysis.decisions} <= {"used", "known"}
    assert np.exp(found) == pytest.approx(everything.probability[everything.stated(panel)].sum(), rel=1e-8)


def test_the_counts_of_two_dates_exhaust_what_can_be_seen():
    n, total = {"a/2023": 3}, 0.0
    for late in range(4):
        for early in range(late + 1):
            facts = [("2023", (INV, "a/P/2023", "exact", early)), ("2024", (INV, "a/P/2023", "exact", late))]
            total += np.exp(density(panel_of([*referrals(n), *facts]))[1])
    assert total == pytest.approx(1.0, rel=1e-9)


def test_without_delay_it_is_exact(monkeypatch):
    panel = panel_of([*referrals({"a/2024": 3}), ("2024", (INV, "a/P/2024", "exact", 1))])
    monkeypatch.setitem(UNKNOWN, "lag_hazard", 60.0)
    assert density(panel)[1] == pytest.approx(density(panel, {})[1], rel=1e-12)


def test_with_every_count_older_than_the_horizon_it_is_exact():
    facts = [("2024", (INV, "a/P/2022", "exact", 2)), ("2024", (ARR, "b/P/2022", "exact", 1))]
    n = {"a/2022": 3, "b/2022": 4}
    early = {"immature": {"horizon": 1}}
    blueprint, found = density(panel_of([*referrals(n), *facts]), early)
    assert found == pytest.approx(density(panel_of([*referrals(n), *facts]), {})[1], rel=1e-12)
    assert blueprint.unknowns == ()


def refused(facts, n, kinds=KIND):
    with pytest.raises(InputError) as caught:
        density(panel_of([*referrals(n), *facts]), kinds)
    (problem,) = caught.value.problems
    return problem


FALLS = [("2023", (INV, "a/P/2023", "exact", 3)), ("2024", (INV, "a/P/2023", "exact", 2))]


def test_a_count_that_falls_is_refused_with_its_rows():
    problem = refused(FALLS, {"a/2023": 5})
    assert problem.what == "investigation count falls from one date to the next"
    assert problem.where == "t.csv, row 1 and t.csv, row 2"


def test_or_the_counts_before_the_correction_are_dropped_and_listed():
    latest = {"immature": {**KIND["immature"], "revisions": "latest"}}
    blueprint, found = density(panel_of([*referrals({"a/2023": 5}), *FALLS]), latest)
    assert found == pytest.approx(density(panel_of([*referrals({"a/2023": 5}), FALLS[1]]))[1], rel=1e-12)
    dropped = [d for d in blueprint.analysis.decisions if d.action == "dropped"]
    assert [(d.statement, d.reason) for d in dropped] == [("s1", "corrected downwards by t.csv, row 2")]


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ([("2024", (INV, "a/P/2024", "exact", 4))], "investigation count above its denominator"),
        (
            [("2023", (INV, "a/P/2021", "exact", 1)), ("2024", (INV, "a/P/2021", "exact", 2))],
            "investigation counts go on rising beyond the horizon",
        ),
        (
            [("2022", (INV, "a/P/2022", "exact", 2)), ("2024", (INV, "a/P/2022", "exact", 1))],
            "investigation count falls from one date to the next",
        ),
    ],
)
def test_what_cannot_be_true_is_refused(facts, what):
    period = facts[0][1][1].split("/")[-1]
    assert refused(facts, {f"a/{period}": 3}).what == what


def test_young_cohorts_on_a_ratio_step_are_refused_in_one_line():
    stages, units = ("referral", "arrest"), {"referral": "report", "arrest": "person"}
    facts = [(stage, f"all/P/{t}", "exact", 5) for t in ("2021", "2023", "2024") for stage in stages]
    panel = make_panel(facts, (), ("P",), PERIODS, stages, units)
    dated = tuple(replace(s, as_of="2024-12-31") for s in panel.statements)
    with pytest.raises(InputError) as caught:
        bind(replace(panel, statements=dated, dated=True), ["intercept"], kinds=KIND)
    (problem,) = caught.value.problems
    assert problem.what == "arrest counts of cohorts that still develop, on a step that is a ratio"
    assert problem.where == "t.csv, row 3 and t.csv, row 5"
    assert "kind.immature.horizon = 0" in problem.do
    complete = replace(panel, statements=dated[:2], dated=True)
    assert [d.action for d in bind(complete, ["intercept"], kinds=KIND).analysis.decisions] == [
        "known",
        "used",
    ]


def test_what_no_density_covers_is_left_out_with_a_reason():
    n = {"a/2023": 3, "b/2023": 2}
    facts = [("2024", (INV, "a/P/2023", "exact", 1)), ("2024", (INV, "all/P/2023", "exact", 3))]
    blueprint, found = density(panel_of([*referrals(n), *facts]))
    reasons = {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}
    assert reasons == {"s3": "other counts of some of its cells are known; the two share unobserved counts"}
    assert found == pytest.approx(density(panel_of([*referrals(n), facts[0]]))[1], rel=1e-12)


def test_period_counts_need_their_cohorts_and_share_nothing():
    n = {f"a/{t}": 2 for t in PERIODS}
    year = ("2024p", (INV, "a/P/2024", "exact", 1))
    facts = [
        year,
        ("2024p", (INV, "a/P/2022", "exact", 1)),
        ("2023p", (INV, "a/P/2024", "exact", 1)),
    ]
    blueprint, found = density(panel_of([*referrals(n), *facts]))
    reasons = {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}
    assert reasons == {
        "s5": "it also holds outcomes of referrals before 2021, and those are not recorded",
        "s6": "some of its outcomes had not reached the tables by its date",
    }
    assert found == pytest.approx(density(panel_of([*referrals(n), year]))[1], rel=1e-12)
    both = [year, ("2024", (INV, "a/P/2023", "exact", 1))]
    blueprint, _ = density(panel_of([*referrals(n), *both]))
    unused = [d for d in blueprint.analysis.decisions if d.action == "unused"]
    assert [d.statement for d in unused] == ["s4"]
    assert unused[0].reason.endswith("the two share unobserved counts")


def test_the_twin_is_seen_as_the_density_says():
    """Frequencies of what a simulated panel states, against the density of each outcome."""
    n = {"a/2023": 3, "b/2022": 2}
    facts = [
        ("2023", (INV, "a/P/2023", "exact", 1)),
        ("2024", (INV, "a/P/2023", "exact", 2)),
        ("2024", (ARR, "a/P/2023", "exact", 1)),
        ("2023", (ARR, "b/P/2022", "exact", 1)),
    ]
    blueprint, _ = density(panel_of([*referrals(n), *facts]))
    logits = np.array([[np.log(0.5), np.log(0.9)]])
    z = {one.name: np.full((1, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(logits, {}, {}, np.ones((1, 2)), unknown=z)
    rng, seen = np.random.default_rng(5), Counter()
    runs = 2500
    for _ in range(runs):
        twin = simulate_panel(rng, blueprint, draws)
        seen[tuple(s.count for s in twin.panel.statements[2:])] += 1
    eta = np.repeat(logits.T, blueprint.layout.size, axis=1)
    chi, left, cells = 0.0, float(runs), 0
    for outcome, count in seen.most_common(12):
        told = [(year, (*fact[:3], y)) for (year, fact), y in zip(facts, outcome, strict=True)]
        other = bind(panel_of([*referrals(n), *told]), ["intercept"], kinds=KIND)
        expected = runs * np.exp(sum(group_logp(other, eta, unknown=UNKNOWN).values()))
        chi += (count - expected) ** 2 / expected
        left, cells = left - expected, cells + 1
    rest = runs - sum(count for _, count in seen.most_common(12))
    chi += (rest - left) ** 2 / left
    assert chi2.sf(chi, cells) > 1e-3


def test_what_reaches_the_tables_later_is_not_yet_seen():
    """Half of the events are seen a period late: the law of the lag seen is the mean of two."""
    kinds = {"immature": {**KIND["immature"], "publication": [1.0, 1.0]}}
    panel = panel_of([*referrals({"a/2024": 3}), ("2024", (INV, "a/P/2024", "exact", 1))])
    chance = RATES["a"][0] * delays("a", "2024")[0] / 2
    assert density(panel, kinds)[1] == pytest.approx(binom.logpmf(1, 3, chance), rel=1e-12)
