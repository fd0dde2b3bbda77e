"""Why numbers are revised, by hand: causes of changes, the statements after each, and claims that changed."""

from __future__ import annotations

from typing import Any

import pytest

from attrition.estimation.sensitivity.causes import CAUSES, after, causes
from attrition.estimation.sensitivity.claims import claim_changes, latest_periods

from ..stored import statement

OLD = [
    statement(2, "referral", 100.0),
    statement(2, "case", 40.0),
    statement(3, "case", 7.0, jurisdiction="South"),
    statement(4, "arrest", 3.0, jurisdiction="South"),
    statement(5, "case", 9.0, offense="fraud", status="excluded"),
]
LATER = {"as_of": "2025-06-30"}
NEW = [
    statement(2, "referral", 101.0, **LATER),
    statement(2, "case", 44.0, **LATER),
    statement(4, "case", 7.0, jurisdiction="South"),
    statement(6, "case", 12.0, period="2025", **LATER),
    statement(5, "case", 8.0, offense="fraud", status="excluded"),
]


def _told(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    found = causes({"statements": one}, {"statements": two}, "referral")
    return {
        (line["stage"], line["period"]): item.cause
        for item in found
        if (line := item.change.after or item.change.before) is not None
    }


def test_each_change_has_its_cause():
    assert _told(OLD, NEW) == {
        ("referral", "2024"): "corrected",  # a denominator does not mature
        ("case", "2024"): "matured",
        ("arrest", "2024"): "corrected",  # withdrawn
        ("case", "2025"): "arrived",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"count": 39.0},
        {"as_of": "2025-01-01"},
        {"clock": "period"},
        {"relation": "at_least"},
        {"origin": "unknown"},
    ],
)
def test_what_is_not_the_same_cohort_counted_later_is_a_correction(change):
    line = statement(2, "case", 44.0, **LATER) | change
    assert _told([OLD[1]], [line]) == {("case", "2024"): "corrected"}


def test_a_number_used_from_now_on_has_arrived():
    assert _told([statement(2, "case", 4.0, status="excluded")], [statement(2, "case", 4.0)]) == {
        ("case", "2024"): "arrived"
    }


def test_what_the_model_made_of_a_fact_is_no_change():
    line = statement(2, "case", 4.0, placed=True)
    assert _told([line], [line | {"status": "dropped", "reason": "finer known"}]) == {}


def test_all_changes_together_give_the_later_statements():
    one, two = {"statements": OLD}, {"statements": NEW}
    found = causes(one, two, "referral")

    def facts(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return sorted(
            (s["stage"], s["jurisdiction"], s["period"], s["count"]) for s in lines if s["status"] == "used"
        )

    assert facts(after(one, found, ())) == facts(OLD)
    assert facts(after(one, found, CAUSES)) == facts(NEW)
    some = after(one, found, ("corrected",))
    assert facts(some) == [
        ("case", "North", "2024", 40.0), ("case", "South", "2024", 7.0), ("referral", "North", "2024", 101.0)
    ]  # fmt: skip
    # The arrest of row 4 went and the case of row 4 came: names stay unique.
    names = [line["id"] for line in after(one, found, CAUSES)]
    assert len(set(names)) == len(names)


def _claim(key: str, text: str, probability: float, holds: bool) -> dict[str, Any]:
    return {
        "key": key,
        "text": text,
        "said": text.split(": ")[-1],
        "probability": probability,
        "holds": holds,
    }


def test_claims_are_compared_by_what_is_said():
    one = [_claim("a", "A", 0.95, True), _claim("b", "B", 0.95, True), _claim("c", "C", 0.95, True),
           _claim("d", "D", 0.5, False), _claim("e", "E", 0.99, True), _claim("g", "G", 0.4, False)]  # fmt: skip
    two = [_claim("a", "A", 0.91, True), _claim("b", "B", 0.85, False), _claim("c", "C2", 0.95, True),
           _claim("d", "D", 0.92, True), _claim("f", "F", 0.92, True), _claim("g", "G", 0.6, False)]  # fmt: skip
    found = {change.key: change for change in claim_changes(one, two)}
    assert {key: change.change for key, change in found.items()} == {
        "b": "withdrawn", "c": "changed", "d": "appeared", "f": "appeared", "e": "withdrawn",
    }  # fmt: skip
    assert found["b"].sentence() == "no longer said: B (probability 0.95 → 0.85)"
    assert found["f"].sentence() == "now said: F (probability no claim → 0.92)"


def test_claims_of_the_latest_period_are_held_against_those_of_the_one_before():
    """What is said of one quarter and again of the next has not changed; what is said of other periods is untouched."""
    one = [_claim("above|rate|all|2024Q2", "A", 0.95, True), _claim("below|rate|all|2024Q2", "B", 0.95, True),
           _claim("above|rate|all|all", "C", 0.95, True)]  # fmt: skip
    two = [_claim("above|rate|all|2024Q4", "A", 0.99, True), _claim("below|rate|all|2024Q4", "B", 0.4, False),
           _claim("above|rate|all|all", "C", 0.95, True)]  # fmt: skip
    (change,) = claim_changes(one, two, ("2024Q2", "2024Q4"))
    assert (change.key, change.change) == ("below|rate|all|2024Q4", "withdrawn")
    assert len(claim_changes(one, two)) == 3
    changed = [
        [_claim(f"fell|change|all|{period}", f"{period}: fell", 0.95, True)]
        for period in ("2024Q1→2024Q2", "2024Q3→2024Q4")
    ]
    assert claim_changes(*changed, ("2024Q2", "2024Q4")) == ()
    assert len(claim_changes(*changed)) == 2
    # A change that is not the one to the latest period is another one.
    other = [_claim("fell|change|all|2023Q4→2024Q1", "D", 0.95, True)]
    assert len(claim_changes(other, changed[1], ("2024Q2", "2024Q4"))) == 2
    asked = {"plan": {"answer": {"period": "latest"}}}
    old, new = (asked | {"answer": {"period": period}} for period in ("2024Q2", "2024Q4"))
    assert latest_periods(old, new) == ("2024Q2", "2024Q4")
    assert latest_periods(old, old) is None
    assert (
        latest_periods(old, {"plan": {"answer": {"period": "2024Q4"}}, "answer": {"period": "2024Q4"}})
        is None
    )
