"""Joint draws: the field given each weighted point of the scales, and every cell's own effect given its count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....models.blueprint import Blueprint
from ....models.field import apply_bases
from ....models.terms import Block
from ..grid import INTERCEPT, Grid
from .effects import draw_effects
from .point import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StepDraws:
    """Draws of one step's field.

    Parameters
    ----------
    intercept : (R,) float
    sd : (R, B) float
    values : mapping of block name to (R, levels…), or (R, units) for the cell effect
    """

    intercept: Floats
    sd: Floats
    values: Mapping[str, NDArray[np.floating[Any]]]


def resample(rng: np.random.Generator, weight: Floats, size: int) -> Ints:
    """How often each point is drawn from, (K,): systematic resampling, which rounds ``size`` times the weight."""
    edges = np.cumsum(weight)
    at = (np.arange(size) + rng.random()) / size * edges[-1]
    return np.bincount(np.minimum(np.searchsorted(edges, at), len(weight) - 1), minlength=len(weight))


def draw_step(
    rng: np.random.Generator,
    blueprint: Blueprint,
    world: World,
    theta: Floats,
    effect: Floats,
    shared: Floats,
    own: Floats,
) -> StepDraws:
    """Draws of one step given one point.

    Parameters
    ----------
    theta : (B,)
    effect : (J, C)
        Most likely cell effects, roughly.
    shared, own : (R, p), (R, J, q)
        Draws of the coefficients.
    """
    grid, size = world.grid, len(shared)
    sd = np.exp(theta)
    values: dict[str, NDArray[np.floating[Any]]] = {
        block.name: _levels(grid, block, number, shared, own)
        for number, block in enumerate(blueprint.blocks)
        if number != world.cell
    }
    if world.cell >= 0:
        eta = (world.location + grid.predictor(shared, own)).reshape(size, -1)[:, grid.cell]
        y, n, start = (x.ravel()[grid.cell] for x in (grid.y, grid.n, effect))
        values[blueprint.blocks[world.cell].name] = draw_effects(rng, eta, y, n, float(sd[world.cell]), start)
    intercept = world.location + shared[:, grid.border_block == INTERCEPT][:, 0]
    return StepDraws(intercept, np.broadcast_to(sd, (size, len(sd))), values)


def _levels(grid: Grid, block: Block, number: int, shared: Floats, own: Floats) -> Floats:
    """A block's levels (R, levels…) from the coefficients of border and rows."""
    mine = grid.inner_block == number
    if not mine.any():
        free = shared[:, grid.border_block == number]
        return apply_bases(free.reshape(len(free), *(basis.free for basis in block.bases)), block.bases)
    # Of the jurisdictions it holds levels already; the other axes still go through their bases.
    place = block.axes.index("jurisdiction")
    others = [basis for axis, basis in zip(block.axes, block.bases, strict=True) if axis != "jurisdiction"]
    free = own[:, :, mine].reshape(len(own), own.shape[1], *(basis.free for basis in others))
    return np.moveaxis(apply_bases(free, others), 1, 1 + place)
