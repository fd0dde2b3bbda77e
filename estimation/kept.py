"""What a run keeps of the field beside its effects, and the field read back from a run."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr

from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.field_graph import effect_name
from ..models.priors import Fixed
from .store.runs import Run
from .thinning import evenly

FEW: Final = 8_000_000  # numbers that a variable may hold and still be kept in full


def with_coordinates(
    posterior: xr.Dataset, blueprint: Blueprint, field: FieldDraws, chains: int
) -> xr.Dataset:
    """The posterior with what the kinds do not know and the cell effects, each where its numbers are few.

    Parameters
    ----------
    posterior : Dataset
        Hyperparameters and effects, dims chain, draw.
    blueprint : Blueprint
    field : FieldDraws
        The same draws, chain-major.
    chains : int
    """
    more = {one.name: field.unknown[one.name] for one in blueprint.unknowns}
    cells = {effect_name(b.name): field.values[b.name] for b in blueprint.blocks if b.cellwise}
    few = {name: value for name, value in (more | cells).items() if value.size <= FEW}
    return posterior.assign(
        {
            name: (
                ("chain", "draw", *(f"{name}_{axis}" for axis in range(value.ndim - 1))),
                value.reshape(chains, -1, *value.shape[1:]).astype(np.float32 if name in cells else float),
            )
            for name, value in few.items()
        }
    )


def field_of(run: Run, blueprint: Blueprint) -> FieldDraws:
    """The field of a stored run, of the draws whose published rates it keeps.

    Parameters
    ----------
    run : Run
    blueprint : Blueprint
        Of the run.

    Returns
    -------
    FieldDraws
        Chain-major; without the cell effects and the unknowns that the run did not keep.
    """
    posterior = run.draws["posterior"]
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    layout = blueprint.layout
    keep = evenly(chains * length, layout.steps * layout.size, chains)

    def read(name: str) -> np.ndarray | None:
        if name not in posterior:
            return None
        value = posterior[name].transpose("chain", "draw", ...).to_numpy()
        return value.reshape(chains * length, *value.shape[2:])[keep].astype(float)

    values = {block.name: read(effect_name(block.name)) for block in blueprint.blocks}
    unknown = {one.name: read(one.name) for one in blueprint.unknowns}
    intercept, phi, log_concentration = read("intercept"), read("phi"), read("log_concentration")
    assert intercept is not None
    sd = {
        block.name: block.sd.repeated(intercept.shape)
        if isinstance(block.sd, Fixed)
        else read(f"sd_{block.name}")
        for block in blueprint.blocks
    }
    return FieldDraws(
        intercept=intercept,
        sd={name: value for name, value in sd.items() if value is not None},
        values={name: value for name, value in values.items() if value is not None},
        phi=np.ones_like(intercept) if phi is None else phi,
        concentration=None if log_concentration is None else np.exp(log_concentration),
        total_spread=read("total_spread"),
        unknown={name: value for name, value in unknown.items() if value is not None},
    )
