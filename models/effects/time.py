"""Rates move from period to period."""

from __future__ import annotations

from typing import ClassVar, Literal

from ...data.axes import Axes
from .. import terms
from ..basis import random_walk, zero_sum
from ..priors import ScalePrior


class Time:
    """A first-order random walk over the periods (or exchangeable periods), summing to zero."""

    name: ClassVar[str] = "time"
    order: ClassVar[int] = 30
    example: ClassVar[str] = '[[effect]]\nkind = "time"\nover = "rw1"\n'

    class Settings(terms.Settings):
        """``over``: rw1 or iid. ``sd``: a prior of its own in place of a share of the total spread."""

        over: Literal["rw1", "iid"] = "rw1"
        sd: ScalePrior | None = None

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "All rates drift together over time, each period close to the one before."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "c[s,t]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        periods = len(axes.period)
        basis = random_walk(periods) if settings.over == "rw1" else zero_sum(periods)
        return (terms.Block("time", ("period",), (basis,), settings.sd),)
