"""Bounds by hand and against a published example."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from attrition.estimation.bounds import Bounds
from attrition.models.analyse import analyse

REFERRALS = [("referral", "a", 10, 10), ("referral", "b", 20, 20), ("referral", "c", 30, 30)]
UNITS = {"referral": "report", "investigation": "report", "arrest": "person"}


def bounds_of(build, facts, offenses="abc", **settings):
    panel, ranges = build(facts, tuple(offenses), **settings)
    return Bounds(panel, analyse(panel, ranges)), panel


def test_berkeley_admissions(build):
    """Bickel, Hammel and O'Connell (1975), six departments: admitted by department, sex withheld."""
    applicants = {"male": (825, 560, 325, 417, 191, 373), "female": (108, 25, 593, 375, 393, 341)}
    admitted = (601, 370, 322, 269, 147, 46)
    departments = tuple("ABCDEF")
    facts = [
        ("applied", f"{sex}/{d}", n, n)
        for sex, by in applicants.items()
        for d, n in zip(departments, by, strict=True)
    ]
    facts += [("admitted", f"all/{d}", n, n) for d, n in zip(departments, admitted, strict=True)]
    panel, ranges = build(facts, ("male", "female"), departments, ("applied", "admitted"))
    bounds = Bounds(panel, analyse(panel, ranges))
    low, high = bounds.rate(0, 1, panel.axes.cells("male"))
    assert (round(low, 3), round(high, 3)) == (0.311, 0.652)
    for sex in applicants:
        least = sum(
            max(t - m, 0)
            for t, m in zip(admitted, applicants[{"male": "female", "female": "male"}[sex]], strict=True)
        )
        most = sum(min(t, n) for t, n in zip(admitted, applicants[sex], strict=True))
        total = sum(applicants[sex])
        assert bounds.rate(0, 1, panel.axes.cells(sex)) == pytest.approx((least / total, most / total))
    everyone = sum(admitted) / sum(map(sum, applicants.values()))
    assert bounds.rate(0, 1, panel.axes.cells()) == pytest.approx((everyone, everyone))


def test_exact_cells_have_exact_rates(build):
    facts = [*REFERRALS, *[("arrest", n, c, c) for n, c in zip("abc", (1, 5, 9), strict=True)]]
    bounds, panel = bounds_of(build, facts)
    assert bounds.cell_rates(0, 2).tolist() == [[0.1, 0.1], [0.25, 0.25], [0.3, 0.3]]
    assert bounds.rate(0, 2, panel.axes.cells()) == (0.25, 0.25)


def test_unreported_cells_allow_everything(build):
    bounds, panel = bounds_of(build, REFERRALS)
    assert bounds.cell_bounds[1].tolist() == [[0, 10], [0, 20], [0, 30]]
    assert bounds.rate(0, 2, panel.axes.cells()) == (0, 1)


def test_a_total_bounds_each_cell_and_is_exact_together(build):
    bounds, panel = bounds_of(build, [*REFERRALS, ("investigation", "all", 45, 45)])
    assert bounds.cell_bounds[1].tolist() == [[0, 10], [5, 20], [15, 30]]
    assert bounds.rate(0, 1, panel.axes.cells()) == (0.75, 0.75)
    assert bounds.rate(0, 1, np.array([1, 2])) == (35 / 50, 45 / 50)


def test_stages_bound_each_other(build):
    bounds, panel = bounds_of(build, [*REFERRALS, ("arrest", "a", 4, 4), ("investigation", "b", 3, 6)])
    assert bounds.cell_bounds[1].tolist() == [[4, 10], [3, 6], [0, 30]]
    assert bounds.cell_bounds[2].tolist() == [[4, 4], [0, 6], [0, 30]]
    assert bounds.rate(0, 1, panel.axes.cells()) == (7 / 60, 46 / 60)


def test_a_later_known_stage_is_counted_in_its_total(build):
    facts = [*REFERRALS, ("investigation", "all", 25, 25), ("arrest", "a", 7, 7)]
    bounds, panel = bounds_of(build, facts)
    assert bounds.rate(0, 1, panel.axes.cells()) == (25 / 60, 25 / 60)
    assert bounds.cell_bounds[1].tolist() == [[7, 10], [0, 18], [0, 18]]


