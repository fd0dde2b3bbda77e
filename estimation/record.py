"""What a run keeps: its draws, group by group, and its manifest."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..data.digest import digest
from ..data.names import AXES
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.prior_density import log_prior
from . import predictive
from .binding import Bound, run_identity, stream
from .diagnostics import Diagnostics
from .engines.contract import Fit
from .engines.drawn import prior_dataset
from .estimates import Estimates
from .kept import with_coordinates, with_weights
from .plan import Plan
from .predicted import Part
from .rows import Floats, Reals
from .store.draws import CELLS, DrawsWriter
from .store.identity import source_digest
from .thinning import KEPT, joined, parts, without_cells

_COLUMNS = 4096
# Draws of the prior and of reports under it: as many as numbers of all cells allow, and never fewer.
_PRIOR, _FEW = 4_000_000, 100
PREDICTIVE, LIKELIHOOD = "posterior_predictive", "log_likelihood"


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
        prior, replicate = self._prior(seed)
        self._draws.put("prior", prior_dataset(blueprint, prior, fit.posterior))
        coords = predictive.coordinates(self._shown)
        count = (("chain", "draw", "statement_id"), replicate[None])
        self._draws.put("prior_predictive", xr.Dataset({"count": count}, coords=coords))
        self._draws.put("observed_data", predictive.observed(self._shown))

    def _prior(self, seed: int) -> tuple[FieldDraws, NDArray[np.float32]]:
        """Draws of the prior without effects of single cells, and replicates of the reports under them (R, reports)."""
        blueprint = self._blueprint
        rng, of_reports = stream(seed, "prior"), stream(seed, "prior predictive")
        cells = blueprint.layout.steps * blueprint.layout.size
        size = int(np.clip(_PRIOR // max(cells, 1), _FEW, KEPT))
        replicate = np.empty((size, len(self._shown)), dtype=np.float32)
        draws = []
        for part in parts(size, cells):
            few = blueprint.prior_draws(rng, len(part))
            replicate[part] = predictive.replicates(of_reports, blueprint, few)
            draws.append(without_cells(few, blueprint))
        return joined(draws), replicate

    def quantities(self, table: Estimates) -> None:
        """All draws of every row that is no single cell."""
        draws, ids = table.aggregates, table.aggregate_ids
        self._room("quantities", xr.Dataset(coords={"quantity_id": ids}), "value", "quantity_id", draws.shape)
        for start in range(0, len(ids), _COLUMNS):
            some = slice(start, min(start + _COLUMNS, len(ids)))
            self._fill("quantities", "value", some, draws[:, some])

    def cells(self, rates: Reals, mean_counts: Floats) -> None:
        """Thinned rates (R, S, A) and mean counts (S + 1, A) of the cells."""
        layout, panel = self._blueprint.layout, self._blueprint.panel
        names = np.array([panel.axes.cell_names(cell) for cell in layout.cells], dtype=object)
        labels = {axis: np.tile(names[:, k].astype(str), layout.steps) for k, axis in enumerate(AXES)}
        labels["step"] = np.repeat([step.name for step in panel.funnel.steps], layout.size)
        coords = xr.Dataset(
            {"mean_count": (("stage", "cell"), mean_counts)},
            coords={name: (("step_cell",), text) for name, text in labels.items()},
        )
        self._room(CELLS, coords, "rate", "step_cell", (len(rates), layout.steps * layout.size))
        for step in range(layout.steps):
            for start in range(0, layout.size, _COLUMNS):
                some = slice(start, min(start + _COLUMNS, layout.size))
                there = slice(step * layout.size + some.start, step * layout.size + some.stop)
                self._fill(CELLS, "rate", there, rates[:, step, some])

    def reports(self, predicted: Iterable[Part]) -> None:
        """Thinned replicates and log probabilities, with what is expected of the reports worked out on the way."""
        groups = predictive.group_ids(self._blueprint.batches)
        first = True
        for part in predicted:
            if first:
                size = len(part.likelihood)
                shown = xr.Dataset(coords=predictive.coordinates(self._shown))
                self._room(PREDICTIVE, shown, "count", "statement_id", (size, len(self._shown)))
                named = xr.Dataset(coords={"group_id": groups})
                self._room(LIKELIHOOD, named, "statement", "group_id", (size, len(groups)))
                first = False
            self._fill(PREDICTIVE, "count", part.reports, part.moments.replicate)
            self._fill(LIKELIHOOD, "statement", part.groups, part.likelihood)

    def _room(self, group: str, coords: xr.Dataset, name: str, dim: str, shape: tuple[int, int]) -> None:
        """Room for draws (R, N) of what stands along a dimension."""
        size, columns = shape
        dims = ("chain", "draw", dim)
        self._draws.room(group, coords, name, (self._chains, size // self._chains, columns), dims)

    def _fill(self, group: str, name: str, where: slice, values: Reals) -> None:
        """Some of them, (R, n)."""
        self._draws.fill(group, name, where, values.reshape(self._chains, -1, values.shape[1]))


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
