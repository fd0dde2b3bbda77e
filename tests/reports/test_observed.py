"""Raw rates and the map of what is known, against slow plain counting."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from attrition.estimation.store.runs import Run
from attrition.reports.observed import STATES
from attrition.reports.sections.jurisdictions import compared
from attrition.reports.sections.known import counted
from attrition.reports.view import View

from .conftest import Written
from .world import World, write_world


@pytest.mark.parametrize(("source", "target"), [(0, 1), (1, 2), (0, 2)])
def test_raw_rates_by_jurisdiction_equal_a_plain_count(written: Written, source: int, target: int) -> None:
    stages = written.view.stages
    known: dict[tuple[str, str, str, str], float] = {}
    for line in written.run.intake["statements"]:
        if line["status"] == "used" and line["relation"] == "exact":
            known[line["stage"], line["offense"], line["jurisdiction"], line["period"]] = line["count"]
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for place in written.view.axes["jurisdiction"].leaves:
        for period in written.view.axes["period"].leaves:
            whole = []
            for stage in (target, source):
                leaves = [
                    known.get((stages[stage], o, place, period)) for o in written.view.axes["offense"].leaves
                ]
                stated = known.get((stages[stage], "all", place, period))
                whole.append(sum(leaves) if None not in leaves else stated)  # type: ignore[arg-type]
            if None not in whole:
                sums[place][0] += whole[0]  # type: ignore[operator]
                sums[place][1] += whole[1]  # type: ignore[operator]
    raw = written.view.observed.raw(source, target, "jurisdiction").set_index("node")
    assert set(raw.index) == set(sums)
    assert len(sums) == 3
    for place, (y, n) in sums.items():
        assert raw.loc[place, "numerator"] == y
        assert raw.loc[place, "denominator"] == n
        assert raw.loc[place, "raw"] == pytest.approx(y / n)


def test_raw_rates_by_offense_and_period_add_up_to_the_same_cases(written: Written) -> None:
    by_offense = written.view.observed.raw(0, 1, "offense")
    by_place = written.view.observed.raw(0, 1, "jurisdiction").set_index("node")
    exact = by_place.loc[["J00", "J01"]]  # the third reports totals, which no offense can claim
    assert by_offense["numerator"].sum() == exact["numerator"].sum()
    assert by_offense["denominator"].sum() == exact["denominator"].sum()
    by_period = written.view.observed.raw(0, 1, "period")
    assert by_period["numerator"].sum() == by_place["numerator"].sum()
    # Arrests of the fourth are suppressed: the sum over the others is not that of the period or of the offense.
    assert written.view.observed.raw(0, 2, "period").empty
    assert written.view.observed.raw(0, 2, "offense").empty


def _suppressed(tmp_path: Path, offense: str) -> Run:
    """A run in which one count of a place with counts is below five: of an offense, or over all of them."""
    run = Run(write_world(tmp_path, World()))
    hit = next(
        line
        for line in run.intake["statements"]
        if (line["stage"], line["jurisdiction"], line["offense"]) == ("arrest", _PLACE[offense], offense)
    )
    hit.update(relation="suppressed", count=None, low=1, high=4)
    return run


_PLACE = {"offense0": "J00", "all": "J02"}


@pytest.mark.parametrize("offense", list(_PLACE))
def test_a_sum_without_its_suppressed_counts_is_no_raw_rate(tmp_path: Path, offense: str) -> None:
    view = View(_suppressed(tmp_path, offense))
    raw = view.observed.raw(0, 2, "jurisdiction")
    assert _PLACE[offense] not in set(raw["node"])
    assert len(raw) == 2
    pairs = view.raw_pairs
    assert _PLACE[offense] not in set(pairs.loc[pairs["step"] == "referral-arrest", "jurisdiction"])
    rows = compared(view, view.step["referral-arrest"]).set_index("jurisdiction")
    assert pd.isna(rows.loc[_PLACE[offense], "raw"])
    assert len(view.observed.raw(0, 1, "jurisdiction")) == 3


def test_states_are_those_the_world_was_made_with(written: Written) -> None:
    states = written.view.observed.states
    names = [[STATES[states[stage, j, 0]] for j in range(5)] for stage in range(3)]
    assert names == [
        ["exact"] * 5,
        ["exact", "exact", "total only", "skipped", "not reported"],
        ["exact", "exact", "total only", "bounded", "not reported"],
    ]
    assert (states == states[:, :, :1]).all()
    table = counted(written.view)
    assert table.groupby("stage")["cells"].sum().tolist() == [20, 20, 20]
    assert table.groupby("stage")["share"].sum().tolist() == pytest.approx([1, 1, 1])


def test_a_total_over_jurisdictions_covers_the_cells_below_it(tmp_path: Path) -> None:
    folder = write_world(tmp_path, World())
    run = Run(folder)
    lines = [line for line in run.intake["statements"] if line["stage"] != "arrest"]
    total = run.intake["statements"][0] | {
        "stage": "arrest",
        "offense": "group",
        "jurisdiction": "all",
        "period": "2024",
    }
    run.intake["statements"] = [*lines, total]
    states = View(run).observed.states
    assert (states[2] == STATES.index("total only")).all()


def test_tiers_follow_the_intervals_and_withhold_the_unpublished(written: Written) -> None:
    view = written.view
    for step in view.steps:
        rows = compared(view, step)
        whole = view.rates("jurisdiction")
        whole = whole[(whole["step"] == step.name) & (whole["jurisdiction"] == "all")]
        middle = float(whole["median"].iloc[0])
        assert len(rows) == 5
        for row in rows.to_dict("records"):
            if pd.isna(row["median"]):
                expected = "not published"
            elif row["q05"] > middle:
                expected = "above the whole"
            else:
                expected = "below the whole" if row["q95"] < middle else "not distinguishable from the whole"
            assert row["tier"] == expected
