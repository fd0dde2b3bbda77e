"""What every engine returns, and how it reports progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from ...models.field import FieldDraws


@dataclass(frozen=True)
class Progress:
    """How far a fit has come: draws done of all (warm-up included), divergences, leapfrog steps in all."""

    done: int
    total: int
    divergences: int
    steps: int


Report = Callable[[Progress], None]


KHAT = 0.7  # above it importance weights cannot be trusted (Vehtari et al. 2024)
FEW = 0.1  # of all jurisdictions: where no more are drawn badly, what is said of the others stands


@dataclass(frozen=True)
class Weights:
    """How far draws from weighted points of the scales can be trusted.

    Parameters
    ----------
    khat : float
        Shape of the tail of the points' weights, the worst of the steps.
    blocks : mapping of str to float
        The same of the field of each jurisdiction given the rest, under the normal law it is drawn from, the worst of
        the steps; none where no effect tells jurisdictions apart. Over the whole field weights vary however good the
        law is.
    effective : tuple of float
        Number of equally weighted points worth as much, of each step.
    """

    khat: float
    blocks: Mapping[str, float]
    effective: tuple[float, ...]

    @property
    def worst_block(self) -> float:
        """The largest shape of a jurisdiction."""
        return max(self.blocks.values(), default=0.0)

    @property
    def worst(self) -> float:
        """The largest shape of all."""
        return max(self.khat, self.worst_block)

    @property
    def failed(self) -> tuple[str, ...]:
        """Jurisdictions whose part of the field is not the law it is drawn from."""
        return tuple(name for name, khat in self.blocks.items() if not khat < KHAT)

    @property
    def usable(self) -> bool:
        """May the numbers be read, but for those of the few jurisdictions that failed?"""
        return self.khat < KHAT and len(self.failed) <= FEW * len(self.blocks)


@dataclass(frozen=True)
class Aim:
    """What draws must reach.

    Parameters
    ----------
    rhat, ess : float
        Of every hyperparameter and published aggregate: R-hat below, effective draws at least.
    rhat_cells, ess_cells : float
        The same of single cells.
    draft : bool
        These are the limits of a draft, under which a posterior is at least not wrong.
    """

    rhat: float
    ess: float
    rhat_cells: float
    ess_cells: float
    draft: bool = False


FULL = Aim(1.01, 1000, 1.05, 400)
DRAFT = Aim(1.05, 100, 1.1, 40, draft=True)
WHOLE = 2000  # draws, of which fewer could never pass the first


@dataclass(frozen=True)
class Fit:
    """A finished fit.

    Parameters
    ----------
    posterior : Dataset
        Hyperparameters and effects, dims chain, draw.
    sample_stats : Dataset
    field : FieldDraws
        The same draws flattened (chain-major), R = chains × draws, for everything downstream.
    chains : int
    seconds : mapping of str to float
    arguments : mapping
        What the engine was told.
    engine : str
        Its name.
    weights : Weights or None
        Of the points behind the draws, which are then exchangeable; None where they are a Markov chain's.
    reason : str
        Why this engine, where the plan left it open.
    drawn_by : str
        Identity of the run whose draws they are, where another plan's run has given them.
    aim : Aim
        What the draws are held to.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    field: FieldDraws
    chains: int
    seconds: Mapping[str, float]
    arguments: Mapping[str, Any]
    engine: str
    weights: Weights | None = None
    reason: str = ""
    drawn_by: str = ""
    aim: Aim = FULL
