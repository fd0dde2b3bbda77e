"""Which recorded numbers stand behind a row."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from attrition.estimation.evidence import Evidence
from attrition.estimation.rows import make_rows

from ..panels import bind, make_panel

STAGES = ("referral", "investigation", "arrest")
FACTS = [
    ("referral", "/NE/2024", "exact", 60),
    ("arrest", "/NE/2024", "exact", 9),  # investigations are not known: the count's path passes both steps
    ("referral", "/NY/2024", "exact", 80),
    ("investigation", "/NY/2024", "exact", 30),
    ("referral", "/TX/2024", "exact", 50),
]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        # NE: both numbers; NY: both; TX: its referrals
        ("referral-investigation", {"NE": 2, "NY": 2, "TX": 1, "all": 5}),
        # NE: the arrests; NY: the investigations, which are this step's denominator; TX: none
        ("investigation-arrest", {"NE": 1, "NY": 1, "TX": 0, "all": 2}),
    ],
)
def test_numbers_at_the_ends_of_a_step_and_on_paths_across_it_are_counted(step, expected):
    blueprint = bind(
        make_panel(FACTS, (), ("NE", "NY", "TX"), ("2024",), STAGES), ["intercept", "jurisdiction"]
    )
    rows = make_rows(blueprint.panel, blueprint.layout)
    one = next(s for s in blueprint.panel.funnel.steps if s.name == step)
    behind = Evidence(blueprint).behind(rows, one)
    for place, number in expected.items():
        at = np.flatnonzero((rows.names == np.array(["all", place, "all"], dtype=object)).all(axis=1))
        assert behind.statements[at].tolist() == [number], place
        assert behind.touched[at].tolist() == [place != "TX" and not (place == "NY" and one.source == 1)], (
            place
        )


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_rows_are_looked_at_some_at_a_time(monkeypatch, at_once):
    blueprint = bind(
        make_panel(FACTS, (), ("NE", "NY", "TX"), ("2024",), STAGES), ["intercept", "jurisdiction"]
    )
    rows, step = make_rows(blueprint.panel, blueprint.layout), blueprint.panel.funnel.steps[0]
    evidence = Evidence(blueprint)
    whole = evidence.behind(rows, step)
    monkeypatch.setattr("attrition.estimation.evidence.ROWS_AT_ONCE", at_once)
    parts = evidence.behind(rows, step)
    for one in fields(whole):
        np.testing.assert_array_equal(getattr(parts, one.name), getattr(whole, one.name), err_msg=one.name)
