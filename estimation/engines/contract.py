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
    khat : float or None
        Shape of the tail of the importance weights behind the draws; None where they are a Markov chain's.
    reason : str
        Why this engine, where the plan left it open.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    field: FieldDraws
    chains: int
    seconds: Mapping[str, float]
    arguments: Mapping[str, Any]
    engine: str
    khat: float | None = None
    reason: str = ""
