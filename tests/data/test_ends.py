"""The ends of the period axis, years that are not calendar years, roles, and members of places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from attrition.data.inputs import AxesSpec, IntakeSpec, PanelSpec

if TYPE_CHECKING:
    from .conftest import Bench

WIDE = "period,referral,investigation,arrest\n"
LONG = "jurisdiction,period_start,period_end,offense,stage,relation,count,origin,clock,funnel_role\n"


def axes(**keys: Any) -> dict[str, Any]:
    return {"axes": {"period": "year", **keys}}


def test_the_axis_reaches_from_one_end_to_the_other_whatever_the_data_hold(bench: Bench) -> None:
    text = WIDE + "2014,9,3,1\n2016,9,3,1\n2030,9,,\n"
    panel, intake = bench.read(text, axes(**{"from": 2015, "to": "2018"}))
    assert panel.axes.period.leaves == ("2015", "2016", "2017", "2018")
    assert {s.period for s in panel.statements} == {"2016"}
    outside = [r.reason for r in intake.records if r.status == "unused"]
    assert outside == [
        f"the period {year} lies outside the period axis, 2015 to 2018" for year in (2014,) * 3 + (2030,)
    ]


def test_one_end_leaves_the_other_to_the_data(bench: Bench) -> None:
    text = WIDE + "2014,9,3,1\n2016,9,3,1\n"
    assert bench.read(text, axes(**{"from": "2012"}))[0].axes.period.leaves[0] == "2012"
    assert bench.read(text, axes(**{"to": "2015"}))[0].axes.period.leaves == ("2014", "2015")


def test_quarters_as_ends(bench: Bench) -> None:
    text = WIDE + "2024Q1,9,3,1\n2024Q3,9,3,1\n2023,9,3,1\n"
    panel, intake = bench.read(text, {"axes": {"from": "2024Q2", "to": "2025Q1"}})
    assert panel.axes.period.leaves == ("2024Q2", "2024Q3", "2024Q4", "2025Q1")
    assert intake.counts["used"] == 3
    assert all("outside the period axis" in r.reason for r in intake.records if r.status == "unused")


def test_a_span_over_the_whole_axis_is_the_root(bench: Bench) -> None:
    text = LONG + "N,2020-01-01,2021-12-31,all,referral,exact,9,referred_only,period,use\n"
    long = {"inputs": [{"file": "data.csv", "form": "long"}]}
    panel, _ = bench.read(text, long | axes(**{"from": 2020, "to": 2021}))
    assert panel.statements[0].period == "all"
    assert not panel.statements[0].shifted


def test_twelve_months_that_are_no_calendar_year_are_marked(bench: Bench) -> None:
    fiscal = "N,2023-10-01,2024-09-30,all,{},exact,9,referred_only,period,use\n"
    early = "N,2022-10-01,2023-09-30,all,arrest,exact,9,referred_only,period,use\n"
    plain = "N,2024-01-01,2024-12-31,all,investigation,exact,9,referred_only,period,use\n"
    text = LONG + fiscal.format("referral") + plain + early
    long = {"inputs": [{"file": "data.csv", "form": "long"}]}
    panel, intake = bench.read(text, long | axes(**{"from": 2024, "to": 2024}))
    assert {s.stage: (s.period, s.shifted) for s in panel.statements} == {
        "referral": ("2024", True), "investigation": ("2024", False),
    }  # fmt: skip
    assert [entry["shifted"] for entry in intake.to_dict()["statements"]] == [True, False, False]
    assert "2022-10-01..2023-09-30 lies outside" in intake.records[2].reason


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"from": 2020, "to": 2019}, "lies after"),
        ({"from": "20"}, "write a year"),
        ({"to": "all"}, "write a year"),
        ({"from": "2020Q1", "period": "year"}, "cannot end an axis of years"),
        ({"form": "2020"}, "Extra inputs"),
    ],
)
def test_faulty_ends_are_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AxesSpec.model_validate(keys)


def test_axes_are_written_as_they_are_read() -> None:
    spec = AxesSpec.model_validate({"from": 2015, "to": "2025", "period": "year", "remainder": True})
    assert spec.model_dump()["from"] == "2015"
    assert AxesSpec.model_validate(spec.model_dump()) == spec
    base = {"funnel": {"stages": ["a", "b"]}, "inputs": [{"file": "x.csv"}], "axes": spec}
    panel = PanelSpec.model_validate(base)
    assert PanelSpec.model_validate_json(panel.model_dump_json()) == panel


def test_only_named_roles_are_fitted_and_context_never(bench: Bench) -> None:
    row = "N,2024-01-01,2024-12-31,all,{},exact,{},referred_only,period,{}\n"
    text = LONG + row.format("referral", 9, "use") + row.format("arrest", 3, "doubtful")
    text += row.format("investigation", 4.5, "context")
    long = {"inputs": [{"file": "data.csv", "form": "long"}]}
    panel, intake = bench.read(text, long)
    assert [s.stage for s in panel.statements] == ["referral"]
    assert [r.reason for r in intake.records[1:]] == ["its role is doubtful", "its role is context"]
    panel, _ = bench.read(text, long | {"roles": ["use", "doubtful"]})
    assert [s.stage for s in panel.statements] == ["referral", "arrest"]
    for model, data in ((IntakeSpec, {"roles": ["context"]}), (IntakeSpec, {"roles": []})):
        with pytest.raises(ValidationError):
            model.model_validate(data)


def test_a_doubtful_row_that_is_fitted_must_be_a_whole_number(bench: Bench) -> None:
    text = LONG + "N,2024-01-01,2024-12-31,all,arrest,exact,3.5,referred_only,period,doubtful\n"
    sections = {"inputs": [{"file": "data.csv", "form": "long"}], "roles": ["use", "doubtful"]}
    assert "fraction in a count" in bench.faults(text, sections)[0]


def test_members_of_a_place(bench: Bench) -> None:
    bench.write("places.csv", "name,label,parent,members\nUS,,,61\nUS-NE,Nebraska,US,\n")
    text = "jurisdiction," + WIDE + "US-NE,2024,9,3,1\n"
    panel, _ = bench.read(text, {"axes": {"jurisdiction": "places.csv"}})
    assert {node.name: node.members for node in panel.axes.jurisdiction.nodes} == {
        "all": 1, "US": 61, "US-NE": 1,
    }  # fmt: skip
    bench.write("places.csv", "name,label,parent,members\nUS,,,0\nUS-NE,Nebraska,US,many\n")
    lines = bench.faults(text, {"axes": {"jurisdiction": "places.csv"}})
    assert [line.split(";")[0] for line in lines] == [
        f"places.csv, row {row}, column members: not a number of parts" for row in (2, 3)
    ]


def test_filters_by_the_confidence_of_the_source(bench: Bench) -> None:
    bench.write("sources.csv", "source_id,confidence\na,primary\nb,secondary\n")
    text = "source_id," + WIDE + "a,2023,9,3,1\nb,2024,9,3,1\n"
    sections = {
        "sources": {"file": "sources.csv"},
        "excludes": [{"confidence": ["secondary", "seed"], "reason": "primary only"}],
        "prefers": [{"confidence": "primary", "reason": "at first hand"}],
    }
    panel, intake = bench.read(text, sections)
    assert {(s.source_id, s.preferred) for s in panel.statements} == {("a", "at first hand")}
    assert intake.counts["excluded"] == 3
    assert [source["confidence"] for source in intake.sources] == ["primary", "secondary"]
    bench.write("sources.csv", "source_id,title\na,A\nb,B\n")
    assert "filter by an unknown column; found 'confidence'" in bench.faults(text, sections)[0]
