"""What ``init table`` makes of odd texts: read as they are meant, or named and refused."""

from __future__ import annotations

import tomllib

import pytest

from attrition.data.names import ROOT
from attrition.estimation.plan import read_plan

from .panels import facts


def test_only_thousands_separators_are_removed(started, shell):
    rows = ['Ada,2024Q1,"1,204",5', 'Ada,2024Q2,"1,20",5', 'Ada,2024Q3,"110,5",5', 'Ada,2024Q4,"12,600+",5']
    answer, folder = started("\n".join(["place,period,referrals,arrests", *rows]))
    assert "exceeds" not in answer.out
    checked = shell("validate", folder / "plan.toml")
    assert checked.code == 2
    assert [text in checked.err for text in ("1,20'", "110,5", "1204", "12,600+")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("header", "periods"),
    [
        ("period", ["Q1 2024", "Q2 2024", "2024 total"]),
        ("quarter", ["24Q1", "24Q2"]),
        ("when", ["Q1 2024", "Q2 2024", "2024 total"]),
        ("year", ["2023", "2024", "FY24"]),
        ("year,quarter", ["2024,1", "2024,2", "2024,total"]),
    ],
)
def test_a_period_that_cannot_be_read_is_named_and_refused(started, shell, header, periods):
    answer, folder = started(
        "\n".join([f"place,{header},referrals,arrests", *(f"Ada,{p},20,3" for p in periods)])
    )
    assert "periods that could not be read: " in answer.out
    odd = [period for period in periods if not period.startswith(("Q", "20")) or "total" in period]
    checked = shell("validate", folder / "plan.toml")
    assert checked.code == 2
    assert checked.err.count("not a period") == checked.err.count("\n") == len(odd)


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("All", ROOT),
        ("all offenses", ROOT),
        ("All crime types", ROOT),
        ("All other", "All other"),
        ("All Saints", "All Saints"),
    ],
)
def test_all_is_the_total_and_all_other_is_not(started, name, node):
    rows = ["theft,Ada,2024,20,3", "fraud,Ada,2024,10,3", f"{name},Ada,2024,40,7"]
    _, folder = started("\n".join(["offense,place,period,referrals,arrests", *rows]))
    assert facts(folder)["referral", node, "Ada", "2024"][1] == 40


@pytest.mark.parametrize("values", [("27.5", "30.1"), ("27%", "30%"), ("27", "30"), ("0.275", "0.301")])
def test_shares_and_units_closed_without_are_no_stages(started, shell, values):
    rows = [f"Ada,2024Q{i + 1},100,40,27,13,{value}" for i, value in enumerate(values)]
    header = "place,period,tips,cases,arrests,Closed without arrest,Arrest rate"
    answer, folder = started("\n".join([header, *rows]))
    assert read_plan(folder / "plan.toml").funnel.stages == ("referral", "investigation", "arrest")
    assert "columns of shares are no stages and not used: Arrest rate" in answer.out
    assert "'Closed without arrest' counts units closed without a later stage" in answer.out
    assert shell("validate", folder / "plan.toml").code == 0


@pytest.mark.parametrize(
    ("value", "stage"),
    [("27.5", False), ("27%", False), (".275", False), ("0.0", True), ("12.0", True), ("1.204", True)],
)
def test_a_column_of_fractions_is_no_stage_whatever_its_name(started, value, stage):
    rows = [f"Ada,2024Q{i},3000,500,{value}" for i in range(1, 5)]
    _, folder = started("\n".join(["place,period,got,sent,other", *rows]))
    stages = tomllib.loads((folder / "plan.toml").read_text())["funnel"]["stages"]
    assert stages == ["got", "sent", *["other"] * stage]


def test_what_is_said_of_a_text_fits_it(started):
    texts = ["50%", "more than 100", "less than 5", "*", "5 or so", "7", "8", "9"]
    rows = [f"Ada,{2010 + i},3000,{text}" for i, text in enumerate(texts)]
    answer, folder = started("\n".join(["place,year,tips,arrests", *rows]))
    assert "'50%' in column 'arrests': percentage in a count; a share belongs in the long form" in answer.out
    assert "what '*' in 'arrests' means: not reported, or a small count held back" in answer.out
    assert "what '5 or so' in 'arrests' means: not reported, or what it says of a number" in answer.out
    tokens = tomllib.loads((folder / "plan.toml").read_text())["input"][0]["tokens"]
    assert tokens == {
        "more than 100": "at least 101",
        "less than 5": "suppressed 1..4",
        "*": "not reported",
        "5 or so": "not reported",
    }


def test_counts_that_look_like_years_are_counts(started):
    rows = ["Ada,2023,2010,1950", "Ada,2024,1999,1901"]
    _, folder = started("\n".join(["place,year,got,sent", *rows]))
    assert facts(folder)["got", ROOT, "Ada", "2024"][1] == 1999


def test_a_source_or_date_that_is_a_number_is_no_stage(started):
    rows = ["Ada,2023,200,20,7,2024", "Ada,2024,210,21,7,2025"]
    _, folder = started("\n".join(["place,year,got,sent,source_id,as_of", *rows]))
    assert read_plan(folder / "plan.toml").funnel.stages == ("got", "sent")
    assert "as_of" not in tomllib.loads((folder / "plan.toml").read_text())["input"][0]
