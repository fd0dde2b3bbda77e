"""From a bound plan to a finished run: fit, evaluate, check, keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ..models.prior_density import joint, log_prior
from . import predictive
from .aside import put_aside
from .binding import Bound, run_identity, stream
from .celldraws import draw_cells
from .checks.catalogue import run_checks
from .checks.contract import Seen
from .claims.catalogue import claims_of
from .claims.contract import Told
from .diagnostics import Diagnostics, diagnose
from .disclosure.protection import Protection, protect
from .disclosure.rows import released
from .engines.choose import fit_blueprint
from .engines.contract import Fit, Progress
from .engines.nuts import aim
from .estimates import Estimates, estimates
from .information import informed
from .margins import margins
from .plan import Plan
from .predicted import Predicted
from .record import Record, manifest_of
from .rows import Reals
from .silent import Shift
from .store.draws import MANY, DrawsWriter
from .store.layout import DISCLOSURE, RELEASED, SILENT, TIPPING
from .store.write import RunWriter
from .thinning import (
    KEPT,
    by_chain,
    cells_aside,
    evenly,
    for_reference,
    most_draws,
    take,
    thinned,
    without_cells,
)
from .tipping import Tipping, tipping

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Found:
    """What a fit and its evaluation found, as it is written."""

    table: Estimates
    shares: pd.DataFrame
    shown: tuple[predictive.Report, ...]
    claims: list[dict[str, Any]]
    tipped: Tipping | None
    records: list[dict[str, Any]]
    manifest: dict[str, Any]
    seconds: dict[str, float]


def fit_plan(
    bound: Bound,
    plan: Plan,
    root: Path,
    again: bool,
    say: Say,
    watch: Callable[[Progress], None] | None,
    known: Fit | None = None,
) -> Path:
    """Fit a bound plan, unless its fit is known, and write its run; returns the run's folder."""
    clock = time.perf_counter()
    protection = _protection(bound, plan, say)
    layout, stages = bound.blueprint.layout, bound.blueprint.panel.funnel.stages
    size = layout.steps * layout.size
    fits = [_fit(bound, plan, size, say, watch) if known is None else known]
    say("Evaluating every published rate …")
    with RunWriter(root, plan.name, run_identity(bound, plan), again) as writer:
        # Handed over, so that the fit goes when nothing reads it any more.
        with TemporaryDirectory(dir=writer.folder) as aside:
            found = _evaluate(
                bound, plan, root, fits.pop(), protection, writer.draws(size > MANY), Path(aside)
            )
        evaluated = time.perf_counter()
        table = found.table.table
        writer.write_text("plan.toml", _as_written(plan))
        writer.write_json("blueprint.json", bound.description)
        writer.write_json("intake.json", bound.intake.written())
        writer.write_table("estimates", table)
        writer.write_table("information", found.shares, csv=False)
        writer.write_json("checks.json", found.records)
        writer.write_json("claims.json", found.claims)
        if found.tipped is not None:
            writer.write_table(TIPPING, found.tipped.claims)
            writer.write_table(SILENT, found.tipped.rates)
        if protection is not None:
            writer.write_json(DISCLOSURE, _held_back(protection, bound, found.shown))
            writer.write_table(RELEASED, released(table, protection, stages))
        done = time.perf_counter()
        seconds = found.seconds | {"writing": done - evaluated, "total": done - clock}
        timings = {name: round(value, 2) for name, value in seconds.items()}
        writer.write_json("manifest.json", found.manifest | {"timings": timings})
    return writer.final


def _fit(bound: Bound, plan: Plan, size: int, say: Say, watch: Callable[[Progress], None] | None) -> Fit:
    say(f"Fitting {sum(len(b.groups) for b in bound.blueprint.batches):,} reports of {size:,} step-cells …")
    needed, most = aim(plan.estimate).ess, most_draws(size)
    if most < needed:
        say(
            f"Of so many step-cells {most:,} draws fit into memory; a complete run has {needed:,.0f} effective ones: "
            "this one will end unfit. Fewer periods or offenses, or several plans, make it smaller."
        )
    found = fit_blueprint(bound.blueprint, plan.estimate, say, watch)
    say(f"Fitted in {sum(found.seconds.values()):.1f} s.")
    return found


