"""A user's own table: what is guessed of it, and that the plan written for it is sound."""

from __future__ import annotations

import tomllib

import pandas as pd
import pytest

from attrition.data.names import ROOT
from attrition.estimation.plan import read_plan

from .panels import facts

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


def test_a_suffix_in_capitals_is_one(started):
    rows = ["Ada;2024Q1;1 204;5", "Ada;2024Q2;900;5"]
    _, folder = started("\n".join(["place;period;referrals;arrests", *rows]), "SEMI.CSV")
    assert facts(folder)["referral", ROOT, "Ada", "2024Q1"][1] == 1204


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
