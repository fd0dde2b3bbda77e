"""The cell effects of a model that split totals; which they are stands in ``anchors``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from .anchors import WALL, Anchors, cell_block
from .blueprint import Blueprint
from .needed import Needed
from .values import Values, path_eta


def anchor_totals(anchors: Anchors, z: TensorVariable) -> TensorVariable:
    """Logs of the totals (E,) where their first cells have the coordinates z."""
    ahead = z[anchors.first]
    return anchors.target + pt.where(anchors.wall, WALL * pt.softplus(ahead), anchors.scale * ahead)


def put_anchors(
    blueprint: Blueprint,
    anchors: Anchors,
    part: Needed,
    values: Values,
    log_sd: TensorVariable,
    z: TensorVariable,
) -> Values:
    """Put the anchored cell effects with coordinates z into the predictor; their prior enters as a potential."""
    block = cell_block(blueprint)
    assert block is not None
    log_scale = log_sd[anchors.step, blueprint.blocks.index(block)]
    start, effects, totals = 0, [], anchor_totals(anchors, z)
    for number, (edge, columns) in enumerate(zip(anchors.edges, anchors.columns, strict=True)):
        # The paths hold what is anchored before: a total's earlier stage.
        batch, cells, end = part.batches[edge.batch].row(edge.row), np.array(columns), start + len(columns)
        on = (batch.segment[0, cells] >= 0) & (batch.segment[0, cells] <= edge.depth)
        path = pt.where(on, path_eta(blueprint, batch, values)[0, cells], 0.0).sum(axis=-1)
        means = path + np.log(batch.n[0, cells])
        total = totals[number]
        own = pt.exp(log_scale[start + 1 : end]) * z[start + 1 : end]
        given = pt.concatenate([(total - means[0])[None], own])
        if end > start + 1:
            given = given - pt.softplus(pt.logsumexp(means[1:] + own) - total)
        effects.append(given)
        here = (anchors.of >= start) & (anchors.of < end)
        slots = part.slots(anchors.slot[here], blueprint.layout.size)
        values = replace(values, flat=pt.inc_subtensor(values.flat[slots], given[anchors.of[here] - start]))
        start = end
    effect = pt.concatenate(effects)
    pm.Deterministic("anchored", effect)
    # The coordinates' own normal density is taken back; the smaller cells' scales cancel against the map's.
    density = 0.5 * z**2 - 0.5 * (effect * pt.exp(-log_scale)) ** 2
    ahead = z[anchors.first]
    slope = pt.where(anchors.wall, np.log(WALL) - pt.softplus(-ahead), np.log(anchors.scale))
    pm.Potential("anchors", density.sum() + (slope - log_scale[anchors.first]).sum())
    return values
