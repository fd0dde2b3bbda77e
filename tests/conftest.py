"""Fitted runs that many tests share: compiled code and sampling are the cost of this suite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import estimate

PLAN = """format = 1
name = "small"
[funnel]
stages = ["referral", "investigation", "arrest"]
[[input]]
file = "data.csv"
as_of = 2024-06-30
tokens = {"<5" = "suppressed 1..4"}
[estimate]
draws = 450
tune = 500
"""


def small_table(seed: int = 0) -> str:
    """3 offenses × 5 jurisdictions × 3 years; j3 reports totals, j4 nothing after the first stage."""
    rng = np.random.default_rng(seed)
    lines = ["offense,jurisdiction,period,referral,investigation,arrest"]
    for place in range(5):
        for year in (2021, 2022, 2023):
            sums = np.zeros(2, dtype=int)
            for number, offense in enumerate(("possession", "enticement", "trafficking")):
                n = int(rng.poisson(260))
                y = int(rng.binomial(n, (0.3, 0.15, 0.08)[number]))
                z = int(rng.binomial(y, 0.3))
                sums += (y, z)
                shown = {3: ",", 4: ","}.get(place, f"{y},{'<5' if 0 < z < 5 else z}")
                lines.append(f"{offense},j{place},{year},{n},{shown}")
            if place == 3:
                lines.append(f"all,j{place},{year},,{sums[0]},{sums[1]}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def small_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder's plan; its data mix exact, total, suppressed and silent."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "data.csv").write_text(small_table())
    (folder / "plan.toml").write_text(PLAN)
    return folder / "plan.toml"


@pytest.fixture(scope="session")
def small_run(small_plan: Path) -> Run:
    """The plan above, fitted once."""
    return estimate(small_plan, progress=False)
