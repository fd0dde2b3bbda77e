"""The front table: every offense by every step, nothing said that the run does not say."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from attrition.estimation.store.runs import Run
from attrition.reports import growth
from attrition.reports.companions import anchor, bounds
from attrition.reports.front import FRONT, UNKNOWN, front_table, grid, offenses
from attrition.reports.reasons import why
from attrition.reports.steps import steps_of
from attrition.reports.view import View

from .conftest import Evidence
from .evidence_world import FINER, MIX, OFFENSES, STAGES, STEPS, WHOLE, write_evidence
from .reading import number
from .world import World, write_world

SHOWN = [name for name, _, _ in OFFENSES if not name.endswith(":unsplit")] + ["traveler"]


def _cells(evidence: Evidence) -> dict[tuple[str, str], str]:
    """Texts by offense and step; a row that says the same of every step says it once."""
    steps = (*STEPS, WHOLE)
    out = {}
    for offense in SHOWN:
        texts = evidence.page.rows[anchor(FRONT, "", offense)][1:]
        assert len(texts) in (1, len(steps))
        out |= {(offense, step): texts[i % len(texts)] for i, step in enumerate(steps)}
    return out


def test_every_offense_stands_beside_every_step(evidence: Evidence) -> None:
    assert list(offenses(evidence.view)) == SHOWN
    assert [offenses(evidence.view)[o] for o in SHOWN] == [0, 1, 2, 3, 1, 1, 1]
    cells = _cells(evidence)
    assert len(cells) == 7 * 5
    assert all(any(label in text for label in ("●", "◐", "○", "×")) for text in cells.values())
    assert len(pd.read_csv(evidence.files["tables"] / "front.csv")) == 7 * 5
    assert ":unsplit" not in evidence.html
    assert "remainder" not in evidence.html.split('id="section-limits"')[0]
    assert (
        not pd.read_csv(evidence.files["tables"] / "jurisdictions.csv")["jurisdiction"]
        .str.contains(":")
        .any()
    )


def test_a_cell_says_what_the_run_says(evidence: Evidence) -> None:
    stored = evidence.run.estimates
    stored = stored[(stored["jurisdiction"] == "all") & (stored["period"] == "all")]
    stored = stored.set_index(["offense", "step"])
    cells = _cells(evidence)
    published = 0
    for (offense, step), text in cells.items():
        if offense == "traveler" or stored.loc[(offense, step), "label"] == "not published":
            assert text.startswith(UNKNOWN)
            assert "0 to no upper limit" in text
            assert not re.search(r"90 %", text)
            continue
        row = stored.loc[(offense, step)]
        places = len(text.split()[0].partition(".")[2])
        assert number(text.split()[0]) == pytest.approx(row["median"], abs=0.51 * 10.0**-places)
        low, high = re.search(r"90 %: (\S+) to (\S+)", text).groups()
        assert (number(low), number(high)) == pytest.approx(
            (row["q05"], row["q95"]), abs=0.51 * 10.0**-places
        )
        assert "same-period ratio" in text
        assert str(row["label"]) in text
        assert ("data alone" in text) == (row["label"] == "prior-driven")
        published += 1
    assert published == 7


def test_the_mix_is_named_beside_every_row_that_comes_through_it(evidence: Evidence) -> None:
    for offense in SHOWN:
        head = evidence.page.rows[anchor(FRONT, "", offense)][0]
        assert ("within a factor of 2; 50 % of that in common" in head) == (offense in MIX)
    text = " ".join(evidence.page.text)
    assert "counts by offense of the stage report at XX:worldwide (2 periods; ncmec)" in text
    assert "It stands behind the rows of 3 offenses." in text


def test_the_nested_copy_is_the_table(evidence: Evidence) -> None:
    front, rows = evidence.front, grid(evidence.view).set_index(["offense", "step"])
    assert [step["name"] for step in front["steps"]] == [*STEPS, WHOLE]
    assert front["mix"]["factor"] == 2.0
    assert [row["offense"] for row in front["rows"]] == SHOWN
    for line in front["rows"]:
        assert line["finer_than_any_denominator"] == (line["offense"] in FINER)
        for cell in line["cells"]:
            row = rows.loc[(line["offense"], cell["step"])]
            assert cell["label"] == row["label"]
            assert cell["estimable"] == (row["why"] == "") == (cell["median"] is not None)
            assert cell["no_upper_limit"] is True
            assert cell["bound_high"] is None
            if cell["estimable"]:
                assert cell["median"] == row["median"]


def test_reasons_add_up_to_the_weak_numbers(evidence: Evidence) -> None:
    rows, reason = grid(evidence.view), why(evidence.view)
    weak = rows["label"].isin(["not published", "prior-driven"])
    assert ((reason != "") == weak).all()
    assert (reason == "finer").sum() == len(FINER) * 5
    # Three offenses of the mix, less the one model-assisted number among them.
    assert (reason == "mix").sum() == len(MIX) * 5 - 1
    text = " ".join(evidence.page.text)
    assert "Of the 35 numbers of the table 28 are not published and 4 are prior-driven" in text
    assert "15 because the offense is finer than any published denominator" in text
    assert "published for All offenses. For 6 offenses no source publishes a denominator" in text


def test_bounds_without_an_upper_limit_say_so() -> None:
    row = {"bound_low": 0.0, "bound_high": float("inf"), "bound_basis": "data"}
    assert bounds(row, "each") == "0 to no upper limit"
    assert bounds(row | {"bound_low": 0.01, "bound_basis": "data + stated mix"}, "each").endswith(
        "no upper limit*"
    )
    assert bounds(row | {"bound_high": float("nan")}, "each") == "at least 0.0"


def test_longer_steps_stand_in_the_table_once_they_are_published() -> None:
    blueprint = {
        "funnel": {"stages": list(STAGES), "units": {"referral": "report", "arrest": ["person", "case"]}},
        "steps": [{"name": step, "kind": "ratio", "assumed": ""} for step in STEPS],
    }
    names = [step.name for step in steps_of(blueprint, ["referral-arrest", "arrest-referral"])]
    assert names == [*STEPS, "referral-arrest", WHOLE]
    assert steps_of(blueprint)[2].unit == "person or case"


def test_growth_is_of_the_same_places_counted_once(evidence: Evidence) -> None:
    table = growth.growth(evidence.view).set_index("before")
    assert list(table.index) == ["2019", "2020", "2021", "2022"]
    # 2021 to 2022: Czechia and the United States, in which California lies.
    assert table.loc["2021", "places"] == 2
    assert table.loc["2021", "growth"] == pytest.approx((2000 + 60_000) / (1690 + 40_000))
    # 2019 to 2020: nothing of the United States as a whole, so California, with Czechia and Oslo.
    assert table.loc["2019", "growth"] == pytest.approx((1300 + 8000 + 600) / (1000 + 5000 + 400))
    assert table.loc["2022", "ratio"] > 1  # fewer referrals after than before
    assert (table["ratio"] * table["growth"]).tolist() == pytest.approx([1.0] * 4)


def test_a_lag_of_one_period_gives_the_ratio_of_the_table() -> None:
    """Outcomes of a cohort rate p, a period late, over referrals that grow by a fixed factor."""
    factor, p = 1.3, 0.02
    referrals = [1000 * factor**t for t in range(5)]
    outcomes = [p * n for n in referrals]
    shown = [outcomes[t - 1] / referrals[t] for t in range(1, 5)]
    assert shown == pytest.approx([p / factor] * 4)


def test_growth_is_silent_where_no_place_publishes_twice(tmp_path: Path) -> None:
    view = View(Run(write_world(tmp_path, World(periods=1))))
    assert len(growth.growth(view)) == 0


def test_a_run_without_scenarios_or_mix_has_no_section_of_them(tmp_path: Path) -> None:
    folder = write_evidence(tmp_path, varied=False)
    run = Run(folder)
    run.blueprint["mix"], run.blueprint["finer"] = None, []
    view = View(run)
    assert "traveler" not in offenses(view)
    assert not any("stated mix:" in text for text in _heads(view))


def _heads(view: View) -> list[str]:
    return [" ".join(row.cells[0].more) for row in front_table(view).rows]
