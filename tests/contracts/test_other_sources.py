"""Counts that hold other cases against enumeration: referred cases, and a Poisson number of others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, nbinom, norm, poisson

from attrition.models.kinds.all_sources import AllSources, log_share
from attrition.models.paths import ARRAY

from .mixed import ETA, panel_of, place_logp

UNITS = {"a": 3, "b": 2}
FIRST = tuple(("referral", name, "exact", n) for name, n in UNITS.items())
UNKNOWN = {"source_share": 0.5, "source_place": -0.8, "source_offset": 1.2}
SETTINGS = AllSources.Settings()
MANY = 90  # more others than any case here has
PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}


def share():
    """c, by the words of the settings."""
    low, high = logit(SETTINGS.share)
    typical = (low + high) / 2 + (high - low) / (2 * norm.ppf(0.95)) * UNKNOWN["source_share"]
    return expit(typical + SETTINGS.between * UNKNOWN["source_place"])


def count_law(names, reach):
    """Probabilities of 0, 1, … of the count over some offenses at the first mixed stage.

    ``reach``: chance of each offense's units to be referred and reach it.
    """
    out = np.array([1.0])
    for name in names:
        out = np.convolve(out, binom(UNITS[name], reach[name]).pmf(np.arange(UNITS[name] + 1)))
    others = sum(UNITS[name] * reach[name] for name in names) * (1 - share()) / share()
    return np.convolve(out, poisson(others).pmf(np.arange(MANY)))[:MANY]


ONE = {name: expit(eta[0]) for name, eta in ETA.items()}
BOTH = {name: ONE[name] * expit(eta[1]) for name, eta in ETA.items()}
# Facts, and the law whose counts they speak of: the count itself, or a range of it.
CASES = {
    "one cell": (lambda y: (("investigation", "a", "exact", y),), ("a",), ONE),
    "a skipped step": (lambda y: (("arrest", "b", "exact", y),), ("b",), BOTH),
    "a total": (lambda y: (("investigation", "ab", "exact", y),), ("a", "b"), ONE),
    "a skipped total": (lambda y: (("arrest", "ab", "exact", y),), ("a", "b"), BOTH),
}


def found(reports, origin="all_sources", units=None, phi=1.0, unknown=None):
    panel = panel_of(FIRST, reports, origin, units)
    blueprint, logs = place_logp(panel, phi, unknown or UNKNOWN)
    assert blueprint.unclaimed == {}
    return np.array([logs.get(f"P{i}", np.nan) for i in range(len(reports))])


@pytest.mark.parametrize("name", CASES)
def test_counts_and_ranges(name):
    """More than were referred are possible, and a lower bound is no range up to the referrals."""
    facts, names, reach = CASES[name]
    law = count_law(names, reach)
    np.testing.assert_allclose(np.exp(found([facts(y) for y in range(12)])), law[:12], rtol=1e-7)
    stage, node = facts(0)[0][:2]
    ranges = [
        ((stage, node, "range", 2, 7),),
        ((stage, node, "at_least", 4),),
        ((stage, node, "at_most", 6),),
    ]
    expected = [law[2:8].sum(), law[4:].sum(), law[:7].sum()]
    np.testing.assert_allclose(np.exp(found(ranges)), expected, rtol=1e-6)


def test_between_two_mixed_counts_the_step_has_its_offset():
    reports = [(("investigation", "a", "exact", 6), ("arrest", "a", "exact", z)) for z in range(7)]
    chance = expit(ETA["a"][1] + SETTINGS.offset * UNKNOWN["source_offset"])
    expected = count_law("a", ONE)[6] * binom(6, chance).pmf(np.arange(7))
    np.testing.assert_allclose(np.exp(found(reports)), expected, rtol=1e-7)


def test_mixed_totals_at_two_stages():
    """Referred or not, every case of the first total is seen at the second with the mixed rate of its cell."""
    chance = {name: expit(ETA[name][1] + SETTINGS.offset * UNKNOWN["source_offset"]) for name in UNITS}
    per_cell = []
    for name in UNITS:
        law = count_law(name, ONE)[:40]
        z = np.arange(40)
        per_cell.append(law[:, None] * np.array([binom(y, chance[name]).pmf(z) for y in range(40)]))
    pairs = [(y, z) for y in range(9) for z in range(y + 1)]
    expected = [
        sum(per_cell[0][y0, z0] * per_cell[1][y - y0, z - z0] for y0 in range(y + 1) for z0 in range(z + 1))
        for y, z in pairs
    ]
    reports = [(("investigation", "ab", "exact", y), ("arrest", "ab", "exact", z)) for y, z in pairs]
    logs = found(reports)
    np.testing.assert_allclose(np.exp(logs), expected, rtol=1e-6)


def test_with_all_counts_referred_it_is_exact():
    reports = [(("investigation", node, "exact", 2),) for node in ("a", "b", "ab")]
    whole = found(reports, unknown={"source_share": 40.0})
    np.testing.assert_allclose(whole, found(reports, "referred_only"), atol=1e-6)


@pytest.mark.parametrize("name", ["one cell", "a skipped step", "a total"])
def test_ratio_steps_divide_the_mean_by_the_share(name):
    facts, names, _ = CASES[name]
    stage = facts(0)[0][0]
    steps = 2 if stage == "arrest" else 1
    phi, mean, factor = 2.0, 0.0, 0.0
    for each in names:
        rates = np.exp(np.array(ETA[each])[:steps])
        rates[-1] /= share()
        one = UNITS[each] * rates.prod()
        mean += one
        factor += one * (phi if steps == 1 else rates[1] * phi + phi)
    factor /= mean
    law = nbinom(mean / (factor - 1), 1 / factor)
    logs = found([facts(y) for y in range(15)], units=PERSONS, phi=phi)
    np.testing.assert_allclose(logs, law.logpmf(np.arange(15)), rtol=1e-8)


def test_others_join_at_the_ratio_step_of_a_path():
    """A ratio step and then a probability: cases of other origins pass the second as the referred do."""
    phi, rate, chance = 2.0, np.exp(ETA["a"][0]) / share(), expit(ETA["a"][1])
    mean, factor = UNITS["a"] * rate * chance, chance * phi + 1 - chance
    law = nbinom(mean / (factor - 1), 1 / factor)
    units = {"referral": "report", "investigation": "person", "arrest": "person"}
    (one,) = found([(("arrest", "a", "exact", 4),)], units=units, phi=phi)
    assert one == pytest.approx(law.logpmf(4))


class TestUnknownOrigin:
    def shares(self, z, unsure=True, settings=SETTINGS):
        z = np.atleast_1d(z)
        unknown = {"source_share": np.array([0.4]), "source_place": z[None]}
        place, flag = np.arange(len(z))[None], np.full((1, len(z)), unsure)
        return np.exp(log_share(settings, unknown, place, flag, ARRAY))[0, 0]

    def test_the_chance_that_all_are_referred_is_the_stated_one(self):
        z = np.random.default_rng(1).standard_normal(40_000)
        assert (self.shares(z) == 1).mean() == pytest.approx(SETTINGS.whole, abs=0.007)
        assert (self.shares(z, unsure=False) < 1).all()

    def test_below_it_the_share_has_the_spread_of_known_origins(self):
        z = np.random.default_rng(2).standard_normal(60_000)
        mixed = self.shares(z)
        inside = logit(mixed[mixed < 1 - 1e-6])
        plain = logit(self.shares(z, unsure=False))
        assert inside.mean() == pytest.approx(plain.mean(), abs=0.02)
        assert inside.std() == pytest.approx(SETTINGS.between, rel=0.05)

    def test_it_rises_with_the_coordinate_without_a_jump(self):
        seam = norm.ppf(1 - SETTINGS.whole)
        z = np.sort(np.concatenate([np.linspace(-4, 4, 2001), seam + np.linspace(-1e-4, 1e-4, 201)]))
        found = self.shares(z)
        assert (np.diff(found) >= 0).all()
        near = np.abs(z - seam) < 1e-4
        assert np.diff(found[near]).max() < 0.05

    def test_a_count_of_unknown_origin_uses_it(self):
        reports = [(("investigation", "a", "exact", 3),)]
        sure = found(reports, "unknown", unknown={"source_place": 3.0})
        np.testing.assert_allclose(sure, found(reports, "referred_only"), atol=1e-6)


def test_the_offset_of_a_ratio_step():
    (one,) = found(
        [(("investigation", "a", "exact", 6), ("arrest", "a", "exact", 9))], units=PERSONS, phi=3.0
    )
    first = UNITS["a"] * np.exp(ETA["a"][0]) / share()
    then = 6 * np.exp(ETA["a"][1] + SETTINGS.offset * UNKNOWN["source_offset"])
    expected = sum(nbinom(m / 2.0, 1 / 3.0).logpmf(y) for m, y in ((first, 6), (then, 9)))
    assert one == pytest.approx(expected)
