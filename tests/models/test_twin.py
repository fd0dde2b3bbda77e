"""The simulated twin: every kind at once, drawn forward from one truth, and bound again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.predictive import moments, reports
from attrition.models.forward import Forward
from attrition.models.simulate import simulate_panel
from attrition.models.unsplit import arrange

from ..panels import bind, make_panel, statement

OFFENSES = {"csam": "all", "sale": "csam", "having": "csam", "luring": "all"}
PLACES = {
    "US": "all",
    "NE": "US",
    "NY": "all",
    "UK": "all",
    "FR": "all",
    "IT": "all",
    "ES": "all",
    "SE": "all",
    "PT": "all",
}
SPLIT = {"sale": 500.0, "having": 300.0, "luring": 200.0}
PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}
FACTS = [
    # A nation, one part of which is known; its arrests hold other cases.
    ("referral", "all/US", "exact", 900), ("referral", "all/NE", "exact", 300),
    ("arrest", "all/US", "exact", 40, "all_sources"), ("arrest", "all/NE", "exact", 20, "all_sources"),
    # A total of which one part is counted, and one of which a part is counted at the next stage.
    ("referral", "all/NY", "exact", 400), ("investigation", "all/NY", "exact", 60),
    ("investigation", "csam/NY", "exact", 30), ("arrest", "luring/PT", "exact", 3),
    # Parts alone, beside an offense with referrals of its own.
    ("referral", "all/UK", "exact", 500), ("referral", "luring/UK", "exact", 90),
    ("investigation", "luring/UK", "exact", 20), ("investigation", "sale/UK", "exact", 25),
    # Mixed counts at two stages, of unknown origin in the next place.
    ("referral", "all/FR", "exact", 350), ("investigation", "all/FR", "exact", 80, "all_sources"),
    ("arrest", "all/FR", "exact", 30, "all_sources"),
    ("referral", "all/IT", "exact", 280), ("investigation", "all/IT", "range", 50, 70, "unknown"),
    # A rate beside a count of other months; a first count that is not a referral.
    ("referral", "all/ES", "exact", 310), ("investigation", "all/ES", "share_of_referral", None, 0.1, 0.2),
    ("arrest", "all/ES", "exact", 12, "shifted"),
    ("investigation", "luring/SE", "exact", 70), ("arrest", "luring/SE", "exact", 30),
    ("referral", "all/PT", "exact", 400), ("investigation", "all/PT", "exact", 60),
]  # fmt: skip


def blueprint_of(units):
    marks = [fact[-1] if fact[-1] in ("all_sources", "unknown", "shifted") else "" for fact in FACTS]
    facts = [fact[:-1] if mark else fact for fact, mark in zip(FACTS, marks, strict=True)]
    panel = make_panel(facts, OFFENSES, PLACES, units=units)
    told = []
    for one, mark in zip(panel.statements, marks, strict=True):
        change = {"shifted": True} if mark == "shifted" else {"origin": mark} if mark else {}
        told.append(replace(one, **change))
    mix = tuple(
        replace(statement(0, ("report", name, "exact", count)), id=f"mix {name}")
        for name, count in SPLIT.items()
    )
    panel = arrange(replace(panel, statements=tuple(told), mix=mix), remainder=True)
    return bind(panel, ["intercept", "offense", "jurisdiction", "cell"])


@pytest.fixture(scope="module", params=[None, PERSONS], ids=["probability", "ratio"])
def blueprint(request):
    return blueprint_of(request.param)


def test_everything_is_used(blueprint):
    """The world would be no test of a kind that its statements do not reach."""
    assert not blueprint.unclaimed
    assert {d.action for d in blueprint.analysis.decisions} <= {"used", "residual", "known"}
    kinds = {name for names in blueprint.statement_kinds.values() for name in names}
    assert kinds >= {"exact", "bounded", "share", "missing_denominator", "all_sources", "skipped"}
    assert {group.origin for group in blueprint.analysis.groups} == {
        "referred", "all_sources", "unknown", "between",
    }  # fmt: skip


def test_twins_bind_again_in_the_same_way(blueprint):
    for seed in range(6):
        twin = simulate_panel(np.random.default_rng(seed), blueprint)
        assert twin.panel.arrangement is blueprint.panel.arrangement
        kept = ("id", "stage", "offense", "jurisdiction", "period", "origin", "shifted")
        for old, new in zip(blueprint.panel.statements, twin.panel.statements, strict=True):
            assert [getattr(old, name) for name in kept] == [getattr(new, name) for name in kept]
            assert old.stage != "referral" or new == old
        again = bind(twin.panel, ["intercept", "offense", "jurisdiction", "cell"])
        assert again.unclaimed == blueprint.unclaimed
        assert again.layout.cells.tolist() == blueprint.layout.cells.tolist()
        assert [u.shape for u in again.unknowns] == [u.shape for u in blueprint.unknowns]
        # Where a count came out as zero the next stage says nothing of a rate.
        assert len(again.analysis.groups) <= len(blueprint.analysis.groups)


def test_the_truth_is_the_draw_that_was_given(blueprint):
    draws = blueprint.prior_draws(np.random.default_rng(1), 1)
    one, two = (simulate_panel(np.random.default_rng(2), blueprint, draws) for _ in range(2))
    assert one.draws is draws
    assert one.panel.statements == two.panel.statements
    np.testing.assert_array_equal(one.rates, two.rates)


def test_a_total_is_the_sum_of_its_cells(blueprint):
    layout = blueprint.layout
    for seed in range(5):
        counts = simulate_panel(np.random.default_rng(seed), blueprint).counts
        for total in np.unique(layout.member_of[layout.member_of >= 0]):
            inside = layout.member_of == total
            found = counts[:, layout.positions[total]]
            seen = np.isfinite(found)
            np.testing.assert_array_equal(counts[:, inside].sum(axis=1)[seen], found[seen])


def middle(blueprint):
    """A draw of the prior with rates and shares that are not extreme."""
    draws = blueprint.prior_draws(np.random.default_rng(8), 1)
    values = {name: 0.4 * value for name, value in draws.values.items()}
    unknown = {name: 0.5 * value for name, value in draws.unknown.items()}
    intercept = np.full_like(draws.intercept, -0.7)
    return replace(draws, intercept=intercept, values=values, unknown=unknown, phi=1 + (draws.phi > 1) * 1.5)


def test_counts_have_the_moments_of_the_model(blueprint):
    """Of every group that begins with a given count: mean and variance over twins are those of its density."""
    draws = middle(blueprint)
    size = 400
    seen = defaultdict(list)
    for seed in range(size):
        for one in simulate_panel(np.random.default_rng(seed), blueprint, draws).panel.statements:
            seen[one.id].append(np.nan if one.count is None else one.count)
    eta = blueprint.predictor(draws)
    found = moments(np.random.default_rng(0), blueprint, eta, draws)
    forward = Forward(np.random.default_rng(0), blueprint, draws)
    held = 0
    for place, report in enumerate(reports(blueprint)):
        group = blueprint.analysis.groups[report.group]
        if report.kind.startswith("share") or report.low < report.high or group.apart:
            continue
        key = (group.origin == "referred", blueprint.panel.by_id[group.statements[0][0]].shifted)
        columns = forward._columns(group)
        if (forward.begins(key)[columns] != group.start).any() or group.start[0] == group.stages[0]:
            continue
        counts = np.array(seen[group.statements[0][0]])
        mean, variance = found.mean[0, place], found.variance[0, place]
        name = group.statements[0][0]
        residual = next(d for d in blueprint.analysis.decisions if d.statement == name).others
        for other in residual:
            counts = counts - np.array(seen[other])
        held += 1
        assert counts.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / size)), report
        assert counts.var() == pytest.approx(variance, rel=0.3), report
    assert held >= 8


def test_a_known_total_divides_with_the_factor_of_its_step():
    """Shares of one total vary, given the total, by φ times the binomial variance."""
    blueprint = blueprint_of(PERSONS)
    draws = middle(blueprint)
    pairs = []
    for seed in range(700):
        by_id = simulate_panel(np.random.default_rng(seed), blueprint, draws).panel.by_id
        pairs.append((by_id["s5"].count, by_id["s6"].count))
    whole, part = np.array(pairs, dtype=float).T
    share = part.sum() / whole.sum()
    found = ((part - share * whole) ** 2).mean() / (whole.mean() * share * (1 - share))
    assert found == pytest.approx(2.5, rel=0.3)


def test_published_rates_follow_the_truth(blueprint):
    draws = middle(blueprint)
    low = replace(draws, intercept=draws.intercept - 1.5)
    ends = []
    for truth in (draws, low):
        made = [
            simulate_panel(np.random.default_rng(i), blueprint, truth).panel.by_id["s18"] for i in range(60)
        ]
        ends.append(np.mean([np.log((one.low + one.high) / 2) for one in made]))
    assert 0.8 < ends[0] - ends[1] < 1.7
