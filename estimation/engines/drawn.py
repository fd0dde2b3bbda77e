"""From draws of a compiled model's variables to what every engine returns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ...data.names import AXES, SHIFT
from ...models.blueprint import Blueprint
from ...models.compile import CompiledModel
from ...models.field import FieldDraws, apply_bases
from ...models.field_graph import effect_name
from ...models.priors import Fixed
from ..sections import EstimateSpec
from .contract import Fit

Floats = NDArray[np.float64]


def variables(compiled: CompiledModel) -> tuple[str, ...]:
    """Names of the variables whose draws a fit is made of."""
    return (
        *compiled.hyper,
        *(("z",) if compiled.blocks else ()),
        *compiled.unknowns,
        *(("anchored",) if len(compiled.anchors) else ()),
    )


def finished(
    compiled: CompiledModel,
    draws: dict[str, Floats],
    stats: xr.Dataset,
    settings: EstimateSpec,
    seconds: Mapping[str, float],
    engine: str,
) -> Fit:
    """A sampler's draws of ``variables``, each (chains × draws, …) chain-major, as a fit."""
    field = _field(compiled, draws)
    values = {name: draws[name] for name in compiled.hyper}
    return Fit(
        # Hyperparameters and effects by name; cell effects are left out for size.
        posterior=named_draws(compiled.blueprint, values, field, settings.chains),
        sample_stats=stats,
        field=field,
        chains=settings.chains,
        seconds=seconds,
        arguments={**settings.model_dump(exclude={"engine", "seed"})},
        engine=engine,
    )


def scales(compiled: CompiledModel, draws: Mapping[str, Floats]) -> dict[str, Floats]:
    """Standard deviations (R, S) of all blocks, of draws of ``variables``; those that are given are repeated."""
    return {
        block.name: block.sd.repeated(draws["intercept"].shape)
        if isinstance(block.sd, Fixed)
        else draws[f"sd_{block.name}"]
        for block in compiled.blueprint.blocks
    }


def _field(compiled: CompiledModel, draws: dict[str, Floats]) -> FieldDraws:
    """Draws of the field's values from those of its coefficients."""
    blueprint, sd = compiled.blueprint, scales(compiled, draws)
    values: dict[str, Floats] = {}
    start = 0
    for block, weight in zip(blueprint.blocks, compiled.weights, strict=True):
        end = start + int(np.prod(weight.shape[1:]))
        z = draws["z"][:, :, start:end].reshape(-1, *weight.shape)
        log_sd = np.log(sd[block.name]).reshape(*sd[block.name].shape, *(1,) * (weight.ndim - 1))
        values[block.name] = apply_bases(z * np.exp((1 - weight) * log_sd), block.bases)
        if block.cellwise and len(compiled.anchors):
            values[block.name][:, compiled.anchors.step, compiled.anchors.unit] = draws["anchored"]
        start = end
    intercept = draws["intercept"]
    return FieldDraws(
        intercept=intercept,
        sd=sd,
        values=values,
        phi=draws.get("phi", np.ones_like(intercept)),
        concentration=np.exp(draws["log_concentration"]) if "log_concentration" in draws else None,
        total_spread=draws.get("total_spread"),
        unknown={name: draws[name] for name in compiled.unknowns},
    )


def prior_dataset(blueprint: Blueprint, prior: FieldDraws, like: xr.Dataset) -> xr.Dataset:
    """Prior draws under the names of the posterior, one chain."""
    values = {"intercept": prior.intercept, "phi": prior.phi, "total_spread": prior.total_spread}
    values |= {f"sd_{name}": sd for name, sd in prior.sd.items()}
    if prior.concentration is not None:
        values["log_concentration"] = np.log(prior.concentration)
    kept = {name: value for name, value in values.items() if name in like and value is not None}
    return named_draws(blueprint, kept, prior, 1)


def named_draws(
    blueprint: Blueprint, values: dict[str, Floats], field: FieldDraws, chains: int
) -> xr.Dataset:
    """Draws (R, …) of hyperparameters and of the field's blocks as one dataset."""
    axes = blueprint.panel.axes
    coords = {"step": [step.name for step in blueprint.panel.funnel.steps]}
    coords |= {axis: list(axes[axis].leaves) for axis in AXES}
    variables: dict[str, tuple[tuple[str, ...], Floats]] = {
        name: (("chain", "draw", *(("step",) if value.ndim == 2 else ())), value)
        for name, value in values.items()
    }
    for one in blueprint.additions:
        found = field.unknown[one.name] * one.scale.max(axis=1)
        variables[f"{SHIFT}{one.name}"] = (("chain", "draw", "step"), found)
    for block in blueprint.blocks:
        if not block.cellwise:
            dims = ("chain", "draw", "step", *block.axes)
            variables[effect_name(block.name)] = (dims, field.values[block.name])
    shaped = {
        name: (dims, value.reshape(chains, -1, *value.shape[1:])) for name, (dims, value) in variables.items()
    }
    used = {dim for dims, _ in shaped.values() for dim in dims}
    return xr.Dataset(shaped, coords={name: labels for name, labels in coords.items() if name in used})