def _evaluate(
    bound: Bound,
    plan: Plan,
    root: Path,
    fit: Fit,
    protection: Protection | None,
    file: DrawsWriter,
    aside: Path,
) -> _Found:
    """Evaluate and check; arrays of all cells under each draw are written, and dropped when nothing reads them.

    What is read again is put ``aside``, in a folder that lasts as long as this does.
    """
    seed, blueprint = plan.estimate.seed, bound.blueprint
    size = blueprint.layout.steps * blueprint.layout.size
    sampled = time.perf_counter()
    shown = predictive.reports(blueprint)
    record = Record(bound, file, fit.chains, shown)
    record.fit(fit, seed)
    draws = take(fit.field, evenly(len(fit.field.intercept), size, fit.chains))
    drawn = draw_cells(seed, blueprint, draws, _assumed(plan))
    length = len(drawn.rates)
    thin = by_chain(length, fit.chains, KEPT)
    few = take(draws, thin)
    if size > MANY:
        few = cells_aside(few, blueprint, aside)
    # New units have cell effects of their own.
    reference = take(without_cells(draws, blueprint), by_chain(length, fit.chains, for_reference(size)))
    prior, unknown = joint(log_prior(blueprint, draws)), draws.unknown
    fit = replace(fit, field=few)
    del draws
    table = estimates(
        blueprint,
        reference,
        drawn.rates,
        drawn.counts,
        stream(seed, "reference"),
        bound.answer,
        plan.publish.cells,
        plan.publish.crossed,
        unknown,
        aside,
    )
    del reference, unknown
    diagnostics = _diagnose(fit, table, drawn.rates)
    record.quantities(table)
    rates, counts = thinned(drawn.rates, thin), drawn.counts
    record.cells(rates, drawn.mean_counts())
    if size > MANY:
        rates = put_aside(rates, aside / "rates.npy")
    del drawn
    predicted = Predicted(seed, blueprint, few, _assumed(plan), shown, aside)
    record.reports(predicted)
    shares = informed(blueprint, table, rates, thin, shown, predicted)
    told = Told(
        bound.description, table.table, table.aggregate_ids, table.aggregates, plan.claims.probability,
        plan.claims.effect,
    )  # fmt: skip
    seen = Seen(
        blueprint, diagnostics, table.table, shown, predicted, counts, root, protection,
        engine=fit.engine, told=told, log_prior=prior, thin=thin,
        margins=margins(stream(seed, "margins"), blueprint, few),
    )  # fmt: skip
    records = [result.record() for result in run_checks(seen)]
    claims = claims_of(told)
    # Under an assumed shift the curve would begin elsewhere in each unit: it is that of the plan without one.
    tipped = (
        None
        if plan.assume.silent_shift
        else tipping(blueprint, few, rates, thinned(counts, thin), told, claims)
    )
    manifest = manifest_of(bound, plan, fit, diagnostics, records)
    seconds = {**fit.seconds, "quantities": time.perf_counter() - sampled}
    told_claims = [claim.record() for claim in claims]
    return _Found(table, shares, shown, told_claims, tipped, records, manifest, seconds)


def _assumed(plan: Plan) -> Shift:
    return Shift(plan.assume.silent_shift, plan.assume.silent_unit)


def _protection(bound: Bound, plan: Plan, say: Say) -> Protection | None:
    """What the plan asks to hold back, decided before anything is fitted."""
    if plan.disclosure is None:
        return None
    say("Deciding which counts may leave the run …")
    return protect(bound.description, bound.intake.to_dict(), plan.disclosure)


def _held_back(protection: Protection, bound: Bound, shown: tuple[predictive.Report, ...]) -> dict[str, Any]:
    statements = bound.intake.to_dict()["statements"]
    return protection.record(statements, ((r.ids, r.offense, r.jurisdiction, r.period) for r in shown))


def _as_written(plan: Plan) -> str:
    return plan.file.read_text(encoding="utf-8") if plan.file is not None and plan.file.is_file() else ""


def _diagnose(fit: Fit, table: Estimates, rates: Reals) -> Diagnostics:
    frame = table.table
    published = set(frame["quantity_id"][(frame["basis"] == "superpopulation") & frame["median"].notna()])
    place = np.array([i for i, name in enumerate(table.aggregate_ids) if name in published], dtype=np.int64)
    names = [table.aggregate_ids[i] for i in place]
    # Many small products: where other work shares the cores, threads of a product wait for one another.
    with threadpool_limits(1):
        return diagnose(fit, table.aggregates.some(place), names, rates)
