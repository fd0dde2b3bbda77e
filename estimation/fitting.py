"""From a plan to a finished run: read, bind, fit, evaluate, check, keep."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..data.digest import digest
from ..data.errors import InputError, Problem
from ..data.intake import Intake, read_panel
from ..data.panel import Panel
from ..models.blueprint import Blueprint, make_blueprint
from ..models.explain import describe, extreme, implied_prior
from ..models.field import FieldDraws
from ..models.spec import read_effects, read_kinds
from . import predictive
from .checks.catalogue import run_checks
from .checks.contract import Seen
from .completion import complete
from .contraction import cell_rates
from .diagnostics import Diagnostics, diagnose
from .engines import nuts
from .engines.contract import Fit, Progress
from .estimates import Estimates, estimates
from .information import information
from .plan import Plan
from .rows import Floats, link
from .store.identity import identity, source_digest
from .store.write import RunWriter

_KEPT = 400
_NUMBERS = 60_000_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Bound:
    """A plan bound to its data: what every verb starts from."""

    plan: Plan
    panel: Panel
    intake: Intake
    blueprint: Blueprint
    description: dict[str, Any]


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one use, derived from the seed and a name: adding a use never moves another."""
    return np.random.default_rng([seed, *digest(name).encode()[:8]])


def bind_plan(plan: Plan) -> Bound:
    """Read the data of a plan and bind it.

    Raises
    ------
    InputError
        Every fault of the plan's model sections, the data, or their combination.
    """
    effects, problems = read_effects(list(plan.effect) if plan.effect is not None else None)
    kinds, more = read_kinds(plan.kind)
    if problems or more:
        raise InputError([*problems, *more])
    panel, intake = read_panel(plan.panel_spec(), plan.folder)
    blueprint = make_blueprint(plan.name, panel, effects, plan.prior, kinds)
    implied = implied_prior(blueprint, stream(0, "implied prior"))
    beyond = extreme(blueprint, implied)
    if beyond and not plan.prior.allow_extreme:
        raise InputError(
            Problem(
                "the prior implies rates that nobody means",
                "plan, [prior] and [[effect]]",
                "; ".join(beyond),
                "a central 95 % interval of a cell's rate inside 0.0001 to 0.999",
                "narrow prior.intercept or prior.spread, or give the reason in prior.allow_extreme",
            )
        )
    _check_answer(plan, panel)
    description = describe(blueprint, implied)
    description["answer"] = plan.answer.model_dump()
    description["patches"] = plan.patches
    description["plan"] = plan.model_dump(mode="json", exclude={"estimate"})
    return Bound(plan, panel, _account(intake, blueprint), blueprint, description)


def _check_answer(plan: Plan, panel: Panel) -> None:
    problems = [
        Problem("no such node", f"plan, [answer] {axis}", repr(name), "a node of the axis, or all")
        for axis, name in (("jurisdiction", plan.answer.jurisdiction), ("period", plan.answer.period))
        if name not in panel.axes[axis].by_name
    ]
    if problems:
        raise InputError(problems)


def _account(intake: Intake, blueprint: Blueprint) -> Intake:
    """The intake with what kinds and analyser decided about each statement."""
    status = {"used": "used", "residual": "used", "known": "used", "unused": "unused", "dropped": "dropped"}
    decided: dict[str, tuple[Any, str, tuple[str, ...], tuple[str, ...]]] = {
        d.statement: (
            status[d.action],
            d.reason,
            d.others,
            blueprint.statement_kinds.get(d.statement, ()),
        )
        for d in blueprint.analysis.decisions
    }
    decided |= {name: ("unused", reason, (), ()) for name, reason in blueprint.unclaimed.items()}
    return intake.with_decisions(decided)


