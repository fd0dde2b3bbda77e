"""Periods as other people write them."""

from __future__ import annotations

import pytest

from attrition.cli.periods import read_periods
from attrition.data.calendar import parse_period


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("2024", "2024"),
        ("2024.0", "2024"),
        ("Q3 2024", "2024Q3"),
        ("2024-Q3", "2024Q3"),
        ("2024q3", "2024Q3"),
        ("3Q2024", "2024Q3"),
        ("2024 quarter 3", "2024Q3"),
        ("2024-07", "2024Q3"),
        ("2024-08-15", "2024Q3"),
        ("8/15/2024", "2024Q3"),
        ("15/8/2024", "2024Q3"),
        ("Aug 2024", "2024Q3"),
        ("August 2, 2024", "2024Q3"),
        ("2 August 2024", "2024Q3"),
        ("FY2024", "2024"),
        ("FY 2023/24", "2023"),
        ("2009-10", "2009"),
    ],
)
def test_one_text(text, label):
    found = read_periods([text])
    assert found is not None
    assert found.labels == {text: label}
    assert parse_period(label) is not None


@pytest.mark.parametrize("text", ["Montana", "13/13/2024", "1,204", "2024-13-01", "12", "Q5 2024", "3024"])
def test_what_is_no_period(text):
    assert read_periods([text]) is None


def test_one_odd_text_spoils_the_column():
    assert read_periods(["2024", "Montana"]) is None


def test_months_are_kept_apart_so_that_they_can_be_added_up():
    found = read_periods(["Jan 2024", "Feb 2024", "Apr 2024"])
    assert found.labels == {"Jan 2024": "2024Q1", "Feb 2024": "2024Q1", "Apr 2024": "2024Q2"}
    assert found.months == {"Jan 2024": "2024-01", "Feb 2024": "2024-02", "Apr 2024": "2024-04"}


def test_dates_of_quarters_and_years_are_those():
    quarters = read_periods(["2024-03-31", "2024-06-30"])
    assert (quarters.labels["2024-06-30"], quarters.months) == ("2024Q2", {})
    years = read_periods(["2023-01-01", "2024-01-01"])
    assert years.labels == {"2023-01-01": "2023", "2024-01-01": "2024"}


@pytest.mark.parametrize("others", [["Q1 2024", "Q2 2024", "Q3 2024"], ["2023", "2024"], ["FY2024"]])
def test_a_january_beside_quarters_or_years_is_a_month(others):
    found = read_periods([*others, "Jan 2025"])
    assert found.months == {"Jan 2025": "2025-01"}
    assert found.labels == {**read_periods(others).labels, "Jan 2025": "2025Q1"}


def test_day_and_month_are_told_apart_by_the_column():
    assert read_periods(["03/04/2024", "13/05/2024"]).labels["03/04/2024"] == "2024Q2"
    assert read_periods(["03/04/2024", "03/14/2024"]).labels["03/04/2024"] == "2024Q1"
    ambiguous = read_periods(["03/04/2024", "05/06/2024"])
    assert "either way" in ambiguous.remarks[0]


def test_a_column_of_years_that_end_in_the_next_is_not_months():
    assert read_periods(["2009-10", "2010-11"]).labels == {"2009-10": "2009", "2010-11": "2010"}
    assert read_periods(["2009-10", "2010-10"]).labels["2009-10"] == "2009Q4"
