"""The engine: scales, points, draws, in the form every engine returns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ....models.blueprint import Blueprint
from ....models.field import FieldDraws
from ...plan import EstimateSpec
from ...thinning import most_draws
from ..contract import Fit
from ..drawn import named_draws
from .cells import NODES
from .draws import StepDraws, draw_step, resample
from .hyper import Mode, Points, find_mode, make_points
from .mean import STEPS, mean_shift
from .point import ROUGH, Warm, World, approximate, cold, gradient, leaning
from .prior import log_prior
from .worlds import make_worlds

NAME = "laplace"
Floats = NDArray[np.float64]
_START = np.log(0.3)
_FEWEST, _MOST, _WORK = 32, 256, 1_000_000
_FEW_NODES, _SMALL = 5, 0.8


def points_for(cells: int) -> int:
    """Points of the scales a chain: a power of two, more where the cells (of all steps) are few."""
    return 2 ** int(np.log2(np.clip(_WORK / cells, _FEWEST, _MOST)))


@dataclass(frozen=True)
class _Step:
    """What is known of one step once its scales are."""

    world: World
    mode: Mode
    points: Points
    starts: list[Warm]
    shift: tuple[Floats, Floats]


def fit(
    blueprint: Blueprint,
    settings: EstimateSpec,
    say: Callable[[str], None],
    points: int | None = None,
    mean_steps: int | None = None,
) -> Fit:
    """Approximate the posterior and draw from it.

    Parameters
    ----------
    blueprint : Blueprint
        One without ``worlds.obstacles``.
    settings : EstimateSpec
        ``draws`` times ``chains`` draws; a chain has a quasi-random sample of points of its own, so that what differs
        between chains is the Monte-Carlo error of the points.
    points : int, optional
        Points of the scales a chain, a power of two.
    mean_steps : int, optional
        Variational steps from the mode to the mean.
    """
    started = time.perf_counter()
    worlds = make_worlds(blueprint)
    mean_steps = STEPS if mean_steps is None else mean_steps
    cells = blueprint.layout.steps * blueprint.layout.size
    points = points or points_for(cells)
    cores = os.cpu_count() or 1
    # Many small matrices: one core each is faster than all cores together.
    with threadpool_limits(1), ThreadPoolExecutor(cores) as pool, ThreadPoolExecutor(len(worlds)) as steps:
        done = list(
            steps.map(
                lambda pair: _explore(blueprint, pair[1], points, mean_steps, settings, pair[0], pool),
                enumerate(worlds),
            )
        )
        explored = time.perf_counter()
        for step, one in zip(blueprint.panel.funnel.steps, done, strict=True):
            say(
                f"{step.name}: {one.mode.evaluations} evaluations to the scales' mode, {len(one.points.weight)} points "
                f"worth {one.points.effective:.0f}, k-hat {one.points.khat:.2f}"
            )
        # What comes after a fit reads no more draws of all cells than these; a sampler's chain has to be longer.
        size = min(settings.draws, most_draws(cells) // settings.chains)
        batches = [(s, chain) for s in range(len(done)) for chain in range(settings.chains)]
        drawn = list(
            pool.map(
                lambda at: _batch(blueprint, done[at[0]], at, settings.chains, size, settings.seed), batches
            )
        )
    field, which = _joined(blueprint, drawn, settings.chains)
    hyper = {"intercept": field.intercept}
    if field.total_spread is not None:
        hyper["total_spread"] = field.total_spread
    hyper |= {f"sd_{name}": sd for name, sd in field.sd.items()}
    finished = time.perf_counter()
    return Fit(
        posterior=named_draws(blueprint, hyper, field, settings.chains),
        sample_stats=xr.Dataset({"point": (("chain", "draw", "step"), which)}),
        field=field,
        chains=settings.chains,
        seconds={"explore": explored - started, "draw": finished - explored},
        arguments={
            "draws": size,
            "chains": settings.chains,
            "points": points,
            "mean_steps": mean_steps,
            "effective_points": [round(one.points.effective, 1) for one in done],
        },
        engine=NAME,
        khat=max(one.points.khat for one in done),
    )


def _explore(
    blueprint: Blueprint,
    world: World,
    points: int,
    mean_steps: int,
    settings: EstimateSpec,
    number: int,
    pool: Executor,
) -> _Step:
    """Scales of one step: mode and weighted points; and the field's mean at the mode."""
    warm = cold(world)
    approximate(world, np.full(world.blocks, _START), warm)

    def density(theta: Floats, start: Warm) -> tuple[float, Floats]:
        point = approximate(world, theta, start)
        prior, slope = log_prior(blueprint, theta)
        return point.value + prior, gradient(world, point) + slope

    mode = find_mode(lambda theta: density(theta, warm.copy()), np.full(world.blocks, _START), pool)
    world = replace(world, nodes=_nodes(world, mode))
    top = approximate(world, mode.theta, warm)
    lean = leaning(world, top)

    def value(theta: Floats) -> tuple[float, Warm]:
        away = theta - mode.theta
        start = Warm(
            top.shared + away @ lean[0], top.own + np.tensordot(away, lean[1], axes=1), warm.effect.copy()
        )
        found = approximate(world, theta, start, ROUGH).value + log_prior(blueprint, theta)[0]
        return found, start

    seeds = [int(x) for x in np.random.SeedSequence([settings.seed, number]).generate_state(settings.chains)]
    found, starts = make_points(value, mode, points, seeds, pool)
    shift = mean_shift(np.random.default_rng([settings.seed, number, 1]), world, top, warm, mean_steps)
    return _Step(world, mode, found, starts, shift)


