"""What a run keeps: its draws as a tree, and its manifest."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr

from ..data.digest import digest
from ..models.blueprint import Blueprint
from ..models.prior_density import log_prior
from . import predictive
from .binding import Bound, run_identity, stream
from .diagnostics import Diagnostics
from .engines import nuts
from .engines.contract import KHAT, Fit
from .engines.drawn import prior_dataset
from .estimates import Estimates
from .kept import with_coordinates
from .plan import Plan
from .rows import Floats, Reals
from .store.identity import source_digest
from .thinning import KEPT


def whole_draws(blueprint: Blueprint, fit: Fit) -> dict[str, xr.Dataset]:
    """The groups for which every draw is needed, cell effects and all."""
    return {
        "posterior": with_coordinates(fit.posterior, blueprint, fit.field, fit.chains),
        "log_prior": _log_prior(blueprint, fit),
    }


def draws_tree(
    bound: Bound,
    fit: Fit,
    table: Estimates,
    whole: Mapping[str, xr.Dataset],
    rates: Reals,
    mean_counts: Floats,
    likelihood: Floats,
    shown: tuple[predictive.Report, ...],
    moments: predictive.Moments,
    seed: int,
) -> xr.DataTree:
    """The draws, in the groups of ``data.names.GROUPS`` and ``cells``; rates, moments and likelihood are thinned."""
    blueprint, chains = bound.blueprint, fit.chains
    layout, axes = blueprint.layout, blueprint.panel.axes
    prior = blueprint.prior_draws(stream(seed, "prior"), KEPT)
    replicate = predictive.replicates(stream(seed, "prior predictive"), blueprint, prior)
    names = np.array([axes.cell_names(cell) for cell in layout.cells], dtype=object)
    steps = [step.name for step in blueprint.panel.funnel.steps]
    cell = ("step_cell",)
    cells = xr.Dataset(
        {
            "rate": (
                ("chain", "draw", "step_cell"),
                rates.reshape(chains, -1, layout.steps * layout.size).astype(np.float32),
            ),
            "mean_count": (("stage", "cell"), mean_counts),
        },
        coords={
            "step": (cell, np.repeat(steps, layout.size)),
            **{
                axis: (cell, np.tile(names[:, k].astype(str), layout.steps))
                for k, axis in enumerate(("offense", "jurisdiction", "period"))
            },
        },
    )
    aggregates = table.aggregates.reshape(chains, -1, len(table.aggregate_ids))
    return xr.DataTree.from_dict(
        {
            **whole,
            "prior": prior_dataset(blueprint, prior, fit.posterior),
            "posterior_predictive": predictive.dataset(moments.replicate, shown, chains),
            "prior_predictive": predictive.dataset(replicate, shown, 1),
            "log_likelihood": xr.Dataset(
                {
                    "statement": (
                        ("chain", "draw", "group_id"),
                        likelihood.reshape(chains, -1, likelihood.shape[1]),
                    )
                },
                coords={"group_id": predictive.group_ids(blueprint.batches)},
            ),
            "sample_stats": fit.sample_stats,
            "observed_data": predictive.observed(shown),
            "quantities": xr.Dataset(
                {"value": (("chain", "draw", "quantity_id"), aggregates)},
                coords={"quantity_id": table.aggregate_ids},
            ),
            "cells": cells,
        }
    )


def _log_prior(blueprint: Blueprint, fit: Fit) -> xr.Dataset:
    """Log prior densities by the names of the posterior."""
    steps = [step.name for step in blueprint.panel.funnel.steps]
    found = {
        name: value.reshape(fit.chains, -1, *value.shape[1:])
        for name, value in log_prior(blueprint, fit.field).items()
    }
    variables = {name: (("chain", "draw", "step")[: value.ndim], value) for name, value in found.items()}
    return xr.Dataset(variables, coords={"step": steps})


def manifest_of(
    bound: Bound, plan: Plan, fit: Fit, diagnostics: Diagnostics, records: list[dict[str, Any]]
) -> dict[str, Any]:
    """The description of a run, without its timings."""
    versions = {name: metadata.version(name) for name in ("pymc", "pytensor", "nutpie", "numpy", "numba")}
    return {
        "format": 1,
        "name": plan.name,
        "identity": run_identity(bound, plan),
        "scenario": plan.varies.model_dump(mode="json", include={"name", "reason"}) if plan.varies else None,
        "status": "complete" if fit_enough(diagnostics, plan) else "unfit",
        "engine": fit.engine,
        "engine_reason": fit.reason,
        "engine_args": dict(fit.arguments),
        "seed": plan.estimate.seed,
        "package_version": metadata.version("attrition"),
        "source_digest": source_digest(),
        "blueprint_digest": digest(bound.description),
        "statements_digest": bound.panel.digest(),
        "checks_digest": digest(records),
        "versions": versions,
        "platform": {"python": platform.python_version(), "system": platform.platform()},
        "diagnostics": {name: float(value) for name, value in diagnostics.summary().items()},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def fit_enough(diagnostics: Diagnostics, plan: Plan) -> bool:
    """Do the sampler's diagnostics allow the numbers to be read at all?"""
    aim = nuts.aim(plan.estimate)
    chain = diagnostics.chain
    return (
        max(one.rhat for one in diagnostics.gated) < aim.rhat
        and min(one.ess for one in diagnostics.gated) >= aim.ess
        and (chain is None or (chain.divergences == 0 and chain.ebfmi > 0.3))
        and (diagnostics.weights is None or diagnostics.weights.worst < KHAT)
    )
