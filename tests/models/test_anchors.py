"""Anchored cell effects are another way of writing the same density."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode, get_mode

from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import read_plan
from attrition.models import compile as compiling
from attrition.models.anchors import WALL, Anchors

INTERPRETED = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
ROWS = """jurisdiction,period_start,period_end,offense,stage,relation,count,origin
North,2023,2023,all,referral,exact,41200,referred_only
North,2023,2023,all,arrest,exact,5100,referred_only
South,2023,2023,all,referral,exact,30000,referred_only
South,2023,2023,all,arrest,at_least,4000,referred_only
East,2023,2023,all,referral,exact,900,referred_only
East,2023,2023,all,arrest,exact,12,referred_only
"""
PLAN = """
[funnel]
stages = ["referral", "arrest"]
units = {referral = "report", arrest = "person"}
[[input]]
file = "rows.csv"
form = "long"
clock = "cohort"
as_of = "2024-06-30"
"""


@pytest.fixture(scope="module")
def blueprint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anchors")
    (folder / "rows.csv").write_text(ROWS, encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return bind_plan(read_plan(folder / "plan.toml")).blueprint


def evaluate(model, outputs, point):
    values = model.replace_rvs_by_values(outputs)
    program = pytensor.function(model.value_vars, values, mode=INTERPRETED, on_unused_input="ignore")
    return program(*[point[value.name] for value in model.value_vars])


def test_the_density_is_the_same(blueprint, monkeypatch):
    one = compiling.compile_model(blueprint)
    anchors = one.anchors
    assert len(anchors) == 2  # 5100 of North, at least 4000 of South; 12 are too few
    assert [edge.open for edge in anchors.edges] == [True]
    rng = np.random.default_rng(3)
    point = {k: v + 0.3 * rng.standard_normal(np.shape(v)) for k, v in one.model.initial_point().items()}
    found, effect, sds = evaluate(
        one.model, [one.model.logp(), one.model["anchored"], one.model["sd_cell"]], point
    )

    none = Anchors({}, *(np.zeros(0, dtype=np.int64),) * 3, *(np.zeros(0),) * 2)
    monkeypatch.setattr(compiling, "make_anchors", lambda blueprint: none)
    other = compiling.compile_model(blueprint)
    assert len(other.anchors) == 0
    place = [block.name for block in blueprint.blocks].index("cell")
    start = sum(int(np.prod(w.shape[1:])) for w in other.weights[:place])
    weight, tau = other.weights[place][anchors.step, anchors.unit], sds[anchors.step]
    plain = {name: value for name, value in point.items() if name != "anchor"}
    plain["z"] = point["z"].copy()
    plain["z"][anchors.step, start + anchors.unit] = effect / tau ** (1 - weight)
    (expected,) = evaluate(other.model, [other.model.logp()], plain)

    idle = point["z"][
        anchors.step, start + anchors.unit
    ]  # in the place of an anchored effect stands a normal
    slope = np.log(anchors.scale[0]) + np.log(WALL) - np.log1p(np.exp(-point["anchor"][1]))
    moved = slope - ((1 - weight) * np.log(tau)).sum() - 0.5 * (idle**2 + np.log(2 * np.pi)).sum()
    np.testing.assert_allclose(found, expected + moved, rtol=1e-9)
