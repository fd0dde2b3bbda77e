"""Published rates: the quasi-likelihood by hand, and rates published anew."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from attrition.estimation.predictive import log_likelihood, moments, reports
from attrition.models.field import FieldDraws
from attrition.models.kinds.share import Share
from attrition.models.simulate import simulate_panel

from ..panels import bind
from .mixed import ETA, panel_of, place_logp, split

PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}
FIRST = (("referral", "a", "exact", 30), ("referral", "b", "exact", 10))
SETTINGS = Share.Settings()
INVESTIGATED = "share_of_referral"


def found(fact, origin="referred_only", units=None, unknown=None, first=FIRST):
    panel = panel_of(first, [(fact,)], origin, units)
    return place_logp(panel, 2.0, unknown)[1]["P0"]


def quasi(value, low, high):
    """Weight × (normal log density up to its constant) of a value on the link scale, given the ends there."""
    sd = (high - low) / (2 * norm.ppf(0.9))
    return SETTINGS.weight * (norm.logpdf(value, (low + high) / 2, sd) + 0.5 * np.log(2 * np.pi))


def test_a_range_of_the_rate_of_several_cells():
    rate = (30 * expit(ETA["a"][0]) + 10 * expit(ETA["b"][0])) / 40
    one = found(("investigation", "ab", INVESTIGATED, None, 0.3, 0.5))
    assert one == pytest.approx(quasi(logit(rate), logit(0.3), logit(0.5)))


def test_a_skipped_step():
    rate = expit(ETA["a"][0]) * expit(ETA["a"][1])
    one = found(("arrest", "a", INVESTIGATED, None, 0.1, 0.2))
    assert one == pytest.approx(quasi(logit(rate), logit(0.1), logit(0.2)))


def test_a_single_value_has_the_stated_sd():
    one = found(("investigation", "a", INVESTIGATED, 0.25))
    z = (logit(expit(ETA["a"][0])) - logit(0.25)) / SETTINGS.sd
    assert one == pytest.approx(SETTINGS.weight * (-0.5 * z**2 - np.log(SETTINGS.sd)))


def test_ratio_steps_have_the_log_link():
    rate = (30 * np.exp(ETA["a"][0]) + 10 * np.exp(ETA["b"][0])) / 40
    one = found(("investigation", "ab", INVESTIGATED, None, 0.3, 0.5), units=PERSONS)
    assert one == pytest.approx(quasi(np.log(rate), np.log(0.3), np.log(0.5)))


def test_a_range_from_zero_begins_at_a_tenth_of_its_end():
    assert found(("investigation", "a", INVESTIGATED, None, 0.0, 0.5)) == pytest.approx(
        found(("investigation", "a", INVESTIGATED, None, 0.05, 0.5))
    )


@pytest.mark.parametrize("units", [None, PERSONS], ids=["probability", "ratio"])
def test_a_share_of_every_source_is_the_referred_rate_over_c(units):
    """c = 1/2 exactly: its prior is symmetric about the middle of the logits of 0.2 and 0.9."""
    z = -logit(np.array([0.2, 0.9])).sum() / 2 / (np.ptp(logit(np.array([0.2, 0.9]))) / 2 / norm.ppf(0.95))
    fact = ("arrest", "a", INVESTIGATED, None, 0.3, 0.5)
    one = found(fact, "all_sources", units, {"source_share": z})
    link, inverse = (logit, expit) if units is None else (np.log, np.exp)
    rate = 2 * np.prod([inverse(x) for x in ETA["a"]])
    assert one == pytest.approx(quasi(link(rate), link(0.3), link(0.5)))


def test_a_rough_denominator_moves_no_rate():
    first = (("referral", "all", "range", 40, 50),)
    reports = [(("investigation", "all", "exact", 9), ("investigation", "all", INVESTIGATED, None, 0.3, 0.5))]
    alone = [(("investigation", "all", "exact", 9),)]
    rates = []
    for z in (0.0, 2.0):
        both, one = (
            place_logp(split(panel_of(first, told, units=PERSONS)), 2.0, {"rough_count": z})[1]["P0"]
            for told in (reports, alone)
        )
        rates.append(both - one)
    assert rates[0] == pytest.approx(rates[1])


def test_the_rate_of_a_part_of_a_total_is_unused_with_the_reason():
    first = (("referral", "all", "exact", 40),)
    told = [(("investigation", "all", "exact", 9), ("investigation", "a", INVESTIGATED, 0.3))]
    blueprint, _ = place_logp(split(panel_of(first, told)))
    (reason,) = [d.reason for d in blueprint.analysis.decisions if d.action == "unused"]
    assert "part of an unsplit total" in reason


class TestReplicates:
    """Panels simulated at known rates: what is published varies around them as the quasi-likelihood says."""

    RANGE, VALUE = (None, 0.05, 0.08), (0.06,)
    SIZE = 1500

    def published(self, told, units=None, origin="referred_only", eta=ETA):
        """Ends of the published rate (SIZE, 2) of a, whose share of referrals is a half where it holds others."""
        blueprint = bind(
            panel_of(FIRST, [(("arrest", "a", INVESTIGATED, *told),)], origin, units), ["intercept"]
        )
        z = (
            -logit(np.array([0.2, 0.9])).sum()
            / 2
            / (np.ptp(logit(np.array([0.2, 0.9]))) / 2 / norm.ppf(0.95))
        )
        unknown = {one.name: np.zeros((1, *one.shape)) for one in blueprint.unknowns}
        if "source_share" in unknown:
            unknown["source_share"] += z
        draws = FieldDraws(np.array([eta["a"]]), {}, {}, np.ones((1, 2)), unknown=unknown)
        rng, at = np.random.default_rng(4), blueprint.panel.statements[-1].id
        made = (simulate_panel(rng, blueprint, draws).panel.by_id[at] for _ in range(self.SIZE))
        return np.array([Share().range(one, SETTINGS) for one in made])

    @pytest.mark.parametrize(
        ("units", "link", "inverse"), [(None, logit, expit), (PERSONS, np.log, np.exp)], ids=["logit", "log"]
    )
    def test_a_range_keeps_its_width_and_varies_as_the_quasi_likelihood_says(self, units, link, inverse):
        ends = link(self.published(self.RANGE, units))
        width = link(0.08) - link(0.05)
        np.testing.assert_allclose(np.diff(ends, axis=1), width)
        centre = ends.mean(axis=1)
        assert centre.mean() == pytest.approx(link(inverse(np.array(ETA["a"])).prod()), abs=0.02)
        sd = width / (2 * norm.ppf(0.9)) / np.sqrt(SETTINGS.weight)
        assert centre.std() == pytest.approx(sd, rel=0.06)

    def test_a_single_value(self):
        value = logit(self.published(self.VALUE)[:, 0])
        assert value.mean() == pytest.approx(logit(expit(np.array(ETA["a"])).prod()), abs=0.03)
        assert value.std() == pytest.approx(SETTINGS.sd / np.sqrt(SETTINGS.weight), rel=0.06)

    def test_a_ratio_may_exceed_one(self):
        value = np.log(self.published(self.VALUE, PERSONS, eta={"a": (0.4, 0.6)})[:, 0])
        assert value.mean() == pytest.approx(1.0, abs=0.03)

    @pytest.mark.parametrize("units", [None, PERSONS], ids=["probability", "ratio"])
    def test_cases_of_other_origins_are_in_it(self, units):
        link, inverse = (logit, expit) if units is None else (np.log, np.exp)
        value = link(self.published(self.VALUE, units, "all_sources")[:, 0])
        assert value.mean() == pytest.approx(link(2 * inverse(np.array(ETA["a"])).prod()), abs=0.03)


class TestItsOwnLaw:
    """What it states varies by the quasi-likelihood, not as a count of so many units would."""

    FACTS = (("investigation", "a", INVESTIGATED, 0.25), ("investigation", "b", INVESTIGATED, None, 0.3, 0.5))

    @pytest.mark.parametrize("units", [None, PERSONS], ids=["probability", "ratio"])
    def test_mean_and_variance_give_the_curvature_of_the_density(self, units):
        """Of a normal law with mean m the information is m'² / variance."""
        blueprint = bind(panel_of(FIRST, [self.FACTS], units=units), ["intercept"])
        step = 1e-3
        eta = np.broadcast_to(-1.0 + step * np.array([-1, 0, 1])[:, None, None], (3, 2, 3))
        draws = FieldDraws(np.zeros((3, 2)), {}, {}, np.ones((3, 2)))
        eta = eta[:, :, : blueprint.layout.size]
        logs = log_likelihood(blueprint, eta, draws)
        found = moments(np.random.default_rng(0), blueprint, eta, draws)
        slope = (found.mean[2] - found.mean[0]) / (2 * step)
        curvature = -(logs[0] - 2 * logs[1] + logs[2]) / step**2
        np.testing.assert_allclose(slope**2 / found.variance[1], curvature, rtol=1e-3)

    def test_replicates_are_those_of_statements(self):
        blueprint = bind(panel_of(FIRST, [self.FACTS]), ["intercept"])
        size, rate = 2000, 0.3
        eta = np.full((size, 2, blueprint.layout.size), logit(rate))
        draws = FieldDraws(np.full((size, 2), logit(rate)), {}, {}, np.ones((size, 2)))
        found = moments(np.random.default_rng(0), blueprint, eta, draws)
        kind, rng = Share(), np.random.default_rng(1)
        one = FieldDraws(draws.intercept[:1], {}, {}, draws.phi[:1])
        twins = [simulate_panel(rng, blueprint, one).panel.by_id for _ in range(size)]
        for place, (report, n) in enumerate(zip(reports(blueprint), (30, 10), strict=True)):
            made = [kind.range(twin[report.ids], SETTINGS) for twin in twins]
            centre = logit(np.array(made)).mean(axis=1)
            drawn = logit(found.replicate[:, place] / n)
            assert drawn.mean() == pytest.approx(centre.mean(), abs=0.03)
            assert drawn.std() == pytest.approx(centre.std(), rel=0.05)
            low, high = kind.range(blueprint.panel.by_id[report.ids], SETTINGS)
            assert report.centre == pytest.approx(n * expit((logit(low) + logit(high)) / 2))
