"""A second route to what laplace says of N: Markov chains on scales and field, with the effect of each cell integrated.

Run by hand, from the folder of the checkout::

    python benchmarks/marginal.py [--shape 8 56 40 2] [--referrals 60] [--tune 300] [--draws 1200] [--points 256]

Simulates a world of exact counts and samples the log scales and every coefficient of the field with nutpie, a step at a
time, under the density of the counts with each cell's effect integrated out (``laplace/cells.py``, eleven nodes, tested
against quadrature). The effects are then drawn from their exact posterior, and the draws are evaluated as those of any
engine. Prints how far the published numbers of a laplace run lie from these, as ``engines.py agree`` does.

nuts itself draws the effect of each of the 35,840 cells; here there are some 775 dimensions a step. Coordinates are
those in which the field has unit curvature at the scales' mode, and lean on the scales; the field's zero sums are
kept by projection, and what it takes out has the law that the approximation gives it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import xarray as xr
from engines import compared, say_agreement, simulate
from numpy.typing import NDArray
from nutpie.compiled_pyfunc import from_pyfunc
from scipy.linalg import solve_triangular
from threadpoolctl import threadpool_limits

from attrition.data.errors import InputError
from attrition.estimation import thinning
from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.convergence import hyper_convergence
from attrition.estimation.engines.contract import Fit
from attrition.estimation.engines.drawn import named_draws
from attrition.estimation.engines.laplace import draws as laplace_draws
from attrition.estimation.engines.laplace import fit as laplace
from attrition.estimation.engines.laplace.cells import integrated
from attrition.estimation.engines.laplace.effects import draw_effects
from attrition.estimation.engines.laplace.gradient import gradient, leaning
from attrition.estimation.engines.laplace.hyper import Mode, climb, shaped
from attrition.estimation.engines.laplace.point import (
    LEAST_LOG_SD,
    MOST_LOG_SD,
    NODES,
    Point,
    World,
    approximate,
    cold,
    precisions,
)  # fmt: skip
from attrition.estimation.engines.laplace.prior import log_prior
from attrition.estimation.engines.laplace.worlds import make_worlds
from attrition.estimation.fitting import fit_plan
from attrition.estimation.plan import Plan, read_plan
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import estimate
from attrition.models.blueprint import Blueprint
from attrition.models.field import FieldDraws

Floats = NDArray[np.float64]


class Step:
    """The density of one step in coordinates u: first those of the log scales, then of the field."""

    def __init__(self, blueprint: Blueprint, world: World, mode: Mode, top: Point) -> None:
        self.blueprint, self.world, self.mode, self.top = blueprint, world, mode, top
        self.lean = leaning(world, top)
        self.sizes = np.cumsum([world.blocks, len(top.shared)])
        self.size = int(self.sizes[-1] + top.own.size)

    def place(self, u: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Log scales, coefficients of border and rows, and what the projection takes out."""
        arrow, (head, border, inner) = self.top.arrow, np.split(u, self.sizes)
        theta = self.mode.theta + self.mode.axes @ head
        shared = solve_triangular(arrow.border, border, lower=True, trans="T", check_finite=False)
        own = np.matmul(arrow.unroot.transpose(0, 2, 1), inner.reshape(*self.top.own.shape, 1))[..., 0]
        own -= (shared @ arrow.gain).reshape(own.shape)
        out = np.tensordot(self.world.grid.constraints, own, axes=([1, 2], [0, 1]))
        shared, own = arrow.project(shared, own)
        away = theta - self.mode.theta
        shared = shared + self.top.shared + away @ self.lean[0]
        return theta, shared, own + self.top.own + np.tensordot(away, self.lean[1], axes=1), out

    def back(self, theta: Floats, shared: Floats, own: Floats, out: Floats) -> Floats:
        """Slopes in the coordinates, from those in what they stand for."""
        arrow, grid = self.top.arrow, self.world.grid
        theta = theta + self.lean[0] @ shared + np.tensordot(self.lean[1], own, axes=2)
        over = arrow.tie @ (arrow.held[0] @ shared + np.tensordot(arrow.held[1], own, axes=2))
        own = own + np.tensordot(out - over, grid.constraints, axes=1)
        shared = shared - arrow.gain @ own.ravel()
        border = solve_triangular(arrow.border, shared, lower=True, check_finite=False)
        inner = np.matmul(arrow.unroot, own[..., None])
        return np.concatenate([self.mode.axes.T @ theta, border, inner.ravel()])

    def density(self, effect: Floats) -> Callable[[Floats], tuple[float, Floats]]:
        """Value and gradient; a chain's most likely effects are where its next search for them begins."""
        world, grid, tie = self.world, self.world.grid, self.top.arrow.tie

        def at(u: Floats) -> tuple[float, Floats]:
            theta, shared, own, out = self.place(u)
            if (theta < LEAST_LOG_SD).any() or (theta > MOST_LOG_SD).any():
                return -np.inf, np.zeros_like(u)
            border, inner = precisions(world, theta)
            eta, tau = world.location + grid.predictor(shared, own), world.effect_sd(theta)
            seen = integrated(eta, grid.y, grid.n, tau, effect, world.rule(tau))
            prior, slope = log_prior(self.blueprint, theta)
            value = seen.value.sum() - 0.5 * ((border * shared**2).sum() + (inner * own**2).sum()) + prior
            for block in range(world.blocks):
                if block == world.cell:
                    slope[block] += (tau**2 * (seen.second + seen.slope**2)).sum()
                    continue
                square = (shared[grid.border_block == block] ** 2).sum()
                square += (own[:, grid.inner_block == block] ** 2).sum()
                value -= grid.free[block] * theta[block]
                slope[block] += np.exp(-2 * theta[block]) * square - grid.free[block]
            value -= 0.5 * out @ tie @ out
            by_shared = grid.border.T @ seen.slope.sum(axis=0) - border * shared
            return float(value), self.back(
                slope, by_shared, seen.slope @ grid.inner - inner * own, -tie @ out
            )

        return at

    def sample(self, settings: argparse.Namespace, seed: int) -> tuple[Floats, xr.Dataset]:
        """Coordinates (chains × draws, D), chain-major, and what the sampler says of them."""

        def make(**_: Any) -> Callable[..., tuple[float, Floats]]:
            return self.density(self.top.effect.copy())

        def expand(*_: Any, **__: Any) -> Callable[..., dict[str, Floats]]:
            return lambda u, **___: {"u": np.array(u)}

        model = from_pyfunc(self.size, make, expand, [np.dtype(float)], [(self.size,)], ["u"])
        found = nutpie.sample(
            model, draws=settings.draws, tune=settings.tune, chains=settings.chains, cores=2, seed=seed,
            progress_bar=False, save_warmup=False,
        )  # fmt: skip
        stats = found["sample_stats"].to_dataset()
        steps, bad = float(stats["n_steps"].mean()), int(stats["diverging"].sum())
        print(f"  {steps:.0f} leapfrogs a draw, {bad} divergences", flush=True)
        return found["posterior"]["u"].to_numpy().reshape(-1, self.size), stats[["diverging", "energy"]]


