"""Counts of which some are taken back: the rates of young cohorts, and how often records are looked at, found again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize

from attrition.data.panel import Panel

from ..panels import Fact, bind, make_panel
from .lagged import log_density

COHORTS, HORIZON, UNITS, RATE, STEP, OMEGA = 8, 4, 2000, 0.3, 0.2, 0.15
YEARS = [str(2017 + t) for t in range(COHORTS)]
CENTRE = np.log(RATE / (1 - RATE))
WITHIN = np.array([0.7, 0.9, 0.96, 0.99, 1.0])


def world(seed: int) -> tuple[np.ndarray, list[list[int]]]:
    """Logit rates, and the counts of each cohort at every date up to 2024, unit by unit in time."""
    rng = np.random.default_rng(seed)
    logit = CENTRE + np.cumsum(rng.normal(0, STEP, COHORTS))
    rows = []
    for t, rate in enumerate(1 / (1 + np.exp(-logit))):
        pi = rate * WITHIN
        record = rng.random(UNITS) < pi[0]
        row = [int(record.sum())]
        for age in range(1, min(HORIZON, COHORTS - 1 - t) + 1):
            came = rng.random(UNITS) < (pi[age] - pi[age - 1]) / (1 - pi[age - 1])
            anew = rng.random(UNITS) < OMEGA
            record = np.where(anew, rng.random(UNITS) < pi[age], record | came)
            row.append(int(record.sum()))
        rows.append(row)
    return logit, rows


def panel_of(rows: list[list[int]]) -> Panel:
    facts: list[Fact] = []
    known: list[str] = []
    for t, (year, row) in enumerate(zip(YEARS, rows, strict=True)):
        facts.append(("referral", f"all/all/{year}", "exact", UNITS))
        known.append("2024-12-31")
        for age, count in enumerate(row):
            facts.append(("arrest", f"all/all/{year}", "exact", count))
            known.append(f"{2017 + t + age}-12-31")
    panel = make_panel(facts, periods=YEARS, stages=("referral", "arrest"))
    told = [replace(s, as_of=day) for s, day in zip(panel.statements, known, strict=True)]
    return Panel(panel.funnel, panel.axes, tuple(told), dated=True)


def fitted(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Mode and sd of the logit rates, and behind them of the logit of the chance that a record is looked at."""
    settings = {"horizon": HORIZON, "drift": 0.0, "revisions": "model", "hazard": (0.1, 0.9)}
    blueprint = bind(panel, ["intercept"], kinds={"immature": settings})
    density = log_density(blueprint)
    others = HORIZON + 1
    moves = np.diff(np.eye(COHORTS), axis=0) / STEP
    precision = np.eye(COHORTS + others)
    precision[:COHORTS, :COHORTS] = moves.T @ moves
    precision[0, 0] += 1.5**-2
    centre = np.r_[np.full(COHORTS, CENTRE), np.zeros(others)]

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = density(x)
        pull = precision @ (x - centre)
        return 0.5 * float((x - centre) @ pull) - value, pull - slope

    best = minimize(loss, centre, jac=True, method="BFGS", options={"gtol": 1e-4}).x
    step = 1e-4 * np.eye(len(best))
    curvature = np.stack([(loss(best + e)[1] - loss(best - e)[1]) / 2e-4 for e in step])
    sd = np.sqrt(np.diag(np.linalg.inv((curvature + curvature.T) / 2)))
    at, spread = blueprint.kind_settings["immature"].looked_at
    keep = [*range(COHORTS), -1]
    scale, shift = np.r_[np.ones(COHORTS), spread], np.r_[np.zeros(COHORTS), at]
    return shift + scale * best[keep], scale * sd[keep]


def test_rates_and_the_chance_of_a_correction_are_found_again():
    z, fell = [], 0
    for seed in (3, 4):
        logit, rows = world(seed)
        fell += sum(late < early for row in rows for early, late in pairwise(row))
        mode, sd = fitted(panel_of(rows))
        z.append((mode - np.r_[logit, np.log(OMEGA / (1 - OMEGA))]) / sd)
        assert sd[-1] < 1.0  # the prior's is 1.4
    assert fell > 3
    assert np.mean(np.abs(z) < 1.645) >= 0.8
    assert np.max(np.abs(z)) < 3.2
