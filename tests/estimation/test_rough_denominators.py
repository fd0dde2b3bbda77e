"""A denominator known within a range: bounds hold every value of it, and no rate over it is counted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from attrition.data.funnel import Funnel
from attrition.estimation.bounds import Bounds
from attrition.estimation.completion import complete
from attrition.estimation.evidence import Evidence
from attrition.estimation.rows import make_rows
from attrition.estimation.so_far import counts_so_far
from attrition.models.field import FieldDraws

from ..panels import bind, make_panel
from .test_completion import assert_holds

PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}
NODES = {"ab": "all", "a": "ab", "b": "ab", "c": "all"}


def rough(*firsts):
    """Twelve investigations of a, five of b; counts of other origins of c, without which no range is a denominator."""
    facts = [
        *firsts, ("investigation", "a", "exact", 12), ("investigation", "b", "exact", 5),
        ("referral", "c", "exact", 10), ("arrest", "c", "exact", 1),
    ]  # fmt: skip
    return bind(with_origins(make_panel(facts, NODES, units=PERSONS), "c"), ["intercept"])


def with_origins(panel, offense):
    """The panel, counts of one offense being of every origin."""
    told = (replace(s, origin="all_sources") if s.offense == offense else s for s in panel.statements)
    return replace(panel, statements=tuple(told))


ROUGH, EXACT = ("referral", "a", "range", 90, 110), ("referral", "b", "exact", 30)
TOTAL = ("referral", "ab", "range", 120, 140)
NATION = ("referral", "ab", "exact", 130)
LEFT = ("referral", "ab", "range", 30, 40)  # of b alone, 30; a has what is left of it


@pytest.mark.parametrize(
    "firsts",
    [(ROUGH, EXACT), (TOTAL, EXACT), (NATION, ROUGH), (LEFT, EXACT)],
    ids=["a cell", "what a known part leaves of a total", "a part of a known total", "next to nothing left"],
)
def test_bounds_are_the_ends_over_every_denominator_the_records_allow(firsts):
    blueprint = rough(*firsts)
    bounds = Bounds(blueprint.panel, blueprint.analysis)
    whole = next((fact[3:] for fact in firsts if fact[1] == "ab"), (0, np.inf))
    spans = {fact[1]: (fact[3], fact[-1]) for fact in firsts if fact[1] != "ab"}
    allowed = [
        (a, b)
        for a, b in itertools.product(range(150), range(150))
        if whole[0] <= a + b <= whole[-1]
        and spans.get("a", (a, a))[0] <= a <= spans.get("a", (a, a))[1]
        and spans.get("b", (b, b))[0] <= b <= spans.get("b", (b, b))[1]
    ]
    for node, outcome in (("a", 12), ("b", 5), ("ab", 17)):
        sizes = [{"a": a, "b": b, "ab": a + b}[node] for a, b in allowed]
        rates = [outcome / size for size in sizes if size]
        found = bounds.rate(0, 1, blueprint.panel.axes.cells(node))
        assert found == pytest.approx((min(rates), max(rates))), node


PART = ("referral", "b", "range", 25, 35)


@pytest.mark.parametrize(
    "firsts",
    [
        (ROUGH, EXACT), (TOTAL, EXACT), (NATION, ROUGH), (LEFT, EXACT), (ROUGH, PART), (TOTAL, PART),
        (ROUGH, PART, TOTAL),
    ],
    ids=["a cell", "what a part leaves", "a part", "next to nothing left", "two", "what a rough part leaves", "a sum"],
)  # fmt: skip
def test_complete_counts_lie_anywhere_in_the_ranges_and_meet_every_record(firsts):
    blueprint = rough(*firsts)
    layout, size = blueprint.layout, 2000
    rng = np.random.default_rng(1)
    unknown = {one.name: rng.standard_normal((size, *one.shape)) for one in blueprint.unknowns}
    eta = np.full((size, 2, layout.size), -1.0)
    draws = FieldDraws(eta[..., 0], {}, {}, np.full((size, 2), 2.0), unknown=unknown)
    counts = complete(rng, blueprint, eta, draws)
    own = tuple(s for s in blueprint.panel.statements if s.origin == "referred_only")
    assert_holds(replace(blueprint.panel, statements=own), blueprint, counts)
    bounds = Bounds(blueprint.panel, blueprint.analysis)
    for node in ("a", "b", "ab"):
        columns = layout.positions[blueprint.panel.axes.cells(node)]
        units, cases = (counts[:, stage][:, columns].sum(axis=1) for stage in (0, 1))
        low, high = bounds.rate(0, 1, blueprint.panel.axes.cells(node))
        assert (cases / units >= low - 1e-9).all()
        assert (cases / units <= high + 1e-9).all()
    if firsts == (ROUGH, EXACT):  # uniform in the log
        ends, inside = ROUGH[3:], counts[:, 0, layout.positions[blueprint.panel.axes.cells("a")][0]]
        assert (inside.min(), inside.max()) == ends
        assert np.log(inside).mean() == pytest.approx(np.log(ends).mean(), abs=0.005)
        assert np.log(inside).std() == pytest.approx(np.ptp(np.log(ends)) / np.sqrt(12), rel=0.05)


def test_units_hold_the_outcomes_that_their_limit_allows():
    facts = [("referral", "a", "range", 90, 110), ("investigation", "a", "exact", 147), ("referral", "c", "exact", 10),
             ("arrest", "c", "exact", 1)]  # fmt: skip
    panel = with_origins(make_panel(facts, NODES, units=PERSONS), "c")
    funnel = Funnel(panel.funnel.stages, panel.funnel.units, {}, {"referral-investigation": 1.5})
    blueprint = bind(replace(panel, funnel=funnel), ["intercept"])
    eta = np.zeros((50, 2, blueprint.layout.size))
    draws = FieldDraws(eta[..., 0], {}, {}, np.full((50, 2), 2.0))
    draws = replace(draws, unknown={one.name: np.full((50, *one.shape), -9.0) for one in blueprint.unknowns})
    counts = complete(np.random.default_rng(0), blueprint, eta, draws)
    column = blueprint.layout.positions[blueprint.panel.axes.cells("a")]
    assert (counts[:, 0, column] == 98).all()


def test_no_rate_over_a_rough_denominator_is_counted():
    blueprint = rough(ROUGH, EXACT)
    rows = make_rows(blueprint.panel, blueprint.layout)
    behind = Evidence(blueprint).behind(rows, blueprint.panel.funnel.steps[0])
    counted = dict(zip(rows.names[:, 0], behind.counted.tolist(), strict=True))
    assert [counted[node] for node in ("a", "b", "ab")] == [False, True, False]
    counts, _ = counts_so_far(blueprint)
    assert np.isnan(counts[0]).tolist() == [True, False, False]


def test_the_range_of_a_count_of_other_origins_is_not_that_of_the_funnels_own():
    facts = [
        ("investigation", "a", "range", 90, 110), ("arrest", "a", "exact", 12),
        ("referral", "b", "exact", 30), ("investigation", "b", "exact", 5),
    ]  # fmt: skip
    panel = with_origins(make_panel(facts, NODES, units=PERSONS | {"investigation": "report"}), "a")
    analysis = bind(panel, ["intercept"]).analysis
    ((at, span),) = analysis.loose.items()
    assert (at[0], span) == (1, (90, 110))
    assert Bounds(panel, analysis).cell_bounds[at[:2]].tolist() == [0, np.inf]
