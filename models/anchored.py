"""The cell effects of a model that split totals; which they are stands in ``anchors``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from .anchors import Anchors, cell_block
from .blueprint import Blueprint
from .later import pm
from .needed import Needed
from .values import Values, along


def anchored_totals(anchors: Anchors, coordinates: TensorVariable) -> TensorVariable:
    """Logs of the totals, or of the walls they lie behind (E,), where their largest cells have these coordinates."""
    known = np.where(anchors.wall, 0.0, anchors.scale)
    return anchors.target + known * coordinates[anchors.first]


def put_anchors(
    blueprint: Blueprint,
    anchors: Anchors,
    part: Needed,
    values: Values,
    log_sd: TensorVariable,
    coordinates: TensorVariable,
    gain: TensorVariable,
) -> Values:
    """Put the anchored cell effects into the predictor; their prior enters as a potential.

    Parameters
    ----------
    gain : (G,)
        Log of what each cell holds per unit of its denominator, or of what it held at the stage split before.
    """
    block = cell_block(blueprint)
    assert block is not None
    log_scale = log_sd[anchors.step, blueprint.blocks.index(block)]
    effect = pm.Deterministic("anchored", gain - along(blueprint, part.batches, values, anchors.cells))
    # The coordinates' own normal density is taken back.
    density = 0.5 * coordinates**2 - 0.5 * (effect * pt.exp(-log_scale)) ** 2 - log_scale
    pm.Potential("anchors", density.sum() + np.log(anchors.scale[~anchors.wall]).sum())
    slots = part.slots(anchors.slot, blueprint.layout.size)
    return replace(values, flat=pt.inc_subtensor(values.flat[slots], effect[anchors.of]))
