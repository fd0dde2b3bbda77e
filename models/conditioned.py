"""Effects as departures from what the sightings say of them.

With standard normal coefficients z, sums A s z of them sighted as r with errors of covariance K, and P = A s² Aᵀ, the
coefficients given the sightings are normal. One linear map takes standard normal coordinates w there:

    z = w + s Aᵀ S⁻ᵀ (S⁻¹ r - (S + D)⁻¹ A s w),     S Sᵀ = P + K,  D Dᵀ = K

(the square root is Potter's, as ensemble filters use it: Andrews 1968; Whitaker and Hamill 2002), with determinant
|D| / |S|. Whatever the scales are, w is close to standard normal, so that neither the ridge of a sum that is known nor
the funnel of a scale that is not is left in its posterior; the density itself is unchanged.
"""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from .anchors import cell_block
from .blueprint import Blueprint
from .conditioned_op import depart
from .needed import Needed
from .sightings import Sightings
from .values import Values, path_eta


def conditioned(
    blueprint: Blueprint,
    sightings: Sightings,
    part: Needed,
    values: Values,
    w: TensorVariable,
    log_sd: TensorVariable,
    totals: TensorVariable | None,
) -> tuple[TensorVariable, TensorVariable]:
    """Coefficients from their coordinates.

    Parameters
    ----------
    values : Values
        The predictor without the effects that are sighted.
    w : (S, F)
        Coordinates.
    log_sd : (S, B)
    totals : (E,) or None
        Logs of the anchored totals.

    Returns
    -------
    z : (S, F)
        Standard normal coefficients a priori.
    log_det : scalar
        Log determinant of dz/dw.
    """
    rest, start = [], 0
    for number, rows in sightings.rows.items():
        batch = part.batches[number].take(rows)
        end = start + len(rows)
        column, depth = sightings.column[start:end], sightings.depth[start:end]
        path = path_eta(blueprint, batch, values)[np.arange(len(rows)), column]
        segment = batch.segment[np.arange(len(rows)), column]
        on = (segment >= 0) & (segment <= depth[:, None])
        rest.append(pt.where(on, path, 0.0).sum(axis=1))
        start = end
    r = sightings.target - pt.concatenate(rest)
    if totals is not None:
        r = r + pt.dot(sightings.total, totals)
    assert values.phi is not None
    noise = sightings.error**2 + sightings.varies * values.phi[sightings.last]
    block = cell_block(blueprint)
    if sightings.anchored.any() and block is not None:
        variance = pt.exp(2 * log_sd[:, blueprint.blocks.index(block)])
        noise = noise + pt.dot(sightings.anchored, variance)
    flat = w.ravel()
    log_scale = log_sd[sightings.scale[:, 0], sightings.scale[:, 1]]
    move, log_det = depart(flat[sightings.at], log_scale, r, noise, sightings)
    return pt.inc_subtensor(flat[sightings.at], move).reshape(w.shape), log_det
