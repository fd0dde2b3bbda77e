"""A denominator known within a range: bounds hold every value of it, and no rate over it is counted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.bounds import Bounds
from attrition.estimation.evidence import Evidence
from attrition.estimation.rows import make_rows
from attrition.estimation.so_far import counts_so_far

from ..panels import bind, make_panel

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
