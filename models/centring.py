"""How far to centre each coefficient, from the information the data hold about it.

With coefficient u ~ N(0, τ²) and information I about it in the likelihood, sampling z ~ N(0, τ^{2w}) and setting
u = τ^{1-w} z with w = τ² I / (1 + τ² I) removes the funnel at both ends (Papaspiliopoulos, Roberts and Sköld 2007;
Gorinova, Moore and Hoffman 2020). Everything is known before sampling up to plug-in rates and a plug-in τ.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..data.names import AXES
from .blueprint import Blueprint
from .priors import Fixed
from .terms import Block

Floats = NDArray[np.float64]
_CAUTION = 0.04


def step_rates(blueprint: Blueprint) -> Floats:
    """Plug-in rate of each step: pooled over the cells whose counts are known at both ends, (S,)."""
    counts = blueprint.analysis.counts
    rates = np.full(len(counts) - 1, 0.1)
    for step in range(len(rates)):
        both = np.isfinite(counts[step]) & np.isfinite(counts[step + 1])
        if counts[step, both].sum() > 0:
            rates[step] = (counts[step + 1, both].sum() + 0.5) / (counts[step, both].sum() + 1)
    return np.clip(rates, 1e-4, None)


def information(blueprint: Blueprint) -> Floats:
    """Approximate Fisher information of the data about each step-cell's linear predictor, (S, A).

    For one step it is n p (1 - p); a total over m cells is shared among them, a path among its steps.
    """
    rates = step_rates(blueprint)
    ratio = np.array(blueprint.ratio_steps)
    info = np.zeros(len(rates) * blueprint.layout.size)
    for batch in blueprint.batches:
        used = batch.segment >= 0
        rate = np.where(used, rates[np.maximum(batch.step, 0)], 1.0)
        whole = rate.prod(axis=2)
        # On a probability path d log p / d eta = 1 - p of the step; the count varies by n p (1 - p) of the path.
        slope = np.where(ratio[np.maximum(batch.step, 0)], 1.0, 1 - np.minimum(rate, 1.0))
        variance = 2.0 if batch.ratio else np.maximum(1 - whole, 0.05)[..., None]
        share = batch.n[..., None] / np.maximum(batch.n.sum(axis=1), 1)[:, None, None]
        gain = batch.n[..., None] * whole[..., None] * slope**2 / variance * share * used
        # A part of an unsplit total stands behind the field and says little of its cells.
        told = batch.mask[..., None] & (batch.slots < info.size)
        np.add.at(info, np.where(told, batch.slots, 0).ravel(), np.where(told, gain, 0.0).ravel())
    return info.reshape(len(rates), blueprint.layout.size)


def weights(blueprint: Blueprint, scales: Mapping[str, Floats] | None = None) -> Mapping[str, Floats]:
    """Centring weight of every free coefficient of every block, in [0, 1]; shapes (S, free…) or (S, units).

    Parameters
    ----------
    blueprint : Blueprint
    scales : mapping of block name to (S,), optional
        Plug-in standard deviations, where an earlier fit has shown them.
    """
    out = {}
    for block, held in zip(blueprint.blocks, held_by_data(blueprint, information(blueprint)), strict=True):
        steps = len(held)
        # Without better knowledge a cautious plug-in: a scale smaller than assumed would bring the funnel back.
        known = (
            block.sd.repeated((steps,))
            if isinstance(block.sd, Fixed)
            else scales[block.name]
            if scales is not None
            else np.full(steps, _CAUTION * blueprint.prior.spread)
        )
        out[block.name] = centred(held, known.reshape(-1, *(1,) * (held.ndim - 1)))
    return out


def centred(held: Floats, sd: Floats) -> Floats:
    """The weight w of coefficients about which the data hold this information."""
    strength = held * sd**2
    return np.asarray(strength / (1 + strength))


def held_by_data(blueprint: Blueprint, info: Floats) -> list[Floats]:
    """Information about every free coefficient of every block, shaped as the centring weights are; from the cells'."""
    return [
        _per_unit(info, blueprint) if block.cellwise else _per_coefficient(info, block, blueprint)
        for block in blueprint.blocks
    ]


def _per_unit(info: Floats, blueprint: Blueprint) -> Floats:
    """Information about the cell effects: summed over the cells that share one, (S, units)."""
    layout = blueprint.layout
    return np.stack([np.bincount(layout.unit, row, minlength=layout.units) for row in info])


def _per_coefficient(info: Floats, block: Block, blueprint: Blueprint) -> Floats:
    """Information about the coefficients: summed over the cells of each level, then through the squared bases."""
    layout = blueprint.layout
    axes = [AXES.index(axis) for axis in block.axes]
    levels = tuple(layout.shape[axis] for axis in axes)
    flat = np.ravel_multi_index(tuple(layout.coordinates[axis] for axis in axes), levels)
    size = int(np.prod(levels))
    if block.slope is not None:
        info = info * block.slope.by.ravel()[layout.cells] ** 2
    out = np.stack([np.bincount(flat, row, minlength=size) for row in info]).reshape(len(info), *levels)
    for place, basis in enumerate(block.bases):
        out = np.moveaxis(np.tensordot(out, basis.matrix**2, axes=(1 + place, 0)), -1, 1 + place)
    return out
