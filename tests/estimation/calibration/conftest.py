"""A plan of one level and two places, small enough that a world takes a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.plan import read_plan

PLAN = """format = 1
name = "tiny"
[funnel]
stages = ["referral", "investigation"]
[[input]]
file = "data.csv"
as_of = 2025-01-31
[prior]
intercept = {median = 0.3, sd = 1.0}
[[effect]]
kind = "intercept"
[estimate]
chains = 2
draws = 150
tune = 150
"""
DATA = """offense,jurisdiction,period,referral,investigation
theft,North,2023,40,12
theft,North,2024,25,
fraud,North,2023,30,9
fraud,North,2024,0,0
theft,South,2023,20,
fraud,South,2023,10,
all,South,2023,,8
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """The plan's file."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "data.csv").write_text(DATA)
    (folder / "plan.toml").write_text(PLAN)
    return folder / "plan.toml"


@pytest.fixture(scope="session")
def bound(tiny: Path) -> Bound:
    return bind_plan(read_plan(tiny))
