"""Complete counts keep the most outcomes that a unit can have, and follow their law within it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, chi2, nbinom

from attrition.data.funnel import Funnel
from attrition.models.limits import per_unit

from ..panels import make_panel
from .test_completion import CASES, drawn

SIZE, PHI = 4000, 2.0


def limited(facts, offenses, stages=("referral", "investigation"), **most):
    """A panel of cases of reports and its funnel's limits."""
    panel = make_panel(facts, offenses, stages=stages, units=CASES)
    steps = {name.replace("_", "-"): value for name, value in most.items()}
    return replace(panel, funnel=Funnel(panel.funnel.stages, panel.funnel.units, {}, steps))


def assert_follows(counts, law):
    """Counts (R,) against probabilities of 0, 1, …"""
    law = law / law.sum()
    assert counts.max() < len(law)
    assert law[np.unique(counts.astype(int))].min() > 0
    found = np.bincount(counts.astype(int), minlength=len(law))
    keep = law * len(counts) > 5
    expected = law * len(counts)
    rest = max(expected[~keep].sum(), 1e-9), found[~keep].sum()
    statistic = ((found - expected) ** 2 / expected.clip(1e-9))[keep].sum() + (
        (rest[1] - rest[0]) ** 2 / rest[0] if rest[0] > 1 else 0
    )
    assert chi2.sf(statistic, keep.sum()) > 1e-3


def ratio(count, n, rate):
    return nbinom.pmf(count, n * rate / (PHI - 1), 1 / PHI)


@pytest.mark.parametrize("total", [44, 62])
def test_a_total_is_split_within_the_limits_of_its_cells(total):
    """At 62 of at most 66 hardly a free split would do."""
    facts = [
        ("referral", "a", "exact", 4),
        ("referral", "b", "exact", 40),
        ("investigation", "all", "exact", total),
    ]
    counts, _ = drawn(limited(facts, "ab", referral_investigation=1.5), np.array([1.0]), SIZE, phi=PHI)
    assert (counts[:, 1].sum(axis=1) == total).all()
    at = np.arange(total + 1)
    law = ratio(at, 4, 1.0) * ratio(total - at, 40, 1.0)
    assert_follows(counts[:, 1, 0], np.where((at <= 6) & (total - at <= 60), law, 0))


def test_a_range_of_a_total_is_met_within_the_limits_too():
    facts = [
        ("referral", "a", "exact", 2),
        ("referral", "b", "exact", 8),
        ("investigation", "all", "range", 5, 9),
    ]
    counts, _ = drawn(limited(facts, "ab", referral_investigation=1.0), np.array([0.8]), SIZE, phi=PHI)
    a, b = np.meshgrid(np.arange(3), np.arange(9), indexing="ij")
    law = ratio(a, 2, 0.8) * ratio(b, 8, 0.8) * ((a + b >= 5) & (a + b <= 9))
    assert_follows(counts[:, 1, 0], law.sum(axis=1))
    assert_follows(counts[:, 1, 1], law.sum(axis=0))


def test_a_range_that_the_limits_cut_short_has_its_law():
    """Of ten free draws hardly one is within the limits: 2 of 2, 8 of 8 and 8 of 8 at three times as many expected."""
    facts = [*(("referral", node, "exact", n) for node, n in (("a", 2), ("b", 8), ("c", 8))),
             ("investigation", "all", "range", 9, 18)]  # fmt: skip
    counts, _ = drawn(limited(facts, "abc", referral_investigation=1.0), np.array([3.0]), SIZE, phi=PHI)
    a, b, c = np.meshgrid(np.arange(3), np.arange(9), np.arange(9), indexing="ij")
    law = ratio(a, 2, 3.0) * ratio(b, 8, 3.0) * ratio(c, 8, 3.0) * (a + b + c >= 9)
    assert_follows(counts[:, 1].sum(axis=1), np.bincount((a + b + c).ravel(), law.ravel()))
    assert_follows(counts[:, 1, 0], law.sum(axis=(1, 2)))
    assert_follows(counts[:, 1, 1], law.sum(axis=(0, 2)))


def test_a_silent_cell_is_drawn_within_its_limit():
    facts = [("referral", "a", "exact", 5), ("referral", "b", "exact", 5), ("investigation", "b", "exact", 5)]
    counts, _ = drawn(limited(facts, "ab", referral_investigation=1.5), np.array([1.3]), SIZE, phi=PHI)
    assert_follows(counts[:, 1, 0], ratio(np.arange(8), 5, 1.3))


def test_a_count_between_known_ones_keeps_the_limit():
    facts = [("referral", "a", "exact", 5), ("arrest", "a", "exact", 3)]
    stages = ("referral", "investigation", "arrest")
    counts, _ = drawn(
        limited(facts, "a", stages, referral_investigation=1.5), np.array([1.5, 0.3]), SIZE, phi=PHI
    )
    at = np.arange(8)
    assert_follows(counts[:, 1, 0], ratio(at, 5, 1.5) * binom.pmf(3, at, 0.3))


def test_totals_at_two_stages_keep_it():
    facts = [("referral", "a", "exact", 2), ("referral", "b", "exact", 8), ("investigation", "all", "exact", 9),
             ("arrest", "all", "range", 2, 4)]  # fmt: skip
    stages = ("referral", "investigation", "arrest")
    panel = limited(facts, "ab", stages, referral_investigation=1.0)
    counts, blueprint = drawn(panel, np.array([0.8, 0.3]), SIZE, phi=PHI)
    assert per_unit(blueprint.panel.funnel)[0, 1] == 1.0
    at = np.arange(3)
    assert_follows(counts[:, 1, 0], ratio(at, 2, 0.8) * ratio(9 - at, 8, 0.8) * (9 - at <= 8))
    assert (counts[:, 2].sum(axis=1) >= 2).all()
    assert (counts[:, 2] <= counts[:, 1]).all()


def test_crossing_totals_keep_it():
    units = {"a/N": 20, "a/S": 60, "b/N": 60, "b/S": 60}
    facts = [
        *(("referral", node, "exact", n) for node, n in units.items()),
        ("investigation", "a/all", "exact", 95), ("investigation", "b/all", "exact", 80),
        ("investigation", "all/N", "exact", 85), ("investigation", "all/S", "exact", 90),
    ]  # fmt: skip
    panel = make_panel(facts, "ab", ("N", "S"), stages=("referral", "investigation"), units=CASES)
    panel = replace(
        panel, funnel=Funnel(panel.funnel.stages, panel.funnel.units, {}, {"referral-investigation": 1.5})
    )
    counts, _ = drawn(panel, np.array([0.9]), 1000, phi=PHI)
    assert (counts[:, 1] <= np.floor(1.5 * counts[:, 0])).all()
    assert (counts[:, 1].max(axis=0) - counts[:, 1].min(axis=0) > 5).all()
