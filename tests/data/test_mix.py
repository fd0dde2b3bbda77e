"""The offense mix: which counts belong to it, that they stand apart, and that they are accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from attrition.data.inputs import PanelSpec

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = (
    "jurisdiction,period_start,period_end,offense,stage,relation,count,origin,clock,source_id,funnel_role\n"
)
OWN = "N,2023-01-01,2024-12-31,all,referral,exact,90,referred_only,period,a,use\n"
TREE = "name,label,parent\npossession,,\nenticement,,\n"
PLACES = "name,label,parent\nN,North,\n"
SECTIONS: dict[str, Any] = {
    "inputs": [{"file": "data.csv", "form": "long"}],
    "axes": {
        "offense": "offenses.csv",
        "jurisdiction": "places.csv",
        "period": "year",
        "from": "2023",
        "to": "2024",
    },
    "mix": {"stage": "report", "jurisdiction": "world"},
}


def world(*rows: str) -> str:
    """Rows of the world: ``year,offense,relation,count[,source[,role]]``, beside one of North."""
    lines = []
    for row in rows:
        year, offense, relation, count, *rest = row.split(",")
        source, role = (rest + ["a", "use"][len(rest) :])[:2]
        lines.append(
            f"world,{year}-01-01,{year}-12-31,{offense},report,{relation},{count},referred_only,period,{source},{role}"
        )
    return HEADER + OWN + "\n".join(lines) + "\n"


@pytest.fixture
def files(bench: Bench) -> Bench:
    bench.write("offenses.csv", TREE)
    bench.write("places.csv", PLACES)
    return bench


def test_the_mix_stands_apart_and_is_used(files: Bench) -> None:
    text = world("2023,possession,exact,900", "2023,enticement,approx,100", "2024,possession,exact,950")
    panel, intake = files.read(text, SECTIONS)
    assert [(s.offense, s.period, s.count) for s in panel.mix] == [
        ("possession", "2023", 900), ("enticement", "2023", 100), ("possession", "2024", 950),
    ]  # fmt: skip
    assert {s.stage for s in panel.statements} == {"referral"}
    assert "world" not in panel.axes.jurisdiction.by_name
    assert [(r.status, r.reason) for r in intake.records[1:]] == [("used", "the offense mix")] * 3
    assert intake.counts == {"read": 4, "used": 4, "unused": 0, "excluded": 0, "dropped": 0}


def test_decisions_may_speak_of_the_mix(files: Bench) -> None:
    panel, intake = files.read(world("2023,possession,exact,900"), SECTIONS)
    decided = intake.with_decisions({panel.mix[0].id: ("unused", "no year is whole", (), ())})
    assert decided.counts["unused"] == 1
    assert decided.records[1].reason == "the offense mix; no year is whole"


def test_the_mix_changes_what_the_panel_is(files: Bench) -> None:
    one, _ = files.read(world("2023,possession,exact,900"), SECTIONS)
    two, _ = files.read(world("2023,possession,exact,901"), SECTIONS)
    assert one.digest() != two.digest()


def test_what_cannot_tell_the_mix_is_unused_with_the_reason(files: Bench) -> None:
    half = "world,2024-01-01,2024-06-30,enticement,report,exact,40,referred_only,period,a,use\n"
    text = world(
        "2023,possession,exact,900",
        "2023,enticement,at_least,100",
        "2022,possession,exact,800",
        "2024,possession,exact,1,a,doubtful",
    )
    panel, intake = files.read(text + half, SECTIONS)
    assert len(panel.mix) == 1
    reasons = [r.reason for r in intake.records if r.status == "unused"]
    assert "needs an exact or an approximate count, not at_least" in reasons[0]
    assert "lies outside the period axis, 2023 to 2024" in reasons[1]
    assert reasons[2] == "its role is doubtful"
    assert "is no node of the year axis" in reasons[3]
    assert intake.counts["read"] == sum(intake.counts[s] for s in ("used", "unused", "excluded", "dropped"))


def test_the_same_stage_elsewhere_and_other_stages_there_are_no_mix(files: Bench) -> None:
    other = world("2023,possession,exact,900").replace("world,2023", "N,2023")
    panel, intake = files.read(other, SECTIONS)
    assert not panel.mix
    assert intake.records[1].reason == "the stage report is not in the funnel"
    assert "[mix] stage report at world matches no number" in intake.warnings


def test_repeats_give_way_and_contradictions_are_faults(files: Bench) -> None:
    repeat = world(
        "2023,possession,exact,900", "2023,possession,approx,1000,b", "2023,possession,exact,900,c"
    )
    panel, intake = files.read(repeat, SECTIONS)
    assert [(s.count, s.source_id) for s in panel.mix] == [(900, "a")]
    assert [r.status for r in intake.records[1:]] == ["used", "dropped", "dropped"]
    assert intake.records[2].others == (panel.mix[0].id,)
    clash = world("2023,possession,exact,900", "2023,possession,exact,901,b")
    (line,) = files.faults(clash, SECTIONS)
    assert "two rows disagree about the offense mix" in line
    assert "row 3 and data.csv, row 4" in line
    settled = SECTIONS | {"prefers": [{"source_id": "b", "reason": "later"}]}
    panel, _ = files.read(clash, settled)
    assert [s.count for s in panel.mix] == [901]


def test_an_unknown_offense_of_the_mix_is_a_fault(files: Bench) -> None:
    (line,) = files.faults(world("2023,posession,exact,900"), SECTIONS)
    assert "unknown offense; found 'posession'" in line


def test_without_an_offense_file_the_mix_names_offenses(files: Bench) -> None:
    sections = SECTIONS | {"axes": SECTIONS["axes"] | {"offense": None}}
    panel, _ = files.read(world("2023,grooming,exact,900", "2023,threats,exact,9"), sections)
    assert panel.axes.offense.leaves == ("grooming", "threats")


def test_a_stage_of_the_funnel_is_no_mix() -> None:
    sections = {"funnel": {"stages": ["referral", "arrest"]}, "inputs": [{"file": "a.csv"}]}
    with pytest.raises(ValidationError, match="stage of the funnel"):
        PanelSpec.model_validate(sections | {"mix": {"stage": "referral", "jurisdiction": "N"}})
