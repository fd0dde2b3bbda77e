"""``attrition vary``: what is refused, what is shown, how it stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attrition.data.names import SCENARIO_KEYS
from attrition.estimation.runners.contract import HERE, Where
from attrition.estimation.sensitivity.compare import Comparison, Varied, moved
from attrition.estimation.store.runs import Run

from ..stored import write_run
from .known import DATA, PLAN


@pytest.fixture
def planned(tmp_path: Path):
    """Write a plan with scenarios: name to what it sets."""

    def write(**scenarios: str) -> Path:
        (tmp_path / "data.csv").write_text(DATA)
        entries = [
            f'[[scenario]]\nname = "{name}"\nreason = "r"\nset = {{{text}}}\n'
            for name, text in scenarios.items()
        ]
        (tmp_path / "plan.toml").write_text(PLAN + "".join(entries))
        return tmp_path / "plan.toml"

    return write


@pytest.fixture
def varied(tmp_path: Path) -> Comparison:
    """Two scenarios of known runs: one that lifts every rate, one unfit that withholds theft."""
    base = write_run(tmp_path / "runs", "aaaaaaaaaaaa")
    runs = [
        write_run(tmp_path / "runs", "bbbbbbbbbbbb", offset=0.4),
        write_run(tmp_path / "runs", "cccccccccccc", offset=-0.1, status="unfit", hidden=["theft"]),
    ]
    others = (
        Varied("lifted", "a reason", {"prior.spread": 2.0}, runs[0]),
        Varied("doubted", "another", {"exclude.+": {"source_id": "x", "reason": "y"}}, runs[1]),
    )
    return Comparison(base, others, moved(base, [(one.name, one.run) for one in others]))


@pytest.fixture
def asked(monkeypatch, varied):
    """``vary`` gives the known comparison, and records what was asked of it."""
    calls: list[tuple] = []

    def vary(plan, scenarios=None, *, runs=None, draft=False, refit=False, where=HERE):
        calls.append((plan.name, scenarios, runs, draft, refit, where))
        return varied

    monkeypatch.setattr("attrition.estimation.verbs.vary", vary)
    return calls


def test_every_fault_is_one_line_and_nothing_is_fitted(shell, planned, files):
    plan = planned(typo='"prior.sprad" = 2.0', same='"prior.spread" = 1.0', wide='"prior.spread" = 2.0')
    before = files()
    answer = shell("vary", plan)
    assert (answer.code, answer.out) == (2, "")
    lines = answer.err.splitlines()
    assert [line.split(",")[0].split(":")[0] for line in lines] == ["scenario 'typo'", "scenario 'same'"]
    assert "did you mean 'spread'" in lines[0]
    assert "changes nothing" in lines[1]
    assert files() == before


def test_a_scenario_that_is_not_there(shell, planned):
    answer = shell("vary", planned(wide='"prior.spread" = 2.0'), "--scenario", "wild")
    assert answer.code == 2
    assert "did you mean 'wide'" in answer.err
    none = shell("vary", planned())
    assert none.code == 2
    assert "no [[scenario]]" in none.err


def test_a_stop_says_that_what_is_finished_stays(shell, planned, monkeypatch):
    def stopped(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("attrition.estimation.verbs.vary", stopped)
    answer = shell("vary", planned(wide='"prior.spread" = 2.0'))
    assert (answer.code, answer.out) == (130, "")
    assert answer.err == "stopped; finished scenarios are kept, and the same command goes on from there\n"


def test_options_reach_the_verb(shell, planned, asked, tmp_path):
    plan = planned(wide='"prior.spread" = 2.0', deep='"prior.spread" = 3.0')
    shell("vary", plan, "--scenario", "wide", "--scenario", "deep", "--runs", tmp_path / "other", "--draft")
    shell("vary", plan.parent, "--refit", "--workers", "2", "--scheduler", "local")
    assert asked == [
        ("known", ["wide", "deep"], tmp_path / "other", True, False, HERE),
        ("known", None, None, False, True, Where(2, "local")),
    ]


def test_the_front_table_beside_each_scenario(shell, planned, asked, varied):
    answer = shell("vary", planned(wide='"prior.spread" = 2.0'))
    assert answer.code == 3  # one of the runs is unfit
    lines = answer.out.splitlines()
    assert lines[1].split() == ["step", "offense", "base", "(1)", "(2)", "largest"]
    body = [line for line in lines if line.startswith(("referral-", "case-"))]
    assert len(body) == 9
    front = varied.front()
    first = front[(front["step"] == "referral-case") & (front["offense"] == "all")].set_index("scenario")
    lifted, doubted = first.loc["lifted"], first.loc["doubted"]
    assert body[0].split() == [
        "referral-case", "all", f"{lifted['base']:.4g}", f"{lifted['value']:.4g}", f"{lifted['shift']:+.2f}",
        f"{doubted['value']:.4g}", f"{doubted['shift']:+.2f}", "(1)",
    ]  # fmt: skip
    assert "not published" in body[1]
    text = answer.out
    assert "(1) lifted; prior.spread = 2.0; a reason" in text
    assert "(2) doubted: UNFIT" in text
    assert 'exclude.+ = {source_id = "x", reason = "y"}' in text
    assert "A shift below 0.11 may be simulation alone" in text


def test_json_gives_everything(shell, planned, asked, varied):
    value = json.loads(shell("vary", planned(wide='"prior.spread" = 2.0'), "--json").out)
    assert value["base"]["identity"] == "a" * 12
    assert [one["status"] for one in value["scenarios"]] == ["complete", "unfit"]
    assert {*SCENARIO_KEYS, "run"} == set(value["scenarios"][0])
    assert len(value["rows"]) == len(varied.table)
    first = value["front"][0]
    assert (first["step"], first["offense"], first["largest"]) == ("referral-case", "all", "lifted")
    assert [one["scenario"] for one in first["scenarios"]] == ["lifted", "doubted"]
    hidden = next(row for row in value["rows"] if row["label"] == "not published")
    assert (hidden["value"], hidden["shift"]) == (None, None)
    assert isinstance(Run(Path(value["scenarios"][1]["run"])).manifest, dict)
