from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from attrition.data.coherence import Contradictory
from attrition.data.disagreement import NAMED
from attrition.data.errors import InputError

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


def test_all_rows_that_exclude_another_are_in_one_line(one_fault: Look) -> None:
    counts = {"a": 100, "b": 110, "c": 100, "d": 105}
    line = one_fault(HEADER + "".join(f"csam,US,2024,{n},,,{name},,\n" for name, n in counts.items()))
    assert ": 4 rows disagree; " in line
    assert all(f"data.csv, row {row}" in line for row in (2, 3, 4, 5))
    ranges = {"inputs": [{"file": "data.csv", "tokens": {"90+": "at least 90", "<200": "at most 200"}}]}
    rows = "csam,US,2024,100,,,a,,\ncsam,US,2024,90+,,,b,,\ncsam,US,2024,110,,,c,,\ncsam,US,2024,<200,,,d,,\n"
    line = one_fault(HEADER + rows, ranges)
    assert line.startswith("data.csv, row 2 and data.csv, row 4, column referral: two rows disagree")


def test_no_more_rows_are_named_than_a_line_holds(one_fault: Look) -> None:
    line = one_fault(HEADER + "".join(f"csam,US,2024,{n},,,s{n},,\n" for n in range(100, 110)))
    assert ": 10 rows disagree; " in line
    assert line.count("data.csv, row") == NAMED
    assert f"and {10 - NAMED} more, column referral" in line


@pytest.mark.parametrize(
    ("said", "other", "disagree"),
    [
        ("5200", "6651", True),  # 5,150 to 5,249
        ("5200", "5249", False),
        ("5200", "5250", True),
        ("136500", "136437", False),  # never finer than one part in a hundred
        ("136500", "137183", True),
        ("700", "800+", True),
        ("700", "749+", False),
    ],
)
def test_an_approximate_count_disagrees_where_it_cannot_be_rounded_so(
    bench: Bench, said: str, other: str, disagree: bool
) -> None:
    tokens = {f"~{said}": f"approx {said}"} | ({other: f"at least {other[:-1]}"} if "+" in other else {})
    sections = {"inputs": [{"file": "data.csv", "tokens": tokens}]}
    rows = HEADER + f"csam,US,2024,~{said},,,a,,\ncsam,US,2024,{other},,,b,,\n"
    if not disagree:
        panel, _ = bench.read(rows, sections)
        assert len(panel.statements) == 2
        return
    (line,) = bench.faults(rows, sections)
    assert "two rows disagree" in line
    assert f"about {int(said):,} (csam, US, 2024, read as " in line


def test_contradictions_alone_leave_the_other_statements_at_hand(bench: Bench) -> None:
    """Of two denominators, one outcome above its own and one total below its parts; the rest contradicts nothing."""
    rows = (
        "csam,US,2024,100,20,5,a,,\ncsam,US,2024,110,,,b,,\ncsam,GB,2024,100,20,25,,,\n"
        "csam,FR,2024,40,4,1,,,\nall,FR,2024,30,,,,,\n"
    )
    bench.write("data.csv", HEADER + rows)
    with pytest.raises(Contradictory) as caught:
        bench.read()
    assert [problem.what for problem in caught.value.problems] == [
        "two rows disagree", "arrest above investigation", "total below the sum of its parts",
    ]  # fmt: skip
    left = {(s.jurisdiction, s.offense, s.stage) for s in caught.value.rest.statements}
    assert left == {
        ("US", "csam", "investigation"), ("US", "csam", "arrest"), ("GB", "csam", "referral"),
        ("GB", "csam", "investigation"), *(("FR", "csam", stage) for stage in ("referral", "investigation", "arrest")),
    }  # fmt: skip


def test_contradictions_beside_another_fault_are_told_with_it(bench: Bench) -> None:
    bench.write("data.csv", HEADER + "csam,US,2024,100,,,a,,\ncsam,US,2024,110,,,b,,\ncsam,GB,2024,-3,,,,,\n")
    with pytest.raises(InputError) as caught:
        bench.read()
    assert not isinstance(caught.value, Contradictory)
    assert len(caught.value.problems) == 2


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
