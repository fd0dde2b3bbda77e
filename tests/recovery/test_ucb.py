"""Admissions to Berkeley: what margins can say of a contrast, and what the cells say of the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import estimate

# Bickel, Hammel and O'Connell, Sex bias in graduate admissions: data from Berkeley, Science 187 (1975); the six
# largest departments of 1973, as printed by Freedman, Pisani and Purves: applicants and admitted, men and women.
ADMITTED = {
    "A": (825, 512, 108, 89), "B": (560, 353, 25, 17), "C": (325, 120, 593, 202),
    "D": (417, 138, 375, 131), "E": (191, 53, 393, 94), "F": (373, 22, 341, 24),
}  # fmt: skip
MEN, WOMEN = 1198 / 2691, 557 / 1835
PLAN = """format = 1
[funnel]
stages = ["applied", "admitted"]
[[input]]
file = "data.csv"
as_of = 1975-02-07
[[effect]]
kind = "offense"
[[effect]]
kind = "jurisdiction"
[[effect]]
kind = "context"
[[effect]]
kind = "cell"
[estimate]
chains = 2
draws = 600
tune = 500
"""


def fitted(folder: Path, margins: bool) -> Run:
    lines = ["offense,jurisdiction,period,applied,admitted"]
    for department, (men, admitted_men, women, admitted_women) in ADMITTED.items():
        shown = ("", "") if margins else (admitted_men, admitted_women)
        lines += [f"men,{department},1973,{men},{shown[0]}", f"women,{department},1973,{women},{shown[1]}"]
        if margins:
            lines.append(f"all,{department},1973,,{admitted_men + admitted_women}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    (folder / "plan.toml").write_text(PLAN)
    return estimate(folder / "plan.toml", progress=False)


def row(run: Run, quantity: str, offense: str, jurisdiction: str = "all", basis: str = "superpopulation"):
    table = run.estimates
    at = (table["quantity"] == quantity) & (table["basis"] == basis) & (table["period"] == "all")
    found = table[at & (table["offense"] == offense) & (table["jurisdiction"] == jurisdiction)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def margins(tmp_path_factory) -> Run:
    return fitted(tmp_path_factory.mktemp("margins"), margins=True)


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> Run:
    return fitted(tmp_path_factory.mktemp("cells"), margins=False)


def test_the_rate_may_depend_on_the_mix_where_margins_alone_inform_it(margins, cells):
    told = [
        next(effect["because"] for effect in run.blueprint["effects"] if effect["kind"] == "context")
        for run in (margins, cells)
    ]
    assert [why.startswith("In the rate of applied-admitted") for why in told] == [True, False]


def test_margins_bound_the_rate_of_men(margins):
    """Department by department the admitted could all have been men, or as few men as there were places left."""
    low = sum(max(0, a + b - women) for _, a, women, b in ADMITTED.values())
    high = sum(min(men, a + b) for men, a, _, b in ADMITTED.values())
    found = row(margins, "rate", "men", basis="finite")
    assert (found["bound_low"], found["bound_high"]) == pytest.approx((low / 2691, high / 2691))
    assert (low / 2691, high / 2691) == pytest.approx((0.311, 0.652), abs=5e-4)
    assert found["bound_low"] < found["q05"] < MEN < found["q95"] < found["bound_high"]


def test_margins_say_little_of_the_contrast(margins):
    women = row(margins, "rate", "women", basis="finite")
    # So little that with some three hundred effective draws it may be published or not; its draws are kept.
    assert women["label"] in ("prior-driven", "not published")
    value = margins.draws["quantities"]["value"].sel(quantity_id=women["quantity_id"])
    low, high = np.quantile(value, [0.05, 0.95])
    assert low < WOMEN < high
    contrasts = margins.estimates[(margins.estimates["quantity"] == "contrast")]
    found = contrasts[contrasts["offense"].str.contains("men") & (contrasts["jurisdiction"] == "all")]
    assert len(found)
    assert (found["contraction"] < 0.3).all()
    assert set(found["label"]) <= {"prior-driven", "not published"}


def test_cells_show_the_reversal(cells):
    """Over all departments men are admitted more often; where most of the men applied, women are."""
    men, women = (row(cells, "rate", sex, basis="finite") for sex in ("men", "women"))
    assert men["median"] == pytest.approx(MEN)
    assert women["median"] == pytest.approx(WOMEN)
    assert men["median"] - women["median"] > 0.14
    told = [row(cells, "rate", sex) for sex in ("men", "women")]
    assert [one["label"] for one in told] == ["data-driven"] * 2
    assert told[0]["q05"] > told[1]["q95"]
    in_a = [row(cells, "rate", sex, "A") for sex in ("men", "women")]
    assert in_a[1]["q05"] > in_a[0]["q95"]
    ahead = [
        row(cells, "rate", "women", d)["median"] > row(cells, "rate", "men", d)["median"] for d in ADMITTED
    ]
    assert sum(ahead) >= 4
