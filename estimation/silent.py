"""Places without outcomes, shifted: a pattern mixture for those that published nothing.

The shift does not enter the likelihood of what was observed, so it is a transform of the draws and needs no refit
(pattern-mixture models; Little 1993, Daniels and Hogan 2008).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from .contraction import touched

Floats = NDArray[np.float64]


def shift_silent(blueprint: Blueprint, draws: FieldDraws, eta: Floats, shift: float) -> Floats:
    """Move the rates of the places that no statement informs.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
    eta : (R, S, A)
    shift : float
        In standard deviations between places, on the link scale of each step.

    Returns
    -------
    (R, S, A)
    """
    if shift == 0:
        return eta
    place = blueprint.layout.coordinates[1]
    heard = touched(blueprint)
    out = eta.copy()
    between = np.sqrt(
        sum(
            (draws.sd[b.name] ** 2 for b in blueprint.blocks if b.axes == ("jurisdiction",)),
            np.zeros_like(draws.phi),
        )
    )
    for step in range(heard.shape[0]):
        spoken = np.unique(place[heard[step]])
        silent = ~np.isin(place, spoken)
        out[:, step, silent] += shift * between[:, step, None]
    return out
