"""The bundled plan of what becomes of a report at NCMEC: its numbers follow from the published ones."""

from __future__ import annotations

import csv
import re
from importlib.resources import files

import pytest

from attrition.data import evidence
from attrition.data.intake import read_panel
from attrition.estimation.plan import read_plan

CLASSES = ("US-ICAC:all task forces", "US:local agencies", "US:federal agencies", "XX:non-US agencies")
YEARS = ("2020", "2021", "2022", "2023")


@pytest.fixture
def panel_and_intake(shell, tmp_path):
    assert shell("init", "routing", tmp_path / "start").code == 0
    plan = read_plan(tmp_path / "start" / "plan.toml")
    return read_panel(plan.panel_spec(), plan.folder)


@pytest.fixture
def published():
    """Counts of all offenses of a calendar year: by place, stage and year, the first in the table."""
    text = (files(evidence) / "public_counts.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str, str], int] = {}
    for row in csv.DictReader(text.splitlines()):
        year = row["period_start"][:4]
        whole = (row["period_start"], row["period_end"]) == (f"{year}-01-01", f"{year}-12-31")
        if whole and row["offense"] == "all" and row["relation"] == "exact" and row["clock"] == "period":
            found.setdefault((row["jurisdiction"], row["stage"], year), int(row["count"]))
    return found


def test_every_number_is_used(panel_and_intake):
    _, intake = panel_and_intake
    assert intake.counts == {"read": 16, "used": 16, "unused": 0, "excluded": 0, "dropped": 0}
    assert not intake.warnings
    assert {source["source_id"] for source in intake.sources} == {
        "ncmec_ctl_2022", "ncmec_ojjdp_2022", "ncmec_ojjdp_2023",
    }  # fmt: skip


def test_the_derived_numbers_are_sums_and_differences_of_published_ones(panel_and_intake, published):
    panel, _ = panel_and_intake
    found = {(s.stage, s.period): s for s in panel.statements}
    for year in YEARS:
        reports = published["XX:worldwide", "report", year]
        passed = {
            stage: [published[place, stage, year] for place in CLASSES]
            for stage in ("referral", "informational")
        }
        assert found["report", year].count == reports
        assert found["located", year].count == reports - published["XX:unknown location", "report", year]
        assert found["available", year].count == sum(map(sum, passed.values()))
        assert found["referral", year].count == sum(passed["referral"])
        named = [int(n) for n in re.findall(r"\d+", found["available", year].note)]
        assert named == passed["referral"] + passed["informational"]


def test_only_the_step_between_units_is_a_ratio(panel_and_intake):
    panel, _ = panel_and_intake
    assert {step.name: step.kind for step in panel.funnel.steps} == {
        "report-located": "probability", "located-available": "ratio", "available-referral": "probability",
    }  # fmt: skip


def test_published_figures(panel_and_intake):
    """Typed from the reports to the committees on appropriations."""
    panel, _ = panel_and_intake
    found = {(s.stage, s.period): s.count for s in panel.statements}
    assert found["report", "2023"] == 36210368
    assert found["located", "2023"] == 34841964
    assert found["referral", "2020"] == 10048818
