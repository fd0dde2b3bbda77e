from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from attrition.data.names import ROOT

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = "offense,jurisdiction,period,referral,investigation,arrest\n"
ROWS = HEADER + "csam,US-NE,2024,100,20,5\nenticement,US-NE,2024,50,,1\n"
TREE = "name,label,parent\ncsam,Abuse material,\npossession,Possession,csam\nenticement,,\n"
Look = Callable[..., str]


def test_unknown_names_are_faults_with_a_suggestion(one_fault: Look, bench: Bench) -> None:
    bench.write("offenses.csv", TREE)
    line = one_fault(HEADER + "posession,US-NE,2024,10,2,1\n", {"axes": {"offense": "offenses.csv"}})
    assert line.startswith("data.csv, row 2, column offense: unknown offense; found 'posession'")
    assert "did you mean 'possession'" in line


def test_an_axis_file_gives_labels_order_and_parents(bench: Bench) -> None:
    bench.write("offenses.csv", TREE)
    panel, _ = bench.read(ROWS, {"axes": {"offense": "offenses.csv"}})
    assert panel.axes.offense.leaves == ("possession", "enticement")
    assert panel.axes.offense.label("csam") == "Abuse material"
    assert panel.axes.offense.label("enticement") == "enticement"


def test_excluded_rows_are_listed_and_not_checked(bench: Bench) -> None:
    bench.write("offenses.csv", TREE)
    sections = {
        "axes": {"offense": "offenses.csv"},
        "excludes": [{"offense": "unheard", "stage": ["referral", "arrest"], "reason": "no offense"}],
    }
    panel, intake = bench.read(ROWS + "unheard,US-NE,2024,1,,9\n", sections)
    assert len(panel.statements) == 5
    assert [r.reason for r in intake.records if r.status == "excluded"] == ["no offense"] * 2
    assert intake.counts == {"read": 7, "used": 5, "unused": 0, "excluded": 2, "dropped": 0}


def test_filters_by_own_columns_and_filters_that_miss(bench: Bench) -> None:
    text = "desk,period,referral,investigation,arrest\nnorth,2024,9,3,1\nsouth,2025,9,3,1\n"
    panel, intake = bench.read(
        text, {"excludes": [{"desk": "north", "reason": "closed"}, {"desk": "west", "reason": "gone"}]}
    )
    assert {s.period for s in panel.statements} == {"2025"}
    assert any("[[exclude]] number 2 (gone) matches no number" in w for w in intake.warnings)
    lines = bench.faults(text, {"excludes": [{"dsk": "north", "reason": "closed"}]})
    assert "plan, [[exclude]] number 1: filter by an unknown column; found 'dsk'" in lines[0]
    assert "did you mean 'desk'" in lines[0]


def test_nothing_left_to_use_is_a_fault(one_fault: Look) -> None:
    line = one_fault(ROWS, {"excludes": [{"period": "2024", "reason": "too old"}]})
    assert "no number is used" in line
    assert "5 × too old" in line
    assert "every field is blank" in one_fault(HEADER + "csam,US,2024,,,\n")


def test_a_quarter_on_a_year_axis_is_unused(bench: Bench) -> None:
    panel, intake = bench.read(ROWS + "csam,US-NE,2024Q1,10,,\n", {"axes": {"period": "year"}})
    assert panel.axes.period.leaves == ("2024",)
    assert intake.counts["unused"] == 1
    assert "2024Q1 (91 days) is no node of the year axis" in intake.records[-1].reason


def test_as_of_comes_from_row_source_input_then_today(bench: Bench) -> None:
    bench.write("sources.csv", "source_id,title,published\na,First,2024-02\nb,Second,2023\nunused,Third,\n")
    text = (
        "period,referral,investigation,arrest,source_id,as_of\n"
        "2020,9,,,a,2024-01-15\n2021,9,,,a,\n2022,9,,,b,\n2023,9,,,c,\n"
    )
    sections = {"sources": {"file": "sources.csv"}}
    panel, intake = bench.read(text, sections)
    assert [s.as_of for s in panel.statements] == ["2024-01-15", "2024-02-29", "2023-12-31", "2025-06-01"]
    assert intake.warnings[0].startswith("1 rows have no as-of date")
    assert "sources.csv does not list 1 of 3 sources: c" in intake.warnings[1]
    assert [source["title"] for source in intake.sources] == ["First", "Second"]
    given = {"inputs": [{"file": "data.csv", "as_of": "2024-05"}]}
    panel, intake = bench.read(text, sections | given)
    assert panel.statements[3].as_of == "2024-05-31"
    assert not any("as-of" in warning for warning in intake.warnings)


def test_a_faulty_sources_file_is_named(bench: Bench) -> None:
    bench.write("sources.csv", "source_id,published\na,soon\na,2024\n")
    lines = bench.faults(ROWS, {"sources": {"file": "sources.csv"}})
    assert lines[0].startswith("sources.csv, row 2, column published: not a date; found 'soon'")
    assert lines[1].startswith("sources.csv, row 3, column source_id: source_id repeated")


def test_the_account_has_the_agreed_keys_and_is_plain_json(bench: Bench) -> None:
    _, intake = bench.read(ROWS)
    account = json.loads(json.dumps(intake.to_dict(), allow_nan=False))
    written = intake.written()
    assert {**written, "statements": list(written["statements"])} == intake.to_dict()
    assert list(written) == list(account)
    keys = "inputs counts statements sources suspects warnings not_reported not_applicable"
    assert set(keys.split()) <= account.keys()
    assert {"file", "form", "sha256", "rows", "statements"} <= account["inputs"][0].keys()
    assert account["inputs"][0]["rows"] == 2
    assert account["inputs"][0]["statements"] == len(account["statements"]) == 5
    keys = (
        "id stage offense jurisdiction period relation count low high unit origin clock as_of source_id role "
        "file row note status reason kinds others"
    )
    assert set(keys.split()) <= account["statements"][0].keys()


def test_decisions_change_the_status_and_keep_earlier_reasons(bench: Bench) -> None:
    _, intake = bench.read(ROWS)
    decided = intake.with_decisions(
        {
            "data.csv:2:arrest": ("used", "", (), ("exact",)),
            "data.csv:3:arrest": ("dropped", "repeats another", ("data.csv:2:arrest",), ()),
        }
    )
    assert decided.counts == {"read": 5, "used": 4, "unused": 0, "excluded": 0, "dropped": 1}
    entry = decided.to_dict()["statements"][-1]
    assert (entry["status"], entry["reason"], entry["others"]) == (
        "dropped", "repeats another", ["data.csv:2:arrest"],
    )  # fmt: skip
    assert intake.counts["used"] == 5
    with pytest.raises(KeyError, match="no used statement"):
        intake.with_decisions({"data.csv:9:arrest": ("used", "", (), ())})


def test_the_order_of_rows_does_not_move_the_axes(bench: Bench) -> None:
    lines = ["b,US-NE,2024,9,3,1", "a,US-IA,2023,9,3,1", "a,US-NE,2024,9,3,1"]
    one, _ = bench.read(HEADER + "\n".join(lines) + "\n")
    two, _ = bench.read(HEADER + "\n".join(reversed(lines)) + "\n")
    assert one.axes == two.axes


def test_cells_of_a_total_are_those_below_it(bench: Bench) -> None:
    panel, _ = bench.read(HEADER + "a,US,2024,5,,\nb,US,2024,5,,\nall,US,2024,,,3\n")
    total = panel.by_id["data.csv:4:arrest"]
    assert total.offense == ROOT
    assert panel.cells(total).tolist() == [0, 1]
