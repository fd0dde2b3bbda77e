"""Priors by two routes, and what a plan may say of them."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from pydantic import ValidationError
from scipy.integrate import quad
from scipy.stats import expon, gamma, halfnorm, ks_1samp, ks_2samp, norm, uniform

from attrition.data.funnel import Funnel
from attrition.models.field_graph import effect_name
from attrition.models.priors import (
    BdaConcentration,
    Exponential,
    Gamma,
    HalfNormal,
    Normal,
    NormalConcentration,
    PrecisionGamma,
    UniformRate,
)
from attrition.models.spec import PriorSpec, read_effects

from ..panels import bind, make_panel

FUNNEL = Funnel(("referral", "investigation", "arrest"))
DRAWS = 2000


SCALES = (
    (HalfNormal(scale=0.7), lambda x: halfnorm.logpdf(x, scale=0.7)),
    (Exponential(mean=0.3), lambda x: expon.logpdf(x, scale=0.3)),
    (Gamma(mean=0.8), lambda x: gamma.logpdf(x, 2, scale=0.4)),
    (
        PrecisionGamma(shape=1.5, rate=0.2),
        lambda x: gamma.logpdf(x**-2, 1.5, scale=5) - 3 * np.log(x) + np.log(2),
    ),
)


@pytest.mark.parametrize(("prior", "density"), SCALES, ids=lambda one: type(one).__name__)
def test_density_of_a_log_scale(prior, density):
    """SciPy's density of the scale, moved to its logarithm; the slope by differences; and draws of that law."""
    at, h = np.array([-2.0, -0.5, 0.9]), 1e-6
    found = np.array([prior.log_density(x) for x in at])
    wanted = density(np.exp(at)) + at
    np.testing.assert_allclose(np.diff(found[:, 0]), np.diff(wanted))
    ends = [(prior.log_density(x + h)[0] - prior.log_density(x - h)[0]) / (2 * h) for x in at]
    np.testing.assert_allclose(found[:, 1], ends, rtol=1e-6)
    draws = prior.sample(np.random.default_rng(3), (4000,))
    grid = np.linspace(-9, 6, 4001)
    below = np.exp(density(np.exp(grid)) + grid).cumsum() * (grid[1] - grid[0])
    assert ks_1samp(np.log(draws), lambda x: np.interp(x, grid, below)).pvalue > 1e-4


@pytest.fixture(scope="module")
def by_pymc(small_model):
    names = [*small_model.hyper, *(effect_name(block) for block in small_model.blocks)]
    found = pm.sample_prior_predictive(
        DRAWS,
        model=small_model.model,
        var_names=names,
        random_seed=1,
        compile_kwargs={"mode": "FAST_COMPILE"},
    )
    return {name: found.prior[name].to_numpy()[0] for name in names}


@pytest.fixture(scope="module")
def by_numpy(small):
    return small.prior_draws(np.random.default_rng(2), DRAWS)


