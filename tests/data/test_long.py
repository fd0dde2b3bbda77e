from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from attrition.data.statement import Statement

if TYPE_CHECKING:
    from .conftest import Bench

COLUMNS = (
    "jurisdiction,period_start,period_end,offense,stage,relation,count,count_low,count_high,unit,origin,clock,"
    "as_of,source_id,funnel_role,part_of\n"
)
LONG = {
    "inputs": [{"file": "data.csv", "form": "long", "tokens": {"*": "not reported", "<5": "suppressed 1..4"}}]
}
Look = Callable[..., str]


def row(**given: str) -> str:
    """One row; what is not given is an exact count of 100 referrals in Nebraska in 2024."""
    fact = {
        "jurisdiction": "US-NE",
        "period_start": "2024-01-01",
        "period_end": "2024-12-31",
        "offense": "csam",
        "stage": "referral",
        "relation": "exact",
        "count": "100",
        "origin": "referred_only",
        "clock": "cohort",
        "source_id": "office",
    }
    fact |= given
    return ",".join(fact.get(name, "") for name in COLUMNS.strip().split(",")) + "\n"


def one(bench: Bench, **given: str) -> Statement:
    panel, _ = bench.read(COLUMNS + row(count="200") + row(stage="arrest", **given), LONG)
    return panel.statements[1]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"relation": "exact", "count": "7"}, (7, None, None)),
        ({"relation": "approx", "count": "50"}, (50, None, None)),
        ({"relation": "at_least", "count": "7"}, (7, None, None)),
        ({"relation": "at_most", "count": "7"}, (7, None, None)),
        ({"relation": "range", "count": "", "count_low": "3", "count_high": "9"}, (None, 3, 9)),
        ({"relation": "suppressed", "count": "", "count_low": "1", "count_high": "4"}, (None, 1, 4)),
        ({"relation": "rounded", "count": "10", "count_low": "5", "count_high": "14"}, (10, 5, 14)),
        ({"relation": "share_of_referral", "count": "0.05"}, (0.05, None, None)),
        (
            {"relation": "share_of_referral", "count": "", "count_low": "0.05", "count_high": "0.08"},
            (None, 0.05, 0.08),
        ),
        (
            {"relation": "share_of_referral", "count": "0.1", "count_low": "0", "count_high": "0.1"},
            (None, 0, 0.1),
        ),
    ],
)
def test_relations(bench: Bench, given: dict[str, str], found: tuple[float | None, ...]) -> None:
    statement = one(bench, **given)
    assert statement.relation == given["relation"]
    assert (statement.count, statement.low, statement.high) == found


def test_a_token_says_what_is_known_whatever_the_relation(bench: Bench) -> None:
    statement = one(bench, count="<5")
    assert (statement.relation, statement.low, statement.high) == ("suppressed", 1, 4)


def test_blank_and_declared_fields_are_not_reported(bench: Bench) -> None:
    _, intake = bench.read(
        COLUMNS + row() + row(stage="arrest", count="") + row(stage="arrest", count="*"), LONG
    )
    assert intake.not_reported == 2
    assert intake.counts["read"] == 1


def test_the_file_need_not_start_at_the_first_stage(bench: Bench) -> None:
    panel, _ = bench.read(
        COLUMNS + row(stage="investigation", count="9") + row(stage="arrest", count="4"), LONG
    )
    assert [s.stage for s in panel.statements] == ["investigation", "arrest"]


@pytest.mark.parametrize(
    ("given", "column", "parts"),
    [
        ({"relation": "exakt"}, "relation", ("unknown relation", "did you mean 'exact'", "at_least")),
        ({"relation": ""}, "relation", ("empty relation", "exact, approx")),
        ({"relation": "share_of_"}, "relation", ("unknown relation",)),
        (
            {"relation": "range", "count": "", "count_low": "9", "count_high": "3"},
            "count_low",
            ("range is empty", "9..3"),
        ),
        ({"relation": "range", "count": "", "count_low": "9"}, "count_high", ("half a range",)),
        ({"relation": "range"}, "count_low", ("without its range",)),
        (
            {"relation": "suppressed", "count": "2", "count_low": "1", "count_high": "4"},
            "count",
            ("with a count",),
        ),
        (
            {"relation": "exact", "count": "", "count_low": "1", "count_high": "4"},
            "count",
            ("without a count",),
        ),
        ({"relation": "exact", "count_low": "1", "count_high": "4"}, "count_low", ("with a range",)),
        ({"relation": "share_of_referral", "count": "5"}, "count", ("share outside [0, 1]", "0.05")),
        ({"relation": "share_of_referral", "count": "-0.1"}, "count", ("negative count",)),
        ({"relation": "at_least", "count": "12.5"}, "count", ("fraction in a count",)),
        ({"period_start": "2024-02-30"}, "period_start", ("not a date", "no such day")),
        ({"period_start": ""}, "period_start", ("empty period_start",)),
        ({"period_start": "2025-01-01"}, "period_end", ("ends before it starts",)),
        ({"origin": "cybertip_only"}, "origin", ("unknown origin", "referred_only", "values.origin")),
        ({"clock": "cohrt"}, "clock", ("unknown clock", "did you mean 'cohort'")),
        ({"funnel_role": "used"}, "funnel_role", ("unknown funnel_role", "did you mean 'use'")),
        ({"as_of": "soon"}, "as_of", ("not a date",)),
        ({"stage": "arests"}, "stage", ("unknown stage", "did you mean 'arrest'")),
        ({"stage": "Arrest"}, "stage", ("unknown stage", "did you mean 'arrest'")),
        (
            {"relation": "share_of_referal", "count": "0.1", "stage": "arrest"},
            "relation",
            ("unknown stage", "'referral'"),
        ),
        ({"part_of": "US\u200b"}, "part_of", ("odd spelling",)),
    ],
)
def test_faults_name_file_row_and_column(
    one_fault: Look, given: dict[str, str], column: str, parts: tuple[str, ...]
) -> None:
    line = one_fault(COLUMNS + row(period_start="2023-01-01", period_end="2023-12-31") + row(**given), LONG)
    assert line.startswith(f"data.csv, row 3, column {column}: ")
    for part in parts:
        assert part in line


