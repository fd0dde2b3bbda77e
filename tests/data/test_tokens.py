from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attrition.data.tokens import (
    LARGEST,
    NumberFault,
    Reading,
    parse_meaning,
    parse_tokens,
    proposed_meaning,
    read_count,
    share_number,
    whole_number,
)


@pytest.mark.parametrize(
    ("meaning", "reading"),
    [
        ("suppressed 1..4", Reading("count", "suppressed", low=1, high=4)),
        ("range 10..20", Reading("count", "range", low=10, high=20)),
        ("at least 7", Reading("count", "at_least", count=7)),
        ("at most 7", Reading("count", "at_most", count=7)),
        ("approx 5000", Reading("count", "approx", count=5000)),
        ("not reported", Reading("not reported")),
        ("not  applicable", Reading("not applicable")),
    ],
)
def test_meanings(meaning: str, reading: Reading) -> None:
    assert parse_meaning(meaning) == reading


@pytest.mark.parametrize(
    "meaning", ["suppressed", "suppressed 4..1", "about 5", "", "range 1-4", "at least -1"]
)
def test_a_meaning_that_is_none_is_refused(meaning: str) -> None:
    with pytest.raises(ValueError, match=r"no meaning|empty"):
        parse_meaning(meaning)


def test_four_states_are_four_things() -> None:
    tokens = parse_tokens({"<5": "suppressed 1..4", "n/a": "not applicable", "*": "not reported"})
    readings = [read_count(text, tokens) for text in ("0", "", "n/a", "<5")]
    assert [r.state for r in readings] == ["count", "not reported", "not applicable", "count"]
    assert readings[0].count == 0
    assert (readings[3].relation, readings[3].low, readings[3].high) == ("suppressed", 1, 4)
    assert len(set(readings)) == 4


def test_a_declared_token_wins_over_a_number_and_an_empty_one_is_refused() -> None:
    assert read_count("-9", parse_tokens({"-9": "not reported"})).state == "not reported"
    assert read_count(" 999 ", parse_tokens({"999": "not applicable"})).state == "not applicable"
    with pytest.raises(ValueError, match="empty field"):
        parse_tokens({" ": "at least 3"})


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("12,600+", "text in a number", '"12,600+" = "at least 12600"'),
        ("n<5", "text in a number", '"n<5" = "suppressed 1..4"'),
        ("<10", "text in a number", '"<10" = "suppressed 1..9"'),
        ("*", "text in a number", '"*" = "not reported"'),
        ("~5000", "text in a number", '"~5000" = "approx 5000"'),
        (">100", "text in a number", '">100" = "at least 101"'),
        ("≥100", "text in a number", '"≥100" = "at least 100"'),
        ("<= 3", "text in a number", '"<= 3" = "at most 3"'),
        ("1-4", "text in a number", '"1-4" = "range 1..4"'),
        ("5%", "percentage in a count", "share_of_<stage>"),
        ("12.5 %", "percentage in a count", "share_of_<stage>"),
        ("12,600", "thousands separator in a number", "write 12600"),
        ("1.234.567", "thousands separator in a number", "write 1234567"),
        ("5.000", "thousands separator in a number", "write 5000, or 5 if the point is a decimal point"),
        ("12.000", "thousands separator in a number", "write 12000, or 12 if"),
        ("1.204", "thousands separator in a number", "write 1204; if the point is a decimal point it is no"),
        ("1,204.00", "thousands separator in a number", "write 1204"),
        ("1,204 567", "separators in a number", "write its digits alone"),
        ("0.204", "fraction in a count", "long form"),
        ("=1+1", "formula or sign in a number", "store the value"),
        ("-5", "negative count", '"-5" = "not reported"'),
        ("12.5", "fraction in a count", "long form"),
        ("inf", "not a number", "leave the field empty"),
        ("NaN", "not a number", "leave the field empty"),
        ("#N/A", "not a number", "leave the field empty"),
        ("1e5", "number in scientific notation", "write all its digits"),
        ("٣", "text in a number", "tokens"),
        ("true", "text in a number", "tokens"),
        ("99999999999999999999", "number too large to be a count", ""),
    ],
)
def test_every_fault_names_its_remedy(text: str, what: str, remedy: str) -> None:
    with pytest.raises(NumberFault) as caught:
        read_count(text, {})
    assert caught.value.what == what
    assert remedy in caught.value.do


def test_shares() -> None:
    assert share_number("0.05") == 0.05
    assert share_number("1") == 1.0
    with pytest.raises(NumberFault, match="share outside"):
        share_number("1.01")
    with pytest.raises(NumberFault):
        share_number("-0.1")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("<1", "at most 0"),
        ("<2", "suppressed 1..1"),
        ("<5.0", "suppressed 1..4"),
        ("<1,000", "suppressed 1..999"),
        ("12.0+", "at least 12"),
        ("12 600 +", "at least 12600"),
        ("CA. 100", "approx 100"),
        ("less than 5", "suppressed 1..4"),
        ("More than 100", "at least 101"),
        ("up to 20", "at most 20"),
        ("≥7", "at least 7"),
        ("~12.5", "not reported"),
        ("<12,5", "not reported"),
        ("<5.000", "not reported"),
        ("<0", "not reported"),
        ("9-5", "not reported"),
    ],
)
def test_a_proposed_meaning_says_what_the_text_says_or_nothing(text: str, meaning: str) -> None:
    assert proposed_meaning(text) == meaning
    assert parse_meaning(meaning)


@given(st.integers(0, LARGEST))
def test_whole_numbers_are_read_exactly(number: int) -> None:
    assert whole_number(str(number)) == number
    assert whole_number(f"{number}.0") == number
    assert whole_number(f"{number}.00") == number


@pytest.mark.parametrize(("text", "number"), [("0.000", 0), ("1234.000", 1234), ("12.", 12)])
def test_zeros_after_a_point_that_groups_nothing(text: str, number: int) -> None:
    assert whole_number(text) == number


@given(st.text(max_size=12))
def test_any_text_is_a_count_or_a_number_fault(text: str) -> None:
    try:
        reading = read_count(text, {})
    except NumberFault:
        assert text.strip()
    else:
        assert (reading.state == "not reported") == (not text.strip())
