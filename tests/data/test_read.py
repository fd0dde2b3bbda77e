from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from openpyxl import Workbook

from attrition.data.errors import InputError
from attrition.data.inputs import InputSpec
from attrition.data.read import read_file, read_input

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = "offense,jurisdiction,period,referral,investigation,arrest\n"
GOOD = HEADER + "csam,US-NE,2024,100,20,5\n"
ROWS = [["csam", "US-NE", "2024", "100", "20", "5"]]
Look = Callable[..., str]


def test_fields_are_text_and_the_digest_is_of_the_bytes(bench: Bench) -> None:
    bench.write("data.csv", GOOD + 'enticement,"St. Louis, MO",2024,007,,0\n')
    table = read_file("data.csv", bench.folder)
    assert table.rows[1] == ["enticement", "St. Louis, MO", "2024", "007", "", "0"]
    assert table.numbers == [2, 3]
    assert table.sha256 == hashlib.sha256((bench.folder / "data.csv").read_bytes()).hexdigest()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_byte_order_mark(
    bench: Bench, separator: str, newline: str, mark: str
) -> None:
    bench.write("data.csv", mark + GOOD.replace(",", separator).replace("\n", newline))
    table = read_file("data.csv", bench.folder)
    assert table.columns == tuple(HEADER.strip().split(","))
    assert table.rows == ROWS


def test_rows_keep_their_numbers_past_blank_lines_and_quoted_line_ends(bench: Bench) -> None:
    bench.write("data.csv", 'offense,note,period\ncsam,x,2024\n\n,,\ncsam,"two\nlines",2025\n')
    table = read_file("data.csv", bench.folder)
    assert table.numbers == [2, 5]
    assert table.rows[1][1] == "two\nlines"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("data.csv", "empty file")),
        ("\n\n", ("data.csv", "empty file")),
        (HEADER, ("data.csv", "header only")),
        (HEADER + ",,,,,\n", ("data.csv", "header only")),
        (GOOD + "csam,US-IA,2024,100\n", ("data.csv, row 3", "ragged row", "4 fields", "6")),
        (GOOD + "csam,US-IA,2024,1,1,1,9\n", ("data.csv, row 3", "ragged row", "7 fields")),
        ("offense,offense,period\na,b,2024\n", ("row 1, column 2", "repeated", "'offense'")),
        ("offense,,period\na,b,2024\n", ("row 1, column 2", "column without a name")),
        (GOOD + "csam,US\0,2024,1,1,1\n", ("data.csv, row 3", "NUL character")),
        (
            "Table 3\n" + GOOD + "csam,US-IA,2025,1,1,1\ncsam,US-IA,2026,1,1,1\n",
            ("row 1", "no header", "1 field, where most rows have 6"),
        ),
        (GOOD + 'csam,"US"x,2024,1,1,1\n', ("data.csv, row 3", "not readable as CSV")),
        (GOOD + 'csam,"US,2024,1,1,1\n', ("data.csv, row 3", "not readable as CSV")),
    ],
)
def test_a_broken_file_is_one_line(one_fault: Look, text: str, parts: tuple[str, ...]) -> None:
    line = one_fault(text)
    for part in parts:
        assert part in line


def test_all_ragged_rows_are_listed(bench: Bench) -> None:
    lines = bench.faults(GOOD + "a,b\n" + "csam,US-IA,2024,1,1,1\n" + "a,b,c\n")
    assert [line.split(":")[0] for line in lines] == ["data.csv, row 3", "data.csv, row 5"]


def test_many_repeats_of_a_fault_are_counted_not_listed(bench: Bench) -> None:
    lines = bench.faults(GOOD + "csam,US-IA,2024,x,1,1\n" * 100)
    assert len(lines) == 21
    assert "80 more of this fault" in lines[-1]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (GOOD.encode("utf-16"), ("UTF-16", "save it as CSV UTF-8")),
        ((GOOD + "Zürich,x,2024,1,1,1\n").encode("latin-1"), ("row 3", "byte 0xfc", "UTF-8")),
        (GOOD.encode("utf-16-le"), ("NUL character",)),
    ],
)
def test_an_unreadable_encoding_is_a_fault(bench: Bench, data: bytes, parts: tuple[str, ...]) -> None:
    (bench.folder / "data.csv").write_bytes(data)
    (line,) = bench.faults()
    for part in ("data.csv", *parts):
        assert part in line


