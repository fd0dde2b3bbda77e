"""The density of every kind, alone and composed, against enumeration of all complete counts."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.models import catalogue

from ..panels import complete_tables, stated
from .cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_density_equals_enumeration(everything, case: Case):
    """P(reports | referrals), exactly: the sum over the complete counts that would have been reported so."""
    panel, tables = everything.panel, complete_tables(case.n, everything.rates[case.name])
    counts, probability = tables
    by_place = {place: [] for place in everything.places[case.name]}
    for statement in panel.statements:
        if statement.jurisdiction in by_place and statement.stage != "referral":
            by_place[statement.jurisdiction].append(statement)
    truth, found = [], []
    for place, statements in by_place.items():
        cells = panel.axes.cells("all", place)[: len(case.n)]
        truth.append(probability[stated(panel, cells, counts, statements)].sum())
        found.append(np.exp(everything.logp.get(place, 0.0)))
    np.testing.assert_allclose(found, truth, rtol=1e-10, atol=1e-300)
    assert sum(found) == pytest.approx(1.0, rel=1e-10)


def test_the_cases_cover_the_catalogue(everything):
    """A hard kind without a case here has a density that nobody has held against enumeration."""
    seen = set().union(*everything.kinds.values())
    # test_unsplit_totals, test_other_sources, test_immature, test_closed, test_crossing, test_nonreporting
    seen |= {"missing_denominator", "all_sources", "immature", "closed", "crossing", "nonreporting"}
    assert seen == {kind.name for kind in catalogue.kinds() if not kind.soft}


@pytest.mark.parametrize(
    ("case", "kinds"),
    [
        ("exact", {"exact"}),
        ("skipped", {"exact", "skipped"}),
        ("total", {"exact", "total"}),
        ("totals at two stages", {"exact", "skipped", "total"}),
        ("skipped total", {"exact", "skipped", "total"}),
        ("range, skipped", {"bounded", "skipped"}),
        ("range of a total, skipped", {"bounded", "skipped", "total"}),
    ],
)
def test_cases_are_what_they_are_called(everything, case, kinds):
    assert kinds in [everything.kinds[place] for place in everything.places[case]]
