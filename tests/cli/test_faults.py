"""Bad input: one line a fault that a person can act on, exit 2, and nothing written."""

from __future__ import annotations

import pytest

PLAN = """format = 1
name = "faulty"
[funnel]
stages = ["referral", "investigation", "arrest"]
[[input]]
file = "data.csv"
form = "wide"
as_of = "2025-01-31"
[axes]
offense = "offenses.csv"
jurisdiction = "places.csv"
"""
OFFENSES = "name\ntheft\nfraud\n"
PLACES = "name\nNorth\nSouth\n"
HEAD = "offense,jurisdiction,period,referral,investigation,arrest\n"
GOOD = "theft,North,2023,100,40,10\nfraud,North,2023,50,20,5\n"

DATA = {
    "missing column": (
        "offense,jurisdiction,period,referral,arrest\ntheft,North,2023,9,1\n",
        "investigation",
    ),
    "unknown offense": (HEAD + GOOD + "thefd,North,2024,9,1,1\n", "did you mean 'theft'"),
    "unknown jurisdiction": (HEAD + GOOD + "theft,Nort,2024,9,1,1\n", "did you mean 'North'"),
    "negative count": (HEAD + GOOD + "theft,South,2023,-9,1,1\n", "negative count"),
    "fraction": (HEAD + GOOD + "theft,South,2023,9.5,1,1\n", "fraction"),
    "infinite": (HEAD + GOOD + "theft,South,2023,inf,1,1\n", "'inf'"),
    "formula": (HEAD + GOOD + "theft,South,2023,=1+1,1,1\n", "'=1+1'"),
    "outcome above its denominator": (HEAD + GOOD + "theft,South,2023,9,19,1\n", "row 4"),
    "at least": (HEAD + GOOD + 'theft,South,2023,"12,600+",1,1\n', "at least 12600"),
    "suppressed": (HEAD + GOOD + "theft,South,2023,9,n<5,1\n", "suppressed 1..4"),
    "star": (HEAD + GOOD + "theft,South,2023,9,*,1\n", "'*'"),
    "approximate": (HEAD + GOOD + "theft,South,2023,~5000,1,1\n", "approx 5000"),
    "two rows that disagree": (HEAD + GOOD + "theft,North,2023,101,40,10\n", "row 2"),
    "total below its parts": (HEAD + GOOD + "all,North,2023,120,60,15\n", "120"),
    "ragged": (HEAD + GOOD + "theft,South,2023,9\n", "ragged row"),
    "empty": ("", "empty file"),
    "header only": (HEAD, "header only"),
    "period": (HEAD + GOOD + "theft,South,spring,9,1,1\n", "'spring'"),
}
PLANS = {
    "unknown key": (PLAN + "[answers]\n", "answer"),
    "unknown key inside": (PLAN.replace("as_of =", "asof ="), "as_of"),
    "a name of another folder": (PLAN.replace('"faulty"', '"../e"'), "cannot be the name of a folder"),
    "newer format": (PLAN.replace("format = 1", "format = 2"), "upgrade attrition"),
    "unknown effect": (PLAN + '[[effect]]\nkind = "tme"\n', "time"),
    "one stage": (PLAN.replace('["referral", "investigation", "arrest"]', '["referral"]'), "stages"),
    "not TOML": (PLAN + "[[[\n", "TOML"),
    "absent file": (PLAN.replace("data.csv", "date.csv"), "data.csv"),
}


@pytest.fixture
def refused(shell, tmp_path, files):
    """Validate and estimate; both must refuse in the same words and leave nothing behind."""

    def call(plan: str, data: bytes):
        (tmp_path / "plan.toml").write_text(plan)
        (tmp_path / "data.csv").write_bytes(data)
        (tmp_path / "offenses.csv").write_text(OFFENSES)
        (tmp_path / "places.csv").write_text(PLACES)
        before = files()
        validated = shell("validate", tmp_path / "plan.toml")
        estimated = shell("estimate", tmp_path / "plan.toml")
        assert files() == before
        for answer in (validated, estimated):
            assert answer.code == 2, answer
            assert answer.out == ""
            assert "Traceback" not in answer.err
        return validated.err

    return call


@pytest.mark.parametrize("fault", sorted(DATA))
def test_data_at_fault(refused, fault):
    data, said = DATA[fault]
    assert said in refused(PLAN, data.encode())


@pytest.mark.parametrize("fault", sorted(PLANS))
def test_plan_at_fault(refused, fault):
    plan, said = PLANS[fault]
    assert said in refused(plan, (HEAD + GOOD).encode())


def test_unreadable_encoding(refused):
    assert "UTF-8" in refused(PLAN, (HEAD + "theft,Nörd,2023,9,1,1\n").encode("latin-1"))


def test_every_fault_is_shown_at_once(refused):
    rows = "thefd,North,2023,9,1,1\ntheft,Nort,2023,9,1,1\ntheft,South,2023,-9,1,1\n"
    said = refused(PLAN, (HEAD + GOOD + rows).encode()).splitlines()
    assert len(said) == 3
    for row, line in zip((4, 5, 6), sorted(said, key=lambda line: line.split("row ")[1]), strict=True):
        assert f"row {row}" in line


NAMED = {
    "accept of no check": (
        '[release]\naccept = {rhatt = "ok"}\n',
        "no such check; found 'rhatt'; did you mean 'rhat'",
    ),
    "scenario of a release": (
        '[release]\nscenarios = ["x"]\n',
        "[release] scenarios: no such scenario; found 'x'",
    ),
    "scenario of a sweep": ('[vary]\nscenarios = ["x"]\n', "[vary] scenarios: no such scenario; found 'x'"),
}


@pytest.mark.parametrize("fault", NAMED)
def test_what_a_plan_names_has_to_exist(shell, tmp_path, fault):
    plan, said = NAMED[fault]
    (tmp_path / "plan.toml").write_text(PLAN + plan)
    (tmp_path / "data.csv").write_text(HEAD + GOOD)
    (tmp_path / "offenses.csv").write_text(OFFENSES)
    (tmp_path / "places.csv").write_text(PLACES)
    answer = shell("validate", tmp_path / "plan.toml")
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.strip().splitlines()
    assert said in line


@pytest.mark.parametrize("command", ["estimate", "simulate"])
def test_a_seed_below_zero_is_refused(shell, tmp_path, files, command):
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "data.csv").write_text(HEAD + GOOD)
    (tmp_path / "offenses.csv").write_text(OFFENSES)
    (tmp_path / "places.csv").write_text(PLACES)
    before = files()
    answer = shell(command, tmp_path / "plan.toml", "--seed", -1)
    assert (answer.code, answer.out) == (2, "")
    assert "--seed" in answer.err.splitlines()[-1]
    assert files() == before


def test_a_setting_without_a_value(shell, tmp_path, files):
    (tmp_path / "plan.toml").write_text(PLAN)
    before = files()
    answer = shell("validate", tmp_path / "plan.toml", "--set", "prior.spread")
    assert answer.code == 2
    assert "KEY=VALUE" in answer.err
    assert files() == before
