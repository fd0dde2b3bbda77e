"""Worlds of a plan: the same by number, kept, taken up again, judged, certified."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from attrition.data.errors import InputError, Problem
from attrition.estimation.calibration import sbc, world
from attrition.estimation.calibration.certificate import NAME as CERTIFICATE
from attrition.estimation.calibration.certificate import form_of, standing
from attrition.estimation.calibration.world import Case, one_world, ranks
from attrition.estimation.plan import read_plan
from attrition.estimation.runners.contract import HERE, Where
from attrition.estimation.runners.here import Here

WORLDS = 20


def never(*_):
    raise AssertionError("a world was fitted again")


def world_of(seed, **ranked):
    """A record as ``one_world`` gives it, in a moment."""
    hits = {"cells": [1, 1, 2]}
    return {"seed": seed, "status": "fitted", "engine": "nuts", "ranks": ranked, "coverage": hits,
            "rhat": 1.0, "ess": 99.0, "divergences": 0, "seconds": 0.1}  # fmt: skip


def every_third_refused(_bound, seed, _as):
    if seed % 3 == 0:
        return {"seed": seed, "status": "refused", "why": "w"}
    return world_of(seed, even=37 * seed % 100, other=61 * seed % 100)


@pytest.fixture(scope="module")
def calibrated(tiny, tmp_path_factory):
    """The tiny plan calibrated on worlds of no fit, and the folder of its runs."""
    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sbc, "one_world", every_third_refused)
        return sbc.calibrate(read_plan(tiny), WORLDS, HERE, runs, lambda _: None), runs


@pytest.fixture(scope="module")
def first(bound):
    """The first world of the tiny plan, fitted."""
    return one_world(bound, 1)


def test_worlds_are_kept_and_the_certificate_written(calibrated, bound):
    found, runs = calibrated
    lines = (runs / "tiny" / sbc.NAME).read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == list(range(1, len(lines) + 1))
    assert len(found.worlds) == WORLDS
    assert sum(found.left_out.values()) == len(lines) - WORLDS
    assert found.passed
    assert found.coverage["cells"]["cover50"] == 0.5
    assert standing(form_of(bound.blueprint, "nuts"), runs).state == "valid"
    kept = json.loads((runs / "tiny" / CERTIFICATE).read_text())
    assert kept["fitted"] == WORLDS
    assert [one["quantity"] for one in kept["quantities"]] == [one.quantity for one in found.verdicts]


def test_what_is_kept_is_not_done_again(calibrated, tiny, monkeypatch):
    found, runs = calibrated
    monkeypatch.setattr(sbc, "one_world", never)
    again = sbc.calibrate(read_plan(tiny), WORLDS, HERE, runs, lambda _: None)
    assert again.verdicts == found.verdicts


def test_a_stopped_calibration_goes_on(calibrated, bound, tmp_path, monkeypatch):
    """After half of the lines and a torn one, the rest is what it would have been."""
    found, runs = calibrated
    text = (runs / "tiny" / sbc.NAME).read_text()
    lines = text.splitlines(keepends=True)
    file = tmp_path / sbc.NAME
    file.write_text("".join(lines[:10]) + lines[10][:30])
    kept = {record["seed"]: record for record in map(json.loads, lines)}
    done: list[int] = []

    def stored(_bound, seed, _as):
        done.append(seed)
        return kept[seed]

    monkeypatch.setattr(sbc, "one_world", stored)
    again = sbc.judged(bound, WORLDS, Here(), file, lambda _: None)
    assert done == list(range(11, len(lines) + 1))
    assert again.verdicts == found.verdicts
    assert len(sbc.read_lines(file)) == len(lines)
    monkeypatch.setattr(sbc, "one_world", never)
    assert sbc.kept(bound, file).verdicts == found.verdicts


def test_worlds_of_another_plan_do_not_count(calibrated, tiny, bound, tmp_path):
    _, runs = calibrated
    file = runs / "tiny" / sbc.NAME
    assert sbc.kept(bound, file) is not None
    plan = bound.plan.model_copy(
        update={"estimate": bound.plan.estimate.model_copy(update={"target_accept": 0.8})}
    )
    assert sbc.kept(replace(bound, plan=plan), file) is None


def test_a_world_is_its_number(bound, first):
    assert first["status"] == "fitted"
    assert all(0 <= rank < 100 for rank in first["ranks"].values())
    again = one_world(bound, 1)
    assert (again["ranks"], again["coverage"]) == (first["ranks"], first["coverage"])


def test_what_is_fitted_in_its_place_shows(bound, first):
    """Without a likelihood's half the draws lie elsewhere, and are ranked by the whole."""

    def half(blueprint):
        return replace(blueprint, batches=blueprint.batches[:1])

    other = one_world(bound, 1, Case(fitted=half))
    assert set(other["ranks"]) == set(first["ranks"])
    assert other["ranks"] != first["ranks"]


def test_a_failure_is_judged_once_more_on_four_times_the_worlds(tiny, tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(sbc, "one_world", lambda _b, seed, _a: world_of(seed, q=seed % 10))
    found = sbc.calibrate(read_plan(tiny), 30, HERE, tmp_path, said.append)
    assert (len(found.worlds), found.repeated, found.passed) == (120, True, False)
    assert any("Not uniform at 30 worlds: q" in text for text in said)
    assert not json.loads((tmp_path / "tiny" / CERTIFICATE).read_text())["passed"]


def test_worlds_are_taken_by_number(calibrated):
    """Every third panel is refused: others take its place, and none is skipped."""
    found, _ = calibrated
    assert [one["seed"] for one in found.worlds] == [s for s in range(1, 30) if s % 3]
    assert found.left_out == {"refused": 9}


def test_a_plan_hardly_any_of_whose_worlds_can_be_fitted(bound, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sbc, "one_world", lambda _b, seed, _a: {"seed": seed, "status": "refused", "why": "no counts"}
    )
    with pytest.raises(InputError, match=r"0 of 200 simulated panels could be fitted.*no counts"):
        sbc.judged(bound, 20, Here(), tmp_path / sbc.NAME, lambda _: None)


def test_too_few_worlds(tiny, tmp_path):
    with pytest.raises(InputError, match="too few worlds"):
        sbc.calibrate(read_plan(tiny), 19, HERE, tmp_path, lambda _: None)
    assert not list(tmp_path.iterdir())


def test_a_refused_panel_says_why(bound, monkeypatch):
    def refuse(*_):
        raise InputError(Problem("no statement carries information", "data"))

    monkeypatch.setattr(world, "make_blueprint", refuse)
    assert one_world(bound, 1) == {
        "seed": 1,
        "status": "refused",
        "why": "data: no statement carries information",
    }


def test_ranks_count_draws_below_and_break_ties_by_chance():
    rng = np.random.default_rng(0)
    drawn = {"q": np.array([1.0, 2.0, 2.0, 3.0])}
    found = {ranks(rng, drawn, {"q": np.array([2.0])})["q"] for _ in range(60)}
    assert found == {1, 2, 3}
    assert ranks(rng, drawn, {"q": np.array([2.5])})["q"] == 3


@pytest.mark.slow
def test_ranks_of_a_right_program_by_two_processes(tiny, tmp_path, first):
    """Forty worlds of the tiny plan: nothing fails, and a world is the same in another process."""
    found = sbc.calibrate(read_plan(tiny), 40, Where(2), tmp_path, lambda _: None)
    assert found.passed
    assert not found.repeated
    assert found.worlds[0]["ranks"] == first["ranks"]
