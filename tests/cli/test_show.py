"""One number explained, from a run that is known by heart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

from attrition.cli.explain import explain, explanation_text, parse_cell
from attrition.cli.findings import plain, records
from attrition.data.errors import InputError


def nodes(*names: str) -> list[dict[str, Any]]:
    """An axis of one level."""
    return [{"name": "all", "label": "All", "parent": None}] + [
        {"name": name, "label": name, "parent": "all"} for name in names
    ]


def statement(
    stage: str, jurisdiction: str, count: float | None, relation: str = "exact", **more: Any
) -> dict[str, Any]:
    """A line of intake.json."""
    line = {
        "id": f"{stage}{jurisdiction}", "stage": stage, "offense": "all", "jurisdiction": jurisdiction,
        "period": "2024", "relation": relation, "count": count, "low": None, "high": None,
        "source_id": "gazette", "file": "t.csv", "row": 2, "status": "used",
    }  # fmt: skip
    return {**line, **more}


def estimate(quantity_id: str, jurisdiction: str, **more: Any) -> dict[str, Any]:
    """A row of estimates."""
    row = {
        "quantity_id": quantity_id, "quantity": "rate", "step": "referral-arrest", "offense": "all",
        "jurisdiction": jurisdiction, "period": "2024", "basis": "superpopulation", "clock": "cohort",
        "median": 0.11, "q05": 0.08, "q95": 0.15, "bound_low": 0.1, "bound_high": 0.1, "contraction": 0.9,
        "contraction_own": 0.75, "label": "data-driven", "statements": 2,
    }  # fmt: skip
    return {**row, **more}


@dataclass
class Known:
    """As much of a run as an explanation reads."""

    identity: str = "abc"
    blueprint: dict[str, Any] = field(
        default_factory=lambda: {
            "axes": {
                "offense": nodes(),
                "jurisdiction": nodes("North", "South"),
                "period": nodes("2023", "2024"),
            }
        }
    )
    intake: dict[str, Any] = field(
        default_factory=lambda: {
            "statements": [
                statement("referral", "North", 200.0),
                statement("arrest", "North", 20.0),
                statement("referral", "South", 50.0),
                statement("arrest", "South", None, "suppressed", low=1.0, high=4.0),
                statement("arrest", "all", 23.0, "at_least"),
            ]
        }
    )
    estimates: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            [
                estimate("q1", "North"),
                estimate("q2", "South", median=None, q05=None, q95=None, bound_low=0.02, bound_high=0.08,
                         contraction_own=0.02, label="not published"),
            ]
        )
    )  # fmt: skip
    information: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            [
                ("q1", "source_id", "gazette", 0.8),
                ("q1", "source_id", "prior", 0.2),
                ("q1", "kind", "exact", 1.0),
                ("q2", "kind", "prior", 1.0),
            ],
            columns=["quantity_id", "by", "name", "share"],
        )
    )


def test_a_published_rate():
    found = explain(Known(), "jurisdiction=North, period=2024")
    assert [one["id"] for one in found["statements"]] == ["referralNorth", "arrestNorth", "arrestall"]
    (rate,) = found["rates"]
    assert rate["raw"] == "20 of 200 = 0.1"
    assert rate["informed_by"] == {"kind": "exact 100%", "source_id": "gazette 80%, prior 20%"}
    text = explanation_text(found)
    for part in (
        "20 of 200 = 0.1",
        "0.11, 90 % interval 0.08 to 0.15",
        "75%",
        "at least 23",
        "t.csv, row 2",
        "data-driven",
    ):
        assert part in text


def test_a_rate_that_is_withheld_shows_its_bounds():
    found = explain(Known(), "jurisdiction=South,period=2024")
    (rate,) = found["rates"]
    assert rate["raw"] == ""
    assert rate["median"] is None
    text = explanation_text(found)
    assert "pooled              not published" in text
    assert "0.02 to 0.08" in text
    assert "suppressed 1 to 4" in text


def test_a_node_without_any_statement_says_so():
    text = explanation_text(explain(Known(), "jurisdiction=North,period=2023"))
    assert "no recorded number speaks of this cell" in text
    assert "No rate of this node was computed" in text


def test_a_same_period_ratio_is_named_so():
    known = Known()
    known.estimates["clock"] = "period"
    assert "same-period ratio" in explanation_text(explain(known, "jurisdiction=North,period=2024"))


def test_unknown_axes_and_nodes_are_all_named():
    with pytest.raises(InputError) as caught:
        parse_cell("jurisdction=North,jurisdiction=Nort,period=2025", Known())
    said = [problem.line() for problem in caught.value.problems]
    assert len(said) == 3
    assert "did you mean 'jurisdiction'" in said[0]
    assert "did you mean 'North'" in said[1]


def test_an_axis_is_named_once():
    with pytest.raises(InputError) as caught:
        parse_cell("jurisdiction=North,jurisdiction=South", Known())
    (problem,) = caught.value.problems
    assert problem.line() == (
        "--cell: an axis is named twice; found jurisdiction=North and jurisdiction=South; "
        "allowed: one jurisdiction; name one"
    )


def test_an_axis_that_is_not_named_is_all_of_it():
    assert parse_cell("", Known()) == {"offense": "all", "jurisdiction": "all", "period": "all"}


def test_values_are_plain_json():
    table = pd.DataFrame(
        {"a": [1.5, float("nan")], "b": pd.array([1, None], dtype="Int64"), "c": ["x", None]}
    )
    assert records(table) == [{"a": 1.5, "b": 1, "c": "x"}, {"a": None, "b": None, "c": None}]
    assert plain(pd.Timestamp("2024-01-02")) == "2024-01-02 00:00:00"
