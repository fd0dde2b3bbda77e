from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = "offense,jurisdiction,period,referral,investigation,arrest,source_id,origin,clock\n"
Look = Callable[..., str]


def test_an_outcome_above_its_denominator_names_the_possible_causes(one_fault: Look) -> None:
    line = one_fault(HEADER + "csam,US,2024,100,20,5,,,\ncsam,GB,2024,100,20,25,,,\n")
    assert line.startswith("data.csv, row 3, column arrest: arrest above investigation; found arrest 25")
    for cause in ("different units", "did not begin as referrals", 'clock = "period"', "typing error"):
        assert cause in line


def test_the_nearest_known_earlier_stage_is_the_denominator(one_fault: Look) -> None:
    line = one_fault(HEADER + "csam,US,2024,100,,101,,,\n")
    assert "arrest above referral" in line


@pytest.mark.parametrize(
    ("rows", "sections"),
    [
        ("csam,US,2024,100,20,25,,all_sources,\n", {}),
        ("csam,US,2024,100,20,,,,\ncsam,US,2024,,,25,,,period\n", {}),
        (
            "csam,US,2024,100,20,25,,,\n",
            {"funnel": {"stages": ("referral", "investigation", "arrest"), "units": {"arrest": "person"}}},
        ),
    ],
)
def test_other_origins_clocks_and_units_are_no_fault(
    bench: Bench, rows: str, sections: dict[str, Any]
) -> None:
    panel, _ = bench.read(HEADER + rows, sections)
    assert len(panel.statements) == 3


def test_a_lower_bound_can_be_above_its_denominator_too(one_fault: Look) -> None:
    tokens = {"inputs": [{"file": "data.csv", "tokens": {"12,600+": "at least 12600"}}]}
    assert "at least 12,600" in one_fault(HEADER + 'csam,US,2024,100,,"12,600+",,,\n', tokens)


def test_two_rows_that_disagree_are_both_named(one_fault: Look) -> None:
    line = one_fault(HEADER + "csam,US,2024,100,,,a,,\ncsam,US,2024,,20,,a,,\ncsam,US,2024,110,,,b,,\n")
    assert line.startswith("data.csv, row 2 and data.csv, row 4, column referral: two rows disagree")
    assert "referral 100" in line
    assert "[a]" in line
    assert "referral 110" in line
    assert "[[prefer]]" in line


def test_repeats_are_no_fault(bench: Bench) -> None:
    panel, _ = bench.read(HEADER + "csam,US,2024,100,,5,a,,\n" * 2)
    assert len(panel.statements) == 4


def test_a_preferred_source_settles_a_disagreement(bench: Bench) -> None:
    rows = HEADER + "csam,US,2024,100,,5,a,,\ncsam,US,2024,110,,5,b,,\n"
    panel, _ = bench.read(rows, {"prefers": [{"source_id": "b", "reason": "primary"}]})
    assert {s.source_id: s.preferred for s in panel.statements} == {"a": "", "b": "primary"}
    both = {"prefers": [{"source_id": ["a", "b"], "reason": "primary"}]}
    assert "two rows disagree" in bench.faults(rows, both)[0]


def test_the_preferred_denominator_is_the_one_compared(bench: Bench) -> None:
    rows = HEADER + "csam,US,2024,100,,105,a,,\ncsam,US,2024,110,,,b,,\n"
    panel, _ = bench.read(rows, {"prefers": [{"source_id": "b", "reason": "primary"}]})
    assert len(panel.statements) == 3
    lines = bench.faults(rows, {"prefers": [{"source_id": "a", "reason": "primary"}]})
    assert "arrest above referral" in lines[0]


def test_an_exact_count_outside_a_stated_range_is_a_disagreement(one_fault: Look) -> None:
    tokens = {"inputs": [{"file": "data.csv", "tokens": {"<5": "suppressed 1..4"}}]}
    line = one_fault(HEADER + "csam,US,2024,100,,<5,a,,\ncsam,US,2024,,,9,b,,\n", tokens)
    assert "two rows disagree" in line


@pytest.mark.parametrize(
    ("rows", "total", "parts"),
    [
        # over offenses
        ("all,US,2024,100,,,,,\na,US,2024,60,,,,,\nb,US,2024,41,,,,,\n", 2, (3, 4)),
        # over jurisdictions, the total last
        ("a,US,2024,60,,,,,\na,GB,2024,41,,,,,\na,all,2024,100,,,,,\n", 4, (2, 3)),
        # over quarters of a year
        ("a,US,2024,100,,,,,\na,US,2024Q1,60,,,,,\na,US,2024Q4,41,,,,,\n", 2, (3, 4)),
        # parts of parts: two axes at once, one part itself a total
        ("all,all,2024,100,,,,,\na,all,2024,60,,,,,\nb,US,2024,41,,,,,\na,US,2024,59,,,,,\n", 2, (3, 4)),
    ],
)
def test_a_total_below_its_parts_names_them(
    one_fault: Look, rows: str, total: int, parts: tuple[int, ...]
) -> None:
    line = one_fault(HEADER + rows)
    assert line.startswith(f"data.csv, row {total}, column referral: total below the sum of its parts")
    assert "its parts add up to 101" in line
    assert "the difference would be -1" in line
    for part in parts:
        assert f"data.csv, row {part}" in line


@pytest.mark.parametrize(
    "rows",
    [
        "all,US,2024,101,,,,,\na,US,2024,60,,,,,\nb,US,2024,41,,,,,\n",
        # counts that overlap must not be added up: a in the US is inside both
        "all,all,2024,100,,,,,\na,all,2024,60,,,,,\nall,US,2024,50,,,,,\na,US,2024,20,,,,,\n",
        # parts of another origin do not count
        "all,US,2024,100,,,,,\na,US,2024,60,,,,,\nb,US,2024,41,,,,all_sources,\n",
    ],
)
def test_totals_that_hold_are_no_fault(bench: Bench, rows: str) -> None:
    panel, _ = bench.read(HEADER + rows)
    assert panel.statements


def test_a_block_of_zeros_is_a_suspect_and_stays_zero(bench: Bench) -> None:
    rows = "a,US,2024,15,3,0,,,\nb,US,2024,15,3,0,,,\na,GB,2024,15,3,1,,,\nb,GB,2024,15,3,0,,,\n"
    panel, intake = bench.read(HEADER + rows)
    assert len(intake.suspects) == 1
    assert intake.suspects[0].startswith("US, 2024: all 2 offenses have 0 at arrest while 30 at referral")
    assert sum(s.count == 0 for s in panel.statements) == 3
    _, few = bench.read(HEADER + rows.replace("15", "9").replace(",3,", ",1,"))
    assert few.suspects == ()


def test_a_category_that_reads_like_a_sum_is_a_suspect(bench: Bench) -> None:
    _, intake = bench.read(HEADER + "a,US,2024,15,3,0,,,\nTotal,US,2024,15,3,0,,,\n")
    assert 'values.offense = {"Total" = "all"}' in intake.suspects[0]


def test_all_in_capitals_is_a_fault(one_fault: Look) -> None:
    assert "'all' and 'All'" in one_fault(HEADER + "a,US,2024,15,3,0,,,\nAll,US,2024,15,3,0,,,\n")
