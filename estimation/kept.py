"""What a run keeps of its fit beside the effects, and the fit read back from a run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import xarray as xr

from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.field_graph import effect_name
from ..models.priors import Fixed
from .engines.contract import DRAFT, FULL, Fit, Weights
from .store.runs import Run
from .thinning import evenly

FEW: Final = 8_000_000  # numbers that a variable may hold and still be kept in full
_WEIGHTS: Final = "weights"


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


def with_weights(stats: xr.Dataset, weights: Weights | None) -> xr.Dataset:
    """What an engine says of its draws, and how far they can be trusted, as an attribute of it in JSON."""
    return stats if weights is None else stats.assign_attrs({_WEIGHTS: json.dumps(asdict(weights))})


def _weights(stats: xr.Dataset) -> Weights | None:
    if _WEIGHTS not in stats.attrs:
        return None
    found = json.loads(stats.attrs[_WEIGHTS])
    return Weights(found["khat"], found["blocks"], tuple(found["effective"]))


def fit_of(run: Run, blueprint: Blueprint) -> Fit | str:
    """The fit behind a stored run, or why it cannot be made of what the run keeps.

    Parameters
    ----------
    run : Run
    blueprint : Blueprint
        Of the run, or one with the same density.
    """
    groups = run.draws.children
    posterior, stats = (
        groups[name].to_dataset(inherit=False).load() for name in ("posterior", "sample_stats")
    )
    cells = [effect_name(block.name) for block in blueprint.blocks if block.cellwise]
    more = [*(one.name for one in blueprint.unknowns), *cells]
    lacking = [name for name in more if name not in posterior]
    if lacking:
        return f"the run is too large to keep all draws of {', '.join(lacking)}"
    manifest, chains = run.manifest, posterior.sizes["chain"]
    return Fit(
        posterior=posterior.drop_vars(more),
        sample_stats=stats,
        field=_field(posterior, blueprint, np.arange(chains * posterior.sizes["draw"])),
        chains=chains,
        seconds={},
        arguments=manifest["engine_args"],
        engine=manifest["engine"],
        weights=_weights(stats),
        reason=manifest["engine_reason"],
        drawn_by=run.identity,
        aim=DRAFT if run.draft else FULL,
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
    posterior, layout = run.draws["posterior"], blueprint.layout
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    return _field(posterior, blueprint, evenly(chains * length, layout.steps * layout.size, chains))


def _field(posterior: Any, blueprint: Blueprint, keep: np.ndarray) -> FieldDraws:
    """The field of some draws of a stored posterior."""

    def read(name: str) -> np.ndarray | None:
        if name not in posterior:
            return None
        value = posterior[name].transpose("chain", "draw", ...).to_numpy()
        return value.reshape(-1, *value.shape[2:])[keep].astype(float)

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
