"""Units closed without the outcome, against enumeration of what becomes of every unit: converted, closed or neither."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from attrition.data.errors import InputError
from attrition.models.field import FieldDraws
from attrition.models.kinds.closed import Closed
from attrition.models.simulate import simulate_panel

from ..closings import EVERYTHING, closed, density, tables
from ..dated import ARR, INV, KIND, Dated, Z, panel_of, referrals
from ..panels import bind, group_logp

CASES: dict[str, tuple[dict[str, int], list[Dated]]] = {
    "latest counts": (
        {"a/2024": 4},
        [("2024", (INV, "a/P/2024", "exact", 1)), closed("2024", "a/P/2024", 2)],
    ),
    "closed alone": ({"a/2023": 4}, [closed("2023", "a/P/2023", 1), closed("2024", "a/P/2023", 3)]),
    "two dates of both": (
        {"a/2023": 5},
        [
            ("2023", (INV, "a/P/2023", "exact", 1)),
            ("2024", (INV, "a/P/2023", "exact", 2)),
            closed("2023", "a/P/2023", 1),
            closed("2024", "a/P/2023", 2),
        ],
    ),
    "closed at an earlier date only": (
        {"b/2023": 4},
        [("2024", (INV, "b/P/2023", "exact", 1)), closed("2023", "b/P/2023", 2)],
    ),
    "a range": (
        {"a/2024": 4},
        [("2024", (INV, "a/P/2024", "exact", 1)), closed("2024", "a/P/2024", 1, 3)],
    ),
    "beside a complete count": (
        {"a/2022": 4},
        [
            ("2024", (INV, "a/P/2022", "exact", 1)),
            closed("2022", "a/P/2022", 1),
            closed("2024", "a/P/2022", 2),
        ],
    ),
    "beside a complete count of none": (
        {"a/2022": 3},
        [("2024", (INV, "a/P/2022", "exact", 0)), closed("2023", "a/P/2022", 2)],
    ),
    "a sum of cells": (
        {"a/2023": 2, "b/2023": 3},
        [
            ("2024", (INV, "all/P/2023", "exact", 2)),
            closed("2024", "all/P/2023", 2),
            closed("2023", "all/P/2023", 1),
        ],
    ),
    "out of a later stage": (
        {"a/2022": 3},
        [
            ("2024", (INV, "a/P/2022", "exact", 2)),
            ("2024", (ARR, "a/P/2022", "exact", 0)),
            closed("2024", "a/P/2022", 1, stage=ARR),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_density_equals_enumeration(name):
    n, reports = CASES[name]
    panel = panel_of([*referrals(n), *reports])
    blueprint, found = density(panel)
    assert {d.action for d in blueprint.analysis.decisions} <= {"used", "known"}
    everything = tables(panel, n)
    assert np.exp(found) == pytest.approx(everything.probability[everything.stated].sum(), rel=1e-8)


@pytest.mark.parametrize("name", ["latest counts", "a range"])
def test_replicates_hold_the_count_they_were_made_of(name):
    n, reports = CASES[name]
    panel = panel_of([*referrals(n), *reports])
    kind, rng = Closed(), np.random.default_rng(3)
    (statement,) = (one for one in panel.statements if kind.claims(one, panel))
    for count in range(12):
        made = kind.replicate(rng, count, replace(statement, note="same"), kind.Settings())
        low, high = kind.range(made, kind.Settings())
        assert kind.claims(made, panel)
        assert low <= count <= high
        assert (made.id, made.note, made.count is None) == (statement.id, "same", statement.count is None)


def test_two_dates_of_both_exhaust_what_can_be_seen():
    n, total = {"a/2023": 1}, 0.0
    for late, shut in itertools.product(range(2), repeat=2):
        for early, before in itertools.product(range(late + 1), range(shut + 1)):
            if late + shut <= 1:
                facts = [
                    ("2023", (INV, "a/P/2023", "exact", early)),
                    ("2024", (INV, "a/P/2023", "exact", late)),
                    closed("2023", "a/P/2023", before),
                    closed("2024", "a/P/2023", shut),
                ]
                total += np.exp(density(panel_of([*referrals(n), *facts]))[1])
    assert total == pytest.approx(1.0, rel=1e-9)


def test_where_closing_never_comes_nothing_closed_says_nothing(monkeypatch):
    facts = [*referrals({"a/2024": 4}), ("2024", (INV, "a/P/2024", "exact", 1))]
    monkeypatch.setitem(EVERYTHING, "close_hazard", -60.0)
    without, also = density(panel_of(facts))[1], density(panel_of([*facts, closed("2024", "a/P/2024", 0)]))[1]
    assert also == pytest.approx(without, rel=1e-9)


def reasons(facts: list[Dated], kinds=KIND) -> dict[str, str]:
    blueprint, _ = density(panel_of(facts), kinds)
    return {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}


def test_what_no_density_covers_is_left_out_with_a_reason():
    both = [*referrals({"a/2021": 4, "a/2023": 4, "b/2023": 2}), ("2024", (INV, "a/P/2023", "exact", 1))]
    late = [*both, closed("2024", "a/P/2021", 2)]
    assert reasons(late) == {"s4": "it also holds units that were closed after the horizon"}
    coarser = [*both, closed("2024", "all/P/2023", 2)]
    assert reasons(coarser) == {
        "s4": "other counts of some of its cells are known; the two share unobserved counts"
    }
    skipped = [*both, closed("2024", "a/P/2023", 2, stage=ARR)]
    assert reasons(skipped)["s4"].startswith(
        "closed units are read out of investigation counts that are known"
    )
    complete = [
        *referrals({"a/2021": 4}),
        ("2024", (INV, "a/P/2021", "exact", 1)),
        closed("2021", "a/P/2021", 1),
    ]
    assert reasons(complete, {}) == {
        "s2": "closed units are read of cohorts that are waited for: kind.immature.horizon"
    }


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (
            [("2024", (INV, "a/P/2024", "exact", 2)), closed("2024", "a/P/2024", 3)],
            "investigation count above its denominator",
        ),
        (
            [closed("2023", "a/P/2023", 3), closed("2024", "a/P/2023", 2)],
            "count of those closed without investigation falls from one date to the next",
        ),
        ([closed("2024", "a/P/2024", 1, stage="referral")], "closed without referral"),
    ],
)
def test_what_cannot_be_true_is_refused(facts, what):
    period = facts[0][1][1].split("/")[-1]
    with pytest.raises(InputError) as caught:
        density(panel_of([*referrals({f"a/{period}": 4}), *facts]))
    (problem,) = caught.value.problems
    assert problem.what == what


def test_the_twin_is_seen_as_the_density_says():
    """Frequencies of what a simulated panel states, against the density of each outcome."""
    n = {"a/2023": 3}
    facts = [
        ("2024", (INV, "a/P/2023", "exact", 1)),
        closed("2023", "a/P/2023", 1),
        closed("2024", "a/P/2023", 1),
    ]
    blueprint, _ = density(panel_of([*referrals(n), *facts]))
    logits = np.array([[np.log(0.5), np.log(0.9)]])
    z = {one.name: np.full((1, *one.shape), Z) for one in blueprint.unknowns}
    draws = FieldDraws(logits, {}, {}, np.ones((1, 2)), unknown=z)
    rng, seen = np.random.default_rng(6), Counter()
    runs = 600
    for _ in range(runs):
        twin = simulate_panel(rng, blueprint, draws)
        seen[tuple(s.count for s in twin.panel.statements[1:])] += 1
    eta = np.repeat(logits.T, blueprint.layout.size, axis=1)
    chi, left, cells = 0.0, float(runs), 0
    for outcome, count in seen.most_common(8):
        told_so = [(year, (*fact[:3], y)) for (year, fact), y in zip(facts, outcome, strict=True)]
        other = bind(panel_of([*referrals(n), *told_so]), ["intercept"], kinds=KIND)
        expected = runs * np.exp(sum(group_logp(other, eta, unknown=EVERYTHING).values()))
        chi += (count - expected) ** 2 / expected
        left, cells = left - expected, cells + 1
    rest = runs - sum(count for _, count in seen.most_common(8))
    chi += (rest - left) ** 2 / left
    assert chi2.sf(chi, cells) > 1e-3
