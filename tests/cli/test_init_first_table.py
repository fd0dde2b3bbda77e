"""The bundled table: what it holds, and that each number has a source."""

from __future__ import annotations

import pytest

from attrition.data.intake import read_panel
from attrition.estimation.plan import read_plan


@pytest.fixture
def panel_and_intake(shell, tmp_path):
    assert shell("init", "first-table", tmp_path / "start").code == 0
    plan = read_plan(tmp_path / "start" / "plan.toml")
    return read_panel(plan.panel_spec(), plan.folder)


def test_everything_read_is_used(panel_and_intake):
    _, intake = panel_and_intake
    assert intake.counts == {"read": 33, "used": 33, "unused": 0, "excluded": 0, "dropped": 0}
    assert not intake.warnings


def test_published_figures(panel_and_intake):
    """Typed from the sources that the table names."""
    panel, _ = panel_and_intake
    found = {(one.jurisdiction, one.period, one.stage): one.count for one in panel.statements}
    assert found["US-AL", "2018", "referral"] == 2549
    assert found["US-AL", "2018", "investigation"] == 255
    assert found["US-AL", "2018", "arrest"] == 75
    assert found["CZ", "2023", "referral"] == 23832
    assert found["US-MO-SW", "2017", "arrest"] == 20
    assert ("US-MO-SW", "2017", "investigation") not in found


def test_every_number_has_a_source_that_can_be_opened(panel_and_intake):
    panel, intake = panel_and_intake
    sources = {source["source_id"]: source for source in intake.sources}
    assert {one.source_id for one in panel.statements} == set(sources)
    for source in sources.values():
        assert source["url"].startswith("http")
        assert source["title"]
        assert source["publisher"]


def test_steps_are_ratios_because_units_change(panel_and_intake):
    panel, _ = panel_and_intake
    assert [step.kind for step in panel.funnel.steps] == ["ratio", "ratio"]


def test_only_the_years_dated_by_outcome_are_on_the_period_clock(panel_and_intake):
    panel, _ = panel_and_intake
    assert {one.jurisdiction for one in panel.statements if one.clock == "period"} == {"CZ"}
