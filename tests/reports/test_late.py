"""Outcomes that are still arriving: what was assigned so far beside what is expected."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from attrition.estimation.store.runs import Run
from attrition.reports.document import Paragraph, Table
from attrition.reports.sections import late
from attrition.reports.view import View

from .world import World, write_world


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A stored world, with half of every finite rate of a period assigned so far."""
    run = Run(write_world(tmp_path, World()))
    rows = run.estimates
    mine = rows[(rows["quantity"] == "rate") & (rows["basis"] == "finite") & (rows["period"] != "all")]
    young = mine.assign(
        quantity="so_far", median=mine["median"] / 2, quantity_id="so_far|" + mine["quantity_id"]
    )
    run.__dict__["estimates"] = pd.concat([rows, young], ignore_index=True)
    return run


def test_nothing_is_said_without_the_kind(run: Run) -> None:
    assert late.build(View(run)) is None


def test_each_period_has_both(run: Run) -> None:
    run.blueprint["kinds"].append({"kind": "immature", "settings": {"horizon": 3}})
    section = late.build(View(run))
    assert section is not None
    words, table = section.blocks
    assert isinstance(words, Paragraph)
    assert "during 3 periods" in words.text
    assert isinstance(table, Table)
    assert len(table.data) > 0
    pd.testing.assert_series_equal(table.data["so_far"], table.data["median"] / 2, check_names=False)


def test_ever_stands_beside_it_as_an_extrapolation(run: Run) -> None:
    rows = run.estimates
    mine = rows[
        (rows["quantity"] == "rate") & (rows["basis"] == "superpopulation") & (rows["period"] != "all")
    ]
    ever = mine.assign(
        quantity="ever", median=mine["median"] * 1.1, quantity_id="ever|" + mine["quantity_id"]
    )
    run.__dict__["estimates"] = pd.concat([rows, ever], ignore_index=True)
    run.blueprint["kinds"].append({"kind": "immature", "settings": {"horizon": 3, "tail": [0.2, 0.8]}})
    section = late.build(View(run))
    assert section is not None
    words, table = section.blocks
    assert isinstance(words, Paragraph)
    assert "each period holding 0.2 to 0.8 (90 %) of the one before" in words.text
    assert isinstance(table, Table)
    joined = table.data.merge(mine, on=["step", "period"], suffixes=("", "_rate"))
    at_answer = joined[(joined["offense"] == "all") & (joined["jurisdiction"] == "all")]
    pd.testing.assert_series_equal(at_answer["ever"], at_answer["median_rate"] * 1.1, check_names=False)
