"""The bundled evidence: what its plan reads, what it leaves out, and that nothing is lost on the way."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from attrition.cli import starts
from attrition.data.intake import read_panel
from attrition.estimation.plan import read_plan

NETWORK = "US-ICAC:all task forces"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    starts.write_start(starts.public_evidence(), folder)
    return folder


@pytest.fixture(scope="module")
def read(folder):
    plan = read_plan(folder / "plan.toml")
    return read_panel(plan.panel_spec(), plan.folder)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_command_writes_the_plan_and_all_it_names(shell, tmp_path):
    answer = shell("init", "public-evidence", tmp_path / "start")
    assert answer.code == 0
    assert {path.name for path in (tmp_path / "start").iterdir()} == {
        "plan.toml", "public_counts.csv", "sources.csv", "offenses.csv", "jurisdictions.csv", "units.csv",
    }  # fmt: skip


def test_every_number_is_accounted_for(folder, read):
    panel, intake = read
    lines = rows(folder / "public_counts.csv")
    blank = sum(not (r["count"] or r["count_low"]) for r in lines)
    assert intake.counts["read"] == len(lines) - blank == 1428
    assert intake.counts["read"] == sum(intake.counts[s] for s in ("used", "unused", "excluded", "dropped"))
    assert intake.counts["used"] == len(panel.statements) + len(panel.mix) == 355
    assert all(record.reason for record in intake.records if record.status != "used")
    assert not intake.warnings
    assert not intake.suspects


def test_published_figures(read):
    """Typed from the sources that the table names."""
    panel, _ = read
    found = {(s.jurisdiction, s.period, s.stage, s.offense): s for s in panel.statements}
    assert found["US-AL", "2018", "referral", "all"].count == 2549
    assert found["US-AL", "2018", "arrest", "all"].origin == "referred_only"
    assert found["CZ", "2023", "investigation", "all"].unit_class == "person"
    assert found["US-NE", "2017", "investigation", "all"].unit_class == "case"
    assert found["US-NE", "2017", "investigation", "all"].origin == "all_sources"
    assert found[NETWORK, "2023", "referral", "all"].count == 670491
    assert found["US-SD", "2025", "arrest", "child_molestation"].count == 9
    mix = {(s.offense, s.period): s.count for s in panel.mix}
    assert mix["csam", "2022"] == 31901234
    assert mix["online_enticement", "2023"] == 186819


def test_the_mix_is_whole_in_the_years_published_by_category(read):
    """NCMEC's eight categories add up to its total."""
    panel, _ = read
    for year in ("2020", "2021", "2022", "2023"):
        counts = {s.offense: s.count for s in panel.mix if s.period == year}
        assert len(counts) == 9
        assert counts.pop("all") == sum(counts.values())


def test_all_steps_are_ratios_of_units_that_change(read):
    panel, _ = read
    assert [step.kind for step in panel.funnel.steps] == ["ratio"] * 4
    for s in panel.statements:
        assert s.unit_class in panel.funnel.classes(s.stage)


def test_fiscal_years_are_shifted_and_the_axis_is_of_eleven_years(read):
    panel, _ = read
    assert panel.axes.period.leaves == tuple(map(str, range(2015, 2026)))
    shifted = {(s.jurisdiction, s.period) for s in panel.statements if s.shifted}
    assert {(NETWORK, "2024"), ("US-ID", "2020"), ("AU", "2023"), ("CA-SK", "2022")} <= shifted
    assert not any(place == "CZ" for place, _ in shifted)


def test_places_hang_below_what_contains_them(folder, read):
    panel, _ = read
    axis = panel.axes.jurisdiction
    lines = [
        r for r in rows(folder / "public_counts.csv") if r["jurisdiction_level"] not in ("agency", "world")
    ]
    for r in lines:
        place, container = r["jurisdiction"], r["part_of"] or "all"
        if container == "US" and place != NETWORK:
            container = NETWORK
        assert axis.by_name[place].parent == container, place
        assert axis.label(place) != place
    containers = {axis.by_name[r["jurisdiction"]].parent for r in lines}
    assert set(axis.by_name) == {r["jurisdiction"] for r in lines} | containers
    assert axis.by_name[NETWORK].members == 61
    assert axis.by_name["IT"].members == 20


def test_what_is_no_place_or_no_count_is_excluded(read):
    panel, intake = read
    reasons = {r.statement.row: (r.status, r.reason) for r in intake.records}
    used = {s.jurisdiction for s in panel.statements}
    assert not any(place.startswith("XX:") or place in ("US:HSI", "PL:CBZC") for place in used)
    assert not {"generative_ai", "online_enticement_undercover"} & {s.offense for s in panel.statements}
    for row, said in ((82, "cases of every origin"), (1383, "covert work"), (1395, "so far in the year")):
        assert reasons[row][0] == "excluded"
        assert said in reasons[row][1]
    assert reasons[222] == (
        "unused",
        "it counts 'reports investigated' (class report), while the stage investigation counts case or person",
    )
    for record in intake.records:
        if record.statement.unit_class in ("rate", "charge"):
            assert record.status == "excluded"


def test_every_statement_used_has_a_source_with_its_confidence(read):
    panel, intake = read
    known = {source["source_id"]: source for source in intake.sources}
    for s in (*panel.statements, *panel.mix):
        assert known[s.source_id]["confidence"] in ("primary", "secondary")
        assert known[s.source_id]["url"].startswith("http")


def test_every_scenario_reads_and_moves_what_it_says(folder, read):
    plan = read_plan(folder / "plan.toml")
    found = {}
    for scenario in plan.scenario:
        other = read_plan(folder / "plan.toml", scenario.set)
        found[scenario.name] = read_panel(other.panel_spec(), other.folder)[1].counts["used"]
    used = read[1].counts["used"]
    assert found.pop("doubtful rows in") > used
    assert found.pop("secondary sources out") < used / 2
    assert len(found) == 8
    assert set(found.values()) == {used}


def test_the_command_that_shows_what_is_settled(shell, folder):
    """As the guide tells it: with no preference left, every pair is named at once."""
    settings = ("--set", 'intake.roles=["use", "doubtful"]', "--set", "prefer=[]")
    answer = shell("validate", folder, *settings)
    assert (answer.code, answer.out) == (2, "")
    lines = answer.err.splitlines()
    assert len(lines) == 5
    for pair in ((253, 258), (325, 1364), (616, 1328), (759, 760), (881, 886)):
        where = " and ".join(f"public_counts.csv, row {row}" for row in pair)
        assert (
            sum(line.startswith(f"{where}, column count: two rows disagree; found ") for line in lines) == 1
        )
    guide = (Path(__file__).parents[2] / "docs" / "public-evidence.md").read_text(encoding="utf-8")
    for line in lines:
        rows, sources = re.findall(r"row (\d+)", line), re.findall(r"\[(\w+)\]", line)[:2]
        assert f"| {', '.join(rows)} | {', '.join(f'`{source}`' for source in sources)} |" in guide
    assert " ".join(lines[0].split()) in " ".join(guide.split())
