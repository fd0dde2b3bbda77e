"""Scenarios of what is done with the draws: the numbers of a fit of their own, without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from attrition.estimation import verbs
from attrition.estimation.kept import fit_of
from attrition.estimation.plan import read_plan
from attrition.estimation.sensitivity.compare import Comparison
from attrition.estimation.sensitivity.likeness import obstacle

from ..eight import PLACES, write_eight

MORE = """chains = 2
[[scenario]]
name = "silent places do worse"
reason = "they may"
set = {"assume.silent_shift" = -1.0}
[[scenario]]
name = "surer"
reason = "fewer sentences"
set = {"claims.probability" = 0.99}
[[scenario]]
name = "both"
reason = "a fit"
set = {"claims.probability" = 0.99, "effect.+" = {kind = "time"}}
"""
NAMES = ("silent places do worse", "surer")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight places, of which the last publishes no arrests."""
    return write_eight(tmp_path_factory.mktemp("silent"), MORE, silent=PLACES[-1:])


@pytest.fixture(scope="module")
def varied(plan: Path) -> Comparison:
    with pytest.MonkeyPatch.context() as patch:
        verbs.estimate(plan, progress=False)
        patch.setattr("attrition.estimation.fitting.fit_blueprint", _never)
        return verbs.vary(plan, NAMES, progress=False)


def _never(*_: object) -> None:
    raise AssertionError("it was fitted")


def test_the_numbers_are_those_of_a_fit(plan: Path, varied: Comparison, tmp_path: Path) -> None:
    name = NAMES[0]
    [found] = [one.run for one in varied.varied if one.name == name]
    patches = next(one.set for one in read_plan(plan).scenario if one.name == name)
    fitted = verbs.estimate(plan, patches=patches, runs=tmp_path, progress=False)
    pd.testing.assert_frame_equal(found.estimates, fitted.estimates, check_exact=True)
    assert found.claims == fitted.claims
    assert found.identity == fitted.identity
    told = (run.manifest["diagnostics"] for run in (found, fitted))
    assert next(told) == next(told)
    assert (found.manifest["drawn_by"], fitted.manifest["drawn_by"]) == (varied.base.identity, "")


def test_what_a_scenario_does_is_seen(varied: Comparison) -> None:
    rows = varied.table[varied.table["scenario"] == NAMES[0]].set_index("quantity_id")
    whole = rows[(rows["jurisdiction"] == "all") & (rows["quantity"] == "rate") & rows["shift"].notna()]
    heard = rows[(rows["jurisdiction"] == PLACES[0]) & rows["shift"].notna()]
    assert len(whole)
    assert (whole["shift"] < -0.1).all()
    assert len(heard)
    assert (heard["shift"] == 0).all()


def test_the_same_draws_differ_by_no_simulation(varied: Comparison) -> None:
    assert varied.noise is None


def test_the_route_is_told_before_and_after(plan: Path, varied: Comparison) -> None:
    told = {one["name"]: one["route"] for one in verbs.scenarios(plan).records()}
    assert told == {NAMES[0]: "re-evaluated", NAMES[1]: "re-evaluated", "both": "refitted"}
    assert [entry["route"] for entry in varied.base.scenarios] == ["re-evaluated"] * 2
    again = verbs.vary(plan, NAMES, progress=False)
    assert [one.route for one in again.varied] == ["re-evaluated"] * 2


SPREAD = {"kind.nonreporting.spread": 0.5}
PERIODS = {"kind.nonreporting.periods": True}


@pytest.mark.parametrize(
    ("base", "changed", "why"),
    [
        pytest.param({}, PERIODS, "", id="nothing is asked of who is silent"),
        pytest.param({"assume.silent_shift": 1.0}, PERIODS, "other cells are silent", id="shifted"),
        pytest.param(
            SPREAD, {"kind.nonreporting.spread": 2.0}, "what its kinds add", id="another prior of the shift"
        ),
        pytest.param(SPREAD, PERIODS, "what its kinds add", id="other places share it"),
    ],
)
def test_settings_that_no_statement_carries_are_looked_at(
    plan: Path, base: Any, changed: Any, why: str
) -> None:
    data = plan.with_name("data.csv")
    lines = data.read_text().splitlines()
    # A period without outcomes of a place that has them in others.
    gap = plan.with_name("gap.csv")
    gap.write_text(
        "\n".join(x.rsplit(",", 1)[0] + "," if f",{PLACES[0]},2023," in x else x for x in lines) + "\n"
    )
    base = {**base, "input.0.file": "gap.csv"}
    one, two = (verbs.bind_plan(read_plan(plan, patches)) for patches in (base, base | changed))
    said = obstacle(one, two)
    assert said.startswith(why) if why else not said


def test_a_run_that_keeps_too_little_says_so(plan: Path, varied: Comparison) -> None:
    blueprint = verbs.bind_plan(read_plan(plan, {"effect.+": {"kind": "cell"}})).blueprint
    said = fit_of(varied.base, blueprint)
    assert isinstance(said, str)
    assert "too large to keep all draws of effect_cell" in said
