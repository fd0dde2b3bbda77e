"""From a bound plan to a finished run: fit, evaluate, check, keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import predictive
from .binding import Bound, stream
from .checks.catalogue import run_checks
from .checks.contract import Seen
from .claims.catalogue import claims_of
from .claims.contract import Told
from .completion import complete
from .contraction import cell_rates
from .diagnostics import Diagnostics, diagnose
from .disclosure.protection import Protection, protect
from .disclosure.rows import released
from .engines.choose import fit_blueprint
from .engines.contract import Fit, Progress
from .estimates import Estimates, estimates
from .information import informed
from .plan import Plan
from .record import draws_tree, manifest_of
from .rows import Floats
from .silent import shift_silent
from .store.layout import DISCLOSURE, RELEASED
from .store.write import RunWriter
from .thinning import KEPT, by_chain, evenly, predictor, take

Say = Callable[[str], None]


def fit_plan(
    bound: Bound, plan: Plan, root: Path, again: bool, say: Say, watch: Callable[[Progress], None] | None
) -> Path:
    """Fit a bound plan and write its run; returns the run's folder."""
    seed = plan.estimate.seed
    clock = time.perf_counter()
    blueprint = bound.blueprint
    protection = _protection(bound, plan, say)
    say(
        f"Fitting {sum(len(b.groups) for b in blueprint.batches):,} reports of "
        f"{blueprint.layout.steps * blueprint.layout.size:,} step-cells …"
    )
    fit = fit_blueprint(blueprint, plan.estimate, say, watch)
    say(f"Fitted in {sum(fit.seconds.values()):.1f} s; evaluating every published rate …")
    sampled = time.perf_counter()
    keep = evenly(len(fit.field.intercept), blueprint.layout.steps * blueprint.layout.size, fit.chains)
    draws = take(fit.field, keep)
    eta = shift_silent(blueprint, draws, predictor(blueprint, draws), plan.assume.silent_shift)
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
    shares = informed(blueprint, table, rates, thin, shown, moments)
    diagnostics = _diagnose(fit, table, rates)
    likelihood = predictive.log_likelihood(blueprint, eta[thin], few)
    seen = Seen(
        blueprint, diagnostics, table.table, shown, moments, counts, root, likelihood, protection, fit.engine
    )
    results = run_checks(seen)
    told = Told(
        bound.description, table.table, table.aggregate_ids, table.aggregates, plan.claims.probability,
        plan.claims.effect,
    )  # fmt: skip
    claims = [claim.record() for claim in claims_of(told)]
    evaluated = time.perf_counter()
    tree = draws_tree(bound, fit, table, rates, thin, likelihood, shown, moments, seed)
    records = [result.record() for result in results]
    manifest = manifest_of(bound, plan, fit, diagnostics, records)
    with RunWriter(root, plan.name, manifest["identity"], again) as writer:
        writer.write_text("plan.toml", _as_written(plan))
        writer.write_json("blueprint.json", bound.description)
        writer.write_json("intake.json", bound.intake.to_dict())
        writer.write_table("estimates", table.table)
        writer.write_table("information", shares, csv=False)
        writer.write_json("checks.json", records)
        writer.write_json("claims.json", claims)
        if protection is not None:
            writer.write_json(DISCLOSURE, _held_back(protection, bound, shown))
            writer.write_table(RELEASED, released(table.table, protection, blueprint.panel.funnel.stages))
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


def _diagnose(fit: Fit, table: Estimates, rates: Floats) -> Diagnostics:
    frame = table.table
    published = set(frame["quantity_id"][(frame["basis"] == "superpopulation") & frame["median"].notna()])
    place = [i for i, name in enumerate(table.aggregate_ids) if name in published]
    values = table.aggregates[:, place].astype(float)
    names = [table.aggregate_ids[i] for i in place]
    return diagnose(fit, values, names, rates.reshape(len(rates), -1))
