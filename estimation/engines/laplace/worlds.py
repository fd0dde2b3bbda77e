"""From a blueprint to one world a step; or why the approximation does not take it."""

from __future__ import annotations

import numpy as np

from ....models.blueprint import Blueprint
from ....models.priors import Normal
from ..grid import make_grid
from .point import World


def obstacles(blueprint: Blueprint) -> list[str]:
    """What of a blueprint the approximation cannot take yet; empty where it can take all."""
    found = []
    if not blueprint.blocks:
        found.append("it has an intercept alone")
    if any(blueprint.ratio_steps):
        found.append("a step is a ratio")
    if blueprint.concentration is not None:
        found.append("counts are beta-binomial")
    if any(block.slope is not None for block in blueprint.blocks):
        found.append("rates depend on a covariate")
    if blueprint.mixture is not None or blueprint.unknowns:
        found.append("a kind has unknowns of its own")
    if blueprint.layout.units != blueprint.layout.size:
        found.append("cells share an effect")
    for step in blueprint.panel.funnel.steps:
        if not isinstance(blueprint.prior.intercept_of(step.name), Normal):
            found.append(f"the intercept of {step.name} is not normal")
    single = [
        batch.slots.shape[1:] == (1, 1) and batch.depth == 1 and not batch.end for batch in blueprint.batches
    ]
    if not all(single):
        found.append("a report speaks of several cells, or of several steps")
    parts = sorted({name for batch in blueprint.batches for name in batch.parts})
    if parts:
        found.append(f"a kind shapes what counts are sums of ({', '.join(parts)})")
    if any(batch.report != "exact" for batch in blueprint.batches):
        found.append("a report is not an exact count")
    slots = np.concatenate([batch.slots.ravel() for batch in blueprint.batches])
    if len(np.unique(slots)) < len(slots):
        found.append("two reports speak of one cell")
    return found


def make_worlds(blueprint: Blueprint) -> list[World]:
    """One world a step: with exact counts of single cells nothing couples the steps."""
    layout = blueprint.layout
    y = np.zeros((layout.steps, layout.size))
    n = np.zeros_like(y)
    for batch in blueprint.batches:
        steps, at = np.divmod(batch.slots[:, 0, 0].astype(np.int64), layout.size)
        y[steps, at], n[steps, at] = batch.low[:, 0], batch.n[:, 0]
    cell = next((number for number, block in enumerate(blueprint.blocks) if block.cellwise), -1)
    worlds = []
    for number, step in enumerate(blueprint.panel.funnel.steps):
        prior = blueprint.prior.intercept_of(step.name)
        assert isinstance(prior, Normal)
        grid = make_grid(blueprint, y[number], n[number])
        worlds.append(World(grid, prior.location(False), prior.sd**-2, len(blueprint.blocks), cell))
    return worlds
