"""What checks look at, made up so that all of them pass; and for every verdict one fault that fails it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import poisson

from attrition.estimation.calibration.certificate import certificate, form_of, write_certificate
from attrition.estimation.checks.contract import Seen
from attrition.estimation.completion import complete
from attrition.estimation.contraction import cell_rates
from attrition.estimation.convergence import Convergence
from attrition.estimation.diagnostics import Chain, Diagnostics
from attrition.estimation.disclosure.protection import Protection
from attrition.estimation.disclosure.spec import DisclosureSpec
from attrition.estimation.disclosure.suppress import suppress
from attrition.estimation.engines.contract import Weights
from attrition.estimation.estimates import estimates
from attrition.estimation.margins import Margins
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import Moments, Report

from ..panels import bind, make_panel
from .disclosure.tables import counts_of

R, N = 400, 200
GOOD = Convergence(1.002, "", 2000.0, "", 10)


def predicted(
    counts: np.ndarray, mean: np.ndarray, hidden: np.ndarray | None = None, spread: float = 0.01
) -> Seen:
    """Poisson reports with known means, one a group; hidden ones as 1 to 4; draws of a common log level."""
    rng = np.random.default_rng(5)
    level = spread * rng.standard_normal((R, 1))
    rates = mean * np.exp(level)
    hidden = np.zeros(len(counts), dtype=bool) if hidden is None else hidden
    reports = tuple(
        Report(k, 0, f"p{k}", "exact", "arrest", f"o{k % 4}", f"j{k % 8}", f"{2000 + k % 5}", "a",
               1.0 if hidden[k] else float(y), 4.0 if hidden[k] else float(y))
        for k, y in enumerate(counts)
    )  # fmt: skip
    by_id = {
        f"p{k}": SimpleNamespace(relation="suppressed" if hidden[k] else "exact") for k in range(len(counts))
    }
    logs = poisson.logpmf(counts, rates)
    inside = poisson.cdf(4, rates) - poisson.cdf(0, rates)
    likelihood = np.where(hidden, np.log(inside), logs)
    moments = Moments(rates, rates, rng.poisson(rates).astype(float))
    blueprint: Any = SimpleNamespace(panel=SimpleNamespace(by_id=by_id))
    part = Part.whole(reports, moments, likelihood)
    return Seen(blueprint, None, None, reports, [part], np.zeros(0))  # type: ignore[arg-type]


class _Beside:
    """A thing with some attributes of another."""

    def __init__(self, thing: Any, **more: Any) -> None:
        self.__dict__.update(more, thing=thing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.thing, name)


def drawn_counts() -> tuple[np.ndarray, np.ndarray]:
    """Reports of the model: counts and their means."""
    rng = np.random.default_rng(11)
    mean = rng.uniform(2, 30, N)
    return rng.poisson(mean), mean


def _panel() -> tuple[Any, pd.DataFrame, np.ndarray]:
    """One place reports outcomes, the larger does not: no change of the whole is published, and that is right."""
    facts: list[tuple[str | float, ...]] = []
    for year in ("2023", "2024"):
        facts += [("referral", f"/{place}/{year}", "exact", n) for place, n in (("NE", 60), ("NY", 140))]
        facts.append(("investigation", f"/NE/{year}", "exact", 20))
    panel = make_panel(facts, (), ("NE", "NY"), ("2023", "2024"), ("referral", "investigation"))
    blueprint = bind(panel, ["intercept", "time"])
    draws = blueprint.prior_draws(np.random.default_rng(1), 60)
    near = {name: values * 0.01 for name, values in draws.values.items()}
    draws = replace(draws, intercept=draws.intercept * 0.01, values=near)
    eta, rng = blueprint.predictor(draws), np.random.default_rng(2)
    rates = cell_rates(rng, blueprint, eta, draws, observed=True)
    counts = complete(rng, blueprint, eta, draws, rates)
    return blueprint, estimates(blueprint, draws, rates, counts, rng, ("all", "all")).table, counts


def healthy() -> Seen:
    """Every check passes or has nothing to say."""
    blueprint, table, counts = _panel()
    found = with_reports(Seen(blueprint, Diagnostics(GOOD, GOOD, GOOD, Chain(0, 0.8), None), table, (), (), counts),  # type: ignore[arg-type]
                         *drawn_counts())  # fmt: skip
    held = counts_of(5, referral=[[2, 9, 7], [12, 8, 6]])
    return replace(
        found,
        protection=Protection(DisclosureSpec(k=5), held, suppress(held.table, 5).suppressed, True),
        margins=sums_of_offenses(0.0),
    )


def sums_of_offenses(slope: float) -> Margins:
    """Sums over two offenses of rates .1 and .4 in 60 places that vary; the first rate rises with its share."""
    rng = np.random.default_rng(8)
    share = rng.uniform(0.1, 0.9, 60)

    def counts(slope: float, size: int) -> np.ndarray:
        rate = share * (0.1 + slope * (share - 0.5)) + (1 - share) * 0.4
        place = np.exp(0.2 * rng.standard_normal((size, 60)))
        return rng.poisson(200 * rate * place).astype(float)

    told = tuple(
        Report(k, 0, f"m{k}", "exact", "arrest", "all", f"j{k}", "2000", "a", y, y)
        for k, y in enumerate(counts(slope, 1)[0])
    )
    mix = np.column_stack([share, 1 - share])
    return Margins(told, mix, counts(0.0, R), ("theft", "fraud"), frozenset({"arrest"}))


def with_reports(found: Seen, counts: np.ndarray, mean: np.ndarray, hidden: np.ndarray | None = None) -> Seen:
    """The same with other reports, hidden where the rule hides them."""
    hidden = (counts >= 1) & (counts <= 4) if hidden is None else hidden
    made = predicted(counts, mean, hidden)
    real: Any = getattr(found.blueprint, "thing", found.blueprint)
    panel = _Beside(real.panel, by_id={**real.panel.by_id, **made.blueprint.panel.by_id})
    return replace(
        found,
        blueprint=_Beside(real, panel=panel),  # type: ignore[arg-type]
        reports=made.reports,
        predicted=made.predicted,
    )


def _diagnostics(found: Seen, **other: Any) -> Seen:
    return replace(found, diagnostics=replace(found.diagnostics, **other))


def _signs(k: np.ndarray) -> np.ndarray:
    """Up and down in turn along the reports of a place, which also balances offenses and nearly the periods."""
    return np.where((k // 8) % 2 == 0, 1, -1)


def _dispersed(found: Seen, _: Path) -> Seen:
    """The reports of two places lie half as far again from their means as they should, up and down in turn."""
    counts, mean = drawn_counts()
    k = np.flatnonzero(np.arange(N) % 8 < 2)
    mean[k] = np.maximum(mean[k], 12.0)
    counts[k] = np.round(mean[k] + 1.6 * np.sqrt(mean[k]) * _signs(k))
    return with_reports(found, counts, mean)


def _zeros(found: Seen, _: Path) -> Seen:
    """Three in ten reports of two offenses are zero where one in ten should be; the rest as spread as before."""
    counts, mean = drawn_counts()
    k = np.flatnonzero(np.arange(N) % 4 < 2)
    mean[k] = 2.3
    counts[k] = np.random.default_rng(4).permutation(np.repeat([0, 1, 2, 3, 4, 5], [30, 10, 15, 25, 12, 8]))
    return with_reports(found, counts, mean, np.zeros(N, dtype=bool))


def _totals(found: Seen, _: Path) -> Seen:
    """All reports of one period are a little high, all of another a little low."""
    counts, mean = drawn_counts()
    k = np.flatnonzero(np.arange(N) % 5 < 2)
    way = np.where(k % 5 == 0, 0.8, -0.8)
    mean[k] = np.maximum(mean[k], 6.0)
    counts[k] = np.round(mean[k] + (way + 0.5 * _signs(k)) * np.sqrt(mean[k]))
    return with_reports(found, counts, mean)


def _rule(found: Seen, _: Path) -> Seen:
    """One small count is hidden, the others are published as they are."""
    counts, mean = drawn_counts()
    hidden = np.zeros(N, dtype=bool)
    hidden[np.flatnonzero((counts >= 1) & (counts <= 4))[0]] = True
    return with_reports(found, counts, mean, hidden)


def _surprises(found: Seen, _: Path) -> Seen:
    """Eight reports far out, one a place, up and down in turn."""
    counts, mean = drawn_counts()
    for k in range(8):
        at = np.flatnonzero(np.arange(N) % 8 == k)[k]
        mean[at], counts[at] = 20.0, 34 if k % 2 else 8
    return with_reports(found, counts, mean)


def _two_humps(found: Seen, _: Path) -> Seen:
    """Every report one standard deviation from its mean: as spread as it should be, and never where most should be."""
    _, mean = drawn_counts()
    mean = np.maximum(mean, 8.0)
    return with_reports(found, np.round(mean + np.sqrt(mean) * _signs(np.arange(N))).astype(int), mean)


def _closure(found: Seen, _: Path) -> Seen:
    counts = found.counts.copy()
    counts[0, 1] += 1
    return replace(found, counts=counts)


def _bounds(found: Seen, _: Path) -> Seen:
    table = found.estimates.copy()
    at = table.index[(table["basis"] == "finite") & table["median"].notna()][0]
    table.loc[at, "q95"] = table.loc[at, "bound_high"] + 0.01
    return replace(found, estimates=table)


def _crossing(found: Seen, _: Path) -> Seen:
    """Two totals cross, and given one of them the other varies by little more than two cases."""
    (part,) = found.predicted
    given = np.full(part.moments.mean.shape, np.nan)
    given[:, :2] = 9.0, 2.2
    return replace(found, predicted=[replace(part, moments=replace(part.moments, given_others=given))])


def _change(found: Seen, _: Path) -> Seen:
    table = found.estimates.copy()
    table.loc[(table["quantity"] == "change") & (table["jurisdiction"] == "all"), "label"] = "data-driven"
    return replace(found, estimates=table)


def _change_of_one(found: Seen, _: Path) -> Seen:
    table = found.estimates.copy()
    table.loc[(table["quantity"] == "change") & (table["jurisdiction"] == "NY"), "label"] = "prior-driven"
    return replace(found, estimates=table)


def _open(found: Seen, _: Path) -> Seen:
    assert found.protection is not None
    return replace(
        found, protection=replace(found.protection, suppressed=found.protection.counts.table.primary)
    )


def _uncalibrated(found: Seen, folder: Path) -> Seen:
    account = {"fitted": 200, "left_out": {}, "diverged": 0, "coverage": {}}
    bad = [{"quantity": "root rate", "failed": True}]
    write_certificate(
        folder / "made-up", certificate(form_of(found.blueprint, found.engine), "made-up", bad, account)
    )
    return replace(found, runs=folder)


FAULTS: dict[str, Callable[[Seen, Path], Seen]] = {
    "rhat": lambda found, _: _diagnostics(found, aggregates=replace(GOOD, rhat=1.02)),
    "rhat_cells": lambda found, _: _diagnostics(found, cells=replace(GOOD, rhat=1.06)),
    "ess": lambda found, _: _diagnostics(found, hyper=replace(GOOD, ess=500.0)),
    "ess_cells": lambda found, _: _diagnostics(found, cells=replace(GOOD, ess=100.0)),
    "divergences": lambda found, _: _diagnostics(found, chain=Chain(1, 0.8)),
    "ebfmi": lambda found, _: _diagnostics(found, chain=Chain(0, 0.2)),
    "khat": lambda found, _: _diagnostics(found, chain=None, weights=Weights(0.9, {}, (100.0,))),
    "ppc_dispersion": _dispersed,
    "ppc_zeros": _zeros,
    "ppc_totals": _totals,
    "ppc_suppressed": _rule,
    "ppc_mix": lambda found, _: replace(found, margins=sums_of_offenses(0.25)),
    "loo": _surprises,
    "pit": _two_humps,
    "closure": _closure,
    "bounds": _bounds,
    "crossing": _crossing,
    "reporting_share": _change,
    "reporting_share_places": _change_of_one,
    "disclosure": _open,
    "sbc_certificate": _uncalibrated,
}