def explored(blueprint: Blueprint, world: World) -> Step:
    """The mode of the scales, and the field there."""
    world = replace(world, nodes=NODES)
    warm = cold(world)

    def value(theta: Floats) -> tuple[float, Floats]:
        point = approximate(world, theta, warm)
        prior, slope = log_prior(blueprint, theta)
        return point.value + prior, gradient(world, point) + slope

    class Here:
        map = staticmethod(map)

    top = climb(value, np.full(world.blocks, np.log(0.3)))
    mode = shaped(top, lambda theta: value(theta)[1], lambda theta: value(theta)[0], Here())  # type: ignore[arg-type]
    return Step(blueprint, world, mode, approximate(world, mode.theta, warm))


def sampled(bound: Bound, settings: argparse.Namespace) -> Fit:
    """Every step sampled, in the form every engine returns."""
    blueprint, started = bound.blueprint, time.perf_counter()
    size = settings.chains * settings.draws
    field = laplace._empty(blueprint, size)
    rng, stats = np.random.default_rng(7), []
    for number, world in enumerate(make_worlds(blueprint)):
        step = explored(blueprint, world)
        points, said = step.sample(settings, 11 + number)
        stats.append(said)
        for r, u in enumerate(points):
            _fill(blueprint, step, rng, u, field, r, number)
    hyper = {"intercept": field.intercept} | {f"sd_{name}": sd for name, sd in field.sd.items()}
    posterior = named_draws(blueprint, hyper, field, settings.chains)
    worst = hyper_convergence(posterior)
    print(f"scales and levels: R-hat {worst.rhat:.3f}, at least {worst.ess:,.0f} effective draws", flush=True)
    return Fit(
        posterior=posterior,
        # Given the counts the steps are independent: their chains are paired as they come.
        sample_stats=sum(stats[1:], start=stats[0]),
        field=replace(field, total_spread=np.sqrt(np.sum(np.square([*field.sd.values()]), axis=0))),
        chains=settings.chains,
        seconds={"sample": time.perf_counter() - started},
        arguments={"draws": settings.draws, "tune": settings.tune, "chains": settings.chains},
        engine="nuts",
    )  # fmt: skip


