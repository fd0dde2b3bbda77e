"""Adding a kind and an effect edits nothing else: a plan uses strangers end to end, up to the compiled model."""

from __future__ import annotations

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.special import expit
from scipy.stats import binom

from attrition.data.errors import InputError
from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import read_plan
from attrition.models import catalogue
from attrition.models.compile import compile_model

from .stranger import SampleShare, Season

PLAN = """
[funnel]
stages = ["referral", "investigation"]
[[input]]
file = "data.csv"
form = "long"
[[effect]]
kind = "season"
[kind.sample_share]
sample = 400
"""
HEADER = (
    "jurisdiction,period_start,period_end,offense,stage,relation,count,count_low,count_high,unit,origin,clock,as_of,"
    "source_id\n"
)
QUARTERS = (("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31"))


@pytest.fixture
def plan(tmp_path):
    rows = []
    for start, end in QUARTERS:
        where = f"North,2024-{start},2024-{end},possession"
        tail = ",,,report,referred_only,cohort,2025-01-01,office\n"
        rows += [
            f"{where},referral,exact,400{tail}",
            f"{where},investigation,share_of_referral,0.12{tail}",
        ]
    (tmp_path / "data.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    return tmp_path / "plan.toml"


@pytest.fixture
def strangers(monkeypatch):
    """The catalogue as it would be with two more files in its folders, and without the kind that reads shares."""
    others = [kind for kind in catalogue.kinds() if kind.name != "share"]
    kinds, effects = (*others, SampleShare()), (*catalogue.effects(), Season())
    monkeypatch.setattr(catalogue, "kinds", lambda: kinds)
    monkeypatch.setattr(catalogue, "effects", lambda: effects)


def test_unknown_without_them(plan):
    with pytest.raises(InputError) as caught:
        bind_plan(read_plan(plan))
    assert {problem.what for problem in caught.value.problems} == {"unknown effect", "unknown kind"}


@pytest.mark.usefixtures("strangers")
def test_a_plan_uses_them(plan):
    bound = bind_plan(read_plan(plan))
    blueprint = bound.blueprint
    assert {batch.report for batch in blueprint.batches} == {"sample_share"}
    assert blueprint.batches[0].low.ravel().tolist() == [46.0] * 4
    assert blueprint.batches[0].high.ravel().tolist() == [49.0] * 4
    assert [block.name for block in blueprint.blocks] == ["season"]
    assert bound.intake.counts["used"] == 8
    assert "Quarters of the year differ." in [effect["sentence"] for effect in bound.description["effects"]]
    told = {entry["kind"]: entry for entry in bound.description["kinds"]}
    assert told["sample_share"]["statements"] == 4

    compiled = compile_model(blueprint)
    assert "effect_season" in compiled.model.named_vars
    interpreted = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
    point = compiled.model.initial_point(random_seed=0)
    point["z"] = np.array([[0.3, -0.2, 0.1, 0.4]])
    model = compiled.model
    eta = model["intercept"][:, None] + model["effect_season"]
    logp, eta = model.compile_fn(
        model.replace_rvs_by_values([compiled.logp[0], eta]), mode=interpreted, point_fn=True,
    )(point)  # fmt: skip
    assert np.ptp(eta) > 0.01
    p = expit(eta[0])
    expected = np.log(binom.cdf(49, 400, p) - binom.cdf(45, 400, p))
    np.testing.assert_allclose(logp, expected, rtol=1e-4)