def test_missing_columns_and_what_a_plan_may_give_instead(bench: Bench) -> None:
    text = (
        "jurisdiction,period_start,period_end,offense,stage,relation,count\n"
        "US,2024-01-01,2024-12-31,a,referral,exact,5\n"
    )
    lines = bench.faults(text, LONG)
    assert [line.split(";")[0] for line in lines] == [
        "data.csv: missing column 'origin'",
        "data.csv: missing column 'clock'",
    ]
    assert "set origin for this input in the plan" in lines[0]
    given = {"file": "data.csv", "form": "long", "origin": "all_sources", "clock": "period", "source_id": "s"}
    panel, _ = bench.read(text, {"inputs": [given]})
    statement = panel.statements[0]
    assert (statement.origin, statement.clock, statement.source_id) == ("all_sources", "period", "s")
    lines = bench.faults(text.replace("stage", "stge"), {"inputs": [given]})
    assert "missing column 'stage'" in lines[0]
    assert "did you mean 'stge'" in lines[0]


def test_part_of_builds_the_tree(bench: Bench) -> None:
    panel, _ = bench.read(
        COLUMNS + row(part_of="US") + row(jurisdiction="US-IA", part_of="US") + row(jurisdiction="DE"), LONG
    )
    axis = panel.axes.jurisdiction
    assert axis.children["US"] == ("US-IA", "US-NE")
    assert axis.leaves == ("DE", "US-IA", "US-NE")
    assert axis.by_name["US"].parent == "all"


def test_part_of_may_not_contradict_itself_or_go_round(bench: Bench) -> None:
    lines = bench.faults(COLUMNS + row(part_of="US") + row(stage="arrest", count="5", part_of="CA"), LONG)
    assert (
        "row 3, column part_of: 'US-NE' is part of two places; found 'CA'; allowed: 'US', as in row 2"
        in lines[0]
    )
    lines = bench.faults(
        COLUMNS + row(jurisdiction="A", part_of="B") + row(jurisdiction="B", part_of="A"), LONG
    )
    assert "contain one another in a circle" in lines[0]


def test_statements_that_take_no_part_are_listed_with_the_reason(bench: Bench) -> None:
    text = (
        COLUMNS
        + row()
        + row(funnel_role="context", count="12.5")
        + row(funnel_role="doubtful")
        + row(stage="conviction", count="1")
        + row(stage="arrest", relation="share_of_arrest", count="0.4")
        + row(stage="arrest", relation="share_of_report", count="0.4")
        + row(stage="arrest", count="3", period_end="2024-05-31")
    )
    panel, intake = bench.read(text, LONG)
    assert [s.row for s in panel.statements] == [2]
    reasons = [record.reason for record in intake.records]
    for reason, part in zip(
        reasons[1:],
        ("role is context", "role is doubtful", "conviction is not in the funnel", "no earlier stage",
         "report is not in the funnel", "no node of the year axis"),
        strict=True,
    ):  # fmt: skip
        assert part in reason
    assert intake.counts == {"read": 7, "used": 1, "unused": 6, "excluded": 0, "dropped": 0}


def test_a_fiscal_year_is_shifted_and_says_so(bench: Bench) -> None:
    panel, intake = bench.read(COLUMNS + row(period_start="2023-10-01", period_end="2024-09-30"), LONG)
    assert panel.statements[0].period == "2024"
    assert intake.records[0].status == "used"
    assert "2023-10-01..2024-09-30 counted as 2024" in intake.records[0].reason


def test_the_calendar_year_wins_over_a_shifted_one(bench: Bench) -> None:
    fiscal = row(period_start="2023-10-01", period_end="2024-09-30", count="90")
    panel, intake = bench.read(COLUMNS + fiscal + row(), LONG)
    assert [s.count for s in panel.statements] == [100]
    assert intake.records[0].status == "unused"
    assert intake.records[0].others == ("data.csv:3:referral",)
    prefer = {**LONG, "prefers": [{"period_start": "2023-10-01", "reason": "audited"}]}
    panel, intake = bench.read(COLUMNS + fiscal + row(), prefer)
    assert [s.count for s in panel.statements] == [90]
    assert panel.statements[0].preferred == "audited"
