"""What the analyser found out is the same when it is kept as columns."""

from __future__ import annotations

from attrition.models.decisions import Decision, Known, keep_decisions, keep_facts


def test_facts_and_decisions_come_back_as_they_were():
    facts = [Known(7, 0, 3.0, ("a",)), Known(2, 1, 0.0, ("b", "a")), Known(3, 1, 1.0, ())]
    assert list(keep_facts(iter(facts))) == facts
    assert type(keep_facts(facts)[0].cell) is int
    decisions = [
        Decision("a", "known", "fixes a denominator"),
        Decision("b", "known", "fixes a denominator"),
        Decision("c", "residual", "leaves one cell", ("a", "b")),
    ]
    found = keep_decisions(iter(decisions))
    assert list(found) == decisions
    assert found[0].reason is found[1].reason
    assert not keep_facts([])
    assert not keep_decisions([])
