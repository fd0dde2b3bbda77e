"""A world in which rates depend on the mix: sums over offenses miss, and are sure of it, without a contextual term."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from attrition.estimation.predictive import moments, reports
from attrition.models.blueprint import Blueprint
from attrition.models.field import FieldDraws, apply_bases
from attrition.models.rates import rates_of

from ..panels import Fact, bind, make_panel

PLACES = [f"p{j:02d}" for j in range(40)]
STAGES = ("referral", "arrest")


class World:
    """Both rates are higher where the first offense is more common: one slope up in its own share, the other down."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        share, n = rng.beta(2, 2, 40), rng.integers(150, 900, 40)
        first = np.round(n * share)
        self.n = np.stack([first, n - first])
        x = self.n / n
        by = x - ((self.n * x).sum(axis=1) / self.n.sum(axis=1))[:, None]
        rates = expit(np.array([[-0.6], [-1.6]]) + np.array([[2.0], [-2.0]]) * by)
        self.y = rng.binomial(self.n.astype(int), rates)
        self.truth = self.y.sum(axis=1) / self.n.sum(axis=1)

    def panel(self, cells: bool):
        facts: list[Fact] = []
        for j, place in enumerate(PLACES):
            for k, o in enumerate("ab"):
                facts.append(("referral", f"{o}/{place}", "exact", self.n[k, j]))
                if cells:
                    facts.append(("arrest", f"{o}/{place}", "exact", self.y[k, j]))
            if not cells:
                facts.append(("arrest", f"all/{place}", "exact", self.y[:, j].sum()))
        return make_panel(facts, "ab", PLACES, stages=STAGES)


def national(world: World, blueprint: Blueprint, draws: FieldDraws) -> np.ndarray:
    """Logits of the rate of each offense over all places, (R, 2)."""
    rates = rates_of(blueprint.predictor(draws), (False,))[:, 0].reshape(-1, 2, len(PLACES))
    return logit((rates * world.n).sum(axis=2) / world.n.sum(axis=1))


def drawn(blueprint: Blueprint, theta: np.ndarray) -> FieldDraws:
    """Draws of the field from rows (R, F) of the level and of the blocks' coefficients."""
    values, begin = {}, 1
    for block in blueprint.blocks:
        size = block.bases[0].free
        values[block.name] = apply_bases(theta[:, None, begin : begin + size], block.bases)
        begin += size
    return FieldDraws(theta[:, :1], {}, values, np.ones((len(theta), 1)))


def posterior(blueprint: Blueprint) -> FieldDraws:
    """Draws by Fisher scoring: the reports' means and variances, the priors, and the curvature at the mode."""
    prior = [(logit(0.1), 1.2)]
    for block in blueprint.blocks:
        prior += [(0.0, 1.0 if block.name == "offense" else block.sd.scale[0])] * block.bases[0].free
    center, sd = np.array(prior).T
    seen = np.array([report.low for report in reports(blueprint)])
    rng = np.random.default_rng(1)

    def told(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        draws = drawn(blueprint, theta)
        found = moments(rng, blueprint, blueprint.predictor(draws), draws)
        return found.mean, found.variance

    theta, step = center.copy(), 1e-5
    for _ in range(40):
        mean, variance = told(np.vstack([theta, theta + step * np.eye(len(theta))]))
        slope = (mean[1:] - mean[0]) / step
        curvature = (slope / variance[0]) @ slope.T + np.diag(sd**-2)
        force = slope @ ((seen - mean[0]) / variance[0]) - (theta - center) / sd**2
        move = np.linalg.solve(curvature, force)
        theta = theta + move * min(1.0, 0.5 / np.abs(move).max())
    assert np.abs(move).max() < 1e-6
    return drawn(blueprint, rng.multivariate_normal(theta, np.linalg.inv(curvature), 4000))


class Seen:
    """The rate of each offense over all places: median, 90 % interval and contraction of its logit."""

    def __init__(self, world: World, scale: float, cells: bool = False) -> None:
        effects = ["intercept", "offense", {"kind": "context", "scale": scale}]
        self.blueprint = bind(world.panel(cells), effects)
        told = national(world, self.blueprint, posterior(self.blueprint))
        prior = national(world, self.blueprint, self.blueprint.prior_draws(np.random.default_rng(2), 4000))
        self.low, self.high = expit(np.quantile(told, [0.05, 0.95], axis=0))
        self.sd = told.std(axis=0)
        self.contraction = 1 - told.var(axis=0) / prior.var(axis=0)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def at(world) -> dict[float, Seen]:
    return {scale: Seen(world, scale) for scale in (0.0, 2.0, 4.0)}


def test_without_the_term_margins_miss_and_are_sure(world, at):
    off = np.abs(logit(world.truth) - (logit(at[0.0].low) + logit(at[0.0].high)) / 2) / at[0.0].sd
    assert (off > 5).all()
    assert (at[0.0].high - at[0.0].low < 0.03).all()
    assert (at[0.0].contraction > 0.95).all()


@pytest.mark.parametrize("scale", [2.0, 4.0])
def test_with_it_the_truth_is_inside_and_contraction_falls(world, at, scale):
    assert (at[scale].low < world.truth).all()
    assert (world.truth < at[scale].high).all()
    assert (at[scale].contraction < at[0.0].contraction - 0.02).all()
    assert (at[scale].high - at[scale].low > 5 * (at[0.0].high - at[0.0].low)).all()


def test_twice_the_scale_is_wider_again(at):
    """What no sum tells is the prior's: the interval goes on widening with its scale, however many places there are."""
    assert (at[4.0].high - at[4.0].low > 1.3 * (at[2.0].high - at[2.0].low)).all()
    assert (at[4.0].contraction < at[2.0].contraction - 0.02).all()
