"""Effects as departures from what the sightings say of them.

With standard normal coefficients z, sums A s z of them sighted as r with errors of covariance K, and P = A s² Aᵀ, the
coefficients given the sightings are normal. One linear map takes standard normal coordinates w there:

    z = w + s Aᵀ S⁻ᵀ (S⁻¹ r - (S + D)⁻¹ A s w),     S Sᵀ = P + K,  D Dᵀ = K

(the square root is Potter's, as ensemble filters use it: Andrews 1968; Whitaker and Hamill 2002), with determinant
|D| / |S|. Whatever the scales are, w is close to standard normal, so that neither the ridge of a sum that is known nor
the funnel of a scale that is not is left in its posterior; the density itself is unchanged. What the cells of a split
total hold has no error but its own, anchored cell effect; a count whose path passes the same cell shares it, so that K
has blocks.
"""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from .anchored import anchored_totals
from .anchors import Anchors
from .blueprint import Blueprint
from .conditioned_op import depart
from .needed import Needed
from .sightings import Sightings
from .values import Values, along, factors_along


def conditioned(
    blueprint: Blueprint,
    sightings: Sightings,
    anchors: Anchors,
    part: Needed,
    values: Values,
    w: TensorVariable,
    log_sd: TensorVariable,
    coordinates: TensorVariable | None,
) -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """Coefficients from their coordinates.

    Parameters
    ----------
    values : Values
        The predictor without the effects that are sighted.
    w : (S, F)
        Coordinates.
    log_sd : (S, B)
    coordinates : (G,) or None
        Of the anchors.

    Returns
    -------
    z : (S, F)
        Standard normal coefficients a priori.
    log_det : scalar
        Log determinant of z by w, and of what the cells of totals hold by their coordinates.
    gain : (G,)
        Log of what each cell of a split total holds per unit of its denominator, or of what it held at the stage split
        before.
    """
    rest = along(blueprint, part.batches, values, sightings.edges)
    log_scale = log_sd[sightings.scale[:, 0], sightings.scale[:, 1]]
    first = len(sightings) - len(anchors)
    # Roughly: as the rates would be without the effects that are sighted.
    factors = factors_along(blueprint, part.batches, values, sightings.edges[:first])
    varies = pt.concatenate([sightings.varies[:first] * factors, np.zeros(len(anchors))])
    noise = sightings.error**2 + varies
    given = (sightings.target - rest) * np.where(np.arange(len(sightings)) < first, 1.0, -1.0)
    none = pt.constant(np.zeros(0))
    totals = none if coordinates is None else anchored_totals(anchors, coordinates)
    flat = w.ravel()
    move, residual, log_det = depart(
        flat[sightings.at],
        none if coordinates is None else coordinates,
        totals,
        log_scale,
        given,
        noise,
        sightings,
        anchors,
    )
    z = pt.inc_subtensor(flat[sightings.at], move).reshape(w.shape)
    return z, log_det, residual + rest[first:]
