"""Eight places, three offenses and years: a plan that the approximation fits within seconds, and its table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

PLACES, YEARS = tuple(f"j{k}" for k in range(8)), (2021, 2022, 2023)
LOGITS = {"theft": -1.0, "fraud": -2.0, "arson": 0.0}
# The keys that follow are those of [estimate].
PLAN = """format = 1
name = "eight"
[funnel]
stages = ["referral", "arrest"]
[[input]]
file = "data.csv"
as_of = 2024-06-30
[[effect]]
kind = "intercept"
[[effect]]
kind = "offense"
[[effect]]
kind = "jurisdiction"
[estimate]
engine = "laplace"
draws = 400
"""


def write_eight(folder: Path, more: str, spread: float = 0.0, silent: Collection[str] = ()) -> Path:
    """Write the plan and what follows it; cells vary by ``spread``, silent places publish no arrests."""
    rng = np.random.default_rng(3)
    lines = ["offense,jurisdiction,period,referral,arrest"]
    for place in PLACES:
        level = 0.3 * rng.standard_normal()
        for year in YEARS:
            for offense, logit in LOGITS.items():
                n = int(rng.poisson(400))
                own = spread * rng.standard_normal() if spread else 0.0
                found = rng.binomial(n, 1 / (1 + np.exp(-(logit + level + own))))
                lines.append(f"{offense},{place},{year},{n},{'' if place in silent else found}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    (folder / "plan.toml").write_text(PLAN + more)
    return folder / "plan.toml"
