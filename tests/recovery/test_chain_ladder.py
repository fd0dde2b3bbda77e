"""The chain-ladder limit: a free exposure for each origin in place of its units, and hazards that are free too.

The maximum of the density then has the reserves of the chain ladder (Mack 1993, Renshaw and Verrall 1998).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from attrition.data.errors import InputError
from attrition.data.panel import Panel
from attrition.models.blueprint import Blueprint

from ..panels import Fact, bind, make_panel
from .lagged import log_density

# General insurance data of Taylor and Ashe (1983), cumulative; Mack (1993) reports the chain-ladder reserve.
GENINS = (
    (357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463),
    (352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085),
    (290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315),
    (310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268),
    (443160, 1136350, 2128333, 2897821, 3402672, 3873311),
    (396132, 1333217, 2180715, 2985752, 3691712),
    (440832, 1288463, 2419861, 3483130),
    (359480, 1421128, 2864498),
    (376686, 1363294),
    (344014,),
)
RESERVE = 18_680_856
# Reinsurance data of Mack (1994), whose second origin has a negative increment, and its chain-ladder reserve.
RAA = (
    (5012, 8269, 10907, 11805, 13539, 16181, 18009, 18608, 18662, 18834),
    (106, 4285, 5396, 10666, 13782, 15599, 15496, 16169, 16704),
    (3410, 8992, 13873, 16141, 18735, 22214, 22863, 23466),
    (5655, 11555, 15766, 21266, 23425, 26083, 27067),
    (1092, 9565, 15836, 22169, 25955, 26180),
    (1513, 6445, 11702, 12935, 15852),
    (557, 4020, 10946, 12314),
    (1351, 6947, 13112),
    (3133, 5395),
    (2063,),
)
RAA_RESERVE = 52_135
EXPOSURE = 1e9  # so many units that a multinomial of them is independent Poisson counts


def triangle(
    rows: tuple[tuple[int, ...], ...], first: int, horizon: int, units: float = EXPOSURE, **settings: object
) -> Blueprint:
    """Every count with the date at which it was known."""
    facts: list[Fact] = []
    known: list[str] = []
    for place, row in enumerate(rows):
        period = first + place
        facts.append(("referral", f"all/all/{period}", "exact", units))
        known.append(f"{first + len(rows[0])}-12-31")
        for lag, count in enumerate(row):
            facts.append(("paid", f"all/all/{period}", "exact", count))
            known.append(f"{period + lag}-12-31")
    periods = [str(first + i) for i in range(len(rows))]
    panel = make_panel(facts, periods=periods, stages=("referral", "paid"))
    told = [replace(s, as_of=day) for s, day in zip(panel.statements, known, strict=True)]
    panel = Panel(panel.funnel, panel.axes, tuple(told), dated=True)
    return bind(panel, ["intercept"], kinds={"immature": {"horizon": horizon, "drift": 0.0, **settings}})


def test_the_reserve_of_the_chain_ladder():
    blueprint = triangle(GENINS, 2001, 9)
    assert {d.action for d in blueprint.analysis.decisions} == {"known", "used"}
    both = log_density(blueprint)

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = both(x)
        return -value / EXPOSURE, -slope / EXPOSURE

    start = np.r_[np.full(10, np.log(0.005)), np.zeros(9)]
    best = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 2000}).x
    ultimate = EXPOSURE / (1 + np.exp(-best[:10]))
    reserve = (ultimate - [row[-1] for row in GENINS]).sum()
    assert reserve == pytest.approx(RESERVE, rel=0.005)


def test_a_negative_increment_is_refused_with_its_rows():
    with pytest.raises(InputError) as caught:
        triangle((RAA[1],), 1982, 9)
    (problem,) = caught.value.problems
    assert problem.what == "paid count falls from one date to the next"
    assert problem.where == "t.csv, row 6 and t.csv, row 7"
    assert "15,599" in problem.found
    assert "15,496" in problem.found


def test_or_records_that_can_be_taken_back_are_modelled():
    """Claims vary far more than counts would, so most records are looked at anew in a year: about the same reserve."""
    units = 1e6
    blueprint = triangle(RAA, 1981, 9, units, revisions="model")
    assert {d.action for d in blueprint.analysis.decisions} == {"known", "used"}
    both = log_density(blueprint)

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = both(x)
        return -value / 1e4, -slope / 1e4

    start = np.r_[np.full(10, np.log(0.02)), np.zeros(9 + 1)]
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
    ultimate = units / (1 + np.exp(-found.x[:10]))
    assert found.success
    assert (ultimate - [row[-1] for row in RAA]).sum() == pytest.approx(RAA_RESERVE, rel=0.04)
    settings = blueprint.kind_settings["immature"]
    centre, sd = settings.looked_at
    assert 1 / (1 + np.exp(-centre - sd * found.x[-1])) == pytest.approx(0.72, abs=0.02)
