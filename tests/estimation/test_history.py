"""Numbers over three vintages, by hand: what was first said, what is said last, and the statistics of the revisions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrition.data.errors import InputError
from attrition.data.names import ESTIMATE_COLUMNS, HISTORY_COLUMNS, REVISION_STATISTICS
from attrition.estimation.sensitivity.history import Vintage, history, statistics, vintage
from attrition.estimation.sensitivity.replay import chosen
from attrition.estimation.store.runs import Run

from ..reports.world import World, write_world

NODE = {"step": "a-b", "offense": "all", "jurisdiction": "all", "quantity": "rate", "basis": "finite"}


def row(
    period: str, span: str, median: float, low: float, high: float, label: str = "data-driven"
) -> dict[str, object]:
    known = {
        "quantity_id": f"r|{period}",
        "period": period,
        "span": span,
        "median": median,
        "q05": low,
        "q95": high,
    }
    return dict.fromkeys(ESTIMATE_COLUMNS, np.nan) | NODE | known | {"label": label}


@pytest.fixture
def table() -> pd.DataFrame:
    """Three quarters that arrive one by one; a year that is not whole before the third vintage."""
    said = {
        "2024-03-31": [row("Q1", "Q1", 0.30, 0.20, 0.40), row("2024", "Q1", 0.30, 0.20, 0.40)],
        "2024-06-30": [
            row("Q1", "Q1", 0.35, 0.30, 0.40), row("Q2", "Q2", 0.50, 0.45, 0.55), row("2024", "Q1 Q2", 0.4, 0.3, 0.5),
        ],
        "2024-09-30": [
            row("Q1", "Q1", 0.41, 0.41, 0.41, "counted"), row("Q2", "Q2", 0.48, 0.47, 0.49),
            row("Q3", "Q3", 0.6, 0.5, 0.7), row("2024", "Q1 Q2 Q3", 0.5, 0.4, 0.6),
        ],
    }  # fmt: skip
    return history([Vintage(day, pd.DataFrame(rows)) for day, rows in said.items()])


def test_a_number_is_held_against_what_was_first_said_of_the_same_periods(table):
    assert tuple(table.columns) == HISTORY_COLUMNS
    found = table.set_index("period")
    assert list(found.index) == ["Q1", "Q2"]  # Q3 is new, and the year was another one before
    assert found["vintages"].tolist() == [3, 2]
    assert found["first"].tolist() == [0.30, 0.50]
    assert found["first_as_of"].tolist() == ["2024-03-31", "2024-06-30"]
    assert found["latest"].tolist() == [0.41, 0.48]
    assert found["outside"].tolist() == [True, False]
    assert found["latest_label"].tolist() == ["counted", "data-driven"]


def test_statistics_by_hand(table):
    (found,) = statistics(table).to_dict("records")
    assert tuple(found) == REVISION_STATISTICS
    assert found["numbers"] == 2
    assert found["bias"] == pytest.approx((0.11 - 0.02) / 2)
    assert found["mean_absolute"] == pytest.approx(0.065)
    assert found["root_mean_square"] == pytest.approx(np.sqrt((0.11**2 + 0.02**2) / 2))
    assert found["share_outside"] == 0.5
    assert (found["counted"], found["counted_outside"]) == (1, 1.0)


def test_what_was_counted_at_first_had_no_interval():
    first, last = row("Q1", "Q1", 0.3, 0.3, 0.3, "counted"), row("Q1", "Q1", 0.4, 0.4, 0.4, "counted")
    found = history(
        [Vintage(day, pd.DataFrame([one])) for day, one in (("2024-01-01", first), ("2024-02-01", last))]
    )
    assert found["revision"].tolist() == [pytest.approx(0.1)]
    assert found["outside"].isna().all()
    assert statistics(found).empty


def test_one_vintage_has_no_history(table):
    assert history([Vintage("2024-01-01", table)]).empty
    assert statistics(history([])).empty


def test_a_run_gives_the_numbers_it_publishes_and_the_leaves_of_their_periods(tmp_path: Path):
    run = Run(write_world(tmp_path, World(periods=6)))
    rows = vintage("2024-06-30", run).rows.set_index("quantity_id")
    assert set(rows.index) == set(run.estimates.loc[run.estimates["median"].notna(), "quantity_id"])
    spans = rows.groupby("period")["span"].first()
    assert spans["2024"] == "2024Q1 2024Q2 2024Q3 2024Q4"
    assert spans["2024Q2"] == "2024Q2"
    assert spans["all"].split() == sorted(spans["2023"].split() + spans["2024"].split())
    assert spans["2024Q3→2024Q4"] == "2024Q3→2024Q4"


DAYS = [f"2024-0{month}-01" for month in range(1, 7)]


@pytest.mark.parametrize(
    ("since", "every", "kept"),
    [(None, 1, DAYS), (None, 2, DAYS[1::2]), ("2024-03-01", 3, [DAYS[2], DAYS[5]]), ("2024-05", 1, DAYS[4:])],
)
def test_dates_are_counted_back_from_the_last(since, every, kept):
    assert chosen(DAYS, since, every) == kept


@pytest.mark.parametrize("since", ["12/1/2024", "x", "2024-02-31"])
def test_what_is_no_date_is_not_compared_as_text(since):
    with pytest.raises(InputError, match=f"--from: not a date; found '{since}'; "):
        chosen(DAYS, since, 1)


def test_one_date_is_no_backtest():
    with pytest.raises(InputError, match="nothing to compare"):
        chosen(DAYS, "2024-06-01", 1)
