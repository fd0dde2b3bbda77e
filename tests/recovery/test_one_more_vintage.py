"""What one earlier vintage is worth: 40 quarters of cohorts, outcomes within 12, one in ten converted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from attrition.data.panel import Panel

from ..panels import Fact, bind, make_panel
from .lagged import log_density

QUARTERS = [f"{2015 + t // 4}Q{t % 4 + 1}" for t in range(40)]
ENDS = {1: "03-31", 2: "06-30", 3: "09-30", 4: "12-31"}
HORIZON, UNITS, RATE, STEP = 12, 2000, 0.1, 0.08
LEVEL_SD = 1.5


def end_of(t: int) -> str:
    return f"{2015 + t // 4}-{ENDS[t % 4 + 1]}"


def cohorts() -> np.ndarray:
    """Conversions by cohort and lag, (40, 13)."""
    rng = np.random.default_rng(11)
    logit = np.log(RATE / (1 - RATE)) + np.cumsum(rng.normal(0, STEP, 40)) - 0.1
    law = 0.8 ** np.arange(HORIZON + 1)
    law /= law.sum()
    rate = 1 / (1 + np.exp(-logit))
    return np.stack([rng.multinomial(UNITS, [*(p * law), 1 - p])[:-1] for p in rate])


def panel_of(snapshots: tuple[int, ...]) -> Panel:
    """What tables drawn at the ends of some quarters show of every cohort that was there."""
    came, facts, known = cohorts().cumsum(axis=1), [], []
    for t, name in enumerate(QUARTERS):
        told: list[Fact] = [("referral", f"all/all/{name}", "exact", UNITS)]
        known.append(end_of(39))
        for now in snapshots:
            if now >= t:
                told.append(("arrest", f"all/all/{name}", "exact", came[t, min(now - t, HORIZON)]))
                known.append(end_of(now))
        facts += told
    panel = make_panel(facts, periods=QUARTERS, stages=("referral", "arrest"))
    statements = [replace(s, as_of=day) for s, day in zip(panel.statements, known, strict=True)]
    return Panel(panel.funnel, panel.axes, tuple(statements), dated=True)


def posterior_sd(panel: Panel) -> float:
    """Of the newest cohort's logit rate, by the curvature at the mode.

    The prior: rates walk from quarter to quarter, hazards as the kind has them.
    """
    settings = {"immature": {"horizon": HORIZON, "walk": 1.0, "drift": 0.0}}
    density = log_density(bind(panel, ["intercept"], kinds=settings))
    moves = np.diff(np.eye(40), axis=0) / STEP
    precision = np.zeros((40 + HORIZON, 40 + HORIZON))
    precision[:40, :40] = moves.T @ moves
    precision[0, 0] += LEVEL_SD**-2
    precision[40:, 40:] = np.eye(HORIZON)
    centre = np.r_[np.full(40, np.log(RATE / (1 - RATE))), np.zeros(HORIZON)]

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = density(x)
        pull = precision @ (x - centre)
        return 0.5 * float((x - centre) @ pull) - value, pull - slope

    best = minimize(loss, centre, jac=True, method="BFGS", options={"gtol": 1e-4}).x
    step = 1e-4 * np.eye(len(best))
    curvature = np.stack([(loss(best + e)[1] - loss(best - e)[1]) / 2e-4 for e in step])
    return float(np.sqrt(np.linalg.inv((curvature + curvature.T) / 2)[39, 39]))


def test_one_earlier_vintage_narrows_the_newest_cohort_by_a_quarter():
    alone, two = posterior_sd(panel_of((39,))), posterior_sd(panel_of((38, 39)))
    full = posterior_sd(panel_of(tuple(range(40))))
    assert two <= 0.75 * alone
    assert full <= two
    assert two - full <= 0.3 * (alone - full)  # most of what a full triangle buys
    assert alone == pytest.approx(0.23, abs=0.06)
