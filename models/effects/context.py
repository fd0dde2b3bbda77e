"""The rate of an offense may depend on how large a part of a place's referrals it makes up."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ...data.axes import Axes
from ...data.panel import Panel
from .. import terms
from ..basis import identity
from ..contract import Analysis
from ..margins import margins_only, share_departures
from ..priors import Fixed

_LEAST = 1e-6  # departures below it are those of one mix everywhere


class Context:
    """A slope of each offense's rate in its share of the referrals, of given size: sums over offenses cannot show it.

    From sums alone rates of offenses are read off the places' different mixes, as if a rate were the same whatever the
    mix. Where it is not the answer is wrong, with a narrow interval, and the sums cannot tell: with two offenses the
    total over referrals is quadratic in the mix, three coefficients for two rates and two slopes. So the slopes'
    standard deviation is a judgement and not estimated; it would go to zero where the sums happen to fit without.
    On a probability step the slope is on the logit, on a ratio step on the logarithm.
    """

    name: ClassVar[str] = "context"
    order: ClassVar[int] = 55
    example: ClassVar[str] = '[[effect]]\nkind = "context"\nscale = 2.0\n'

    class Settings(terms.Settings):
        """Settings of the slope.

        ``scale``: its standard deviation for a share that goes from none to all; 0 leaves it out. ``reason``: why so
        much, printed beside it. ``steps``: those that are informed by sums over offenses only, or all.
        """

        scale: float = Field(2.0, ge=0, allow_inf_nan=False)
        reason: str = "a judgement, since no sum can tell"
        steps: Literal["margins only", "all"] = "margins only"

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "An offense's rate may depend on its share of a place's referrals."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "κ[s,o] (x[o,j,t] - x̄[o])"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        return (
            terms.Block(
                "context", ("offense",), (identity(len(axes.offense)),), Fixed(scale=(settings.scale,)),
                covariate=partial(_slope, settings),
            ),
        )  # fmt: skip


def _slope(settings: Context.Settings, panel: Panel, analysis: Analysis) -> terms.Slope:
    """The departures of the shares, and the steps whose rate they are part of."""
    by = share_departures(panel, analysis)
    names = [step.name for step in panel.funnel.steps]
    if settings.steps == "all":
        steps, why = (True,) * len(names), "by the plan"
    else:
        steps, why = margins_only(panel, analysis), "informed by sums over offenses only"
    if not any(steps):
        reason = "Not in the rate: at every step some statement counts one offense by itself."
    elif np.abs(by).max(initial=0.0) < _LEAST:
        reason = "Not in the rate: the mix of offenses is known nowhere, or the same everywhere."
    elif settings.scale == 0:
        reason = f"Not in the rate, by the plan: {settings.reason}."
    else:
        told = ", ".join(name for name, on in zip(names, steps, strict=True) if on)
        size = (
            f"one sd of it for ten points more of the referrals is {settings.scale / 10:g} on the link scale"
        )
        return terms.Slope(by, steps, f"In the rate of {told}, {why}: {size} ({settings.reason}).")
    return terms.Slope(by, (False,) * len(names), reason)
