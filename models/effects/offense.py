"""Offenses differ."""

from __future__ import annotations

from typing import ClassVar

from ...data.axes import Axes
from .. import terms
from ..basis import over
from ..priors import ScalePrior


class Offense:
    """Exchangeable offense effects, summing to zero over the offenses."""

    name: ClassVar[str] = "offense"
    order: ClassVar[int] = 10
    example: ClassVar[str] = '[[effect]]\nkind = "offense"\nconstrained = true\n'

    class Settings(terms.Settings):
        """``constrained``: sum to zero. ``sd``: a prior of its own in place of a share of the total spread."""

        constrained: bool = True
        sd: ScalePrior | None = None

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "Offenses differ, and are shrunk towards their common level."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "a[s,o]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        basis = over(axes.offense, settings.constrained)
        return (terms.Block("offense", ("offense",), (basis,), settings.sd),)
