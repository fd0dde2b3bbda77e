"""What is found of one step: its scales' mode, weighted points around it, and the field's mean and draws there."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ....models.blueprint import Blueprint
from ...sections import EstimateSpec
from .blockwise import block_khats
from .gradient import gradient, leaning, pulling
from .hyper import Mode, Points, climb, make_points, shaped
from .mean import mean_shift
from .point import FEW_NODES, NODES, SMALL, Warm, World, approximate, best, cold, nearby
from .prior import log_prior

Floats = NDArray[np.float64]
_START = np.log(0.3)
# Nats below the mode: a point there has a weight of 1e-18 at most.
_NOTHING = 42.0


@dataclass(frozen=True)
class Look:
    """What is kept of the field at one point of the scales.

    Its mode, and some draws of the coefficients around it, made while their precision was at hand: most points need no
    other. No draws where the point weighs nothing.
    """

    shared: Floats
    own: Floats
    drawn: tuple[Floats, Floats] | None = None


@dataclass(frozen=True)
class Step:
    """What is known of one step once its scales are.

    Of all points together one most likely effect of each cell is kept, that of the scales' mode, and so is how the
    precision changes with the predictor: those of every point would take as many numbers as there are cells and points.
    """

    world: World
    mode: Mode
    points: Points
    looks: list[Look]
    effect: Floats
    pull: Floats
    shift: tuple[Floats, Floats]
    block_khats: Floats


def explore(
    blueprint: Blueprint,
    world: World,
    points: int,
    mean_steps: int,
    settings: EstimateSpec,
    size: int,
    number: int,
    pool: Executor,
) -> Step:
    """Scales of one step: mode and weighted points, with draws around each; and the field's mean at the mode."""
    warm = cold(world)
    start = np.full(world.blocks, _START)
    approximate(world, start, warm)

    def density(theta: Floats) -> tuple[float, Floats]:
        point = approximate(world, theta, warm)
        prior, slope = log_prior(blueprint, theta)
        return point.value + prior, gradient(world, point) + slope

    found = climb(density, start)
    near = _Near(blueprint, world, found[0], warm)
    mode = shaped(found, near.slope, near.height, pool)
    nodes = _nodes(world, mode)
    if nodes != world.nodes:
        world = replace(world, nodes=nodes)
        near = _Near(blueprint, world, mode.theta, warm)
    # Nearly all points weigh so little more than the average that a half more draws suffice them.
    some = -(-3 * size // (2 * points))

    def look(k: int, theta: Floats) -> tuple[float, Look]:
        rng = np.random.default_rng([settings.seed, number, 4, k])
        return near.look(theta, rng, some)

    seeds = [int(x) for x in np.random.SeedSequence([settings.seed, number]).generate_state(settings.chains)]
    weighted, looks = make_points(look, mode, points, seeds, pool)
    shift = mean_shift(np.random.default_rng([settings.seed, number, 1]), world, near.top, warm, mean_steps)
    rng = np.random.default_rng([settings.seed, number, 3])
    khats = block_khats(rng, world, near.top, shift, warm)
    return Step(world, mode, weighted, looks, near.top.effect, near.pull, shift, khats)


class _Near:
    """The density of the scales near their mode, whence the field's own mode leans to first order.

    Parameters
    ----------
    blueprint : Blueprint
    world : World
    theta : (B,)
        The scales' mode.
    warm : Warm
        At the field's.
    """

    def __init__(self, blueprint: Blueprint, world: World, theta: Floats, warm: Warm) -> None:
        self._blueprint, self._world, self._theta = blueprint, world, theta
        self.top = approximate(world, theta, warm)
        self.pull, self._lean = pulling(world, self.top), leaning(world, self.top)
        self._highest = best(world)
        self._least = self.top.value + log_prior(blueprint, theta)[0] - _NOTHING - self._highest

    def _start(self, theta: Floats) -> Warm:
        away = theta - self._theta
        return Warm(
            self.top.shared + away @ self._lean[0],
            self.top.own + np.tensordot(away, self._lean[1], axes=1),
            self.top.effect.copy(),
        )

    def slope(self, theta: Floats) -> Floats:
        """Gradient of the log density, (B,)."""
        return (
            gradient(self._world, approximate(self._world, theta, self._start(theta)))
            + log_prior(self._blueprint, theta)[1]
        )

    def height(self, theta: Floats) -> float:
        """The log density."""
        return self.look(theta)[0]

    def look(
        self, theta: Floats, rng: np.random.Generator | None = None, draws: int = 0
    ) -> tuple[float, Look]:
        """The same, beside the field's mode and draws around it."""
        start, prior = self._start(theta), log_prior(self._blueprint, theta)[0]
        if prior < self._least:
            # Whatever the data say of it, it weighs nothing; and where scales are absurd there may be no mode to find.
            return prior + self._highest, Look(start.shared, start.own)
        near = nearby(self._world, theta, start, self.pull)
        drawn = near.arrow.draw(rng, draws) if rng is not None else None
        return near.value + prior, Look(near.shared, near.own, drawn)


def _nodes(world: World, mode: Mode) -> int:
    """Few quadrature nodes where the cell effect is small at every point that weighs anything."""
    if world.cell < 0:
        return NODES
    reach = np.exp(
        mode.theta[world.cell] + 4 * np.abs(mode.axes[world.cell] * mode.stretch.max(axis=0)).max()
    )
    return FEW_NODES if reach <= SMALL else NODES
