from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attrition.data.calendar import (
    Span,
    build_calendar,
    grain_of,
    parse_date,
    parse_period,
    quarter,
    year,
)

years = st.integers(1950, 2050)


def span(start: str, end: str) -> Span:
    return Span(date.fromisoformat(start), date.fromisoformat(end))


@given(years, st.integers(1, 4))
def test_label_and_parse_are_inverse(number: int, which: int) -> None:
    assert parse_period(quarter(number, which).label) == quarter(number, which)
    assert parse_period(year(number).label) == year(number)


@given(years)
def test_quarters_tile_their_year(number: int) -> None:
    quarters = [quarter(number, which) for which in range(1, 5)]
    assert quarters[0].start == year(number).start
    assert quarters[-1].end == year(number).end
    for before, after in pairwise(quarters):
        assert after.start - before.end == timedelta(days=1)
    assert sum(q.days for q in quarters) == year(number).days


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("2024-Q3", "here 2024Q3"),
        ("2024 q3", "here 2024Q3"),
        ("2024Q5", "write a year as 2024"),
        ("24", "write a year as 2024"),
        ("2024-03", "write a year as 2024"),
        ("٢٠٢٤", "write a year as 2024"),
        ("1066", "between 1900 and 2100"),
        ("", "write a year as 2024"),
    ],
)
def test_period_faults_say_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse_period(text)


def test_partial_dates_mean_their_first_or_last_day() -> None:
    assert parse_date("2024-02", end=True) == date(2024, 2, 29)
    assert parse_date("2024", end=True) == date(2024, 12, 31)
    assert parse_date("2024-12", end=True) == date(2024, 12, 31)
    assert parse_date("2024-02") == date(2024, 2, 1)
    with pytest.raises(ValueError, match="no such day"):
        parse_date("2023-02-29")
    with pytest.raises(ValueError, match="write a date"):
        parse_date("31.12.2023")


def test_axis_of_years_is_contiguous() -> None:
    calendar = build_calendar([year(2019), year(2022)], "year")
    assert calendar.axis.leaves == ("2019", "2020", "2021", "2022")
    assert calendar.axis.by_name["2020"].parent == "all"


def test_axis_of_quarters_has_years_above_and_marks_partial_ones() -> None:
    calendar = build_calendar([quarter(2023, 3), year(2024)], "quarter")
    assert calendar.axis.leaves == ("2023Q3", "2023Q4", "2024Q1", "2024Q2", "2024Q3", "2024Q4")
    assert calendar.axis.by_name["2024Q2"].parent == "2024"
    assert calendar.axis.label("2023") == "2023 (Q3–Q4)"
    assert calendar.axis.label("2024") == "2024"


def test_one_period_is_fine_and_none_gives_the_root_alone() -> None:
    assert build_calendar([year(2024)], "year").axis.leaves == ("2024",)
    assert build_calendar([None], "year").axis.leaves == ("all",)


def test_exact_unions_find_their_node() -> None:
    calendar = build_calendar([quarter(2023, 1), quarter(2024, 4)], "quarter")
    assert calendar.place(year(2023)).node == "2023"
    assert calendar.place(span("2023-01-01", "2024-12-31")).node == "all"
    assert calendar.place(None).node == "all"
    half = calendar.place(span("2023-01-01", "2023-06-30"))
    assert half.node is None
    assert "2023-01-01..2023-06-30 (181 days)" in half.reason


def test_a_year_with_missing_quarters_is_no_place_for_a_whole_year() -> None:
    calendar = build_calendar([quarter(2023, 3), quarter(2024, 1)], "quarter")
    assert calendar.place(year(2023)).node is None


@pytest.mark.parametrize(
    ("start", "end", "node"),
    [
        ("2023-04-01", "2024-03-31", "2023"),
        ("2022-10-01", "2023-09-30", "2023"),
        ("2023-07-02", "2024-07-01", "2023"),
        ("2023-07-01", "2024-06-30", "2023"),
        ("2022-07-01", "2023-06-30", "2022"),
    ],
)
def test_twelve_months_belong_to_the_year_with_most_of_their_days(start: str, end: str, node: str) -> None:
    calendar = build_calendar([year(2022), year(2024)], "year")
    placement = calendar.place(span(start, end))
    assert placement.node == node
    assert placement.shifted
    assert node in placement.reason


def test_five_months_and_quarters_have_no_place_on_a_year_axis() -> None:
    calendar = build_calendar([year(2022), year(2024)], "year")
    for stray in (span("2023-01-01", "2023-05-31"), quarter(2023, 2)):
        placement = calendar.place(stray)
        assert placement.node is None
        assert "no node of the year axis" in placement.reason


def test_a_fiscal_year_is_not_shifted_on_a_quarter_axis() -> None:
    calendar = build_calendar([quarter(2022, 1), quarter(2024, 4)], "quarter")
    assert calendar.place(span("2022-10-01", "2023-09-30")).node is None


def test_one_shared_span_that_is_no_year_becomes_the_root() -> None:
    decade = span("2010-01-01", "2019-12-31")
    calendar = build_calendar([decade, decade], "year")
    assert calendar.axis.leaves == ("all",)
    assert calendar.place(decade).node == "all"


def test_grain_follows_the_data() -> None:
    assert grain_of([year(2024), None]) == "year"
    assert grain_of([year(2024), quarter(2024, 1)]) == "quarter"


@given(st.lists(st.tuples(years, st.integers(1, 4)), min_size=1, max_size=6))
def test_leaves_cover_the_extent_without_gap_or_overlap(picked: list[tuple[int, int]]) -> None:
    spans = [quarter(*each) for each in picked]
    calendar = build_calendar(spans, "quarter")
    leaves = [parse_period(leaf) for leaf in calendar.axis.leaves]
    assert all(leaf is not None for leaf in leaves)
    days = sum(leaf.days for leaf in leaves if leaf is not None)
    assert days == (max(s.end for s in spans) - min(s.start for s in spans)).days + 1
    for each in spans:
        assert calendar.place(each).node == each.label
