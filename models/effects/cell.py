"""Cells vary more than the other terms say: overdispersion."""

from __future__ import annotations

from typing import ClassVar, Literal

from ...data.axes import Axes
from ...data.names import AXES
from .. import terms
from ..priors import BdaConcentration, ConcentrationPrior, NormalConcentration, ScalePrior


class Cell:
    """An independent normal deviation of each cell on the link scale, or beta-binomial counts."""

    name: ClassVar[str] = "cell"
    order: ClassVar[int] = 60
    example: ClassVar[str] = '[[effect]]\nkind = "cell"\nform = "logit_normal"\n'

    class Settings(terms.Settings):
        """Settings of the cell effect.

        ``form``: logit_normal (closed under skipped steps and sums) or beta_binomial (only where every cell is
        exact). ``sd``: for logit_normal, a prior of its own in place of a share of the total spread. ``prior``: for
        beta_binomial, ``"bda"``, the density (a+b)^(-5/2), or a table for log(a+b).
        """

        form: Literal["logit_normal", "beta_binomial"] = "logit_normal"
        sd: ScalePrior | None = None
        prior: Literal["bda"] | ConcentrationPrior | None = None

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "Single cells vary around what the other terms predict."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "e[s,o,j,t]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        if settings.form == "beta_binomial":
            prior = BdaConcentration() if settings.prior == "bda" else settings.prior or NormalConcentration()
            return (terms.Concentration(prior),)
        return (terms.Block("cell", AXES, (), settings.sd, cellwise=True),)