def fit_plan(
    bound: Bound, plan: Plan, root: Path, again: bool, say: Say, watch: Callable[[Progress], None] | None
) -> Path:
    """Fit a bound plan and write its run; returns the run's folder."""
    seed = plan.estimate.seed
    clock = time.perf_counter()
    blueprint = bound.blueprint
    say(
        f"Fitting {sum(len(b.groups) for b in blueprint.batches):,} reports of "
        f"{blueprint.layout.steps * blueprint.layout.size:,} step-cells; compiling …"
    )
    fit = nuts.fit_well(blueprint, plan.estimate, say, watch)
    say(f"Sampled in {fit.seconds['sample']:.1f} s; evaluating every published rate …")
    sampled = time.perf_counter()
    keep = _evenly(len(fit.field.intercept), blueprint.layout.steps * blueprint.layout.size, fit.chains)
    draws = _take(fit.field, keep)
    eta = draws.eta(blueprint.blocks, blueprint.layout)
    rates = cell_rates(stream(seed, "cell rates"), blueprint, eta, draws, observed=True)
    counts = complete(stream(seed, "complete counts"), blueprint, eta, draws)
    answer = (plan.answer.jurisdiction, plan.answer.period)
    table = estimates(blueprint, draws, rates, counts, stream(seed, "reference"), answer, plan.publish.cells)
    thin = _by_chain(len(eta), fit.chains, _KEPT)
    few = _take(draws, thin)
    shown = predictive.reports(blueprint)
    moments = predictive.moments(stream(seed, "predictive"), blueprint, eta[thin], few)
    informed = _information(blueprint, table, rates, counts, thin, shown, moments)
    diagnostics = _diagnose(fit, table, rates)
    seen = Seen(blueprint, diagnostics, table.table, shown, moments, counts)
    results = run_checks(seen)
    evaluated = time.perf_counter()
    tree = _tree(bound, fit, table, rates, thin, eta, few, shown, moments, seed)
    records = [result.record() for result in results]
    manifest = _manifest(bound, plan, fit, diagnostics, records)
    with RunWriter(root, plan.name, manifest["identity"], again) as writer:
        writer.write_text("plan.toml", _as_written(plan))
        writer.write_json("blueprint.json", bound.description)
        writer.write_json("intake.json", bound.intake.to_dict())
        writer.write_table("estimates", table.table)
        writer.write_table("information", informed, csv=False)
        writer.write_json("checks.json", records)
        writer.write_draws(tree)
        done = time.perf_counter()
        manifest["timings"] = {
            **{name: round(value, 2) for name, value in fit.seconds.items()},
            "quantities": round(evaluated - sampled, 2),
            "writing": round(done - evaluated, 2),
            "total": round(done - clock, 2),
        }
        writer.write_json("manifest.json", manifest)
    return writer.final


def _as_written(plan: Plan) -> str:
    return plan.file.read_text(encoding="utf-8") if plan.file is not None and plan.file.is_file() else ""


def run_identity(bound: Bound, plan: Plan) -> str:
    """The identity of the run that a bound plan would give."""
    return identity(
        bound.description,
        bound.panel.digest(),
        nuts.NAME,
        plan.estimate.model_dump(exclude={"engine", "seed"}),
        plan.estimate.seed,
        metadata.version("attrition"),
        source_digest(),
    )


