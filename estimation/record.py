"""What a run keeps: its draws, group by group, and its manifest."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr

from ..data.digest import digest
from ..data.names import AXES
from ..models.blueprint import Blueprint
from ..models.prior_density import log_prior
from . import predictive
from .binding import Bound, run_identity, stream
from .diagnostics import Diagnostics
from .engines.contract import Fit
from .engines.drawn import prior_dataset
from .estimates import Estimates
from .kept import with_coordinates, with_weights
from .plan import Plan
from .rows import Floats, Reals
from .store.draws import CELLS, DrawsWriter
from .store.identity import source_digest
from .thinning import KEPT

_COLUMNS = 128


class Record:
    """Keeps the draws of a run, group by group, each as soon as it is known.

    Parameters
    ----------
    bound : Bound
    draws : DrawsWriter
    chains : int
    shown : tuple of Report
    """

    def __init__(
        self, bound: Bound, draws: DrawsWriter, chains: int, shown: tuple[predictive.Report, ...]
    ) -> None:
        self._blueprint, self._draws, self._chains, self._shown = bound.blueprint, draws, chains, shown

    def fit(self, fit: Fit, seed: int) -> None:
        """What needs every draw, cell effects and all; and the prior beside it."""
        blueprint = self._blueprint
        self._draws.put("posterior", with_coordinates(fit.posterior, blueprint, fit.field, fit.chains))
        self._draws.put("log_prior", _log_prior(blueprint, fit))
        self._draws.put("sample_stats", with_weights(fit.sample_stats, fit.weights))
        prior = blueprint.prior_draws(stream(seed, "prior"), KEPT)
        self._draws.put("prior", prior_dataset(blueprint, prior, fit.posterior))
        replicate = predictive.replicates(stream(seed, "prior predictive"), blueprint, prior)
        self._draws.put("prior_predictive", predictive.dataset(replicate, self._shown, 1))
        self._draws.put("observed_data", predictive.observed(self._shown))

    def quantities(self, table: Estimates) -> None:
        """All draws of every row that is no single cell."""
        # A few columns at a time: turned around at once, every number would be a line of memory of its own.
        value = np.empty(table.aggregates.shape, dtype=np.float32)
        for start in range(0, value.shape[1], _COLUMNS):
            value[:, start : start + _COLUMNS] = table.aggregates[:, start : start + _COLUMNS]
        value = value.reshape(self._chains, -1, len(table.aggregate_ids))
        self._draws.put(
            "quantities",
            xr.Dataset(
                {"value": (("chain", "draw", "quantity_id"), value)},
                coords={"quantity_id": table.aggregate_ids},
            ),
        )

    def cells(self, rates: Reals, mean_counts: Floats) -> None:
        """Thinned rates (R, S, A) and mean counts (S + 1, A) of the cells."""
        layout, panel = self._blueprint.layout, self._blueprint.panel
        names = np.array([panel.axes.cell_names(cell) for cell in layout.cells], dtype=object)
        labels = {axis: np.tile(names[:, k].astype(str), layout.steps) for k, axis in enumerate(AXES)}
        labels["step"] = np.repeat([step.name for step in panel.funnel.steps], layout.size)
        shaped = rates.reshape(self._chains, -1, layout.steps * layout.size)
        self._draws.put(
            CELLS,
            xr.Dataset(
                {
                    "rate": (("chain", "draw", "step_cell"), shaped),
                    "mean_count": (("stage", "cell"), mean_counts),
                },
                coords={name: (("step_cell",), text) for name, text in labels.items()},
            ),
        )

    def reports(self, moments: predictive.Moments, likelihood: Floats) -> None:
        """Thinned replicates (R, reports) and log probabilities (R, groups)."""
        replicate = predictive.dataset(moments.replicate, self._shown, self._chains)
        self._draws.put("posterior_predictive", replicate)
        shaped = likelihood.reshape(self._chains, -1, likelihood.shape[1])
        self._draws.put(
            "log_likelihood",
            xr.Dataset(
                {"statement": (("chain", "draw", "group_id"), shaped)},
                coords={"group_id": predictive.group_ids(self._blueprint.batches)},
            ),
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
        "status": "complete" if fit_enough(diagnostics) else "unfit",
        "engine": fit.engine,
        "engine_reason": fit.reason,
        "engine_args": dict(fit.arguments),
        "drawn_by": fit.drawn_by,
        "draft": diagnostics.aim.draft,
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


def fit_enough(diagnostics: Diagnostics) -> bool:
    """Do the sampler's diagnostics allow the numbers to be read at all?"""
    aim = diagnostics.aim
    chain = diagnostics.chain
    return (
        max(one.rhat for one in diagnostics.gated) < aim.rhat
        and min(one.ess for one in diagnostics.gated) >= aim.ess
        and (chain is None or (chain.divergences == 0 and chain.ebfmi > 0.3))
        and (diagnostics.weights is None or diagnostics.weights.usable)
    )
