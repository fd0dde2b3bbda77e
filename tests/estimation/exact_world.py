"""A model of one rate whose posterior is known by quadrature, and the runs its exact draws give."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import expit
from scipy.stats import binom, norm

from attrition.estimation.engines.contract import Fit, Weights
from attrition.estimation.engines.drawn import named_draws
from attrition.models.blueprint import Blueprint
from attrition.models.field import FieldDraws

CHAINS, LENGTH = 4, 1000
GRID = np.linspace(-6, 4, 20001)
COUNTS = {"North": (100, 40), "South": (50, 10), "West": (4, 3)}
PLAN = """name = "one rate"
[funnel]
stages = ["referral", "arrest"]
[[input]]
file = "data.csv"
as_of = "2025-01-31"
[[effect]]
kind = "intercept"
[estimate]
draws = 1000
"""


def write_plan(folder: Path, more: str = "") -> Path:
    """The plan and its counts."""
    rows = [f"theft,{place},2023,{n},{y}" for place, (n, y) in COUNTS.items()]
    (folder / "data.csv").write_text("\n".join(["offense,jurisdiction,period,referral,arrest", *rows]) + "\n")
    (folder / "plan.toml").write_text(PLAN + more)
    return folder / "plan.toml"


def posterior(counts: Mapping[str, tuple[int, int]], median: float = 0.1, sd: float = 1.2) -> np.ndarray:
    """Distribution function of the rate's logit on the grid."""
    density = norm(np.log(median / (1 - median)), sd).logpdf(GRID)
    density += sum(binom(n, expit(GRID)).logpmf(y) for n, y in counts.values())
    weight = np.exp(density - density.max())
    return np.cumsum(weight) / weight.sum()


def quantile(distribution: np.ndarray, at: float) -> float:
    """Of the rate."""
    return float(expit(np.interp(at, distribution, GRID)))


def exact_fit(blueprint: Blueprint, *_: Any) -> Fit:
    """Independent draws of the posterior of the plan as it is written, in place of an engine's."""
    rng = np.random.default_rng(1)
    uniform = (np.arange(CHAINS * LENGTH) + 0.5) / (CHAINS * LENGTH)
    draws = np.interp(rng.permutation(uniform), posterior(COUNTS), GRID)[:, None]
    field = FieldDraws(draws, {}, {}, np.ones_like(draws))
    each = np.arange(CHAINS * LENGTH).reshape(CHAINS, LENGTH, 1)  # a point of its own for every draw
    stats = xr.Dataset({"point": (("chain", "draw", "step"), each)})
    dataset = named_draws(blueprint, {"intercept": draws}, field, CHAINS)
    return Fit(
        dataset,
        stats,
        field,
        CHAINS,
        {"sample": 0.0},
        {},
        "exact",
        weights=Weights(0.0, {}, (float(CHAINS * LENGTH),)),
    )