def _by_chain(size: int, chains: int, wanted: int) -> np.ndarray:
    """Evenly spaced draws, the same number from each chain."""
    length = size // chains
    inner = np.unique(np.linspace(0, length - 1, min(length, max(wanted // chains, 1))).astype(int))
    return (np.arange(chains)[:, None] * length + inner).ravel()


def _evenly(size: int, cells: int, chains: int) -> np.ndarray:
    """All draws where memory allows, else evenly spaced ones, never fewer than 400."""
    return _by_chain(size, chains, min(size, max(_KEPT, _NUMBERS // max(cells, 1))))


def _take(draws: FieldDraws, index: np.ndarray) -> FieldDraws:
    return replace(
        draws,
        intercept=draws.intercept[index],
        sd={name: values[index] for name, values in draws.sd.items()},
        values={name: values[index] for name, values in draws.values.items()},
        phi=draws.phi[index],
        concentration=draws.concentration[index] if draws.concentration is not None else None,
        total_spread=draws.total_spread[index] if draws.total_spread is not None else None,
    )


def _information(
    blueprint: Blueprint,
    table: Estimates,
    rates: Floats,
    counts: Floats,
    thin: np.ndarray,
    shown: tuple[predictive.Report, ...],
    moments: predictive.Moments,
) -> Any:
    """Shares for every superpopulation row: aggregates from their draws, cells from their rates."""
    frame = table.table
    ratio = {step.name: step.kind == "ratio" for step in blueprint.panel.funnel.steps}
    ratio[blueprint.panel.funnel.end_to_end.name] = blueprint.panel.funnel.end_to_end.kind == "ratio"
    wanted = frame[
        (frame["basis"] == "superpopulation") & frame["quantity"].isin(["rate", "end_to_end"])
    ].set_index("quantity_id")
    place = [i for i, name in enumerate(table.aggregate_ids) if name in wanted.index]
    ids = [table.aggregate_ids[i] for i in place]
    values = table.aggregates[np.ix_(thin, np.array(place, dtype=int))].astype(float)
    linked = [link(values[:, q], ratio[wanted.at[name, "step"]]) for q, name in enumerate(ids)]
    cells = [name for name in wanted.index if name not in set(ids)]
    if len(cells) * len(shown) > 200_000_000:
        cells = []
    positions = {
        name: number
        for number, name in enumerate(
            "|".join(blueprint.panel.axes.cell_names(cell)) for cell in blueprint.layout.cells
        )
    }
    for name in cells:
        row = wanted.loc[name]
        step = _step(blueprint, str(row["step"]))
        column = positions["|".join([row["offense"], row["jurisdiction"], row["period"]])]
        value = rates[thin, step.source : step.target, column].prod(axis=1)
        linked.append(link(value, ratio[step.name]))
    held = wanted["contraction"].reindex([*ids, *cells]).to_numpy(dtype=float)
    return information(shown, moments, [*ids, *cells], np.stack(linked, axis=1), held)


def _step(blueprint: Blueprint, name: str) -> Any:
    funnel = blueprint.panel.funnel
    return next((s for s in funnel.steps if s.name == name), funnel.end_to_end)


def _diagnose(fit: Fit, table: Estimates, rates: Floats) -> Diagnostics:
    frame = table.table
    published = set(frame["quantity_id"][(frame["basis"] == "superpopulation") & frame["median"].notna()])
    place = [i for i, name in enumerate(table.aggregate_ids) if name in published]
    values = table.aggregates[:, place].astype(float)
    names = [table.aggregate_ids[i] for i in place]
    return diagnose(fit, values, names, rates.reshape(len(rates), -1))


def _tree(
    bound: Bound,
    fit: Fit,
    table: Estimates,
    rates: Floats,
    thin: np.ndarray,
    eta: Floats,
    few: FieldDraws,
    shown: tuple[predictive.Report, ...],
    moments: predictive.Moments,
    seed: int,
) -> xr.DataTree:
    """The draws, in the groups of ``data.names.GROUPS`` and ``cells``."""
    blueprint, chains = bound.blueprint, fit.chains
    layout, axes = blueprint.layout, blueprint.panel.axes
    prior = blueprint.prior_draws(stream(seed, "prior"), 1000)
    prior_eta = prior.eta(blueprint.blocks, layout)
    prior_moments = predictive.moments(
        stream(seed, "prior predictive"), blueprint, prior_eta[:_KEPT], _take(prior, np.arange(_KEPT))
    )
    names = np.array([axes.cell_names(cell) for cell in layout.cells], dtype=object)
    steps = [step.name for step in blueprint.panel.funnel.steps]
    cell = ("step_cell",)
    cells = xr.Dataset(
        {
            "rate": (
                ("chain", "draw", "step_cell"),
                rates[thin].reshape(chains, -1, layout.steps * layout.size).astype(np.float32),
            )
        },
        coords={
            "step": (cell, np.repeat(steps, layout.size)),
            **{
                axis: (cell, np.tile(names[:, k].astype(str), layout.steps))
                for k, axis in enumerate(("offense", "jurisdiction", "period"))
            },
        },
    )
    likelihood = predictive.log_likelihood(blueprint, eta[thin], few)
    aggregates = table.aggregates.reshape(chains, -1, len(table.aggregate_ids))
    return xr.DataTree.from_dict(
        {
            "posterior": fit.posterior,
            "prior": nuts.prior_dataset(blueprint, prior, fit.posterior),
            "posterior_predictive": predictive.dataset(moments.replicate, shown, chains),
            "prior_predictive": predictive.dataset(prior_moments.replicate, shown, 1),
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


def _manifest(
    bound: Bound, plan: Plan, fit: Fit, diagnostics: Diagnostics, records: list[dict[str, Any]]
) -> dict[str, Any]:
    """The description of a run, without its timings."""
    versions = {name: metadata.version(name) for name in ("pymc", "pytensor", "nutpie", "numpy", "numba")}
    return {
        "format": 1,
        "name": plan.name,
        "identity": run_identity(bound, plan),
        "status": "complete" if _fit_enough(diagnostics, plan) else "unfit",
        "engine": nuts.NAME,
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


def _fit_enough(diagnostics: Diagnostics, plan: Plan) -> bool:
    """Do the sampler's diagnostics allow the numbers to be read at all?"""
    aim = nuts.aim(plan.estimate)
    return (
        max(diagnostics.hyper.rhat, diagnostics.aggregates.rhat) < aim.rhat
        and min(diagnostics.hyper.ess, diagnostics.aggregates.ess) >= aim.ess
        and diagnostics.divergences == 0
        and diagnostics.ebfmi > 0.3
    )
