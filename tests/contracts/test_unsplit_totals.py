"""Unsplit totals against enumeration: every unit of a total is of some offense, and reaches some stage."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from scipy.special import betaln, expit, gammaln
from scipy.stats import binom, nbinom

from attrition.models.kinds.missing_denominator import MissingDenominator
from attrition.models.mixture import log_shares
from attrition.models.paths import ARRAY

from ..panels import bind
from .mixed import ETA, LEAVES, MIX, panel_of, place_logp, split

N = 4
SHARE = np.array([MIX[name] for name in LEAVES]) / sum(MIX.values())
PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}


def units_law(told):
    """Probability of what is told of N independent units.

    ``told``: pairs of offenses and the stage their units must have reached to count.
    """
    law = {(0,) * len(told): 1.0}
    for _ in range(N):
        after = defaultdict(float)
        for counts, p in law.items():
            for share, name in zip(SHARE, LEAVES, strict=True):
                one, two = expit(ETA[name])
                for reached, chance in ((0, 1 - one), (1, one * (1 - two)), (2, one * two)):
                    more = tuple(
                        c + (name in offenses and reached >= stage)
                        for c, (offenses, stage) in zip(counts, told, strict=True)
                    )
                    after[more] += p * share * chance
        law = after
    return law


CASES = {
    "a total": [("abc", 1, "all")],
    "a skipped total": [("abc", 2, "all")],
    "totals at two stages": [("abc", 1, "all"), ("abc", 2, "all")],
    "one part": [("a", 1, "a")],
    "two parts, all but one offense": [("a", 1, "a"), ("b", 1, "b")],
    "a part of several offenses, at a later stage": [("ab", 2, "ab")],
    "the total and a part": [("abc", 1, "all"), ("c", 1, "c")],
    "the total and two parts": [("abc", 1, "all"), ("a", 1, "a"), ("c", 1, "c")],
    "the total, and a part at the next stage": [("abc", 1, "all"), ("b", 2, "b")],
    "the total at two stages, and a part at the second": [
        ("abc", 1, "all"),
        ("abc", 2, "all"),
        ("a", 2, "a"),
    ],
}
STAGES = ("referral", "investigation", "arrest")


@pytest.mark.parametrize("name", CASES)
def test_density_equals_enumeration(name):
    case = CASES[name]
    law = units_law([(offenses, stage) for offenses, stage, _ in case])
    reports = [
        tuple((STAGES[stage], node, "exact", y) for y, (_, stage, node) in zip(counts, case, strict=True))
        for counts in law
    ]
    blueprint, found = place_logp(split(panel_of((("referral", "all", "exact", N),), reports)))
    assert blueprint.unclaimed.keys() <= {s.id for s in blueprint.panel.mix}
    left_out = {d.reason for d in blueprint.analysis.decisions if d.action in ("unused", "dropped")}
    assert left_out <= {"the total it is a part of is 0", "an earlier count of its cells is 0"}
    probability = [np.exp(found.get(f"P{i}", 0.0)) for i in range(len(reports))]
    np.testing.assert_allclose(probability, list(law.values()), rtol=1e-9)
    assert sum(probability) == pytest.approx(1)


# Of each, the last shares unobserved counts with those before it.
BESIDE = {
    "the same part at a later stage": [("a", 1, "a"), ("a", 2, "a")],
    "an overlapping part at a later stage": [("a", 1, "a"), ("ab", 2, "ab")],
    "another part at a later stage": [("a", 1, "a"), ("b", 2, "b")],
    "another part at a later stage, the total known": [("abc", 1, "all"), ("a", 1, "a"), ("b", 2, "b")],
    "a part at the first of two stages of the total": [("abc", 1, "all"), ("abc", 2, "all"), ("a", 1, "a")],
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_shares_units_with_another_count_is_unused_with_the_reason(name):
    """What is left has the probability that enumeration gives it without the last."""
    case = BESIDE[name]
    law = units_law([(offenses, stage) for offenses, stage, _ in case])
    reports = [
        tuple((STAGES[stage], node, "exact", y) for y, (_, stage, node) in zip(counts, case, strict=True))
        for counts in law
    ]
    blueprint, found = place_logp(split(panel_of((("referral", "all", "exact", N),), reports)))
    last = {f"s{i * (len(case) + 1) + len(case)}" for i in range(len(reports))}
    unused = {d.statement: d.reason for d in blueprint.analysis.decisions if d.action == "unused"}
    assert unused.keys() >= last
    empty = {name for name, reason in unused.items() if reason.endswith("is 0")}
    assert all(name in last and "share unobserved counts" in unused[name] for name in unused.keys() - empty)
    alone = defaultdict(float)
    for counts, p in law.items():
        alone[counts[:-1]] += p
    probability = [np.exp(found.get(f"P{i}", 0.0)) for i in range(len(reports))]
    np.testing.assert_allclose(probability, [alone[counts[:-1]] for counts in law], rtol=1e-9)


def test_a_part_beside_a_total_known_roughly_is_unused():
    law = units_law([("abc", 1)])
    reports = [(("investigation", "all", "range", 1, 2), ("investigation", "a", "exact", 1))]
    _, found = place_logp(split(panel_of((("referral", "all", "exact", N),), reports)))
    assert np.exp(found["P0"]) == pytest.approx(law[1,] + law[2,])


def test_ranges_of_a_total_and_of_a_part():
    law = units_law([("a", 1), ("b", 1)])
    reports = [(("investigation", "a", "exact", 1), ("investigation", "b", "range", 1, 2))]
    _, found = place_logp(split(panel_of((("referral", "all", "exact", N),), reports)))
    assert np.exp(found["P0"]) == pytest.approx(law[1, 1] + law[1, 2])


def test_all_of_a_total_in_one_offense_is_exact():
    panel = split(panel_of((("referral", "all", "exact", 9),), [(("investigation", "all", "exact", 4),)]))
    # So far from the mix that offense c, of the last coordinate, holds next to nothing.
    blueprint = bind(panel, ["intercept"])
    unknown = {u.name: np.zeros((1, *u.shape)) for u in blueprint.unknowns}
    unknown["mix_shared"][0, panel.axes.offense.leaves.index("a")] = 400.0
    mixture, settings = blueprint.mixture, blueprint.kind_settings["missing_denominator"]
    shares = np.exp(log_shares(mixture, settings.factor, settings.shared, unknown, ARRAY))[0, 0]
    np.testing.assert_allclose(sorted(shares)[-1], 1.0)
    eta = np.zeros((1, 2, blueprint.layout.size))
    whole, _ = blueprint.extended(eta + 0.3, unknown, ARRAY)
    np.testing.assert_allclose(whole[0, :, mixture.at[0]], 0.3, rtol=1e-9)


def test_odds_depart_from_the_mix_by_the_stated_factor():
    """95 % of an offense's odds among the rest of equal ones lie within the factor, in the limit of many others."""
    panel = split(panel_of((("referral", "all", "exact", 9),), [(("investigation", "all", "exact", 4),)]))
    blueprint = bind(panel, ["intercept"])
    draws = blueprint.prior_draws(np.random.default_rng(1), 20_000)
    settings = MissingDenominator.Settings(factor=3.0, shared=0.25)
    held = dict(draws.unknown)
    at = list(panel.axes.offense.leaves).index("a")
    for name in ("mix_shared", "mix_place"):
        others = np.zeros_like(held[name])
        others[..., at] = held[name][..., at]
        held[name] = others
    share = np.exp(log_shares(blueprint.mixture, settings.factor, settings.shared, held, ARRAY))[:, 0, 0]
    odds = share / (1 - share) / (SHARE[0] / (1 - SHARE[0]))
    assert (np.abs(np.log(odds)) < np.log(3.0)).mean() == pytest.approx(0.95, abs=0.006)


