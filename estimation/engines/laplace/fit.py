"""The engine: scales, points, draws, in the form every engine returns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ....models.blueprint import Blueprint
from ....models.field import FieldDraws
from ...sections import EstimateSpec
from ...thinning import most_draws
from ..contract import Fit, Weights
from ..drawn import named_draws
from .draws import draw_step, resample
from .explore import Step, explore
from .mean import STEPS
from .point import Warm, nearby
from .worlds import make_worlds

NAME = "laplace"
Floats = NDArray[np.float64]
_FEWEST, _MOST, _WORK = 64, 256, 1_000_000


def points_for(blueprint: Blueprint) -> int:
    """Points of the scales a chain where nobody says: a power of two, more where the cells (of all steps) are few."""
    cells = blueprint.layout.steps * blueprint.layout.size
    return 2 ** int(np.log2(np.clip(_WORK / cells, _FEWEST, _MOST)))


def fit(
    blueprint: Blueprint,
    settings: EstimateSpec,
    say: Callable[[str], None],
    mean_steps: int | None = None,
) -> Fit:
    """Approximate the posterior and draw from it.

    Parameters
    ----------
    blueprint : Blueprint
        One without ``worlds.obstacles``.
    settings : EstimateSpec
        ``draws`` times ``chains`` draws; a chain has a quasi-random sample of ``points`` of its own, so that what
        differs between chains is the Monte-Carlo error of the points.
    mean_steps : int, optional
        Variational steps from the mode to the mean.
    """
    started = time.perf_counter()
    worlds = make_worlds(blueprint)
    mean_steps = STEPS if mean_steps is None else mean_steps
    cells = blueprint.layout.steps * blueprint.layout.size
    points = settings.points or points_for(blueprint)
    # What comes after a fit reads no more draws of all cells than these; a sampler's chain has to be longer.
    size = min(settings.draws, most_draws(cells) // settings.chains)
    cores = os.cpu_count() or 1
    # Many small matrices: one core each is faster than all cores together.
    with threadpool_limits(1), ThreadPoolExecutor(cores) as pool, ThreadPoolExecutor(len(worlds)) as steps:
        done = list(
            steps.map(
                lambda pair: explore(blueprint, pair[1], points, mean_steps, settings, size, pair[0], pool),
                enumerate(worlds),
            )
        )
        explored = time.perf_counter()
        for step, one in zip(blueprint.panel.funnel.steps, done, strict=True):
            say(
                f"{step.name}: {one.mode.evaluations} evaluations to the scales' mode, {len(one.points.weight)} points "
                f"worth {one.points.effective:.0f}, k-hat {one.points.khat:.2f}, of one jurisdiction at worst "
                f"{one.block_khats.max(initial=0.0):.2f}"
            )
        field = _empty(blueprint, size * settings.chains)
        which = np.empty((size * settings.chains, len(done)), dtype=np.int64)
        batches = [(s, chain) for s in range(len(done)) for chain in range(settings.chains)]
        for _ in pool.map(
            lambda at: _fill(blueprint, done[at[0]], at, settings, size, field, which), batches
        ):
            pass
    shared = [field.sd[block.name] for block in blueprint.shared]
    if shared:
        field = replace(field, total_spread=np.sqrt(np.sum(np.square(shared), axis=0)))
    hyper = {"intercept": field.intercept}
    if field.total_spread is not None:
        hyper["total_spread"] = field.total_spread
    hyper |= {f"sd_{name}": sd for name, sd in field.sd.items()}
    finished = time.perf_counter()
    return Fit(
        posterior=named_draws(blueprint, hyper, field, settings.chains),
        sample_stats=xr.Dataset(
            {"point": (("chain", "draw", "step"), which.reshape(settings.chains, size, -1))}
        ),
        field=field,
        chains=settings.chains,
        seconds={"explore": explored - started, "draw": finished - explored},
        arguments={
            "draws": size,
            "chains": settings.chains,
            "points": points,
            "mean_steps": mean_steps,
        },
        engine=NAME,
        weights=Weights(
            max(one.points.khat for one in done),
            _by_place(blueprint, [one.block_khats for one in done]),
            tuple(one.points.effective for one in done),
        ),
    )


def _by_place(blueprint: Blueprint, khats: list[Floats]) -> dict[str, float]:
    """The worst of the steps by jurisdiction, of those that some effect tells apart."""
    told = [one for one in khats if one.size]
    names = blueprint.panel.axes.jurisdiction.leaves
    return dict(zip(names, np.max(told, axis=0).tolist(), strict=True)) if told else {}


def _empty(blueprint: Blueprint, size: int) -> FieldDraws:
    """Room for draws of the field; those of the cells in single precision."""
    layout, blocks = blueprint.layout, blueprint.blocks
    head = (size, layout.steps)
    return FieldDraws(
        intercept=np.empty(head),
        sd={block.name: np.empty(head) for block in blocks},
        values={
            block.name: np.empty((*head, layout.units), dtype=np.float32)
            if block.cellwise
            else np.empty((*head, *(basis.levels for basis in block.bases)))
            for block in blocks
        },
        phi=np.ones(head),
    )


def _fill(
    blueprint: Blueprint,
    step: Step,
    at: tuple[int, int],
    settings: EstimateSpec,
    size: int,
    field: FieldDraws,
    which: NDArray[np.int64],
) -> None:
    """Put in the draws of one step from the points of one chain, in no order, and which point each is from.

    Given the counts the steps are independent: their draws are paired as they come.
    """
    number, chain = at
    rng = np.random.default_rng([settings.seed, number, 2, chain])
    mine = np.arange(len(step.points.weight)).reshape(settings.chains, -1)[chain]
    often = resample(rng, step.points.weight[mine], size)
    places = np.split(chain * size + rng.permutation(size), np.cumsum(often)[:-1])
    for k, place in zip(mine, places, strict=True):
        if not len(place):
            continue
        look, theta = step.looks[k], step.points.theta[k]
        away = look.drawn
        if away is None or len(away[0]) < len(place):
            warm = Warm(look.shared, look.own, step.effect.copy())
            away = nearby(step.world, theta, warm, step.pull).arrow.draw(rng, len(place))
        shared = away[0][: len(place)] + (look.shared + step.shift[0])
        own = away[1][: len(place)] + (look.own + step.shift[1])
        drawn = draw_step(rng, blueprint, step.world, theta, step.effect, shared, own)
        which[place, number] = k
        field.intercept[place, number] = drawn.intercept
        for column, block in enumerate(blueprint.blocks):
            field.sd[block.name][place, number] = drawn.sd[:, column]
            field.values[block.name][place, number] = drawn.values[block.name]
