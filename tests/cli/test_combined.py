"""How statements combine, in words: one line a reason, the many of one reason together."""

from __future__ import annotations

from attrition.cli.combined import SHOWN, combined_text


def statement(row: int, status: str, reason: str) -> dict[str, object]:
    return {"file": "data.csv", "row": row, "status": status, "reason": reason}


def test_statements_of_one_reason_stand_on_one_line():
    intake = {
        "statements": [
            *(statement(row, "used", "the count of one cell") for row in range(2, 1202)),
            statement(1300, "dropped", "repeats data.csv, row 2"),
            statement(1301, "used", "one of 3 totals that cross over 4 cells"),
        ]
    }
    text = combined_text(intake, {"groups": {"counts of single cells": 1200, "of totals that cross": 1}})
    lines = text.splitlines()
    assert "1,200 counts of single cells, 1 of totals that cross" in lines[0]
    assert [line.split("  ")[0] for line in lines[4:]] == ["used", "used", "dropped"]
    assert "1,200 from data.csv, row 2 on" in lines[4]
    assert lines[6].endswith("repeats data.csv, row 2")


def test_what_is_too_long_to_show_is_counted():
    intake = {"statements": [statement(i, "dropped", f"repeats row {i}") for i in range(SHOWN + 5)]}
    text = combined_text(intake, {"groups": {}})
    assert len(text.splitlines()) == 4 + SHOWN + 1
    assert "5 more" in text.splitlines()[-1]
