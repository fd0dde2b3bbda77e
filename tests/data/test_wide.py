from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from attrition.data.errors import InputError

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = "offense,jurisdiction,period,referral,investigation,arrest\n"
Look = Callable[..., str]


def test_a_row_gives_one_statement_a_stage_and_blank_is_not_zero(bench: Bench) -> None:
    panel, intake = bench.read(HEADER + "csam,US-NE,2024Q3,100,,0\n")
    assert [(s.id, s.count) for s in panel.statements] == [
        ("data.csv:2:referral", 100),
        ("data.csv:2:arrest", 0),
    ]
    assert intake.not_reported == 1
    first = panel.statements[0]
    assert (first.relation, first.origin, first.clock) == ("exact", "referred_only", "cohort")
    assert (first.file, first.row, first.period) == ("data.csv", 2, "2024Q3")
    assert panel.axes.period.leaves == ("2024Q3",)


def test_absent_axes_are_the_root(bench: Bench) -> None:
    panel, _ = bench.read("period,referral,investigation,arrest\n2024,100,20,5\n2025,90,20,5\n")
    assert panel.axes.shape == (1, 1, 2)
    assert {(s.offense, s.jurisdiction) for s in panel.statements} == {("all", "all")}


def test_only_all_gives_the_root_alone(bench: Bench) -> None:
    panel, _ = bench.read(HEADER + "all,rat 1,all,20,4,4\nall,rat 2,all,20,4,1\n")
    assert panel.axes.shape == (1, 2, 1)
    assert panel.axes.offense.leaves == panel.axes.period.leaves == ("all",)


def test_columns_and_values_are_translated(bench: Bench) -> None:
    text = "crime,where,quarter,tips,opened,arrest,coverage\nA,NE,2024Q1,9,3,1,cybertip_only\n"
    given = {
        "file": "data.csv",
        "columns": {
            "offense": "crime",
            "jurisdiction": "where",
            "period": "quarter",
            "referral": "tips",
            "investigation": "opened",
            "origin": "coverage",
        },
        "values": {"origin": {"cybertip_only": "referred_only"}, "jurisdiction": {"NE": "US-NE"}},
    }
    panel, intake = bench.read(text, {"inputs": [given]})
    assert {s.jurisdiction for s in panel.statements} == {"US-NE"}
    assert {s.origin for s in panel.statements} == {"referred_only"}
    assert intake.inputs[0].unread == ()


def test_tokens_keep_the_four_states_apart(bench: Bench) -> None:
    given = {
        "file": "data.csv",
        "tokens": {"<5": "suppressed 1..4", "*": "not reported", "n/a": "not applicable"},
    }
    panel, intake = bench.read(HEADER + "csam,US,2024,100,*,<5\ncsam,GB,2024,10,n/a,0\n", {"inputs": [given]})
    assert (intake.not_reported, intake.not_applicable) == (1, 1)
    arrest = {s.jurisdiction: s for s in panel.statements if s.stage == "arrest"}
    assert (arrest["US"].relation, arrest["US"].low, arrest["US"].high) == ("suppressed", 1, 4)
    assert (arrest["GB"].relation, arrest["GB"].count) == ("exact", 0)


@pytest.mark.parametrize(
    ("value", "what", "remedy"),
    [
        ("-3", "negative count", "tokens"),
        ("2.5", "fraction in a count", "share_of_<stage>"),
        ("inf", "not a number", "not reported"),
        ("nan", "not a number", "not reported"),
        ("=1+1", "formula or sign in a number", "store the value"),
        ('"12,600+"', "text in a number", "at least 12600"),
        ("n<5", "text in a number", "suppressed 1..4"),
        ("*", "text in a number", "not reported"),
        ("~5000", "text in a number", "approx 5000"),
    ],
)
def test_a_number_that_is_none_is_named_with_file_row_and_column(
    one_fault: Look, value: str, what: str, remedy: str
) -> None:
    line = one_fault(f"{HEADER}csam,US-IA,2024,100,20,5\ncsam,US-NE,2024,100,20,{value}\n")
    assert line.startswith(f"data.csv, row 3, column arrest: {what}; found {value.strip(chr(34))!r}")
    assert "allowed: whole numbers" in line
    assert remedy in line


