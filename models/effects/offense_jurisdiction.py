"""A jurisdiction may be good at one offense and not at another."""

from __future__ import annotations

from typing import ClassVar

from ...data.axes import Axes
from .. import terms
from ..basis import over
from ..priors import ScalePrior


class OffenseJurisdiction:
    """Exchangeable interaction, summing to zero over offenses and over jurisdictions."""

    name: ClassVar[str] = "offense_jurisdiction"
    order: ClassVar[int] = 40
    example: ClassVar[str] = '[[effect]]\nkind = "offense_jurisdiction"\n'

    class Settings(terms.Settings):
        """``constrained``: sum to zero. ``sd``: a prior of its own in place of a share of the total spread."""

        constrained: bool = True
        sd: ScalePrior | None = None

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "Each jurisdiction may depart from the common pattern of offenses."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "(ab)[s,o,j]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        bases = (over(axes.offense, settings.constrained), over(axes.jurisdiction, settings.constrained))
        return (terms.Block("offense_jurisdiction", ("offense", "jurisdiction"), bases, settings.sd),)
