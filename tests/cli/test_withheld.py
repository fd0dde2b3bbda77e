"""A release with a failed gate, whichever it is: it ends with 4, and what it withholds is in no file of its folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attrition.cli.pipelines import release as pipeline
from attrition.data.errors import InputError, Problem
from attrition.estimation import verbs
from attrition.estimation.plan import read_plan
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import put_json, put_table
from attrition.estimation.withholding import NUMBERS, withheld
from attrition.reports import typeset

from ..estimation.gates import FAULTS
from ..reports.documents import write_claims
from ..reports.world import World, write_world

PLAN = """format = 1
name = "made-up"
[funnel]
stages = ["referral", "investigation", "arrest"]
[[input]]
file = "data.csv"
as_of = 2024-01-31
[release]
scenarios = []
"""
DATA = "offense,jurisdiction,period,referral,investigation,arrest\ntheft,North,2023,100,20,5\n"
PLACES = {
    "loo": [{"offense": "offense1", "stage": "arrest"}],
    "ppc_dispersion": [{"jurisdiction": "J00"}],
    "ppc_zeros": [{"offense": "offense1", "stage": "investigation"}],
    "ppc_totals": [{"period": "2024Q4", "stage": "arrest"}],
    "ppc_suppressed": [{"stage": "arrest"}],
    "ppc_mix": [{"offense": "offense1", "stage": "arrest"}],
    "reporting_share_places": [{"offense": "offense1", "jurisdiction": "J00"}],
}  # of the others a failure touches every number
SHIFT = 0.0123456789


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(
        tmp_path_factory.mktemp("world"), World(offenses=2, jurisdictions=3, periods=2, draws=20)
    )


def _run(folder: Path, world: Path, gate: str, shift: float = 0.0) -> tuple[Run, dict[str, str]]:
    """A copy of the run in which a gate failed, and the rows that it withholds; their numbers shifted."""
    shutil.copytree(world, folder)
    failed = {"name": gate, "verdict": "failed", "value": 1.0, "threshold": 0.0, "sentence": "It failed.",
              "affects": PLACES.get(gate, [])}  # fmt: skip
    put_json(folder / "checks.json", [failed])
    (folder / "plan.toml").write_text(PLAN)
    run = Run(folder)
    hidden = withheld(run.estimates, run.blueprint, [failed])
    if shift:
        table = run.estimates.copy()
        rows = table["quantity_id"].isin(list(hidden))
        table.loc[rows, list(NUMBERS)] += shift
        tree = xr.open_datatree(folder / "draws.nc", engine="h5netcdf").load()
        drawn = tree["quantities"].to_dataset()
        moved = np.isin(drawn["quantity_id"].values.astype(str), list(hidden))
        tree["quantities"] = xr.DataTree(drawn.assign(value=drawn["value"] + shift * moved))
        tree.close()
        (folder / "draws.nc").unlink()
        tree.to_netcdf(folder / "draws.nc", engine="h5netcdf")
        put_table(folder / "estimates", table)
        write_claims(folder)
    return Run(folder), hidden


def _release(
    folder: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    as_of: str = "2024-06-30",
    formats: tuple[str, ...] = ("html",),
    more: str = "",
) -> dict[str, Any]:
    (folder / "plan.toml").write_text(PLAN + more)
    (folder / "data.csv").write_text(DATA)
    monkeypatch.setattr(verbs, "estimate", lambda *_, **__: run)
    plan = read_plan(folder / "plan.toml", {"intake.as_of": as_of})
    return pipeline.release(plan, runs=None, releases=None, formats=formats, draft=False, say=lambda _: None)


def _figures(path: Path) -> set[str]:
    """Numbers of ten decimals or more in a file, cut to ten."""
    if path.suffix == ".parquet":
        text = pd.read_parquet(path).to_csv()
    else:
        text = path.read_text(encoding="utf-8", errors="replace")
    return {found[:12] for found in re.findall(r"-?0\.\d{10,}", text)}


def _cut(values: np.ndarray) -> set[str]:
    return {repr(float(v))[:12] for v in values.ravel() if v == v and abs(v) > 1e-3}


@pytest.mark.parametrize("gate", FAULTS)
def test_whatever_gate_fails_its_numbers_are_in_no_file(gate, world, tmp_path, monkeypatch):
    run, hidden = _run(tmp_path / "run", world, gate)
    monkeypatch.setattr(pipeline, "write_report", lambda *_: None)  # with the report: below
    verdict = _release(tmp_path, run, monkeypatch)
    assert (verdict["exit"], verdict["verdict"]) == (4, "withheld")
    assert [one["name"] for one in verdict["failed"]] == [gate]
    rows = run.estimates["quantity_id"].isin(list(hidden))
    numbers = run.estimates[list(NUMBERS)].to_numpy()
    secret = (
        _cut(numbers[rows])
        - _cut(numbers[~rows])
        - _cut(run.estimates.drop(columns=list(NUMBERS)).select_dtypes("number").to_numpy())
    )
    assert len(secret) > 20
    files = [path for path in Path(verdict["folder"]).rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {
        "estimates.csv",
        "estimates.parquet",
        "claims.json",
        "release.json",
    }
    for path in files:
        assert not secret & _figures(path), path.name
    # The run itself, which stays with the office, has them all.
    assert secret <= _figures(run.folder / "estimates.csv")


@pytest.mark.parametrize("gate", ["ppc_zeros", pytest.param("closure", marks=pytest.mark.slow)])
def test_two_runs_that_differ_in_withheld_numbers_alone_give_one_release(gate, world, tmp_path, monkeypatch):
    """Page, PDF, tables, workbook, figures, claims: whatever the numbers were, the folder has the same bytes."""
    folders = []
    for name, shift in (("one", 0.0), ("two", SHIFT)):
        (tmp_path / name).mkdir()
        run, hidden = _run(tmp_path / name / "run", world, gate, shift)
        released = _release(tmp_path / name, run, monkeypatch, formats=("html", "pdf"))
        folders.append(Path(released["folder"]))
        assert hidden
    one, two = (
        {p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders
    )
    assert one.keys() == two.keys()
    assert len(one) > 20
    assert any(name.endswith(".pdf") for name in one)
    assert [name for name in one if one[name] != two[name]] == []
    assert json.loads(one["release.json"])["withheld"] > 0


def _typeset(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, more: str = "") -> tuple[bytes, str]:
    """A release's PDF, and its words: what was handed to Typst and, where a reader of PDF is there, what it reads."""
    handed: list[str] = []
    compiled = typeset.typst.compile

    def watched(*given: Any, **named: Any) -> Any:
        handed.append(named["sys_inputs"]["document"])
        return compiled(*given, **named)

    monkeypatch.setattr(typeset.typst, "compile", watched)
    made = Path(_release(folder, run, monkeypatch, formats=("pdf",), more=more)["folder"])
    monkeypatch.setattr(typeset.typst, "compile", compiled)
    (path,) = made.rglob("*.pdf")
    words = handed[0]
    if reader := shutil.which("pdftotext"):
        words += subprocess.run([reader, path, "-"], check=True, capture_output=True, text=True).stdout
    return path.read_bytes(), words


