"""``attrition compare``: two stored runs beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..stored import statement, write_run


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    many = [statement(row, "case", 5.0, jurisdiction=f"place{row}") for row in range(3, 40)]
    one = write_run(
        tmp_path / "runs", "a" * 12, plan={"prior": {"spread": 1.0}}, statements=[statement(2, "case", 40.0), *many]
    )  # fmt: skip
    other = write_run(
        tmp_path / "runs", "b" * 12, offset=0.5, hidden=["fraud"], plan={"prior": {"spread": 2.0}},
        statements=[statement(2, "case", 50.0)],
    )  # fmt: skip
    return one.folder, other.folder


def test_what_differs_in_words(shell, two):
    answer = shell("compare", *two)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith("From run aaaaaaaaaaaa")
    assert lines[1].startswith("  to run bbbbbbbbbbbb")
    assert "Settings of the fit: the same." in lines
    assert "Keys of the plan: 1 different." in lines
    assert "  prior.spread: 1.0 → 2.0" in lines
    assert "Numbers read: 38 different." in lines
    assert "  case (theft, North, 2024; source gazette): 40 → 50" in lines
    assert "  and 13 more; --json gives them all" in lines
    split = next(number for number, line in enumerate(lines) if line.startswith("Revisions: "))
    assert lines[split + 1].startswith("Not split: the earlier plan cannot be fitted to the later numbers: ")
    assert "Claims: the same." in lines
    body = [line for line in lines[:split] if line.startswith("referral-case")]
    assert [line.split()[1] for line in body] == ["all", "theft", "fraud"]
    assert "+2." in body[0]
    assert body[2].endswith("not published")
    assert "largest" not in answer.out


def test_json_gives_everything(shell, two):
    value = json.loads(shell("compare", *two, "--json").out)
    assert [one["about"] for one in value["differences"]].count("statement") == 38
    assert value["differences"][0] == {
        "about": "plan", "change": "changed", "key": "prior.spread", "before": 1.0, "after": 2.0,
        "sentence": "prior.spread: 1.0 → 2.0",
    }  # fmt: skip
    assert {row["scenario"] for row in value["rows"]} == {"b" * 12}
    assert value["base"]["run"] == str(two[0])
    rows = {row["quantity_id"]: row for row in value["revision"]["rows"]}
    whole = rows["rate|referral-case|all|all|all|superpopulation"]
    assert whole["revision"] == whole["new"] - whole["old"] != 0
    assert value["claims"] == []


def test_nothing_is_fitted_where_that_is_asked(shell, two):
    found = json.loads(shell("compare", *two, "--no-split", "--json").out)["revision"]
    assert "nothing was fitted" in found["unsplit"]
    assert found["links"] == []


def test_runs_are_found_by_prefix(shell, two, tmp_path):
    assert shell("compare", "aaaa", "bbbb", "--runs", tmp_path / "runs").out == shell("compare", *two).out


@pytest.mark.parametrize(
    ("first", "second", "words"), [("aaaa", "aaaa", "the same run"), ("aaaa", "cc", "no such run")]
)
def test_two_that_are_not_two_runs(shell, two, tmp_path, first, second, words):
    answer = shell("compare", first, second, "--runs", tmp_path / "runs")
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
