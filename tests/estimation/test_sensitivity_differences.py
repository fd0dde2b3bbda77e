"""What two runs have otherwise: settings, keys of the plan, nodes, numbers read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attrition.estimation.sensitivity.differences import differences
from attrition.estimation.sensitivity.statements import statement_changes

from ..stored import statement, write_run


def lines(*found: dict[str, Any]) -> dict[str, Any]:
    return {"statements": list(found)}


class TestStatements:
    def test_a_row_that_moved_in_its_file_is_the_same(self) -> None:
        before = lines(statement(2, "referral", 100.0), statement(3, "case", 40.0))
        after = lines(statement(9, "case", 40.0), statement(8, "referral", 100.0))
        assert statement_changes(before, after) == []

    def test_a_count_that_was_revised(self) -> None:
        before = lines(statement(2, "referral", 1000.0), statement(3, "case", 40.0))
        after = lines(statement(2, "referral", 1200.0), statement(3, "case", 40.0))
        (change,) = statement_changes(before, after)
        assert (change.change, change.before["count"], change.after["count"]) == ("changed", 1000.0, 1200.0)
        assert change.sentence() == "referral (theft, North, 2024; source gazette): 1,000 → 1,200"

    def test_what_was_added_and_removed(self) -> None:
        kept = statement(2, "referral", 100.0)
        old = statement(3, "case", 7.0, jurisdiction="South")
        new = statement(4, "arrest", relation="suppressed", low=1.0, high=4.0)
        removed, added = statement_changes(lines(kept, old), lines(kept, new))
        assert (removed.change, removed.after, removed.id) == ("removed", None, old["id"])
        assert removed.sentence() == "case (theft, South, 2024; source gazette): removed 7, used"
        assert (added.change, added.before, added.id) == ("added", None, new["id"])
        assert (
            added.sentence() == "arrest (theft, North, 2024; source gazette): added suppressed 1 to 4, used"
        )

    def test_a_statement_that_is_no_longer_used_says_why(self) -> None:
        before = statement(2, "case", 40.0)
        after = {**before, "status": "excluded", "reason": "superseded", "kinds": []}
        (change,) = statement_changes(lines(before), lines(after))
        assert change.sentence().endswith(": used → excluded (superseded)")

    def test_a_change_of_meaning_is_told(self) -> None:
        before = statement(2, "case", 40.0)
        (change,) = statement_changes(
            lines(before), lines({**before, "origin": "all_sources", "relation": "approx"})
        )
        assert change.sentence().endswith(": 40 → approx 40; origin referred_only → all_sources")

    def test_repeats_are_matched_one_to_one(self) -> None:
        twice = [statement(2, "case", 40.0), statement(3, "case", 40.0)]
        (change,) = statement_changes(lines(*twice), lines(twice[1]))
        assert (change.change, change.id) == ("removed", twice[0]["id"])


def test_two_runs_of_one_plan_do_not_differ(tmp_path: Path) -> None:
    plan = {"prior": {"spread": 1.0}, "exclude": []}
    one, two = (write_run(tmp_path, letter * 12, plan=plan) for letter in "ab")
    assert differences(one, two) == ()


@pytest.fixture
def told(tmp_path: Path) -> list[str]:
    """The sentences of two runs that differ in everything."""
    by_source = {"where": {"source_id": ["x", "y"]}, "reason": "superseded"}
    by_place = {"where": {"jurisdiction": ["North"], "stage": ["case"]}, "reason": "not a place"}
    one = write_run(
        tmp_path, "a" * 12, plan={"prior": {"spread": 1.0, "phi": None}, "exclude": [by_source], "effect": None},
        statements=[statement(2, "case", 1.0)],
    )  # fmt: skip
    two = write_run(
        tmp_path, "b" * 12,
        plan={"prior": {"spread": 2.0, "phi": {"mean": 3.0}}, "exclude": [by_place], "effect": [{"kind": "time"}]},
        statements=[statement(2, "case", 2.0)],
    )  # fmt: skip
    two.manifest.update(seed=2, source_digest="otherwise")
    two.blueprint["axes"]["offense"][2] = {"name": "arson", "label": "arson", "parent": "all"}
    two.blueprint["axes"]["jurisdiction"][1]["parent"] = "South"
    return [one.sentence for one in differences(one, two)]


@pytest.mark.parametrize(
    "sentence",
    [
        "seed: 1 → 2",
        "the sources of the package differ",
        "prior.spread: 1.0 → 2.0",
        "prior.phi.mean: not written → 3.0",
        "exclude: removed source_id = x or y (superseded)",
        "exclude: added jurisdiction = North and stage = case (not a place)",
        'effect: added kind = "time"',
        "offense fraud: removed",
        "offense arson: added",
        "jurisdiction North: under South, before under all",
        "case (theft, North, 2024; source gazette): 1 → 2",
    ],
)
def test_each_difference_is_told_once(told: list[str], sentence: str) -> None:
    assert told.count(sentence) == 1
    assert len(told) == 11
