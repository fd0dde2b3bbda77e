"""Sums over offenses against the mix of their denominators: a contextual effect is seen, its absence passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.checks.contract import Seen
from attrition.estimation.checks.margins import Margins
from attrition.estimation.margins import margins

from ..panels import bind, make_panel

OFFENSES, RATES, SD, N = ("theft", "fraud", "arson"), np.array([0.15, 0.3, 0.5]), 0.3, 300
PLACES = [f"P{k:02d}" for k in range(40)]
EFFECTS = ["intercept", "offense", "jurisdiction"]


def world(kappa: np.ndarray | float, seed: int, split: int = 10):
    """Places of any mix, the first few with outcomes by offense, the others with totals; rates moved with the mix."""
    rng = np.random.default_rng(seed)
    mix = rng.dirichlet(np.full(3, 3.0), len(PLACES))
    facts: list[tuple[str | float, ...]] = []
    for k, place in enumerate(PLACES):
        n = 1 + rng.multinomial(N, mix[k])
        logit = np.log(RATES / (1 - RATES)) + SD * rng.standard_normal() + kappa * (n / n.sum() - 1 / 3)
        y = rng.binomial(n, 1 / (1 + np.exp(-logit)))
        facts += [("referral", f"{o}/{place}", "exact", int(m)) for o, m in zip(OFFENSES, n, strict=True)]
        if k < split:
            facts += [("arrest", f"{o}/{place}", "exact", int(c)) for o, c in zip(OFFENSES, y, strict=True)]
        else:
            facts.append(("arrest", f"/{place}", "exact", int(y.sum())))
    return bind(make_panel(facts, OFFENSES, PLACES, (), ("referral", "arrest")), EFFECTS)


def learned(blueprint, size=400):
    """Draws that know the rates of the offenses and the spread of the places, as if learned where cells are seen."""
    draws = blueprint.prior_draws(np.random.default_rng(1), size)
    logit = np.log(RATES / (1 - RATES))
    values = {name: np.zeros_like(one) for name, one in draws.values.items()}
    values["offense"] = np.broadcast_to(logit - logit.mean(), values["offense"].shape).copy()
    sd = {name: np.full_like(one, SD if name == "jurisdiction" else 0.01) for name, one in draws.sd.items()}
    return replace(draws, intercept=np.full_like(draws.intercept, logit.mean()), values=values, sd=sd)


def verdict(blueprint):
    draws = learned(blueprint)
    found = margins(np.random.default_rng(3), blueprint, draws)
    seen = Seen(blueprint, None, None, (), (), np.zeros(0), margins=found)  # type: ignore[arg-type]
    (result,) = Margins().run(seen)
    return found, result


def test_the_mix_is_that_of_the_denominators():
    blueprint = world(0.0, 1)
    found, _ = verdict(blueprint)
    assert found is not None
    assert len(found.reports) == 30
    np.testing.assert_allclose(found.mix.sum(axis=1), 1)
    counts = blueprint.analysis.counts[0].reshape(3, 40)
    place = PLACES.index(found.reports[4].jurisdiction)
    np.testing.assert_allclose(found.mix[4], counts[:, place] / counts[:, place].sum())


def test_replicates_vary_as_new_places_do():
    """Mean and variance of a sum of binomials whose common logit is normal, by quadrature."""
    blueprint = world(0.0, 1)
    found, _ = verdict(blueprint)
    assert found is not None
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    logit = np.log(RATES / (1 - RATES))[:, None] + SD * nodes
    p = 1 / (1 + np.exp(-logit))
    n = found.mix[0] * (N + 3)
    mean, within = n @ p, n @ (p * (1 - p))
    weights = weights / weights.sum()
    middle = weights @ mean
    sd = np.sqrt(weights @ (within + (mean - middle) ** 2))
    drawn = found.replicate[:, 0]
    assert drawn.mean() == pytest.approx(middle, abs=4 * sd / 20)
    assert drawn.std() == pytest.approx(sd, rel=0.15)


def test_a_rate_that_depends_on_the_mix_is_seen_and_no_other():
    assert sum(verdict(world(0.0, seed))[1].verdict == "failed" for seed in range(20)) <= 2
    assert (
        sum(verdict(world(np.array([4.0, 0.0, -4.0]), seed))[1].verdict == "failed" for seed in range(20))
        >= 18
    )


def test_where_sums_alone_speak_there_is_nothing_to_say():
    found, result = verdict(world(2.0, 1, split=0))
    assert found is not None
    assert found.learned == frozenset()
    assert result.verdict == "informational"
    assert (
        margins(np.random.default_rng(3), world(0.0, 1, split=40), learned(world(0.0, 1, split=40))) is None
    )
