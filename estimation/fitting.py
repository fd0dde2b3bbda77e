"""From a bound plan to a finished run: fit, evaluate, check, keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..models.blueprint import Blueprint
from . import predictive
from .binding import Bound, stream
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
from .record import draws_tree, manifest_of
from .rows import Floats, link, published_steps
from .silent import shift_silent
from .store.write import RunWriter
from .thinning import KEPT, by_chain, evenly, take

Say = Callable[[str], None]


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
    keep = evenly(len(fit.field.intercept), blueprint.layout.steps * blueprint.layout.size, fit.chains)
    draws = take(fit.field, keep)
    eta = shift_silent(blueprint, draws, blueprint.predictor(draws), plan.assume.silent_shift)
    rates = cell_rates(stream(seed, "cell rates"), blueprint, eta, draws, observed=True)
    counts = complete(stream(seed, "complete counts"), blueprint, eta, draws)
    answer = (plan.answer.jurisdiction, plan.answer.period)
    table = estimates(
        blueprint,
        draws,
        rates,
        counts,
        stream(seed, "reference"),
        answer,
        plan.publish.cells,
        plan.publish.crossed,
    )
    thin = by_chain(len(eta), fit.chains, KEPT)
    few = take(draws, thin)
    shown = predictive.reports(blueprint)
    moments = predictive.moments(stream(seed, "predictive"), blueprint, eta[thin], few)
    informed = _information(blueprint, table, rates, counts, thin, shown, moments)
    diagnostics = _diagnose(fit, table, rates)
    seen = Seen(blueprint, diagnostics, table.table, shown, moments, counts)
    results = run_checks(seen)
    evaluated = time.perf_counter()
    tree = draws_tree(bound, fit, table, rates, thin, eta, few, shown, moments, seed)
    records = [result.record() for result in results]
    manifest = manifest_of(bound, plan, fit, diagnostics, records)
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
    steps = {step.name: step for _, step in published_steps(blueprint.panel.funnel)}
    ratio = {name: step.kind == "ratio" for name, step in steps.items()}
    wanted = frame[
        (frame["basis"] == "superpopulation")
        & frame["quantity"].isin(["rate", "end_to_end"])
        & frame["offense"].isin(list(blueprint.panel.axes.offense.by_name))  # others have no cells
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
        step = steps[str(row["step"])]
        column = positions["|".join([row["offense"], row["jurisdiction"], row["period"]])]
        value = rates[thin, step.source : step.target, column].prod(axis=1)
        linked.append(link(value, ratio[step.name]))
    held = wanted["contraction"].reindex([*ids, *cells]).to_numpy(dtype=float)
    return information(shown, moments, [*ids, *cells], np.stack(linked, axis=1), held)


def _diagnose(fit: Fit, table: Estimates, rates: Floats) -> Diagnostics:
    frame = table.table
    published = set(frame["quantity_id"][(frame["basis"] == "superpopulation") & frame["median"].notna()])
    place = [i for i, name in enumerate(table.aggregate_ids) if name in published]
    values = table.aggregates[:, place].astype(float)
    names = [table.aggregate_ids[i] for i in place]
    return diagnose(fit, values, names, rates.reshape(len(rates), -1))
