"""A world in which rates depend on the mix: sums over offenses miss, and are sure of it, without a contextual term."""

from __future__ import annotations

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.optimize import minimize
from scipy.special import expit, logit

from attrition.models.blueprint import Blueprint
from attrition.models.compile import compile_model
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


def posterior(blueprint: Blueprint) -> FieldDraws:
    """Draws by the mode of the model's density and its curvature there; counts are large and unknowns few."""
    compiled = compile_model(blueprint)
    mode = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
    value, slope = compiled.model.compile_logp(mode=mode), compiled.model.compile_dlogp(mode=mode)
    shapes = {name: np.shape(at) for name, at in compiled.model.initial_point().items()}
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])

    def point(x: np.ndarray) -> dict[str, np.ndarray]:
        parts = np.split(x, ends[:-1])
        return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}

    names = [variable.name for variable in compiled.model.value_vars]
    order = np.concatenate([np.arange(ends[-1])[_span(list(shapes), name, ends)] for name in names])

    def gradient(x: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        out[order] = slope(point(x))
        return out

    start = np.concatenate([np.ravel(at) for at in compiled.model.initial_point().values()]).astype(float)
    best = minimize(lambda x: -float(value(point(x))), start, jac=lambda x: -gradient(x), method="BFGS").x
    step = 1e-4 * np.eye(len(best))
    curvature = -np.stack([(gradient(best + e) - gradient(best - e)) / 2e-4 for e in step])
    x = np.random.default_rng(1).multivariate_normal(best, np.linalg.inv((curvature + curvature.T) / 2), 4000)
    many = {name: np.stack([point(row)[name] for row in x]) for name in shapes}
    sd = {"offense": np.exp(many["spread"][:, :, 0])}
    sd |= {b.name: b.sd.repeated(sd["offense"].shape) for b in blueprint.blocks if b.name == "context"}
    values, begin = {}, 0
    for block, weight in zip(blueprint.blocks, compiled.weights, strict=True):
        z = many["z"][:, :, begin : begin + weight[0].size]
        begin += weight[0].size
        values[block.name] = apply_bases(z * sd[block.name][..., None] ** (1 - weight), block.bases)
    return FieldDraws(many["intercept"], sd, values, np.ones((len(x), 1)))


def _span(names: list[str], name: str, ends: np.ndarray) -> slice:
    at = names.index(name)
    return slice(int(ends[at - 1]) if at else 0, int(ends[at]))


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
    assert (off > 4).all()
    assert (at[0.0].contraction > 0.99).all()


@pytest.mark.parametrize("scale", [2.0, 4.0])
def test_with_it_the_truth_is_inside_and_contraction_falls(world, at, scale):
    assert (at[scale].low < world.truth).all()
    assert (world.truth < at[scale].high).all()
    assert (at[scale].contraction < at[0.0].contraction - 0.02).all()
    assert (at[scale].sd > 3 * at[0.0].sd).all()


def test_twice_the_scale_is_twice_as_wide(at):
    """What no sum tells is the prior's: the interval goes on widening with its scale, however many places there are."""
    assert (at[4.0].sd > 1.5 * at[2.0].sd).all()