def test_national_totals_without_parts_still_give_the_national_rate(build):
    bounds, panel = bounds_of(build, [("referral", "all", 100, 100), ("arrest", "all", 7, 7)])
    assert bounds.rate(0, 2, panel.axes.cells()) == (0.07, 0.07)
    assert bounds.rate(0, 2, panel.axes.cells("a")) == (0, 1)


def test_an_unknown_denominator_is_bounded_over_both(build):
    bounds, _ = bounds_of(build, [("investigation", "a", 6, 6), ("arrest", "a", 2, 2)])
    assert bounds.cell_rates(0, 2)[0].tolist() == [0, 2 / 6]  # investigated, so referred
    assert bounds.cell_rates(1, 2)[0].tolist() == [2 / 6, 2 / 6]


def test_no_units_no_rate(build):
    bounds, panel = bounds_of(build, [("referral", "a", 0, 0), *REFERRALS[1:], ("arrest", "b", 5, 5)])
    assert np.isnan(bounds.rate(0, 2, panel.axes.cells("a"))).all()
    assert np.isnan(bounds.cell_rates(0, 2)[0]).all()
    assert bounds.rate(0, 2, np.array([0, 1])) == (0.25, 0.25)


class TestRatioSteps:
    def test_nothing_above(self, build):
        facts = [*REFERRALS, ("arrest", "a", 25, 25), ("arrest", "b", 3, inf)]
        bounds, panel = bounds_of(build, facts, units=UNITS)
        assert bounds.cell_rates(0, 2).tolist() == [[2.5, 2.5], [0.15, inf], [0, inf]]
        assert bounds.rate(0, 2, panel.axes.cells()) == (28 / 60, inf)
        assert bounds.rate(1, 2, panel.axes.cells("a")) == (2.5, 25)  # of one investigation at least

    def test_a_total_bounds_above(self, build):
        bounds, panel = bounds_of(build, [*REFERRALS, ("arrest", "all", 90, 90)], units=UNITS)
        assert bounds.cell_rates(0, 2).tolist() == [[0, 9], [0, 4.5], [0, 3]]
        assert bounds.rate(0, 2, panel.axes.cells()) == (1.5, 1.5)

    def test_a_limit_of_the_plan_bounds_above_and_the_stage_before(self, build):
        facts = [*REFERRALS, ("arrest", "a", 7, 7)]
        bounds, panel = bounds_of(build, facts, units=UNITS, limits={"investigation-arrest": 3.0})
        assert bounds.cell_bounds[1, 0].tolist() == [3, 10]
        assert bounds.rate(1, 2, panel.axes.cells("a")) == (0.7, 7 / 3)
        assert bounds.rate(1, 2, panel.axes.cells("b")) == (0, 3)


def test_totals_of_the_same_cells_need_no_linear_program(build, monkeypatch):
    """However many there are: what many cells cost is measured in ``benchmarks/bounds.py``."""
    rng = np.random.default_rng(3)
    offenses, places = [f"o{i}" for i in range(8)], [f"j{i}" for i in range(40)]
    n = rng.poisson(50, (8, 40))
    y = rng.binomial(n, 0.3)
    facts = [("referral", f"o{o}/j{j}", float(n[o, j]), float(n[o, j])) for o in range(8) for j in range(40)]
    facts += [("arrest", f"o{o}/j{j}", float(y[o, j]), float(y[o, j])) for o in range(8) for j in range(20)]
    facts += [("arrest", f"all/j{j}", float(y[:, j].sum()), float(y[:, j].sum())) for j in range(20, 40)]
    panel, ranges = build(facts, offenses, places)
    monkeypatch.setattr("attrition.estimation.bounds.Program", None)
    analysis = analyse(panel, ranges)
    bounds = Bounds(panel, analysis)
    rates = [bounds.cell_rates(a, b) for a, b in ((0, 1), (1, 2), (0, 2))]
    found = [bounds.rate(0, 2, panel.axes.cells(o)) for o in offenses]
    truth = (y / np.maximum(n, 1)).ravel()
    assert ((rates[2][:, 0] <= truth) & (truth <= rates[2][:, 1]))[n.ravel() > 0].all()
    for o, (low, high) in enumerate(found):
        assert low <= y[o].sum() / n[o].sum() <= high
        assert 0.1 < low < high < 1