def test_the_column_is_named_as_in_the_file(one_fault: Look) -> None:
    text = "period,tips,investigation,arrest\n2024,-1,0,0\n"
    line = one_fault(text, {"inputs": [{"file": "data.csv", "columns": {"referral": "tips"}}]})
    assert "row 2, column tips: negative count" in line


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("csam,US-NE,2024-Q3,1,1,1", ("column period: not a period", "2024-Q3", "here 2024Q3")),
        ("csam,US-NE,,1,1,1", ("column period: empty period",)),
        (",US-NE,2024,1,1,1", ("column offense: empty offense", "written 'all'")),
        ("csam ,US-NE,2024,1,1,1", ("column offense: odd spelling", "blanks before or after")),
        ("csam,US\u2011NE\u200b,2024,1,1,1", ("column jurisdiction: odd spelling", "U+200B")),
        ("c\u0455am,US-NE,2024,1,1,1", ("column offense: odd spelling", "Cyrillic and Latin")),
    ],
)
def test_faults_of_the_keys(one_fault: Look, row: str, parts: tuple[str, ...]) -> None:
    line = one_fault(f"{HEADER}{row}\n")
    assert line.startswith("data.csv, row 2, ")
    for part in parts:
        assert part in line


def test_two_spellings_are_a_fault_and_are_not_merged(one_fault: Look) -> None:
    line = one_fault(HEADER + "csam,US-NE,2024,5,1,1\nCSAM,US-NE,2025,5,1,1\n")
    assert "offense spelt in several ways" in line
    assert "'CSAM' and 'csam'" in line
    assert 'values.offense = {"csam" = "CSAM"}' in line


def test_missing_columns_name_what_is_there_and_what_was_meant(bench: Bench) -> None:
    lines = bench.faults("offense,jurisdiction,year,referral,investigatoin\na,b,2024,1,1\n")
    assert [line.split(";")[0] for line in lines] == [
        "data.csv: missing column 'period'",
        "data.csv: missing column 'investigation'",
        "data.csv: missing column 'arrest'",
    ]
    assert "did you mean 'investigatoin'? then set columns = {investigation = \"investigatoin\"}" in lines[1]
    assert "found columns offense, jurisdiction, year, referral, investigatoin" in lines[0]


def test_a_misspelt_optional_column_is_a_fault(one_fault: Look) -> None:
    line = one_fault("ofense,period,referral,investigation,arrest\na,2024,9,3,1\n")
    assert "missing column 'offense'" in line
    assert "did you mean 'ofense'" in line


def test_a_column_that_is_named_and_not_there_is_one_line(bench: Bench) -> None:
    rows = "".join(f"a,{place},2024,{n},3,1\n" for n, place in enumerate("NSEW", start=9))
    inputs = [{"file": "data.csv", "columns": {"jurisdiction": "plaec"}}]
    (line,) = bench.faults("offense,place,period,referral,investigation,arrest\n" + rows, {"inputs": inputs})
    assert "missing column 'plaec', given for jurisdiction" in line


@pytest.mark.parametrize(("key", "meant"), [("jurisdicton", "jurisdiction"), ("offence", "offense")])
def test_values_of_an_unknown_column_are_a_fault(bench: Bench, key: str, meant: str) -> None:
    values = {key: {"Total": "all"}}
    lines = bench.faults(HEADER + "a,Ada,2024,1,1,1\n", {"inputs": [{"file": "data.csv", "values": values}]})
    assert lines == [
        f"plan, input data.csv: values names no standard column of the wide form; found '{key}'; "
        f"did you mean '{meant}'?"
    ]


