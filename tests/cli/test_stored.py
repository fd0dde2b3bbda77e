"""Commands over a stored run: runs, show, check, estimate's answer. Nothing is fitted here."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from attrition.data.names import ESTIMATE_COLUMNS
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import RunWriter

from ..stored import write_run

AXES = {
    axis: [{"name": "all", "label": "All", "parent": None}, {"name": leaf, "label": leaf, "parent": "all"}]
    for axis, leaf in {"offense": "theft", "jurisdiction": "North", "period": "2024"}.items()
}
CHECKS = [
    {"name": "rhat", "verdict": "passed", "value": 1.002, "threshold": 1.01, "sentence": "The chains agree."},
    {
        "name": "closure",
        "verdict": "failed",
        "value": 3.0,
        "threshold": 0.0,
        "sentence": "Sums do not close.",
    },
    {"name": "ppc", "verdict": "informational", "value": None, "threshold": None, "sentence": "As expected."},
]
TIMINGS = {"compile": 3.5, "total": 12.4}


def rows() -> pd.DataFrame:
    """The only step, at every node of two axes; one row is withheld."""
    table = [
        dict.fromkeys(ESTIMATE_COLUMNS)
        | {
            "quantity_id": f"{offense}/{place}", "quantity": "rate", "step": "referral-arrest",
            "offense": offense, "jurisdiction": place, "period": "all", "basis": "superpopulation",
            "clock": "cohort",
            "median": np.nan if place == "North" else 0.25, "q05": np.nan if place == "North" else 0.2,
            "q95": np.nan if place == "North" else 0.3, "bound_low": 0.0, "bound_high": 1.0, "statements": 4,
            "label": "not published" if place == "North" else "data-driven",
        }
        for offense in ("all", "theft")
        for place in ("all", "North")
    ]  # fmt: skip
    return pd.DataFrame(table, columns=list(ESTIMATE_COLUMNS))


@pytest.fixture
def stored(tmp_path):
    """A complete run beside its plan, or one of another status."""

    def call(identity: str = "aaaaaaaaaaaa", status: str = "complete") -> Run:
        (tmp_path / "plan.toml").write_text('name = "quarterly"\n')
        with RunWriter(tmp_path / "runs", "quarterly", identity) as writer:
            manifest = {"name": "quarterly", "identity": identity, "status": status, "engine": "nuts"}
            writer.write_json("manifest.json", {**manifest, "created": "2026-01-01", "timings": TIMINGS})
            writer.write_json(
                "blueprint.json", {"axes": AXES, "answer": {"jurisdiction": "all", "period": "all"}}
            )
            writer.write_json("checks.json", CHECKS)
            writer.write_json("intake.json", {"statements": []})
            writer.write_table("estimates", rows())
        return Run(writer.final)

    return call


@pytest.fixture
def fitting(monkeypatch, stored):
    """``estimate`` returns a stored run of a status instead of sampling, and records what was asked of it."""
    asked: list[dict] = []

    def call(status: str) -> list[dict]:
        run = stored(status=status)
        monkeypatch.setattr(
            "attrition.estimation.verbs.read_plan", lambda path, patches=None: (path, patches)
        )

        def estimate(plan, **options):
            asked.append({"plan": plan, **options})
            return run

        monkeypatch.setattr("attrition.estimation.verbs.estimate", estimate)
        return asked

    return call


def test_runs_lists_what_is_stored(shell, stored, tmp_path):
    stored()
    stored("bbbbbbbbbbbb", "unfit")
    answer = shell("runs", tmp_path / "runs")
    assert answer.code == 0
    for part in ("aaaaaaaaaaaa", "bbbbbbbbbbbb", "unfit", "quarterly"):
        assert part in answer.out
    assert shell("runs", tmp_path).out == answer.out
    listed = json.loads(shell("runs", tmp_path / "runs", "--json").out)
    assert {one["identity"]: one["status"] for one in listed} == {
        "aaaaaaaaaaaa": "complete",
        "bbbbbbbbbbbb": "unfit",
    }


def test_runs_names_the_scenario_of_a_child_run(shell, tmp_path):
    """A run that holds what a scenario sets is that scenario's; one of other changes is nobody's."""
    entries = (("wide", 2.0), ("deep", 3.0))
    written = "".join(
        f'[[scenario]]\nname = "{name}"\nreason = "r"\nset = {{"prior.spread" = {value}}}\n'
        for name, value in entries
    )
    changed = {
        "aaaaaaaaaaaa": {},
        "bbbbbbbbbbbb": {"prior.spread": 3.0},
        "cccccccccccc": {"prior.spread": 4.0},
    }
    for identity, patches in changed.items():
        write_run(tmp_path, identity, patches=patches, written=written)
    listed = json.loads(shell("runs", tmp_path, "--json").out)
    named = {one["identity"]: one["scenario"] for one in listed}
    assert named == {"aaaaaaaaaaaa": None, "bbbbbbbbbbbb": "deep", "cccccccccccc": None}
    head, _, *lines = shell("runs", tmp_path).out.splitlines()
    assert head.split() == ["identity", "plan", "scenario", "status", "finished", "folder"]
    at = slice(head.index("scenario"), head.index("status"))
    assert {line.split()[0]: line[at].strip() or None for line in lines} == named


def test_no_runs_is_said_on_stderr(shell, tmp_path):
    answer = shell("runs", tmp_path)
    assert (answer.code, answer.out.strip()) == (0, "")
    assert "no runs" in answer.err
    assert json.loads(shell("runs", tmp_path, "--json").out) == []


def test_runs_takes_a_plan_and_refuses_what_is_not_there(shell, tmp_path):
    (tmp_path / "plan.toml").write_text("")
    write_run(tmp_path / "runs", "a" * 12)
    for meant in (tmp_path / "plan.toml", tmp_path, tmp_path / "runs"):
        answer = shell("runs", meant, "--json")
        assert [one["identity"] for one in json.loads(answer.out)] == ["a" * 12]
    (tmp_path / "data.csv").write_text("")
    for name, said in (("nowhere", "no such folder"), ("data.csv", "not a folder of runs")):
        answer = shell("runs", tmp_path / name)
        assert (answer.code, answer.out) == (2, "")
        (line,) = answer.err.strip().splitlines()
        assert line == f"{tmp_path / name}: {said}; allowed: a folder of runs, or a plan"


@pytest.mark.parametrize("name", ["folder", "prefix", "plan"])
def test_show_prints_the_answer_of_a_run_however_it_is_named(shell, stored, tmp_path, monkeypatch, name):
    run = stored()
    monkeypatch.chdir(tmp_path)
    text = {"folder": str(run.folder), "prefix": "aaaa", "plan": "plan.toml"}[name]
    answer = shell("show", text)
    assert answer.code == 0
    assert "0.25" in answer.out
    assert "0.2 to 0.3" in answer.out
    table = json.loads(shell("show", text, "--json").out)["table"]
    assert [(row["offense"], row["median"]) for row in table] == [("all", 0.25), ("theft", 0.25)]
    assert list(table[0]) == list(ESTIMATE_COLUMNS)


def test_check_prints_failures_first_and_is_strict_when_asked(shell, stored, monkeypatch):
    run = stored()
    monkeypatch.setattr("attrition.estimation.verbs.check", lambda run: run.checks)
    answer = shell("check", run.folder)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[2].startswith("failed")
    assert lines[-1] == "Run aaaaaaaaaaaa: 1 passed, 1 failed, 1 informational."
    assert shell("check", run.folder, "--strict").code == 4
    assert json.loads(shell("check", run.folder, "--json").out) == CHECKS


def test_estimate_answers_with_the_run(shell, fitting, tmp_path):
    asked = fitting("complete")
    answer = shell(
        "estimate", tmp_path / "plan.toml", "--json", "--seed", 7, "--set", "prior.spread=2.0", "--draft"
    )
    assert answer.code == 0
    value = json.loads(answer.out)
    assert value == {
        "run": str(tmp_path / "runs" / "quarterly" / "aaaaaaaaaaaa"),
        "identity": "aaaaaaaaaaaa",
        "engine": "nuts",
        "status": "complete",
        "seconds": TIMINGS,
    }
    (options,) = asked
    assert options["plan"][1] == {"prior.spread": 2.0}
    assert (options["seed"], options["draft"], options["again"]) == (7, True, False)
    assert "attrition report" in shell("estimate", tmp_path / "plan.toml").out


def test_an_unfit_run_is_kept_and_ends_with_three(shell, fitting, tmp_path):
    fitting("unfit")
    answer = shell("estimate", tmp_path / "plan.toml")
    assert answer.code == 3
    assert "did not reach its diagnostics" in answer.out


@pytest.mark.parametrize("noun", ["kind", "effect"])
def test_the_catalogue(shell, noun):
    listed = json.loads(shell(f"{noun}s", "--json").out)
    assert all(set(one) == {noun, "sentence", "example"} for one in listed)
    names = [one[noun] for one in listed]
    assert {"kind": "exact", "effect": "time"}[noun] in names
    text = shell(f"{noun}s").out
    assert all(one["sentence"] in text for one in listed)