class TestRatioSteps:
    """Means of parts add up to the total's; a known total divides as negative binomials of one factor do."""

    def law(self, mean, phi):
        return nbinom(mean / (phi - 1), 1 / phi)

    def found(self, *facts, phi=2.5, **unknown):
        first = (("referral", "all", "exact", 40),)
        _, found = place_logp(split(panel_of(first, [facts], units=PERSONS)), phi, unknown)
        return found["P0"]

    def test_a_total_and_a_skipped_total(self):
        rates = np.exp(np.array([ETA[name] for name in LEAVES]))
        mean = 40 * SHARE @ rates[:, 0]
        assert self.found(("investigation", "all", "exact", 50)) == pytest.approx(
            self.law(mean, 2.5).logpmf(50)
        )
        ahead = (SHARE * rates[:, 0]) @ rates[:, 1] / (SHARE @ rates[:, 0])
        two = self.law(mean * ahead, 2.5 * ahead + 2.5)
        assert self.found(("arrest", "all", "exact", 50)) == pytest.approx(two.logpmf(50))

    def test_parts_are_independent(self):
        means = 40 * SHARE * np.exp([ETA[name][0] for name in LEAVES])
        found = self.found(("investigation", "a", "exact", 10), ("investigation", "c", "at_least", 7))
        expected = self.law(means[0], 2.5).logpmf(10) + self.law(means[2], 2.5).logsf(6)
        assert found == pytest.approx(expected, rel=1e-4)

    def test_so_are_disjoint_parts_at_two_stages(self):
        """A ratio's outcomes of one offense take none from another's."""
        one = self.found(("investigation", "a", "exact", 10))
        two = self.found(("arrest", "b", "exact", 7))
        both = self.found(("investigation", "a", "exact", 10), ("arrest", "b", "exact", 7))
        assert both == pytest.approx(one + two)
        over = self.found(("investigation", "a", "exact", 10), ("arrest", "ab", "exact", 7))
        assert over == pytest.approx(one)

    def test_a_known_total_divides_with_the_factor_of_its_step(self):
        means = SHARE * np.exp([ETA[name][0] for name in LEAVES])
        both = self.found(("investigation", "all", "exact", 50), ("investigation", "b", "exact", 12))
        alone = self.found(("investigation", "all", "exact", 50))
        a, b = 50 / 1.5 * means[1] / means.sum(), 50 / 1.5 * (1 - means[1] / means.sum())
        choose = gammaln(51) - gammaln(13) - gammaln(39)
        assert both - alone == pytest.approx(choose + betaln(12 + a, 38 + b) - betaln(a, b))

    def test_without_excess_it_divides_as_a_binomial(self):
        means = SHARE * np.exp([ETA[name][0] for name in LEAVES])
        both = self.found(
            ("investigation", "all", "exact", 50), ("investigation", "b", "exact", 12), phi=1 + 1e-9
        )
        alone = self.found(("investigation", "all", "exact", 50), phi=1 + 1e-9)
        assert both - alone == pytest.approx(binom(50, means[1] / means.sum()).logpmf(12), abs=1e-4)

    def test_a_rough_denominator_lies_anywhere_between_its_ends(self):
        """Uniform in the log: the middle of the coordinate is the geometric mean, far out it is the end."""
        first = (("referral", "all", "range", 40, 50),)
        mean = SHARE @ np.exp([ETA[name][0] for name in LEAVES])
        for z, n in (
            (0.0, np.sqrt(40 * 50)),
            (-9.0, 40.0),
            (9.0, 50.0),
            (0.6744897501960817, 40 * 1.25**0.75),
        ):
            panel = split(panel_of(first, [(("investigation", "all", "exact", 50),)], units=PERSONS))
            _, found = place_logp(panel, 2.5, {"rough_count": z})
            # The count is taken at a whole number: its ends are as far away as those of the range.
            assert found["P0"] == pytest.approx(self.law(n * mean, 2.5).logpmf(50), rel=1e-9)