def test_values_of_a_column_that_is_not_there_are_a_fault(bench: Bench) -> None:
    values = {"origin": {"r": "referred_only"}, "period": {"24": "2024"}}
    lines = bench.faults(HEADER + "a,Ada,24,1,1,1\n", {"inputs": [{"file": "data.csv", "values": values}]})
    assert lines == [
        "plan, input data.csv: values for a column that is not there; found 'origin'; "
        "say in columns which one holds origin, or remove values.origin"
    ]


def test_a_renamed_column_must_exist_and_must_not_stand_twice(bench: Bench) -> None:
    text = "period,quarter,referral,investigation,arrest\n2024,2024Q1,9,3,1\n"
    (line,) = bench.faults(text, {"inputs": [{"file": "data.csv", "columns": {"period": "quarter"}}]})
    assert "two columns for period; found 'quarter' and 'period'" in line
    lines = bench.faults(text, {"inputs": [{"file": "data.csv", "columns": {"period": "quartr"}}]})
    assert "did you mean 'quarter'" in lines[0]
    lines = bench.faults(text, {"inputs": [{"file": "data.csv", "columns": {"perod": "quarter"}}]})
    assert "'perod'" in lines[0]
    assert "did you mean 'period'" in lines[0]


def test_every_fault_of_every_input_is_shown_at_once(bench: Bench) -> None:
    bench.write("b.csv", "")
    bench.write("offenses.csv", "label\nx\n")
    lines = bench.faults(
        HEADER + "csam,US,2024Q9,1,x,-1\n",
        {"inputs": [{"file": "data.csv"}, {"file": "b.csv"}], "axes": {"offense": "offenses.csv"}},
    )
    text = "\n".join(lines)
    for part in (
        "column period",
        "column investigation",
        "column arrest",
        "b.csv: empty file",
        "offenses.csv",
    ):
        assert part in text


def test_a_stage_may_come_from_another_input(bench: Bench) -> None:
    bench.write("b.csv", "period,arrest\n2024,3\n")
    panel, _ = bench.read(
        "period,referral,investigation\n2024,9,5\n", {"inputs": [{"file": "data.csv"}, {"file": "b.csv"}]}
    )
    assert [(s.stage, s.file) for s in panel.statements][-1] == ("arrest", "b.csv")


def test_one_file_read_twice_gives_distinct_ids(bench: Bench) -> None:
    panel, _ = bench.read(
        "period,referral,investigation,arrest\n2024,9,5,1\n",
        {"inputs": [{"file": "data.csv"}, {"file": "data.csv"}]},
    )
    assert len(panel.by_id) == len(panel.statements) == 6


def test_units_closed_without_a_stage_have_a_column_of_their_own(bench: Bench) -> None:
    head = "period,referral,investigation,arrest,closed_without_investigation\n"
    inputs = [{"file": "data.csv", "tokens": {"<5": "suppressed 1..4"}}]
    text = head + "2023,100,20,,40\n2024,100,7,,<5\n"
    panel, _ = bench.read(text, {"inputs": inputs})
    closed = [s for s in panel.statements if s.closed]
    assert [(s.id, s.stage, s.count, s.low, s.high) for s in closed] == [
        ("data.csv:2:closed_without_investigation", "investigation", 40, None, None),
        ("data.csv:3:closed_without_investigation", "investigation", None, 1, 4),
    ]
    assert closed[0].sentence() == "closed without investigation 40 (all, all, 2023)"


def test_closed_units_that_disagree_are_a_fault(bench: Bench) -> None:
    head = "period,referral,investigation,arrest,closed_without_investigation\n"
    with pytest.raises(InputError) as caught:
        bench.read(head + "2024,100,20,,40\n2024,100,20,,41\n")
    assert [problem.what for problem in caught.value.problems] == ["two rows disagree"]
