"""What closed units are worth: ten quarters of cohorts known by the latest table alone, most others closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from attrition.data.panel import Panel

from ..panels import Fact, bind, make_panel
from .lagged import log_density

COHORTS, HORIZON, UNITS, RATE, STEP, LEVEL_SD = 10, 4, 600, 0.3, 0.4, 1.5
QUARTERS = [f"{2022 + t // 4}Q{t % 4 + 1}" for t in range(COHORTS)]
NOW = "2024-06-30"
CENTRE = np.log(RATE / (1 - RATE))
COMES = np.array([0.15, 0.13, 0.11, 0.09, 0.52])  # the middle of the prior of the hazards
SHUT = np.array([0.5, 0.25, 0.12, 0.06, 0.03])  # of those who never convert; the rest stays open


def world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logit rates, and of each cohort those converted and those closed by the latest table."""
    rng = np.random.default_rng(seed)
    logit = CENTRE + np.cumsum(rng.normal(0, STEP, COHORTS)) - 0.1
    rate = 1 / (1 + np.exp(-logit))
    ages = np.arange(COHORTS)[::-1]
    fates = [
        rng.multinomial(UNITS, [*(p * COMES), *((1 - p) * SHUT), (1 - p) * (1 - SHUT.sum())]) for p in rate
    ]
    came = np.array([row[: min(age, HORIZON) + 1].sum() for row, age in zip(fates, ages, strict=True)])
    shut = np.array([row[5 : 5 + min(age, HORIZON) + 1].sum() for row, age in zip(fates, ages, strict=True)])
    return logit, came, shut


def panel_of(came: np.ndarray, shut: np.ndarray | None) -> Panel:
    facts: list[Fact] = []
    for t, name in enumerate(QUARTERS):
        facts += [
            ("referral", f"all/all/{name}", "exact", UNITS),
            ("arrest", f"all/all/{name}", "exact", came[t]),
        ]
        if shut is not None and COHORTS - 1 - t <= HORIZON:
            facts.append(("arrest", f"all/all/{name}", "closed", shut[t]))
    panel = make_panel(facts, periods=QUARTERS, stages=("referral", "arrest"))
    return Panel(panel.funnel, panel.axes, tuple(replace(s, as_of=NOW) for s in panel.statements), dated=True)


def fitted(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Mode and sd of the cohorts' logit rates: rates walk from quarter to quarter, hazards as the kind has them."""
    blueprint = bind(
        panel, ["intercept"], kinds={"immature": {"horizon": HORIZON, "walk": 1.0, "drift": 0.0}}
    )
    assert {d.action for d in blueprint.analysis.decisions} == {"known", "used"}
    density = log_density(blueprint)
    hazards = sum(one.shape[1] for one in blueprint.unknowns if one.name.endswith("_hazard"))
    moves = np.diff(np.eye(COHORTS), axis=0) / STEP
    precision = np.eye(COHORTS + hazards)
    precision[:COHORTS, :COHORTS] = moves.T @ moves
    precision[0, 0] += LEVEL_SD**-2
    centre = np.r_[np.full(COHORTS, CENTRE), np.zeros(hazards)]

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = density(x)
        pull = precision @ (x - centre)
        return 0.5 * float((x - centre) @ pull) - value, pull - slope

    best = minimize(loss, centre, jac=True, method="BFGS", options={"gtol": 1e-4}).x
    step = 1e-4 * np.eye(len(best))
    curvature = np.stack([(loss(best + e)[1] - loss(best - e)[1]) / 2e-4 for e in step])
    return best[:COHORTS], np.sqrt(np.diag(np.linalg.inv((curvature + curvature.T) / 2))[:COHORTS])


def test_what_was_closed_narrows_the_young_cohorts_and_still_covers():
    z, ratio = [], []
    for seed in (0, 1):
        logit, came, shut = world(seed)
        mode, sd = fitted(panel_of(came, shut))
        _, alone = fitted(panel_of(came, None))
        z.append((mode - logit) / sd)
        ratio.append(sd[-4:] / alone[-4:])
        # The shortcut of offices, outcomes out of what is no longer pending, is far from the rate.
        shortcut = came[-2:] / (came[-2:] + shut[-2:])
        assert (np.abs(np.log(shortcut / (1 - shortcut)) - logit[-2:]) > 1.645 * sd[-2:]).all()
    # A fit that left the closed units pending would have the spread of the one that does not know of them.
    assert np.mean(ratio) < 0.7
    assert np.max(ratio) < 0.9
    young = np.array(z)[:, -4:]
    assert np.mean(np.abs(z) < 1.645) >= 0.8
    assert abs(young.mean()) < 0.8
