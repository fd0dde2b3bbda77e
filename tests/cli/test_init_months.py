"""Rows of one cell in a user's own table: months are added up, and nothing else is."""

from __future__ import annotations

import tomllib
from pathlib import Path

from attrition.data.names import ROOT

from .panels import facts

VINTAGES = """place,month,referrals,arrests,as_of,note,source_id
Ada,Jan 2024,20,5,2024-06-30,x,a
Ada,Feb 2024,20,3,2024-06-30,,a
Ada,Mar 2024,20,6,2024-06-30,y,a
Ada,Mar 2024,20,6,2024-06-30,y,a
Ada,Q2 2024,70,9,2024-07-31,,a
Bo,Jan 2024,20,1,2024-06-30,,a
Bo,Jan 2024,5,1,2024-06-30,,b
Bo,Feb 2024,5,1,2024-06-30,,b
Bo,Mar 2024,5,1,2024-06-30,,b
"""


def test_months_are_added_up_within_a_source_and_a_date_and_a_repeated_row_once(started):
    answer, folder = started(VINTAGES)
    found = facts(folder)
    assert found["referral", ROOT, "Ada", "2024Q1"][1] == 60
    assert found["arrest", ROOT, "Ada", "2024Q2"][1] == 9
    assert found["referral", ROOT, "Bo", "2024Q1"][1] == 15
    assert "2024Q1 is left out of Bo / a / 2024-06-30: of its months the table has only 2024-01" in answer.out


def test_a_month_that_is_there_twice_is_refused(started, shell):
    answer, folder = started(
        "place,month,tips,arrests\nAda,2024-02,9,3\nAda,2024-03,12,4\nAda,2024-03,13,4\n"
    )
    assert "a month has several rows that are not the same" in answer.out
    checked = shell("validate", folder / "plan.toml")
    assert checked.code == 2
    assert "not a period; found '2024Q1 (a month has two rows)'" in checked.err


RIVALS = """jurisdiction,period,referral,arrest,source_id
Ada,2024Q1,100,10,press
Ada,2024Q1,104,10,agency
Ada,2024Q2,90,5,agency
Ada,2024Q2,90,5,agency
"""


def test_rival_sources_and_repeated_rows_are_not_added_up(started, shell):
    answer, folder = started(RIVALS)
    assert "1 cells have several rows of one period, which are not added up" in answer.out
    checked = shell("validate", folder / "plan.toml")
    assert checked.code == 2
    assert checked.err.count("\n") == 1
    assert "referral 100 (all, Ada, 2024Q1) [press]" in checked.err


def test_vintages_keep_their_dates(shell, tmp_path):
    answer = shell("init", "table", Path("docs/examples/late.csv"), tmp_path / "start")
    assert "[intake] as_of" in answer.out
    plan = tomllib.loads((tmp_path / "start" / "plan.toml").read_text())
    assert plan["input"][0]["file"] == "late.csv"
    assert "as_of" not in plan["input"][0]


def test_months_are_grouped_by_the_names_they_get_and_what_is_left_out_is_named(started):
    rows = [
        f"{place}{' ' * (place == 'Ada' and month == 3)},{offense},2024-0{month},{20 + month},10,3"
        for place in ("Ada", "Bonner")
        for offense in ("theft", "fraud")
        for month in range(1, 9)
    ]
    answer, folder = started("\n".join(["place,offense,month,referrals,investigations,arrests", *rows]))
    assert len(facts(folder)) == 2 * 2 * 2 * 3
    assert facts(folder)["referral", "theft", "Ada", "2024Q1"][1] == 21 + 22 + 23
    assert "2024Q3 is left out everywhere: of its months the table has only 2024-07, 2024-08" in answer.out


def test_months_beside_a_token_are_refused(started, shell):
    rows = ["Ada,Jan 2024,20,<5", "Ada,Feb 2024,20,3", "Ada,Mar 2024,20,<5", "Bo,Jan 2024,30,5"]
    answer, folder = started("\n".join(["place,month,referrals,arrests", *rows]))
    assert "a text such as '<5' among the numbers" in answer.out
    assert "periods are rewritten" not in answer.out
    checked = shell("validate", folder / "plan.toml")
    assert checked.code == 2
    assert checked.err.count("not a period") == len(rows)


def test_a_sum_with_an_empty_month_is_named(started):
    rows = [
        "Ada,2024-01,9,3",
        "Ada,2024-02,12,",
        "Ada,2024-03,13,4",
        "Bo,2024-01,9,",
        "Bo,2024-02,9,",
        "Bo,2024-03,9,",
    ]
    answer, folder = started("\n".join(["place,month,tips,arrests", *rows]))
    assert "arrest is not known, since some of the months are empty, in 2024Q1 / Ada\n" in answer.out
    assert {key[0] for key in facts(folder)} == {"referral"}
