"""``attrition release``: one folder, one verdict; failed checks withhold numbers, and nothing is overwritten."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from attrition.cli.pipelines import release as pipeline
from attrition.cli.verdict import verdict_text
from attrition.data.names import REVISION_COLUMNS
from attrition.estimation import verbs
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import put_json
from attrition.estimation.withholding import NUMBERS

from ..reports.world import World, write_world

PLAN = """format = 1
name = "made-up"
[funnel]
stages = ["referral", "investigation", "arrest"]
[[input]]
file = "data.csv"
[release]
scenarios = []
"""
DATA = """offense,jurisdiction,period,referral,investigation,arrest,as_of
theft,North,2023,100,20,5,2024-01-31
theft,South,2023,100,20,5,2025-01-31
"""
FAILED = {
    "name": "ppc_zeros", "verdict": "failed", "value": 3.0, "threshold": 1.0, "sentence": "Too few zeros.",
    "affects": [{"offense": "offense1", "stage": "arrest"}],
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, monkeypatch) -> Path:
    """A plan whose fits are made-up runs: one more of them for every call, the checks as they are set."""
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "data.csv").write_text(DATA)
    made = iter(range(1, 9))

    def estimate(plan: Any, **_: Any) -> Run:
        seed = next(made)
        run = Run(write_world(tmp_path / "runs", World(seed=seed)))
        (run.folder / "plan.toml").write_text(PLAN)
        checks = tmp_path / "checks.json"
        if checks.is_file():
            put_json(run.folder / "checks.json", json.loads(checks.read_text()))
        return Run(run.folder)

    monkeypatch.setattr(verbs, "estimate", estimate)
    return tmp_path


def _released(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    return pd.read_csv(folder / "estimates.csv", keep_default_na=True), json.loads(
        (folder / "release.json").read_text()
    )


def test_a_release_is_one_folder_and_one_verdict(shell, office):
    answer = shell("release", office / "plan.toml", "--as-of", "2024-06-30", "--json")
    assert answer.code == 0, answer.err
    verdict = json.loads(answer.out)
    folder = Path(verdict["folder"])
    assert folder == (office / "releases" / "made-up" / "20240630").resolve()
    assert (verdict["verdict"], verdict["exit"], verdict["withheld"], verdict["previous"]) == (
        "passed",
        0,
        0,
        None,
    )
    assert {path.name for path in folder.iterdir()} == {
        "plan.toml", "blueprint.json", "intake.json", "manifest.json", "information.parquet", "checks.json",
        "claims.json", "estimates.csv", "estimates.parquet", "withheld.json", "release.json", "report",
    }  # fmt: skip
    table, stored = _released(folder)
    assert verdict == {"folder": str(folder), **stored}
    assert stored["published"] == table["median"].notna().sum()
    run = Run(next((office / "runs" / "made-up").iterdir()))
    pd.testing.assert_frame_equal(Run(folder).estimates, run.estimates)
    page = (folder / "report" / "index.html").read_text()
    assert "Known on 2024-06-30:" in page


def test_a_rehearsal_drafts_its_scenarios_and_says_so(shell, office, monkeypatch):
    (office / "plan.toml").write_text(PLAN.replace("scenarios = []", 'scenarios = ["priors"]'))
    asked, made = [], verbs.estimate

    def estimate(plan: Any, **more: Any) -> Run:
        run = made(plan, **more)
        put_json(run.folder / "manifest.json", run.manifest | {"draft": True})
        return Run(run.folder)

    scenarios = verbs.scenarios
    monkeypatch.setattr(verbs, "estimate", estimate)
    monkeypatch.setattr(
        verbs, "scenarios", lambda *args, draft, **more: asked.append(draft) or scenarios(*args, **more)
    )
    monkeypatch.setattr(verbs, "vary", lambda *_, draft, **__: asked.append(draft))
    command = (
        "release",
        office / "plan.toml",
        "--as-of",
        "2024-06-30",
        "--draft",
        "--releases",
        office / "try",
    )
    answer = shell(*command)
    assert answer.code == 0, answer.err
    assert asked == [True, True]
    assert "a draft of few draws" in answer.out
    folder = office / "try" / "made-up" / "20240630"
    assert json.loads((folder / "release.json").read_text())["draft"] is True
    assert "a draft of few draws" in (folder / "report" / "index.html").read_text()


def test_a_release_is_written_once_and_its_report_with_it(shell, office):
    verdict = json.loads(shell("release", office / "plan.toml", "--as-of", "2024-06-30", "--json").out)
    before = {path: path.stat().st_mtime_ns for path in (office / "releases").rglob("*")}
    again = shell("release", office / "plan.toml", "--as-of", "2024-06-30")
    report = shell("report", verdict["folder"])
    assert (again.code, report.code) == (2, 2)
    assert "no release is overwritten" in again.err
    assert len(report.err.splitlines()) == 1
    assert f"attrition report {verdict['run']}" in report.err
    assert {path: path.stat().st_mtime_ns for path in (office / "releases").rglob("*")} == before


def test_no_release_is_of_a_day_to_come(shell, office, files):
    before = files()
    answer = shell("release", office / "plan.toml", "--as-of", "2099-01-01")
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.strip().splitlines()
    assert line.startswith("--as-of: a date in the future; found 2099-01-01; allowed: ")
    assert files() == before


def test_a_failed_check_withholds_the_numbers_it_touches(shell, office):
    (office / "checks.json").write_text(json.dumps([FAILED]))
    answer = shell("release", office / "plan.toml", "--as-of", "2024-06-30", "--json")
    verdict = json.loads(answer.out)
    assert (answer.code, verdict["verdict"]) == (4, "withheld")
    folder = Path(verdict["folder"])
    table, _ = _released(folder)
    run = Run(next((office / "runs" / "made-up").iterdir()))
    hidden = (table["offense"] == "offense1") & table["step"].isin(
        ["investigation-arrest", "referral-arrest"]
    )
    assert table.loc[hidden, list(NUMBERS)].isna().all(axis=None)
    assert table.loc[hidden, "bound_high"].notna().all()
    assert table.loc[~hidden, "median"].notna().sum() == run.estimates.loc[~hidden, "median"].notna().sum()
    assert verdict["withheld"] == run.estimates.loc[hidden, "median"].notna().sum() > 0
    # Table, figures, sentences and claims alike.
    report = folder / "report"
    front = pd.read_csv(report / "tables" / "front.csv")
    gone = front[(front["offense"] == "offense1") & (front["step"] != "referral-investigation")]
    assert set(gone["why"]) == {"not published: failed checks (ppc_zeros)"}
    for path in (report / "tables").glob("*.csv"):
        shown = pd.read_csv(path)
        if {"quantity_id", "median"} <= set(shown):
            assert (
                shown.loc[shown["quantity_id"].isin(table.loc[hidden, "quantity_id"]), "median"].isna().all()
            )
    ids = set(table.loc[hidden, "quantity_id"])
    claimed = {
        name for claim in json.loads((folder / "claims.json").read_text()) for name in claim["quantity_ids"]
    }
    assert claimed
    assert not ids & claimed
    page = (report / "index.html").read_text()
    assert "withheld because these checks failed: ppc_zeros" in page
    # Where the number would stand, in its own words, and not as if nobody could know it.
    (table_,) = re.findall(r'<table[^>]*id="front".*?</table>', page, re.DOTALL)
    assert table_.count("not published: failed checks (ppc_zeros)") == len(gone)
    assert not list(folder.rglob("draws*"))


def test_an_accepted_failure_withholds_nothing_and_is_told(shell, office):
    (office / "checks.json").write_text(json.dumps([FAILED]))
    (office / "plan.toml").write_text(PLAN + 'accept = {ppc_zeros = "blank forms are zeros here"}\n')
    answer = shell("release", office / "plan.toml", "--as-of", "2024-06-30", "--json")
    verdict = json.loads(answer.out)
    assert (answer.code, verdict["withheld"]) == (0, 0)
    assert verdict["accepted"] == [{"name": "ppc_zeros", "reason": "blank forms are zeros here"}]
    page = (Path(verdict["folder"]) / "report" / "index.html").read_text()
    assert "Published although the check ppc_zeros failed: blank forms are zeros here" in page


def test_an_acceptance_without_a_reason_is_refused(shell, office):
    (office / "plan.toml").write_text(PLAN + 'accept = {ppc_zeros = " "}\n')
    answer = shell("release", office / "plan.toml", "--as-of", "2024-06-30")
    assert answer.code == 2
    assert "needs a reason" in answer.err


def test_the_next_release_is_compared_with_the_one_before(shell, office):
    shell("release", office / "plan.toml", "--as-of", "2024-06-30")
    answer = shell("release", office / "plan.toml", "--as-of", "2025-06-30", "--json")
    verdict = json.loads(answer.out)
    assert (answer.code, verdict["previous"]) == (0, "2024-06-30")
    folder = Path(verdict["folder"])
    found = pd.read_csv(folder / "revisions.csv")
    assert tuple(found.columns) == REVISION_COLUMNS
    both = found[found["revision"].notna()]
    np.testing.assert_allclose(both["revision"], both["new"] - both["old"])
    outside = verdict["revisions"]
    assert outside["numbers"] == len(both)
    had = both[both["outside"].notna()]
    assert (outside["with_interval"], outside["outside"]) == (len(had), had["outside"].astype(bool).sum())
    assert outside["share_outside"] == pytest.approx(had["outside"].astype(bool).mean())
    assert set(both.loc[both["outside"].isna(), "old_label"]) == {"counted"}
    old = Run(folder.parent / "20240630").estimates.set_index("quantity_id")
    ends = old.loc[had["quantity_id"], ["q05", "q95"]].to_numpy()
    hit = (had["new"].to_numpy() < ends[:, 0]) | (had["new"].to_numpy() > ends[:, 1])
    assert had["outside"].astype(bool).tolist() == hit.tolist()
    assert 0 < hit.mean() < 1
    page = (folder / "report" / "index.html").read_text()
    assert "Since the release of 2024-06-30:" in page
    assert "Split in this order: " in verdict_text(verdict)
    quiet = verdict | {"revisions": verdict["revisions"] | {"links": []}}
    assert "Nothing was news" in verdict_text(quiet)
    # One made between the two is compared with the first, not with the later.
    middle = json.loads(shell("release", office / "plan.toml", "--as-of", "2024-12-31", "--json").out)
    assert middle["previous"] == "2024-06-30"


def test_faults_of_the_data_are_told_before_anything_is_made(shell, office, files):
    (office / "data.csv").write_text(DATA.replace("20,5,2024", "200,5,2024"))
    before = files()
    answer = shell("release", office / "plan.toml", "--as-of", "2024-06-30")
    assert (answer.code, answer.out) == (2, "")
    assert files() == before


def test_only_what_was_known_is_read(shell, office, monkeypatch):
    seen = []
    real = verbs.validate
    monkeypatch.setattr(pipeline.verbs, "validate", lambda plan: seen.append(plan) or real(plan))
    shell("release", office / "plan.toml", "--as-of", "2024-06-30")
    panel, _ = verbs.read_panel(seen[0])
    assert panel.axes.jurisdiction.leaves == ("North",)


def test_a_killed_release_leaves_nothing_that_reads_as_one(shell, office, monkeypatch):
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "write_report", stop)
    assert shell("release", office / "plan.toml", "--as-of", "2024-06-30").code == 130
    assert not list((office / "releases").rglob("*"))


def test_scenarios_that_the_plan_does_not_have_are_refused(shell, office, files):
    (office / "plan.toml").write_text(PLAN.replace("[]", '["wide"]'))
    before = files()
    answer = shell("release", office / "plan.toml", "--as-of", "2024-06-30")
    assert answer.code == 2
    assert "no such scenario" in answer.err
    assert files() == before
