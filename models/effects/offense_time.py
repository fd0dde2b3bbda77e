"""Offenses may drift apart over time."""

from __future__ import annotations

from typing import ClassVar

from ...data.axes import Axes
from .. import terms
from ..basis import over, random_walk
from ..priors import ScalePrior


class OffenseTime:
    """A random walk for each offense around the common one, summing to zero over offenses and over periods."""

    name: ClassVar[str] = "offense_time"
    order: ClassVar[int] = 50
    example: ClassVar[str] = '[[effect]]\nkind = "offense_time"\n'

    class Settings(terms.Settings):
        """``sd``: a prior of its own in place of a share of the total spread."""

        sd: ScalePrior | None = None

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "Each offense may drift away from the common movement over time."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "(ac)[s,o,t]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        bases = (over(axes.offense, constrained=True), random_walk(len(axes.period)))
        return (terms.Block("offense_time", ("offense", "period"), bases, settings.sd),)
