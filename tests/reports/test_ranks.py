"""Ranks of places: by hand, and printed only where the draws know the order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from attrition.reports.ranks import ordered, ranking, ranks_of, width

from .conftest import Written


def test_ranks_are_those_of_each_draw() -> None:
    draws = np.array([[0.3, 0.1, 0.2], [0.1, 0.2, 0.3]])
    assert ranks_of(draws).tolist() == [[1, 3, 2], [3, 2, 1]]


@pytest.mark.parametrize(("span", "told"), [(2, True), (3, True), (4, False)])
def test_the_order_is_printed_where_intervals_hold_a_third_or_less(span: int, told: bool) -> None:
    rows = pd.DataFrame({"low": np.ones(9), "high": np.full(9, span)})
    assert width(rows) == span
    assert ordered(rows) is told


def test_expected_ranks_agree_with_pairwise_comparison(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expected rank is one more than the sum over others of the probability that the other is higher."""
    monkeypatch.setattr("attrition.reports.ranks.FEWEST", 2)
    step = written.view.steps[0]
    rows = ranking(written.view, step)
    assert len(rows) >= 3
    every = written.view.rates("jurisdiction")
    every = every[every["step"] == step.name].set_index("jurisdiction")
    draws = written.view.draws_of([every.loc[name, "quantity_id"] for name in rows["jurisdiction"]])
    higher = (draws[:, None, :] > draws[:, :, None]).mean(axis=0).sum(axis=1)
    assert rows["expected"].to_numpy() == pytest.approx(1 + higher)
    assert (rows["low"] <= rows["expected"]).all()
    assert (rows["expected"] <= rows["high"]).all()
    assert set(every.loc[rows["jurisdiction"], "label"]) <= {"data-driven", "model-assisted"}
