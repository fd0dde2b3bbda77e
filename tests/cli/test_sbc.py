"""``attrition sbc``: what it prints, its exit codes, how it stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attrition.estimation.calibration import sbc

from .known import DATA, PLAN


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml"


@pytest.fixture
def ranked(monkeypatch):
    """Worlds in a moment: every rank in turn, but for those of quantity ``off``."""

    def with_off(spread: int) -> None:
        def world(_bound, seed, _as):
            return {
                "seed": seed, "status": "fitted", "engine": "nuts",
                "ranks": {"fine": 37 * seed % 100, "off": 37 * seed % spread},
                "coverage": {"cells": [1, 2, 2]}, "rhat": 1.001, "ess": 321.0, "divergences": 0, "seconds": 0.1,
            }  # fmt: skip

        monkeypatch.setattr(sbc, "one_world", world)

    return with_off


def test_uniform_ranks(shell, plan, ranked):
    ranked(100)
    answer = shell("sbc", plan, "-n", 50, "--strict")
    assert answer.code == 0
    assert "The ranks of all 2 quantities are uniform." in answer.out
    assert "50 of 50 worlds fitted" in answer.err
    assert (plan.parent / "runs" / "known" / "certificate.json").is_file()
    value = json.loads(shell("sbc", plan, "-n", 50, "--json").out)
    assert (value["passed"], value["fitted"], value["ess_min"]) == (True, 50, 321.0)
    assert value["coverage"]["cells"]["cover50"] == 0.5
    assert [one["quantity"] for one in value["quantities"]] == ["fine", "off"]


def test_a_quantity_that_is_off_comes_first(shell, plan, ranked):
    """It is fitted four times as often; under --strict the command ends with 4."""
    ranked(20)
    answer = shell("sbc", plan, "-n", 50)
    assert answer.code == 0
    first = answer.out.splitlines()[2]
    assert first.split()[:2] == ["failed", "off"]
    assert "200 simulated panels of 'known' fitted" in answer.out
    assert "The ranks of 1 of 2 quantities are not uniform." in answer.out
    assert shell("sbc", plan, "-n", 50, "--strict").code == 4


def test_too_few_worlds_are_a_fault_of_the_user(shell, plan, files):
    before = files()
    answer = shell("sbc", plan, "-n", 5)
    assert answer.code == 2
    assert "too few worlds" in answer.err
    assert files() == before


def test_stopped(shell, plan, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sbc, "one_world", stop)
    answer = shell("sbc", plan)
    assert answer.code == 130
    assert "finished worlds are kept" in answer.err