def test_file_not_found_and_unknown_kind(one_fault: Look, bench: Bench) -> None:
    bench.write("dat.csv", GOOD)
    assert "did you mean 'dat.csv'" in one_fault(sections={"inputs": [{"file": "data.csv"}]})
    assert ".csv, .parquet, .xlsx" in one_fault(sections={"inputs": [{"file": "data.ods"}]})


def test_parquet_keeps_whole_numbers_whole_and_missing_ones_blank(bench: Bench) -> None:
    frame = pd.DataFrame({"period": [2024, 2025], "referral": [100.0, None], "arrest": [5, 0]})
    frame.to_parquet(bench.folder / "data.parquet")
    table = read_file("data.parquet", bench.folder)
    assert table.rows == [["2024", "100", "5"], ["2025", "", "0"]]


def test_a_file_that_is_no_parquet_is_a_fault(one_fault: Look, bench: Bench) -> None:
    bench.write("data.parquet", "PAR1 not really")
    assert "DuckDB cannot read it" in one_fault(sections={"inputs": [{"file": "data.parquet"}]})


def test_a_query_reads_beside_the_plan_and_does_not_depend_on_row_order(bench: Bench) -> None:
    bench.write("data.csv", HEADER + "b,US,2024,2,1,1\na,US,2024,3,1,1\na,US,2024,4,1,0\n")
    select = "SELECT offense, period, sum(referral) AS referral FROM 'data.csv' GROUP BY ALL ORDER BY offense"
    up = read_input(InputSpec(query=select), bench.folder)
    down = read_input(InputSpec(query=select + " DESC"), bench.folder)
    assert up.rows == [["a", "2024", "7"], ["b", "2024", "2"]]
    assert (up.rows, up.sha256) == (down.rows, down.sha256)


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("DROP TABLE x", "not one SELECT"),
        ("SELECT 1; SELECT 2", "not one SELECT"),
        ("SELEC 1", "cannot be read"),
        ("SELECT * FROM 'absent.csv'", "DuckDB cannot read it"),
        ("COPY (SELECT 1) TO 'out.csv'", "not one SELECT"),
    ],
)
def test_a_query_that_cannot_be_run_is_a_fault(bench: Bench, query: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        read_input(InputSpec(query=query), bench.folder)
    assert not list(bench.folder.iterdir())


def workbook(path: Path, rows: list[list[object]], second: bool = False) -> Workbook:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    if second:
        book.create_sheet("notes").append(["text"])
    book.save(path)
    return book


def test_a_sheet_is_read_with_its_own_row_numbers(bench: Bench) -> None:
    rows = [
        HEADER.strip().split(","),
        ["csam", "US-NE", 2024, 100, 20.0, None],
        [],
        ["csam", "US-IA", 2024, 1, 1, 0],
    ]
    workbook(bench.folder / "data.xlsx", rows)
    table = read_file("data.xlsx", bench.folder)
    assert table.rows[0] == ["csam", "US-NE", "2024", "100", "20", ""]
    assert table.numbers == [2, 4]


def test_formulas_and_merged_cells_are_refused_with_their_cell(bench: Bench) -> None:
    book = workbook(bench.folder / "a.xlsx", [["offense", "period", "referral"], ["csam", 2024, "=1+1"]])
    book.active.append(["csam", 2025, 7])
    book.active.merge_cells("A2:A3")
    book.save(bench.folder / "a.xlsx")
    with pytest.raises(InputError) as caught:
        read_file("a.xlsx", bench.folder)
    lines = sorted(problem.line() for problem in caught.value.problems)
    assert "a.xlsx, cell C2: formula" in lines[0]
    assert "a.xlsx, cells A2:A3: merged cells" in lines[1]


def test_a_workbook_with_several_sheets_needs_a_name(bench: Bench) -> None:
    workbook(bench.folder / "a.xlsx", [["offense"], ["csam"]], second=True)
    with pytest.raises(InputError, match="several sheets"):
        read_file("a.xlsx", bench.folder)
    assert read_file("a.xlsx", bench.folder, "Sheet").rows == [["csam"]]
    with pytest.raises(InputError, match="did you mean 'Sheet'"):
        read_file("a.xlsx", bench.folder, "Sheets")


def test_a_file_that_is_no_workbook_is_a_fault(bench: Bench) -> None:
    bench.write("a.xlsx", GOOD)
    with pytest.raises(InputError, match="not a readable workbook"):
        read_file("a.xlsx", bench.folder)
