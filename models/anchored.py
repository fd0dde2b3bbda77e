"""The anchored cell effects of a model; which they are stands in ``anchors``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from .anchors import Anchors, Edge, cell_block
from .blueprint import Blueprint
from .contract import Batch
from .needed import Needed
from .values import Values, path_eta

# What a total's largest cell keeps at least, as a share of the total: below a few times this the coordinate bends.
_KEEP = 0.1


def put_anchors(
    blueprint: Blueprint, anchors: Anchors, part: Needed, values: Values, log_sd: TensorVariable
) -> Values:
    """Put the anchored cell effects into the predictor; their prior enters as a potential."""
    z = pm.Normal("anchor", 0.0, 1.0, shape=(len(anchors),))
    effects, slopes = [], []
    for number, edge in enumerate(anchors.edges):
        # A total's other cells, and its earlier stage, hold what is anchored before.
        batch = part.batches[edge.batch].row(edge.row)
        path = path_eta(blueprint, batch, values)
        effect, slope = _leave(edge, batch, path, z[number], anchors.scale[number], anchors.target[number])
        effects.append(effect)
        slopes.append(slope)
        slots = part.slots(anchors.slot[anchors.of == number], blueprint.layout.size)
        values = replace(values, flat=pt.inc_subtensor(values.flat[slots], effect))
    effect = pt.stack(effects)
    pm.Deterministic("anchored", effect)
    block = cell_block(blueprint)
    assert block is not None
    log_scale = log_sd[anchors.step, blueprint.blocks.index(block)]
    # The coordinate's own normal density is taken back: it is no prior.
    density = -0.5 * (effect * pt.exp(-log_scale)) ** 2 - log_scale + 0.5 * z**2
    pm.Potential("anchors", density.sum() + pt.stack(slopes).sum())
    return values


def _leave(
    edge: Edge, batch: Batch, path: TensorVariable, z: TensorVariable, scale: float, target: float
) -> tuple[TensorVariable, TensorVariable]:
    """Effect of a total's largest cell, which takes what the others leave, and log du/dζ."""
    total, growth = target + scale * z, pt.constant(np.log(scale))
    on = (batch.segment[0] >= 0) & (batch.segment[0] <= edge.depth)
    means = pt.where(on, path[0], 0.0).sum(axis=-1) + np.log(np.maximum(batch.n[0], 1e-300))
    others = [c for c in np.flatnonzero(batch.mask[0]) if c != edge.column]
    if not others:
        return total - means[edge.column], growth
    taken = pt.exp(pt.logsumexp(means[others]) - total)
    # 1 - taken to 1e-5 where the others hold little; smooth and positive even where they hold more than the total, and
    # there no steeper than a power of it, lest a wide step of the sampler meet a cliff.
    bend = (1 - pt.where(taken < 1, taken, 1 + pt.log(pt.maximum(taken, 1.0)))) / _KEEP
    kept = _KEEP * pt.softplus(bend)
    slope = pt.sigmoid(bend) * pt.minimum(taken, 1.0) / kept
    return total + pt.log(kept) - means[edge.column], growth + pt.log1p(slope)
