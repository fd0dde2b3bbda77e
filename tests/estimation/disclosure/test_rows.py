"""The model's own leak: a rate times its denominator is a count, and a narrow interval nearly one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from attrition.data.names import CONFIDENTIAL, ESTIMATE_COLUMNS
from attrition.estimation.disclosure.protection import Protection
from attrition.estimation.disclosure.rows import VALUES, released
from attrition.estimation.disclosure.spec import DisclosureSpec
from attrition.estimation.disclosure.suppress import suppress

from .tables import counts_of

K = 5
STAGES = ("referral", "arrest")
COUNTS = counts_of(K, referral=[[40, 30], [50, 60]], arrest=[[2, 12], [np.nan, 11]])
PROTECTION = Protection(DisclosureSpec(k=K), COUNTS, suppress(COUNTS.table, K).suppressed, True)
SIZES = {("o0", "j0"): 40.0, ("all", "j0"): 90.0, ("o1", "j1"): 60.0}


def row(node: tuple[str, str], low: float, high: float, basis: str = "superpopulation") -> dict[str, object]:
    """A rate whose 90 % interval times the denominator goes from ``low`` to ``high`` cases."""
    size = SIZES[node]
    names = {"quantity_id": f"{node}{basis}", "quantity": "rate", "step": "referral-arrest", "offense": node[0],
             "jurisdiction": node[1], "period": "all", "basis": basis, "label": "data-driven"}  # fmt: skip
    values = {
        "q05": low / size,
        "median": (low + high) / 2 / size,
        "q95": high / size,
        "denominator_median": size,
    }
    return dict.fromkeys(ESTIMATE_COLUMNS, np.nan) | names | values | {"bound_low": 0.0, "bound_high": 1.0}


def narrow(rows: pd.DataFrame) -> int:
    """Rows over a cell held back that give its cases, or the cases of a sum with it, to within less than k."""
    over = (rows["jurisdiction"] == "j0") & rows["median"].notna()
    return int((over & ((rows["q95"] - rows["q05"]) * rows["denominator_median"] < K)).sum())


@pytest.mark.parametrize("node", [("o0", "j0"), ("all", "j0")])
@pytest.mark.parametrize("basis", ["superpopulation", "finite"])
def test_a_narrow_interval_over_a_count_held_back_is_not_told(node, basis):
    assert PROTECTION.suppressed[COUNTS.position(1, (1, 1, 0))]
    rows = pd.DataFrame([row(node, 1.0, 3.0, basis)])
    assert narrow(rows) == 1  # without protection it leaks
    told = released(rows, PROTECTION, STAGES)
    assert narrow(told) == 0
    assert told["label"].tolist() == [CONFIDENTIAL]
    assert told[list(VALUES)].isna().all(axis=None)


def test_a_wide_interval_over_what_nobody_reported_stays():
    """The sum holds a cell held back and one not reported; to within k cases the model does not know it."""
    rows = pd.DataFrame([row(("all", "j0"), 1.0, 6.5, basis) for basis in ("superpopulation", "finite")])
    told = released(rows, PROTECTION, STAGES)
    assert told["label"].tolist() == ["data-driven", CONFIDENTIAL]
    assert told["median"].notna().tolist() == [True, False]


def test_what_is_told_stays_however_narrow():
    assert not PROTECTION.suppressed[COUNTS.position(1, (2, 2, 0))]
    told = released(pd.DataFrame([row(("o1", "j1"), 10.9, 11.1)]), PROTECTION, STAGES)
    assert told["label"].tolist() == ["data-driven"]
