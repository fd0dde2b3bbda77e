"""``attrition simulate``: a plan's panel drawn anew, decided by the seed."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def plan(shell, tmp_path):
    assert shell("init", "first-table", tmp_path / "start").code == 0
    return tmp_path / "start" / "plan.toml"


def test_the_seed_decides_the_draw(shell, plan):
    first, same, other = (
        json.loads(shell("simulate", plan, "--seed", seed, "--json").out) for seed in (3, 3, 4)
    )
    assert first == same
    assert first != other


def test_denominators_are_kept_and_outcomes_drawn(shell, plan):
    drawn = json.loads(shell("simulate", plan, "--seed", 3, "--json").out)
    referrals = {
        (one["jurisdiction"], one["period"]): one["count"]
        for one in drawn["statements"]
        if one["stage"] == "referral"
    }
    assert referrals["US-AL", "2018"] == 2549
    assert len(drawn["statements"]) == 33
    assert all(one["rate"] > 0 for one in drawn["truth"])
    assert {one["step"] for one in drawn["truth"]} == {"referral-investigation", "investigation-arrest"}


def test_words(shell, plan):
    answer = shell("simulate", plan, "--seed", 3)
    assert "2,549" in answer.out
    assert answer.out.rstrip().endswith("true rates.")
