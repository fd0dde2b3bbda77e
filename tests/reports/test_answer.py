"""What is printed is what is stored; what is not published is not printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrition.data.names import ESTIMATE_COLUMNS
from attrition.estimation.store.runs import Run
from attrition.reports import plan
from attrition.reports.companions import anchor, withheld
from attrition.reports.document import Paragraph, Section, Table
from attrition.reports.plan import build_document
from attrition.reports.render import write_report
from attrition.reports.sections import answer, jurisdictions, limits
from attrition.reports.view import View

from .conftest import Written
from .reading import number, read_page
from .world import World, write_world

QUANTILES = ["median", "mean", "sd", "q05", "q25", "q75", "q95"]


@pytest.mark.parametrize(
    ("table", "by"), [("answer", "offense"), ("jurisdictions", "jurisdiction"), ("periods", "period")]
)
def test_printed_rates_are_the_stored_ones(written: Written, table: str, by: str) -> None:
    stored = written.run.estimates
    stored = stored[stored["quantity"].isin(["rate", "end_to_end"]) & (stored["basis"] == "superpopulation")]
    for axis in ("offense", "jurisdiction", "period"):
        if axis != by:
            stored = stored[stored[axis] == "all"]
    if by == "jurisdiction":
        stored = stored[stored[by] != "all"]
    assert len(stored) > 9
    for row in stored.to_dict("records"):
        printed = written.page.rows[anchor(table, row["step"], row[by])]
        if row["label"] == "not published":
            assert printed[1].startswith("not published")
            continue
        half = 0.5 * 10.0 ** -len(printed[1].split("\u202f")[0].partition(".")[2]) / 100 + 1e-9
        assert number(printed[1]) == pytest.approx(row["median"], abs=half)
        for cell, low, high in ((printed[2], "q25", "q75"), (printed[3], "q05", "q95")):
            ends = cell.replace("\u202f%", "").split(" to ")
            assert float(ends[0]) / 100 == pytest.approx(row[low], abs=half)
            assert float(ends[1]) / 100 == pytest.approx(row[high], abs=half)
        assert row["label"] in printed[8]


def test_the_csv_holds_the_stored_values_in_full(written: Written) -> None:
    csv = pd.read_csv(written.files["tables"] / "answer.csv")
    stored = written.run.estimates.set_index("quantity_id").loc[csv["quantity_id"]].reset_index()
    assert set(ESTIMATE_COLUMNS) <= set(csv.columns)
    np.testing.assert_array_equal(csv[QUANTILES].to_numpy(float), stored[QUANTILES].to_numpy(float))
    assert set(csv["basis"]) == {"superpopulation", "finite"}


def test_sources_are_those_of_the_stored_information(written: Written) -> None:
    csv = pd.read_csv(written.files["tables"] / "answer.csv").iloc[0]
    info = written.run.information
    info = info[(info["quantity_id"] == csv["quantity_id"]) & (info["by"] == "source_id")]
    info = info[info["name"] != "prior"]
    assert csv["sources"] == len(info)
    assert csv["top_share"] == pytest.approx(info["share"].max() / info["share"].sum())
    assert csv["top_source"] == info.loc[info["share"].idxmax(), "name"]


def test_a_change_names_the_sources_of_its_later_period(written: Written) -> None:
    changes = pd.read_csv(written.files["tables"] / "change-offense.csv")
    periods = pd.read_csv(written.files["tables"] / "periods.csv")
    change = changes[(changes["offense"] == "all") & (changes["step"] == "referral-arrest")].iloc[0]
    later = periods[
        (periods["period"] == change["period"].split("→")[1]) & (periods["step"] == "referral-arrest")
    ]
    assert set(later["basis"]) == {"superpopulation", "finite"}
    assert later["top_share"].tolist() == pytest.approx([change["top_share"]] * 2)
    assert change["sources"] == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"label": "not published", "statements": 0}, "not published: no statement touches its cells"),
        (
            {"label": "not published", "contraction_own": 0.0},
            "not published: no outcome is recorded for its cells",
        ),
        (
            {"label": "not published", "contraction": 0.03, "contraction_own": np.nan},
            "not published: the data narrowed the prior by only .03",
        ),
        (
            {"label": "not published"},
            "not published: too much of the denominator is of places that report no outcome",
        ),
        ({"label": "prior-driven", "bound_low": np.nan}, "not shown: prior-driven, and without bounds"),
        ({"median": np.nan}, "not available"),
    ],
)
def test_a_number_is_withheld_for_a_reason(changed: dict[str, object], reason: str) -> None:
    row = {
        "label": "data-driven", "statements": 5, "contraction": 0.9, "contraction_own": 0.8, "median": 0.1,
        "bound_low": 0.0,
    }  # fmt: skip
    assert withheld(row | changed) == reason


def _withheld_everywhere(folder: Path) -> None:
    """Mark every rate and change of the whole as not published, while its draws stay in the run."""
    path = folder / "estimates.parquet"
    table = pd.read_parquet(path)
    whole = (table["offense"] == "all") & (table["jurisdiction"] == "all")
    table.loc[whole, "label"] = "not published"
    table.loc[whole, QUANTILES] = np.nan
    table.loc[whole, ["contraction", "contraction_own"]] = 0.01
    table.to_parquet(path, index=False)


def test_a_row_that_is_not_published_shows_no_quantile_anywhere(tmp_path: Path) -> None:
    folder = write_world(tmp_path, World(seed=5))
    _withheld_everywhere(folder)
    view = View(Run(folder))
    files = write_report(view.run)
    assert "incomplete" not in files
    page = read_page(files["html"].read_text(encoding="utf-8"))
    text = " ".join(page.text)
    assert "Referral → arrest is not published: the data narrowed the prior by only .01." in text
    for step in view.step:
        printed = page.rows[anchor("answer", step, "all")]
        assert printed[1] == "not published: the data narrowed the prior by only .01"
        assert not any("%" in cell for cell in printed[1:3])
        assert "to" in printed[3]  # the bounds of the data stay
    change = pd.read_csv(files["tables"] / "change-offense.csv")
    hidden = change[change["offense"] == "all"]
    assert len(hidden) == 3
    assert hidden[[*QUANTILES, "increase"]].isna().all(axis=None)
    prior = pd.read_csv(files["tables"] / "prior.csv")
    rates = prior[prior["panel"] == "Rate of the whole"]
    assert rates["posterior_q50"].isna().all()
    assert rates["prior_q50"].notna().all()
    for path in files["tables"].glob("*.csv"):
        table = pd.read_csv(path)
        if "label" in table:
            out = table[table["label"] == "not published"]
            shown = [c for c in (*QUANTILES, "increase") if c in table]
            assert out[shown].isna().all(axis=None), path.name
    assert not list(files["figures"].glob("figure-jurisdictions-*"))


def test_prior_driven_rates_without_bounds_are_not_shown(tmp_path: Path) -> None:
    folder = write_world(tmp_path, World())
    path = folder / "estimates.parquet"
    table = pd.read_parquet(path)
    table["label"] = "prior-driven"
    table.loc[table["offense"] == "offense0", ["bound_low", "bound_high"]] = np.nan
    table.to_parquet(path, index=False)
    printed = _printed(answer.build(View(Run(folder))))
    assert printed[anchor("answer", "referral-arrest", "offense0")][1].startswith("not shown: prior-driven")
    assert printed[anchor("answer", "referral-arrest", "offense1")][1].endswith("%")


def test_a_period_clock_is_called_a_same_period_ratio(tmp_path: Path) -> None:
    view = View(Run(write_world(tmp_path, World(clock="period"))))
    section = answer.build(view)
    text = _text(section) + _text(limits.build(view))
    heads = [row.cells[0].text for b in section.blocks if isinstance(b, Table) for row in b.rows if row.head]
    assert len(heads) == 3
    assert all("same-period ratio; may exceed 100 %" in head for head in heads)
    assert "Referral → arrest: the same-period ratio is" in text
    assert "it is not the share of these referrals that led to an outcome" in text
    assert "the rate is" not in text
    assert "matched by date, not by case" in text


def test_a_ratio_is_printed_per_unit(tmp_path: Path) -> None:
    view = View(Run(write_world(tmp_path, World(ratio=True))))
    assert [step.kind for step in view.steps] == ["ratio", "probability", "ratio"]
    section = answer.build(view)
    printed = _printed(section)
    assert "%" not in printed[anchor("answer", "referral-arrest", "all")][1]
    assert "%" in printed[anchor("answer", "investigation-arrest", "all")][1]
    table = next(b for b in section.blocks if isinstance(b, Table) and b.id == answer.TABLE)
    assert (
        table.rows[0].cells[0].text == "referral → investigation: outcomes per unit, per report; may exceed 1"
    )
    assert "the unit of counting changes" in _text(limits.build(view))


def _printed(section: Section) -> dict[str, list[str]]:
    tables = [b for b in section.blocks if isinstance(b, Table)]
    return {row.anchor: [cell.text for cell in row.cells] for table in tables for row in table.rows}


def _text(section: Section) -> str:
    notes = [n for b in section.blocks if isinstance(b, Table) for n in b.notes]
    return " ".join([b.text for b in section.blocks if isinstance(b, Paragraph)] + notes)


def test_an_unfit_run_is_marked_at_the_top_and_under_each_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "section_modules", lambda: (answer, jurisdictions))
    folder = write_world(tmp_path, World(status="unfit"))
    html = write_report(Run(folder))["html"].read_text(encoding="utf-8")
    assert html.index("This run is unfit") < html.index("<main")
    assert html.count("Not for publication") == 3


def test_the_answer_stands_where_the_plan_puts_it(tmp_path: Path) -> None:
    run = Run(write_world(tmp_path, World(place="J01", period="2024")))
    view = View(run)
    rows = view.rates("offense")
    assert set(rows["jurisdiction"]) == {"J01"}
    assert set(rows["period"]) == {"2024"}
    document = build_document(view)
    assert document.incomplete == ()
    assert document.subtitle.endswith("Place 01, 2024.")
    assert "By jurisdiction" not in [section.title for section in document.sections]


def test_one_cell_makes_a_report(tmp_path: Path) -> None:
    folder = write_world(tmp_path, World(offenses=1, jurisdictions=1, periods=1))
    files = write_report(Run(folder))
    assert "incomplete" not in files
    text = " ".join(read_page(files["html"].read_text(encoding="utf-8")).text)
    assert "There is one period only" in text
