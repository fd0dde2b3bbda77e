"""A user's own table: what is guessed of it, and that the plan written for it is sound."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from attrition.data.intake import read_panel
from attrition.data.names import ROOT
from attrition.estimation.plan import read_plan

PLAIN = """offense,jurisdiction,period,referral,investigation,arrest
theft,North,2023,100,40,10
theft,North,2024,110,42,12
theft,South,2023,50,20,
theft,South,2024,60,22,0
"""
OFFICE = """State,Crime Type,Quarter,Cyber Tips,Cases Opened,Arrests
Montana,Possession,Q1 2024,"1,204",130,<5
Montana,Enticement,Q1 2024,80,12,*
Montana ,Possession,Q2 2024,"1,000",120,7
Montana,Enticement,Q2 2024,90,,<5
Idaho,Possession,Q1 2024,300,20,6
Idaho,Enticement,Q1 2024,30,9,-
Idaho,Possession,Q2 2024,310,25,6
Idaho,Enticement,Q2 2024,33,9,0
"""
MONTHS = """county;month;reports;investigations;notes
Ada;2024-01;10;3;
Ada;2024-02;12;4;
Ada;2024-03;12;4;
Ada;2024-04;9;1;late
Bonner;2024-01;10;3;
Bonner;2024-02;12;;
Bonner;2024-03;12;4;
"""
APART = """Year,Qtr,Region,tips,arrested
2023,1,North,100,5
2023,2,North,110,6
2023,1,South,20,0
2023,2,South,21,30
"""
FISCAL = """fiscal year,place,n_received,n_closed,n_sent,Source
FY2022,X,50,20,3,a
FY2023,X,60,22,4,b
FY2022,Y,150,70,13,a
FY2023,Y,160,72,14,b
FY2022,Total,200,90,16,a
FY2023,Total,220,94,18,b
"""
TIMELESS = "offence,referrals,charged\ntheft,100,10\nfraud,90,4\n"
MARKED = """date,state,NCMEC reports,search warrants,Arrests
1/1/2024,TX,500,40,12+
4/1/2024,TX,510,44,~10
7/1/2024,TX,520,45,n/a
1/1/2024,CA,900,80,30
"""
TABLES = {
    "plain": PLAIN,
    "office": OFFICE,
    "months": MONTHS,
    "apart": APART,
    "fiscal": FISCAL,
    "timeless": TIMELESS,
    "marked": MARKED,
}


@pytest.fixture
def started(shell, tmp_path):
    """``init table`` of a text: its answer and the folder."""

    def call(text: str, name: str = "mine.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return shell("init", "table", tmp_path / name, tmp_path / "start"), tmp_path / "start"

    return call


def facts(folder) -> dict[tuple[str, str, str, str], tuple]:
    """What a plan's panel says, by stage, offense, jurisdiction and period."""
    plan = read_plan(folder / "plan.toml")
    panel, _ = read_panel(plan.panel_spec(), plan.folder)
    return {
        (one.stage, one.offense, one.jurisdiction, one.period): (one.relation, one.count, one.low, one.high)
        for one in panel.statements
    }


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_plan_is_sound(started, shell, name):
    answer, folder = started(TABLES[name])
    assert answer.code == 0
    assert answer.out.rstrip().endswith(f"attrition validate {folder / 'plan.toml'}")
    checked = shell("validate", folder / "plan.toml")
    assert (checked.code, checked.err) == (0, "")


def test_the_file_is_copied_as_it_is(started):
    _, folder = started(OFFICE)
    assert (folder / "mine.csv").read_text() == OFFICE


def test_standard_names_need_no_guess(started):
    _, folder = started(PLAIN)
    plan = tomllib.loads((folder / "plan.toml").read_text())
    assert plan["funnel"]["stages"] == ["referral", "investigation", "arrest"]
    assert "columns" not in plan["input"][0]
    assert ("arrest", "theft", "South", "2023") not in facts(folder)
    assert facts(folder)["arrest", "theft", "South", "2024"] == ("exact", 0, None, None)


def test_names_tokens_and_separators_of_an_office_table(started):
    _, folder = started(OFFICE)
    found = facts(folder)
    assert found["referral", "Possession", "Montana", "2024Q1"] == ("exact", 1204, None, None)
    assert found["arrest", "Possession", "Montana", "2024Q1"] == ("suppressed", None, 1, 4)
    assert found["referral", "Possession", "Montana", "2024Q2"][1] == 1000
    assert ("arrest", "Enticement", "Montana", "2024Q1") not in found
    text = (folder / "plan.toml").read_text()
    assert "# - what '*' in 'Arrests' means" in text
    assert "# - offense is column 'Crime Type'" in text


def test_months_are_added_up_to_whole_quarters(started):
    _, folder = started(MONTHS)
    found = facts(folder)
    assert found["referral", ROOT, "Ada", "2024Q1"][1] == 10 + 12 + 12
    assert found["investigation", ROOT, "Ada", "2024Q1"][1] == 3 + 4 + 4
    # A sum with an unreported month is not known; a quarter with one month is not a quarter.
    assert ("investigation", ROOT, "Bonner", "2024Q1") not in found
    assert not [key for key in found if key[3] == "2024Q2"]


