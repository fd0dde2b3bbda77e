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
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.dist_math import normal_lcdf
from pytensor.tensor.variable import TensorVariable

from .anchors import cell_block
from .blueprint import Blueprint
from .conditioned_op import depart
from .needed import Needed
from .sightings import WALL, Sightings
from .values import Values, path_eta


def conditioned(
    blueprint: Blueprint,
    sightings: Sightings,
    part: Needed,
    values: Values,
    w: TensorVariable,
    log_sd: TensorVariable,
) -> tuple[TensorVariable, TensorVariable]:
    """Coefficients from their coordinates.

    Parameters
    ----------
    values : Values
        The predictor without the effects that are sighted.
    w : (S, F)
        Coordinates.
    log_sd : (S, B)

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
    bound = sightings.bound
    if len(bound):
        copy = pm.Normal("bound", 0.0, 1.0, shape=(len(bound),))
        beyond = WALL * pt.softplus(copy)
        r = r + pt.dot(np.eye(len(sightings))[:, bound], beyond)
    assert values.phi is not None
    noise = sightings.error**2 + sightings.varies * values.phi[sightings.last]
    block = cell_block(blueprint)
    if sightings.anchored.any() and block is not None:
        variance = pt.exp(2 * log_sd[:, blueprint.blocks.index(block)])
        noise = noise + pt.dot(sightings.anchored, variance)
    flat = w.ravel()
    log_scale = log_sd[sightings.scale[:, 0], sightings.scale[:, 1]]
    move, log_det = depart(flat[sightings.at], log_scale, r, noise, sightings)
    z = flat[sightings.at] + move
    if len(bound):
        # The auxiliary copies of the sums, given the sums; the coordinate's own normal density is taken back.
        sums = pt.dot(sightings.matrix[bound], pt.exp(log_scale[sightings.of]) * z)
        error = sightings.error[bound]
        off = (r[bound] - sums) / error
        room = beyond / error - off
        law = -0.5 * off**2 - normal_lcdf(0.0, 1.0, room) + np.log(WALL) - np.log(error)
        pm.Potential("bounds", (law - pt.softplus(-copy) + 0.5 * copy**2).sum())
    return pt.inc_subtensor(flat[sightings.at], move).reshape(w.shape), log_det
