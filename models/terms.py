"""What stands in the rate: the intercept, a block of the Gaussian field, a concentration, a term of a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..data.axes import Axes
from ..data.panel import Panel
from .basis import Basis
from .contract import Analysis, Floats
from .priors import ConcentrationPrior, Fixed, ScalePrior


class Settings(BaseModel):
    """Base of every effect's and kind's settings: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Intercept:
    """One location a step; its prior is stage-specific and stands in the plan's ``[prior]``."""


@dataclass(frozen=True)
class Slope:
    """What the data multiply a block's values by, cell by cell.

    Parameters
    ----------
    by : (O, J, T) float
    steps : tuple of bool
        The steps whose rate the block is part of.
    because : str
        Why these, or why none.
    """

    by: Floats
    steps: tuple[bool, ...]
    because: str


Covariate = Callable[[Panel, Analysis], Slope]


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
    sd : ScalePrior, Fixed or None
        Prior of its standard deviation, separately for each step; None: a share of the plan's total spread.
    cellwise : bool
        One independent value per active cell (all three axes); ``bases`` is empty.
    covariate : callable or None
        Reads off the data what multiplies its values in each cell.
    slope : Slope or None
        What it read, in a block that has been bound.
    """

    name: str
    axes: tuple[str, ...]
    bases: tuple[Basis, ...]
    sd: ScalePrior | Fixed | None = None
    cellwise: bool = False
    covariate: Covariate | None = None
    slope: Slope | None = None

    @property
    def empty(self) -> bool:
        """Nothing to estimate: an axis with a single level, or a slope in no step's rate."""
        if self.slope is not None and not any(self.slope.steps):
            return True
        return not self.cellwise and any(basis.free == 0 for basis in self.bases)

    @property
    def square(self) -> float:
        """Mean square over cells of what multiplies its values."""
        return 1.0 if self.slope is None else float(np.mean(self.slope.by**2))

    def bound(self, panel: Panel, analysis: Analysis) -> Block:
        """The block with what its covariate reads off the data; its scale is given, in the steps it is part of."""
        if self.covariate is None:
            return self
        assert isinstance(self.sd, Fixed)
        slope = self.covariate(panel, analysis)
        return replace(
            self, slope=slope, sd=Fixed(scale=tuple(on * max(self.sd.scale) for on in slope.steps))
        )


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
