"""A run too large to be complete says so before it is fitted."""

from __future__ import annotations

import pytest

from attrition.estimation import fitting
from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import read_plan

PLAN = """format = 1
[funnel]
stages = ["referral", "arrest"]
[[input]]
file = "data.csv"
as_of = 2025-01-31
[[effect]]
kind = "jurisdiction"
"""


class Stop(Exception):
    """Instead of a fit."""


@pytest.mark.parametrize(("draws", "told"), [(999, True), (1000, False)])
def test_fewer_draws_than_the_gate_asks_for_are_told(tmp_path, monkeypatch, draws, told):
    (tmp_path / "data.csv").write_text(
        "offense,jurisdiction,period,referral,arrest\na,X,2024,30,4\na,Y,2024,20,3\n"
    )
    (tmp_path / "plan.toml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.toml")

    def stop(*_):
        raise Stop

    monkeypatch.setattr(fitting, "fit_blueprint", stop)
    monkeypatch.setattr(fitting, "most_draws", lambda _: draws)
    said: list[str] = []
    with pytest.raises(Stop):
        fitting.fit_plan(bind_plan(plan), plan, tmp_path, again=False, say=said.append, watch=None)
    assert any("will end unfit" in line for line in said) == told