def _nodes(world: World, mode: Mode) -> int:
    """Fewer quadrature nodes where the cell effect is small: five are exact to 2e-4 nats a cell up to an sd of .8."""
    if world.cell < 0:
        return NODES
    reach = np.exp(
        mode.theta[world.cell] + 4 * np.abs(mode.axes[world.cell] * mode.stretch.max(axis=0)).max()
    )
    return _FEW_NODES if reach <= _SMALL else NODES


def _batch(
    blueprint: Blueprint, step: _Step, at: tuple[int, int], chains: int, size: int, seed: int
) -> tuple[StepDraws, NDArray[np.int64]]:
    """Draws from the points of one chain, in no order; and which point each is from."""
    number, chain = at
    rng = np.random.default_rng([seed, number, 2, chain])
    mine = np.arange(len(step.points.weight)).reshape(chains, -1)[chain]
    often = resample(rng, step.points.weight[mine], size)
    parts: list[StepDraws] = []
    for k in np.flatnonzero(often):
        warm = step.starts[mine[k]]
        point = approximate(step.world, step.points.theta[mine[k]], warm, ROUGH)
        parts.append(draw_step(rng, blueprint, step.world, point, warm.effect, step.shift, int(often[k])))
    mixed = rng.permutation(size)
    whole = StepDraws(
        np.concatenate([part.intercept for part in parts])[mixed],
        np.concatenate([part.sd for part in parts])[mixed],
        {name: np.concatenate([part.values[name] for part in parts])[mixed] for name in parts[0].values},
    )
    return whole, np.repeat(mine, often)[mixed]


def _joined(
    blueprint: Blueprint, drawn: list[tuple[StepDraws, NDArray[np.int64]]], chains: int
) -> tuple[FieldDraws, NDArray[np.int64]]:
    """All steps' draws as one field, chain-major, and the point each came from (chains, draws, S).

    Given the counts the steps are independent: their draws are paired as they come.
    """
    steps = [drawn[start : start + chains] for start in range(0, len(drawn), chains)]
    stacked = [
        [np.concatenate([getattr(d, name) for d, _ in one]) for name in ("intercept", "sd")] for one in steps
    ]
    intercept = np.stack([one[0] for one in stacked], axis=1)
    sd = np.stack([one[1] for one in stacked], axis=1)
    values = {
        block.name: np.stack(
            [np.concatenate([d.values[block.name] for d, _ in one]) for one in steps], axis=1
        )
        for block in blueprint.blocks
    }
    shared = [number for number, block in enumerate(blueprint.blocks) if block.sd is None]
    field = FieldDraws(
        intercept=intercept,
        sd={block.name: sd[:, :, number] for number, block in enumerate(blueprint.blocks)},
        values=values,
        phi=np.ones_like(intercept),
        total_spread=np.sqrt((sd[:, :, shared] ** 2).sum(axis=2)) if shared else None,
    )
    which = np.stack([np.stack([points for _, points in one]) for one in steps], axis=2)
    return field, which
