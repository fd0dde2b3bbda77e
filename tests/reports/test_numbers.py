"""Numbers as printed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attrition.reports.numbers import (
    count,
    decimals,
    estimate,
    interval,
    number,
    plural,
    probability,
    share,
)


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [
        (0.20, 0.40, 0),
        (0.20, 0.25, 1),
        (0.0101, 0.0105, 3),
        (0.0, 1.0, 0),
        (0.25, 0.25, 1),
        (math.nan, 0.1, 1),
    ],
)
def test_places_follow_the_width_of_the_interval(low: float, high: float, places: int) -> None:
    assert decimals([low, high], 100.0) == places


@given(st.floats(0, 1), st.floats(1e-4, 1))
def test_both_ends_differ_in_print_when_they_differ(low: float, width: float) -> None:
    places = decimals([low, low + width], 100.0)
    assert number(low * 100, places) != number((low + width) * 100, places)


@pytest.mark.parametrize(
    ("low", "high", "scale", "text"),
    [
        (0.0000042, 0.012, "each", "0.000004 to 0.012"),
        (0.0000042, 0.012, "percent", "0.0004 to 1.200\u202f%"),
        (0.0, 0.012, "each", "0.000 to 0.012"),
        (1e-9, 0.012, "each", "0.000000 to 0.012"),
        (0.21, 0.32, "each", "0.210 to 0.320"),
        (-0.0042, 0.00002, "points", "−0.420 to +0.002"),
        (-0.0042, 0.000002, "points", "−0.420 to 0.000"),
    ],
)
def test_an_end_that_is_not_zero_does_not_read_as_zero(low, high, scale, text):
    assert interval(low, high, scale, 3) == text


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_a_printed_number_is_the_number_rounded(value: float, places: int) -> None:
    text = number(value, places).replace("\u202f", "").replace("−", "-")
    assert float(text) == pytest.approx(value, abs=0.5 * 10.0**-places * 1.0001)
    assert not text.startswith("-0") or float(text) != 0


def test_units_signs_and_missing_values() -> None:
    assert estimate(0.1234, "percent", 1) == "12.3\u202f%"
    assert estimate(-0.012, "points", 1) == "−1.2"
    assert estimate(1.5, "each", 2) == "1.50"
    assert estimate(math.nan, "percent", 1) == "–"
    assert interval(0.1, 0.2, "percent", 0) == "10 to 20\u202f%"
    assert interval(-0.01, 0.02, "points", 1) == "−1.0 to +2.0"
    assert interval(math.nan, 0.2, "percent", 0) == "–"
    assert count(12345) == "12\u202f345"
    assert number(-0.0001, 1, signed=True) == "0.0"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.7, ".70"), (1.0, "1.00"), (0.999, "1.00"), (-0.05, "−.05"), (-0.001, ".00"), (None, "–")],
)
def test_shares_have_no_leading_zero(value: float | None, text: str) -> None:
    assert share(value) == text


def test_probabilities_are_never_certain() -> None:
    assert [probability(p) for p in (0.0, 0.5, 0.9949, 0.995, 1.0)] == [
        "below .01", ".50", ".99", "above .99", "above .99",
    ]  # fmt: skip


def test_plurals() -> None:
    assert plural(1, "row") == "1 row"
    assert plural(2, "row") == "2 rows"
    assert plural(2, "jurisdiction-period", "cells") == "2 cells"