def _fill(
    blueprint: Blueprint,
    step: Step,
    rng: np.random.Generator,
    u: Floats,
    field: FieldDraws,
    r: int,
    number: int,
) -> None:
    """Put one draw in, with the effects of its cells."""
    world, grid = step.world, step.world.grid
    theta, shared, own, _ = step.place(u)
    field.intercept[r, number] = world.location + shared[grid.border_block == laplace_draws.INTERCEPT][0]
    for place, block in enumerate(blueprint.blocks):
        field.sd[block.name][r, number] = np.exp(theta[place])
        if place == world.cell:
            eta = (world.location + grid.predictor(shared, own)).ravel()[grid.cell]
            y, n, start = (x.ravel()[grid.cell] for x in (grid.y, grid.n, step.top.effect))
            found = draw_effects(rng, eta[None], y, n, world.effect_sd(theta), start)[0]
        else:
            found = laplace_draws._levels(grid, block, place, shared[None], own[None])[0]
        field.values[block.name][r, number] = found


def check(step: Step) -> None:
    """The gradient against differences, at a random point."""
    rng = np.random.default_rng(0)
    u, way = 0.3 * rng.standard_normal((2, step.size))
    at = step.density(step.top.effect.copy())
    h = 1e-4
    slope = (at(u + h * way)[0] - at(u - h * way)[0]) / (2 * h)
    print(f"  gradient {at(u)[1] @ way:.6f}, by differences {slope:.6f}", flush=True)


def run_of(bound: Bound, plan: Plan, fit: Fit, root: Path) -> Run:
    """The draws evaluated and stored as a run."""
    return Run(fit_plan(bound, plan, root, False, print, None, known=fit))


def main() -> None:
    """Sample, fit, compare."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--shape", type=int, nargs=4, default=[8, 56, 40, 2])
    options.add_argument("--referrals", type=float, default=60.0)
    options.add_argument("--tune", type=int, default=300)
    options.add_argument("--draws", type=int, default=1200)
    options.add_argument("--chains", type=int, default=4)
    options.add_argument("--points", type=int, default=256, help="of the scales a chain, for laplace")
    asked = options.parse_args()
    # As many draws are looked at as there are: fewer would leave more of simulation than is allowed.
    thinning._NUMBERS = asked.chains * asked.draws * 2 * int(np.prod(asked.shape))
    with tempfile.TemporaryDirectory() as folder:
        path = simulate(Path(folder) / "world", asked.shape, asked.referrals, 1)
        patches = {"estimate.draws": asked.draws, "estimate.chains": asked.chains}
        plan = read_plan(path, patches)
        bound = bind_plan(plan)
        with threadpool_limits(1):
            check(explored(bound.blueprint, make_worlds(bound.blueprint)[-1]))
            fit = sampled(bound, asked)
        try:
            chains = run_of(bound, plan, fit, Path(folder) / "chains")
        except InputError as error:
            raise SystemExit(str(error)) from error
        del fit, bound
        patches["estimate.points"] = asked.points
        run = estimate(path, engine="laplace", patches=patches, progress=False)
        for name, one in (("chains", chains), ("laplace", run)):
            print(
                f"{name}: {one.status}, {one.manifest['timings']}, {one.manifest['diagnostics']}", flush=True
            )
        say_agreement(compared(run, chains))


if __name__ == "__main__":
    main()
