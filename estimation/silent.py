"""Places without outcomes, shifted: a pattern mixture for those that published nothing.

The shift does not enter the likelihood of what was observed, so it is a transform of the draws and needs no refit
(pattern-mixture models; Little 1993, Daniels and Hogan 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..data.names import SHIFT_UNITS, ShiftUnit
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.rates import rates_of
from ..models.silence import spread_out
from .contraction import touched
from .rows import Bools, link

Floats = NDArray[np.float64]
SD: Final = SHIFT_UNITS[0]


def uninformed(blueprint: Blueprint) -> Bools:
    """Step-cells of silent places that no statement informs, not even a total, (S, A).

    With ``periods`` of the kind ``nonreporting``, of the silent periods of other places too.
    """
    settings: Any = blueprint.kind_settings["nonreporting"]
    shape, layout = blueprint.panel.axes.shape, blueprint.layout
    _, place, period = layout.coordinates
    step, cell = np.nonzero(touched(blueprint))
    silent = np.ones((layout.steps, *shape[1:]), dtype=bool)
    silent[step, place[cell], period[cell]] = False
    return spread_out(silent, shape[0], settings.periods)[:, layout.cells]


def between(blueprint: Blueprint, draws: FieldDraws) -> Floats:
    """Standard deviation between places on the link scale of each step, (R, S)."""
    own = (draws.sd[block.name] ** 2 for block in blueprint.blocks if block.axes == ("jurisdiction",))
    return np.sqrt(sum(own, np.zeros_like(draws.phi)))


@dataclass(frozen=True)
class Shift:
    """So much more for the rates of silent places, at every step.

    Parameters
    ----------
    size : float
    unit : {"sd", "logit", "rate"}
        Standard deviations between places on the link scale; the link scale itself, the logit or for a ratio step the
        log; the rate, which is held within its bounds.
    """

    size: float
    unit: ShiftUnit = SD

    def moved(self, eta: Floats, sd: Floats, ratio: bool) -> Floats:
        """Linear predictors (R, …) of one step, shifted.

        Parameters
        ----------
        eta : (R, …)
        sd : (R,)
            Between places.
        ratio : bool
            The step is a ratio.
        """
        if self.unit == "rate":
            return link(rates_of(eta[:, None], (ratio,))[:, 0] + self.size, ratio)
        return eta + (self.size * sd if self.unit == SD else self.size * np.ones_like(sd)).reshape(
            -1, *(1,) * (eta.ndim - 1)
        )


def shift_silent(blueprint: Blueprint, draws: FieldDraws, eta: Floats, shift: Shift) -> Floats:
    """Move the rates of the silent places that no statement informs.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
    eta : (R, S, A)
    shift : Shift

    Returns
    -------
    (R, S, A)
    """
    if shift.size == 0:
        return eta
    out, sd = eta.copy(), between(blueprint, draws)
    for step, silent in enumerate(uninformed(blueprint)):
        out[:, step, silent] = shift.moved(eta[:, step, silent], sd[:, step], blueprint.ratio_steps[step])
    return out
