"""What an effect adds to the rate: the intercept, a block of the Gaussian field, or a concentration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from ..data.axes import Axes
from .basis import Basis
from .priors import ConcentrationPrior, ScalePrior


class Settings(BaseModel):
    """Base of every effect's and kind's settings: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Intercept:
    """One location a step; its prior is stage-specific and stands in the plan's ``[prior]``."""


@dataclass(frozen=True)
class Block:
    """One block of the field: a value per step and per combination of levels of its axes.

    Parameters
    ----------
    name : str
    axes : tuple of str
        Axes it varies over, in the order offense, jurisdiction, period.
    bases : tuple of Basis
        One an axis, mapping free coefficients to the leaves.
    sd : ScalePrior or None
        Prior of its standard deviation, separately for each step; None: a share of the plan's total spread.
    cellwise : bool
        One independent value per active cell (all three axes); ``bases`` is empty.
    """

    name: str
    axes: tuple[str, ...]
    bases: tuple[Basis, ...]
    sd: ScalePrior | None = None
    cellwise: bool = False

    @property
    def empty(self) -> bool:
        """Nothing to estimate: an axis with a single level."""
        return not self.cellwise and any(basis.free == 0 for basis in self.bases)


@dataclass(frozen=True)
class Concentration:
    """Beta-binomial overdispersion in place of a cell effect: a prior for log(a+b)."""

    prior: ConcentrationPrior


Term = Intercept | Block | Concentration


# Inside ``Effect`` the bare name is the class attribute.
type AnySettings = Settings


class Effect(Protocol):
    """A term of the rate: one file in ``models/effects``, found by scanning the folder."""

    name: ClassVar[str]
    order: ClassVar[int]
    Settings: ClassVar[type[Settings]]
    example: ClassVar[str]

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        ...

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        ...

    def terms(self, settings: AnySettings, axes: Axes) -> tuple[Term, ...]:
        """Its contribution on these axes."""
        ...
