"""A plan with none, one and two times the scale of its contextual term."""

from __future__ import annotations

from pathlib import Path

import pytest

from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.plan import read_plan
from attrition.estimation.sensitivity.context import context_scenarios

PLAN = """
[funnel]
stages = ["referral", "arrest"]
[[input]]
file = "data.csv"
as_of = 2025-01-01
"""
ROWS = [
    "offense,jurisdiction,period,referral,arrest",
    "a,X,2024,10,",
    "b,X,2024,5,",
    "a,Y,2024,3,",
    "b,Y,2024,12,",
]
TOTALS = ["all,X,2024,,6", "all,Y,2024,,2"]


def write(folder: Path, plan: str = "", rows: list[str] = TOTALS) -> Path:
    (folder / "data.csv").write_text("\n".join([*ROWS, *rows]) + "\n", encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN + plan, encoding="utf-8")
    return folder / "plan.toml"


def scales(plan: Path) -> dict[str, float]:
    """Scale of the term in the rate of each scenario, as its own blueprint has it; 0 where it has none."""

    def scale(bound: Bound) -> float:
        return sum(block.sd.scale[0] for block in bound.blueprint.blocks if block.name == "context")

    found = context_scenarios(bind_plan(read_plan(plan)))
    return {one.name.split(", ")[1]: scale(bind_plan(read_plan(plan, one.set))) for one in found}


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ("", {"0 times the scale": 0.0, "2 times the scale": 4.0}),
        ('[[effect]]\nkind = "offense"\n[[effect]]\nkind = "context"\nscale = 1.5\n',
         {"0 times the scale": 0.0, "2 times the scale": 3.0}),
        ('[[effect]]\nkind = "offense"\n', {"1 times the scale": 2.0, "2 times the scale": 4.0}),
    ],
    ids=["default", "of its own", "left out"],
)  # fmt: skip
def test_none_one_and_two_times_the_scale_but_for_the_plans_own(effects, expected, tmp_path):
    assert scales(write(tmp_path, effects)) == expected


def test_none_where_cells_are_counted(tmp_path):
    assert scales(write(tmp_path, rows=["a,Z,2024,8,4", *TOTALS])) == {}