def test_a_year_and_its_quarter_in_two_columns(started):
    _, folder = started(APART)
    found = facts(folder)
    assert {key[3] for key in found} == {"2023Q1", "2023Q2"}
    # 30 arrests from 21 tips: the units cannot be one to one.
    assert read_plan(folder / "plan.toml").funnel.to_funnel().steps[0].kind == "ratio"


def test_fiscal_years_totals_and_sources(started):
    _, folder = started(FISCAL)
    found = facts(folder)
    assert found["n_sent", ROOT, ROOT, "2023"][1] == 18
    assert found["referral", ROOT, "Y", "2022"][1] == 150
    assert "first year; change values.period" in " ".join((folder / "plan.toml").read_text().split())


def test_bounds_and_approximations(started):
    _, folder = started(MARKED)
    found = facts(folder)
    assert found["arrest", ROOT, "TX", "2024Q1"][:2] == ("at_least", 12)
    assert found["arrest", ROOT, "TX", "2024Q2"][:2] == ("approx", 10)
    assert ("arrest", ROOT, "TX", "2024Q3") not in found
    assert "columns not used: search warrants" in (folder / "plan.toml").read_text()


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
    answer, folder = started(MONTHS + "Ada;2024-03;13;4;\n")
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


def test_a_suffix_in_capitals_is_one(started):
    rows = ["Ada;2024Q1;1 204;5", "Ada;2024Q2;900;5"]
    _, folder = started("\n".join(["place;period;referrals;arrests", *rows]), "SEMI.CSV")
    assert facts(folder)["referral", ROOT, "Ada", "2024Q1"][1] == 1204


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


def test_a_new_period_is_refused_and_never_lost(started, shell):
    """The query knows the periods it has seen; one that is added later must not vanish."""
    _, folder = started(MONTHS)
    with (folder / "mine.csv").open("a") as table:
        table.write("Ada;someday;9;1;\n")
    answer = shell("validate", folder / "plan.toml")
    assert answer.code == 2
    assert "someday" in answer.err


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_other_kinds_of_file(shell, tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    table = pd.DataFrame({"state": ["A", "B"], "year": [2023, 2023], "tips": [10, 20], "arrests": [1, 2]})
    if suffix == ".xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_parquet(path, index=False)
    assert shell("init", "table", path, tmp_path / "start").code == 0
    assert facts(tmp_path / "start")["arrest", ROOT, "B", "2023"][1] == 2


@pytest.mark.parametrize("tips", ["10", "1,010"])
def test_one_sheet_of_several(shell, tmp_path, tips):
    path = tmp_path / "mine.xlsx"
    table = pd.DataFrame({"state": ["A", "B"], "year": [2023, 2023], "tips": [tips, "20"], "arrests": [1, 2]})
    with pd.ExcelWriter(path) as book:
        table.to_excel(book, sheet_name="counts", index=False)
        table.assign(arrests=[3, 4]).to_excel(book, sheet_name="other", index=False)
    refused = shell("init", "table", path, tmp_path / "start")
    assert refused.code == 2
    assert "'counts', 'other'" in refused.err
    assert "--sheet" in refused.err
    assert shell("init", "table", path, tmp_path / "start", "--sheet", "counts").code == 0
    assert facts(tmp_path / "start")["arrest", ROOT, "B", "2023"][1] == 2


def test_a_sheet_of_what_is_no_workbook_is_refused(shell, tmp_path):
    (tmp_path / "mine.csv").write_text(PLAIN)
    answer = shell("init", "table", tmp_path / "mine.csv", tmp_path / "start", "--sheet", "counts")
    assert (answer.code, "leave out --sheet" in answer.err) == (2, True)
    assert not (tmp_path / "start").exists()


def test_an_existing_plan_is_never_overwritten(started, shell, tmp_path):
    _, folder = started(PLAIN)
    (folder / "plan.toml").write_text("# mine\n")
    answer = shell("init", "table", tmp_path / "mine.csv", folder)
    assert answer.code == 2
    assert "already there" in answer.err
    assert (folder / "plan.toml").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"offense,jurisdiction,period,referral,arrest\n", "header only"),
        (b"a,b\n1,2\n3\n", "ragged row"),
        ("jurisdiction,period,referral,arrest\nMünchen,2024,5,1\n".encode("latin-1"), "encoding"),
        (b"name,colour\nx,red\ny,blue\n", "no funnel in this table"),
    ],
)
def test_a_table_that_cannot_be_read_leaves_nothing(shell, tmp_path, content, said):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    answer = shell("init", "table", path, tmp_path / "start")
    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "start").exists()


def test_a_missing_file_is_named(shell, tmp_path):
    answer = shell("init", "table", tmp_path / "absent.csv", tmp_path / "start")
    assert answer.code == 2
    assert "absent.csv: file not found" in answer.err
    assert not (tmp_path / "start").exists()