@pytest.mark.filterwarnings("ignore:The effect of Potentials:UserWarning")
class TestTwoRoutes:
    """NumPy's forward sampler and PyMC's draws of the compiled model are one prior."""

    def test_locations_and_scales(self, by_pymc, by_numpy, small):
        pairs = [(by_pymc["intercept"], by_numpy.intercept), (by_pymc["total_spread"], by_numpy.total_spread)]
        pairs += [(by_pymc[f"sd_{b.name}"], by_numpy.sd[b.name]) for b in small.blocks]
        for ours, theirs in pairs:
            assert ours.shape == theirs.shape == (DRAWS, 2)
            for step in range(2):
                assert ks_2samp(ours[:, step], theirs[:, step]).pvalue > 1e-4

    def test_effects(self, by_pymc, by_numpy, small):
        for block in small.blocks:
            ours, theirs = by_pymc[effect_name(block.name)], by_numpy.values[block.name]
            assert ours.shape == theirs.shape
            flat = ours.reshape(DRAWS, -1), theirs.reshape(DRAWS, -1)
            for column in (0, flat[0].shape[1] // 2, -1):
                assert ks_2samp(flat[0][:, column], flat[1][:, column]).pvalue > 1e-4

    def test_the_total_is_the_root_of_the_summed_squares(self, by_pymc, by_numpy, small):
        theirs = np.sqrt(sum(by_pymc[f"sd_{b.name}"] ** 2 for b in small.blocks))
        np.testing.assert_allclose(theirs, by_pymc["total_spread"])
        ours = np.sqrt(sum(by_numpy.sd[b.name] ** 2 for b in small.blocks))
        np.testing.assert_allclose(ours, by_numpy.total_spread)


def test_adding_a_block_does_not_widen_the_prior(small):
    """The variance of a cell's linear predictor around the intercept is the spread's, with two blocks or six."""
    few = bind(small.panel, [{"kind": "time", "over": "iid"}, "cell"])
    widths = []
    for blueprint in (few, small):
        draws = blueprint.prior_draws(np.random.default_rng(3), 4000)
        around = draws.eta(blueprint.blocks, blueprint.layout) - draws.intercept[..., None]
        widths.append(np.quantile(np.abs(around), [0.5, 0.9, 0.99]))
        assert ks_1samp(draws.total_spread[:, 0], halfnorm.cdf).pvalue > 1e-4
    # Zero-sum blocks hold (L - 1)/L of their variance, so more of them can only narrow it.
    assert (widths[1] < 1.1 * widths[0]).all()
    assert (widths[1] > 0.6 * widths[0]).all()


def test_bda_density_gives_its_sampler():
    """Density (a+b)^(-5/2) on (a, b), so (a+b)^(-3/2) on the sum, so exp(-x/2) on x = log(a+b)."""
    prior = BdaConcentration(lower=-2, upper=8)
    whole, _ = quad(lambda total: total**-1.5, np.exp(-2), np.exp(8))
    draws = prior.sample(np.random.default_rng(4), (4000,))
    cut = [-1.0, 0.0, 1.0, 3.0, 6.0]
    below = [quad(lambda total: total**-1.5, np.exp(-2), np.exp(x))[0] / whole for x in cut]
    np.testing.assert_allclose([(draws < x).mean() for x in cut], below, atol=0.03)
    with pm.Model() as model:
        prior.variable("log_total")
    logp = model.compile_logp(mode="FAST_COMPILE")
    low, high = ({"log_total_interval__": np.log((x + 2) / (8 - x))} for x in (1.0, 3.0))
    # On the unconstrained scale the Jacobian (x - lower)(upper - x) joins the density.
    expected = -0.5 * (3.0 - 1.0) + np.log(5 * 5) - np.log(3 * 7)
    assert logp(high) - logp(low) == pytest.approx(expected)


@pytest.mark.parametrize(
    "prior",
    [HalfNormal(scale=0.4), Exponential(mean=0.7), PrecisionGamma(shape=3, rate=0.5)],
    ids=lambda p: p.dist,
)
def test_scale_priors_by_two_routes(prior):
    with pm.Model(coords={"step": ["one"]}):
        theirs = pm.draw(prior.variable("sd", ("step",)), 3000, random_seed=1, mode="FAST_COMPILE")
    ours = prior.sample(np.random.default_rng(1), (3000, 1))
    assert ks_2samp(ours[:, 0], theirs[:, 0]).pvalue > 1e-4


def test_intercepts_on_their_link_scale():
    rng = np.random.default_rng(1)
    normal = Normal(median=0.2, sd=0.5)
    for ratio, inverse in ((False, lambda x: 1 / (1 + np.exp(-x))), (True, np.exp)):
        assert np.median(inverse(normal.sample(rng, (20_000,), ratio))) == pytest.approx(0.2, rel=0.03)
    rates = 1 / (1 + np.exp(-UniformRate().sample(rng, (2000,), False)))
    assert ks_1samp(rates, uniform.cdf).pvalue > 1e-4
    assert NormalConcentration(mean=2, sd=0.1).sample(rng, (4000,)).mean() == pytest.approx(2, abs=0.01)


class TestPlan:
    """``[prior]`` as a plan writes it."""

    def test_one_prior_for_every_step(self):
        spec = PriorSpec(intercept={"median": 0.3, "sd": 0.5})
        assert spec.intercept_of("referral-investigation") == Normal(median=0.3, sd=0.5)
        assert spec.intercept_of("investigation-arrest") == Normal(median=0.3, sd=0.5)
        assert spec.problems(FUNNEL) == []

    def test_one_for_each_step_and_a_default_for_the_rest(self):
        spec = PriorSpec(intercept={"investigation-arrest": {"dist": "uniform_rate"}})
        assert spec.intercept_of("investigation-arrest") == UniformRate()
        assert spec.intercept_of("referral-investigation") == Normal()

    def test_a_step_the_funnel_lacks_is_a_problem(self):
        spec = PriorSpec(intercept={"referral-arest": {"median": 0.1}})
        (problem,) = spec.problems(FUNNEL)
        assert (problem.what, problem.found) == ("unknown step", "referral-arest")
        assert "referral-investigation" in problem.allowed

    def test_a_dumped_spec_reads_back(self):
        for spec in (PriorSpec(intercept={"median": 0.3}), PriorSpec(spread=2, phi={"dist": "half_normal"})):
            assert PriorSpec(**spec.model_dump(mode="json")) == spec

    @pytest.mark.parametrize(
        "entry", [{"spread": 0}, {"intercept": {"median": -1}}, {"phi": {"dist": "cauchy"}}]
    )
    def test_impossible_values_are_refused(self, entry):
        with pytest.raises(ValidationError):
            PriorSpec(**entry)

    def test_a_block_may_have_a_scale_of_its_own(self):
        panel = make_panel(
            [("referral", "a", "exact", 9), ("investigation", "a", "exact", 3), ("referral", "b", "exact", 5)],
            "ab", stages=("referral", "investigation"),
        )  # fmt: skip
        blueprint = bind(panel, [{"kind": "offense", "sd": {"scale": 0.1}}, "cell"])
        assert [block.name for block in blueprint.shared] == ["cell"]
        draws = blueprint.prior_draws(np.random.default_rng(1), 3000)
        assert np.sqrt((draws.sd["offense"] ** 2).mean()) == pytest.approx(0.1, rel=0.06)
        np.testing.assert_allclose(draws.sd["cell"], draws.total_spread)

    def test_the_table_without_a_name_means_the_usual_prior(self):
        found, _ = read_effects([{"kind": "time", "sd": {"scale": 0.1}}])
        settings = {effect.name: settings for effect, settings in found}["time"]
        assert settings.sd == HalfNormal(scale=0.1)


@pytest.mark.parametrize("prior", [HalfNormal(scale=0.25), Exponential(mean=2.0)])
def test_a_scale_by_its_normal_score_has_the_same_density(prior):
    """The score's density is that of the scale times the slope; an exponential scale's is the normal one."""
    with pm.Model(coords={"step": ["a"]}) as model:
        prior.variable("sd", ("step",))
    (value,) = model.value_vars
    logp = model.compile_logp()
    for y in (-20.0, -9.0, -1.5, 0.0, 2.5, 24.9, 25.1, 60.0):
        scale = prior.scale if isinstance(prior, HalfNormal) else prior.mean
        x = scale * (norm.cdf(y) if y < -8 else -norm.logsf(y))
        law = halfnorm(scale=scale) if isinstance(prior, HalfNormal) else expon(scale=scale)
        expected = law.logpdf(x) + np.log(scale) + norm.logpdf(y) - norm.logsf(y)
        assert float(logp({value.name: np.array([y])})) == pytest.approx(expected, rel=1e-9)
    back = model.rvs_to_transforms[model["sd"]].forward(np.array([0.3]), *model["sd"].owner.inputs)
    assert -scale * norm.logsf(back.eval()) == pytest.approx(0.3, rel=1e-9)
