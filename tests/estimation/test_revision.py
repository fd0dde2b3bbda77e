"""Revisions and their parts: exact sums over a stated sequence, and a stored plan bound again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrition.cli.pipelines.release import _revisions
from attrition.data.names import REVISION_COLUMNS, REVISION_PARTS
from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.plan import read_plan
from attrition.estimation.sensitivity import revision
from attrition.estimation.sensitivity.rebuild import rebound, stored_plan
from attrition.estimation.sensitivity.revision import revise
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import RunWriter

from ..stored import statement, write_run

OLD = [statement(2, "referral", 100.0), statement(2, "case", 40.0)]
CORRECTED = [statement(2, "referral", 100.0), statement(2, "case", 30.0)]
ARRIVED = [statement(3, "case", 12.0, jurisdiction="South")]


def _bound_run(plan: Path, folder: Path) -> tuple[Bound, Run]:
    """What a run keeps of its plan, without a fit."""
    bound = bind_plan(read_plan(plan))
    with RunWriter(folder, bound.plan.name, "c" * 12) as writer:
        writer.write_text("plan.toml", plan.read_text())
        writer.write_json("blueprint.json", bound.description)
        writer.write_json("intake.json", bound.intake.to_dict())
        settings = bound.plan.estimate.model_dump(exclude={"engine", "seed"})
        writer.write_json(
            "manifest.json",
            {
                "name": bound.plan.name,
                "identity": "c" * 12,
                "engine_args": settings,
                "seed": 1,
                "status": "complete",
            },
        )
    return bound, Run(writer.final)


@pytest.fixture
def kept(small_plan: Path, tmp_path: Path) -> tuple[Bound, Run]:
    return _bound_run(small_plan, tmp_path)


def test_a_stored_plan_bound_again_is_the_same_model(kept):
    bound, run = kept
    used = [line for line in run.intake["statements"] if line["placed"]]
    again = rebound(run, used, run)
    plain = json.loads(json.dumps(again.description))
    assert plain == run.blueprint
    facts = [sorted(str(s.record()) for s in panel.statements if s.id in {u["id"] for u in used})
             for panel in (again.panel, bound.panel)]  # fmt: skip
    assert facts[0] == facts[1]
    assert len(again.blueprint.analysis.groups) == len(bound.blueprint.analysis.groups)


def test_the_seed_and_the_draws_of_the_fit_are_kept(kept):
    _, run = kept
    run.manifest["seed"], run.manifest["engine_args"]["draws"] = 7, 250
    settings = stored_plan(run).estimate
    assert (settings.seed, settings.draws, settings.tune) == (7, 250, 500)


def test_later_numbers_bring_their_nodes(kept):
    _, run = kept
    used = [line for line in run.intake["statements"] if line["placed"]]
    blueprint = json.loads(json.dumps(run.blueprint))
    blueprint["axes"]["period"].append({"name": "2024", "label": "2024", "parent": "all"})
    blueprint["axes"]["jurisdiction"].insert(1, {"name": "j9", "label": "Nine", "parent": "all"})
    other = Run(run.folder)
    object.__setattr__(other, "__dict__", {"folder": run.folder, "blueprint": blueprint})
    more = used[0] | {"id": "late", "jurisdiction": "j9", "period": "2024"}
    found = rebound(run, [*used, more], other)
    assert found.panel.axes.period.leaves == ("2021", "2022", "2023", "2024")
    assert found.panel.axes.jurisdiction.leaves[0] == "j9"


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, Run]:
    """Old, with corrections, with arrivals, and with another plan: .1, .3 and .7 further up on the link scale."""
    root, plan = tmp_path / "runs", {"prior": {"spread": 1.0}}
    return {
        "old": write_run(root, "a" * 12, statements=OLD, plan=plan),
        "corrected": write_run(root, "b" * 12, offset=0.1, statements=CORRECTED, plan=plan),
        "arrived": write_run(root, "c" * 12, offset=0.3, statements=[*CORRECTED, *ARRIVED], plan=plan),
        "new": write_run(
            root, "d" * 12, offset=0.7, statements=[*CORRECTED, *ARRIVED], plan={"prior": {"spread": 2.0}},
            hidden=["fraud"],
        ),
    }  # fmt: skip


def _medians(run: Run, ids: pd.Series) -> np.ndarray:
    return run.estimates.set_index("quantity_id")["median"].reindex(ids).to_numpy()


def test_parts_are_differences_along_the_sequence(runs, monkeypatch):
    asked: list[list[float]] = []
    between = iter([runs["corrected"], runs["arrived"]])
    monkeypatch.setattr(
        revision, "rebound", lambda run, lines, other: asked.append(sorted(line["count"] for line in lines))
    )
    found = revise(runs["old"], runs["new"], lambda _: next(between))
    assert asked == [[30.0, 100.0], [12.0, 30.0, 100.0]]
    assert [link.part for link in found.links] == ["corrected", "arrived", "model"]
    table = found.table
    assert tuple(table.columns) == REVISION_COLUMNS
    whole = table[table["revision"].notna()]
    assert len(whole) > 10
    np.testing.assert_allclose(whole[list(REVISION_PARTS)].sum(axis=1), whole["revision"], atol=1e-12)
    ids = whole["quantity_id"]
    steps = [_medians(runs[name], ids) for name in ("old", "corrected", "arrived", "new")]
    for part, before, after in (("corrected", 0, 1), ("arrived", 1, 2), ("model", 2, 3)):
        np.testing.assert_allclose(whole[part], steps[after] - steps[before])
    assert (whole["matured"] == 0).all()
    hidden = table[table["offense"] == "fraud"]
    assert hidden[["new", "revision", *REVISION_PARTS]].isna().all(axis=None)
    assert set(hidden["new_label"]) == {"not published"}
    old = runs["old"].estimates.set_index("quantity_id").reindex(ids)
    assert (old["q05"].isna()).all()  # the made-up runs have no interval, so nothing is outside one
    assert whole["outside"].isna().all()


def test_what_was_counted_had_no_interval_to_leave(runs):
    for run in runs.values():
        table = run.estimates
        table["q05"], table["q95"] = table["median"] - 1e-6, table["median"] + 1e-6
    old = runs["old"].estimates
    ids = old.loc[old["median"].notna(), "quantity_id"]
    old.loc[old["quantity_id"].isin(ids.iloc[:3]), "label"] = "counted"
    table = revise(runs["old"], runs["corrected"], None).table.set_index("quantity_id")
    assert table.loc[ids.iloc[:3], "outside"].isna().all()
    told = _revisions(revise(runs["old"], runs["corrected"], None))
    assert told is not None
    assert told["with_interval"] == told["numbers"] - 3 == told["outside"]
    assert told["share_outside"] == 1.0


def test_a_single_cause_needs_no_fit(runs):
    def refuse(_: Bound) -> Run:
        raise AssertionError("nothing is to be fitted")

    for one, two, part in (("old", "corrected", "corrected"), ("corrected", "arrived", "arrived")):
        found = revise(runs[one], runs[two], refuse)
        assert [link.part for link in found.links] == [part]
        whole = found.table[found.table["revision"].notna()]
        np.testing.assert_allclose(whole[part], whole["revision"])
    same = revise(runs["old"], runs["old"], refuse)
    assert (same.links, same.unsplit) == ((), "")
    whole = same.table[same.table["revision"].notna()]
    assert (whole[list(REVISION_PARTS)] == 0).all(axis=None)


def test_several_causes_stay_together_where_nothing_is_fitted(runs):
    found = revise(runs["old"], runs["new"], None)
    assert "nothing was fitted" in found.unsplit
    assert found.table[list(REVISION_PARTS)].isna().all(axis=None)
    assert found.table["revision"].notna().any()


def test_a_plan_that_does_not_fit_later_numbers_says_so(runs):
    # The made-up runs hold no plan.
    found = revise(runs["old"], runs["new"], lambda _: runs["new"])
    assert found.unsplit.startswith("the earlier plan cannot be fitted to the later numbers: ")