@pytest.mark.slow
def test_the_pdf_says_nothing_of_what_is_withheld(world, tmp_path, monkeypatch):
    """Withheld rates are read nowhere in it, and are where the failure is accepted; its bytes do not depend on them."""
    made = {}
    for name, mark in (("one", 0.8317), ("two", 0.6229)):
        (tmp_path / name).mkdir()
        run, hidden = _run(tmp_path / name / "run", world, "closure")
        rates = run.estimates["quantity_id"].isin(list(hidden)) & (run.estimates["quantity"] == "rate")
        assert rates.any()
        table = run.estimates.copy()
        table.loc[rates, "median"] = mark
        put_table(run.folder / "estimates", table)
        made[name] = _typeset(tmp_path / name, Run(run.folder), monkeypatch)
    (one, words), (two, _) = made["one"], made["two"]
    assert one == two
    assert "83" not in re.findall(r"\d+(?:\.\d+)?", words)
    (tmp_path / "open").mkdir()
    _, told = _typeset(
        tmp_path / "open", Run(tmp_path / "one" / "run"), monkeypatch,
        "accept = {closure = 'looked at'}\n",
    )  # fmt: skip
    assert re.findall(r"\b83(?:\.\d+)?\b", told)


def test_later_releases_keep_what_was_first_said_and_trust_no_changed_vintage(world, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "write_report", lambda *_: None)
    run, _ = _run(tmp_path / "run", world, "rhat")
    put_json(run.folder / "checks.json", [])
    first = _release(tmp_path, Run(run.folder), monkeypatch)
    assert (first["exit"], first["vintages"], first["statistics"]) == (0, ["2024-06-30"], [])
    shifted, _ = _run(tmp_path / "later", world, "rhat", SHIFT)
    put_json(shifted.folder / "checks.json", [])
    second = _release(tmp_path, Run(shifted.folder), monkeypatch, "2024-12-31")
    assert second["vintages"] == ["2024-06-30", "2024-12-31"]
    told = pd.read_csv(Path(second["folder"]) / "history.csv")
    assert len(told) == second["published"]
    np.testing.assert_allclose(told["revision"], SHIFT)
    assert all(one["bias"] == pytest.approx(SHIFT) for one in second["statistics"])
    intake = Path(first["folder"]) / "intake.json"
    intake.write_text(intake.read_text().replace('"count": ', '"count": 1', 1))
    with pytest.raises(InputError, match="changed after it was made"):
        _release(tmp_path, Run(shifted.folder), monkeypatch, "2025-06-30")


def test_a_scenario_that_cannot_be_fitted_is_told(world, tmp_path, monkeypatch):
    bound = verbs.scenarios
    problem = Problem("counts go on rising", "scenario 'delay horizon shorter'", "8", "none", "raise it")
    left_out = (problem,)
    monkeypatch.setattr(
        verbs, "scenarios", lambda *a, **k: replace(bound(*a, **k), scenarios=(), refused=left_out)
    )
    monkeypatch.setattr(pipeline, "write_report", lambda *_: None)
    run, _ = _run(tmp_path / "run", world, "rhat")
    assert _release(tmp_path, run, monkeypatch)["scenarios_left_out"] == [problem.line()]
