"""The sections on evidence: sources, clocks, places, contradictions, gaps, sensitivity."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrition.data.axes import Axis, Node
from attrition.estimation.store.runs import Run
from attrition.reports.figures.tornado import MOST, chosen
from attrition.reports.needs import grouped, missing
from attrition.reports.pairs import added_up
from attrition.reports.plan import build_document
from attrition.reports.scenarios import by_row, compared, relabeled
from attrition.reports.sections.jurisdictions import strongest
from attrition.reports.sections.rests import informed
from attrition.reports.settled import beaten, left_out, repeats
from attrition.reports.view import View

from .conftest import Evidence, Written
from .evidence_world import SHIFTS, STEPS, WHOLE, write_evidence


def test_the_page_is_whole_and_in_order(evidence: Evidence) -> None:
    assert evidence.document.incomplete == ()
    titles = [section.title for section in evidence.document.sections]
    wanted = [
        "The answer", "What each number rests on", "Same-period ratios and cohort rates", "By jurisdiction",
        "Contradictions, and what was left out", "What would have to be published", "Sensitivity", "Sources",
    ]  # fmt: skip
    assert [title for title in titles if title in wanted] == wanted
    assert [name for name, n in Counter(evidence.page.ids).items() if n > 1] == []
    for link in evidence.page.links:
        assert not link.startswith("#") or link[1:] in evidence.page.ids, link
    assert "javascript:" not in evidence.html
    assert "<sex>" not in evidence.html
    assert "<report>" not in evidence.html


def test_what_does_not_apply_stays_away(written: Written, tmp_path: Path) -> None:
    absent = {"Same-period ratios and cohort rates", "What would have to be published", "Sensitivity"}
    assert absent.isdisjoint({section.title for section in written.document.sections})
    unvaried = build_document(View(Run(write_evidence(tmp_path, varied=False))))
    assert "Sensitivity" not in {section.title for section in unvaried.sections}
    assert unvaried.incomplete == ()


def test_information_is_that_of_the_shown_numbers_and_sums_to_one(evidence: Evidence) -> None:
    data = informed(evidence.view)
    assert data["quantity_id"].nunique() == 7
    assert data.groupby("quantity_id")["share"].sum().to_numpy() == pytest.approx(np.ones(7))
    told = data[data["name"] != "prior"]
    assert told.groupby("quantity_id")["of_data"].sum().to_numpy() == pytest.approx(np.ones(7))
    links = [link for link in evidence.page.links if link.startswith("https://")]
    assert (
        links.count("https://example.org/us?a=1&b=2") >= 7
    )  # beside each number, and in the list of sources
    text = " ".join(evidence.page.text)
    assert "by their confidence: primary 85 %, secondary 10 %, seed 5 %" in text
    assert "The numbers rest on 4 sources: 3 primary, 1 secondary." in text


def test_the_clock_section_tells_the_ratios_from_the_rates(evidence: Evidence) -> None:
    text = " ".join(evidence.page.text)
    assert "Of the 7 numbers shown in the first table 7 are same-period ratios." in text
    factor = (9900 + 11_690 + 62_000 + 56_500) / (6400 + 9300 + 41_690 + 62_000)
    assert f"would be {1 / factor:.2f} of the cohort rate" in text
    assert f"a cohort rate of 2 % would show as {2 / factor:.2f} %" in text
    dated = pd.read_csv(evidence.files["tables"] / "clocks.csv")
    assert dated["statements"].sum() == len(evidence.view.used)
    assert dated["shifted"].sum() == 1


def test_places_show_their_pair_of_stages_origin_and_clock(evidence: Evidence) -> None:
    rows = strongest(evidence.view)
    assert (rows["evidence"].diff().dropna() <= 0).all()
    one = rows.set_index(["jurisdiction", "step"])
    assert one.loc[("CZ", STEPS[0]), "raw"] == pytest.approx(0.02)
    assert one.loc[("CZ", STEPS[0]), "periods"] == 5
    assert one.loc[("NO-Oslo", STEPS[0]), ["origin", "clock"]].tolist() == ["referred_only", "cohort"]
    # California's arrests hold other cases too; the investigations they are divided by do not.
    assert one.loc[("US-CA", STEPS[1]), ["origin", "raw"]].tolist() == ["all_sources", 300 / 900]
    csv = pd.read_csv(evidence.files["tables"] / "evidence.csv")
    assert len(csv) == len(rows) == 4
    raw = pd.read_csv(evidence.files["tables"] / f"raw-{STEPS[1]}.csv")
    assert raw.loc[raw["jurisdiction"] == "US-CA", "origin"].tolist() == ["all_sources"]


def test_contradictions_name_both_sides(evidence: Evidence) -> None:
    rows = beaten(evidence.view)
    assert rows[["count", "kept_count", "source_id", "kept_source"]].to_numpy().tolist() == [
        [1250.0, 1000.0, "digest", "cz"],
        [1100.0, 1000.0, "digest", "cz"],
    ]
    assert rows["difference"].tolist() == pytest.approx([0.25, 0.1])
    assert repeats(evidence.view) == 1
    excluded = left_out(evidence.view, "excluded")
    assert excluded[["reason", "numbers"]].to_numpy().tolist() == [
        ["counts of a month, not of a year", 3],
        ["no place: a class of recipients", 1],
    ]
    # Every number read is used, in one of the tables, or a repeat.
    told = len(rows) + repeats(evidence.view) + excluded["numbers"].sum()
    told += left_out(evidence.view, "unused")["numbers"].sum()
    counts = evidence.run.intake["counts"]
    assert told == counts["read"] - counts["used"]


def test_what_is_missing_is_what_is_not_stated(evidence: Evidence) -> None:
    rows = missing(evidence.view)
    assert len(rows) == 34  # all but the one the data decide
    assert not ((rows["offense"] == "all") & (rows["step"] == STEPS[0])).any()
    one = rows.set_index(["offense", "step"])["needs"]
    assert one["all", STEPS[1]] == ("origin", "cohort")  # both ends in California, of all origins, by period
    assert one["csam", STEPS[1]] == ("denominator", "origin", "cohort")
    assert one["possession", STEPS[0]] == ("denominator", "outcome", "origin", "cohort")
    assert grouped(evidence.view)["cells"].sum() == len(rows)
    text = " ".join(evidence.page.text)
    assert f"the data do not decide 34: {rows['denominator'].sum()} lack a denominator by offense" in text


def test_a_count_of_all_parts_is_a_count_of_the_whole(tmp_path: Path) -> None:
    run = Run(write_evidence(tmp_path, varied=False))
    lines = run.intake["statements"]
    like = next(line for line in lines if line["stage"] == "arrest")
    for offense in ("csam", "enticement", "trafficking"):
        lines.append(like | {"id": offense, "stage": "prosecution", "offense": offense, "jurisdiction": "US-CA",
                             "period": "2022", "origin": "referred_only", "clock": "cohort"})  # fmt: skip
    one = missing(View(run)).set_index(["offense", "step"])["needs"]
    assert "outcome" not in one["all", STEPS[2]]
    assert one["enticement", STEPS[2]] == ("denominator",)


def test_the_tornado_shows_the_stored_shifts(evidence: Evidence) -> None:
    wide = by_row(evidence.view)
    assert wide.shape == (7, len(SHIFTS))
    assert wide.loc[(WHOLE, "all"), "spread doubled"] == pytest.approx(-1.5 * 1.4)
    assert compared(evidence.view)["moved"].sum() == 7 * len(SHIFTS)
    assert set(compared(evidence.view)["jurisdiction"]) == {"all"}
    changed = relabeled(evidence.view)
    assert changed[["scenario", "offense", "step", "base_label", "label"]].to_numpy().tolist() == [
        ["spread doubled", "all", STEPS[1], "model-assisted", "prior-driven"]
    ]
    text = " ".join(evidence.page.text)
    assert "the largest shift is 2.1 sd" in text
    assert "“spread doubled” moves it furthest, by −2.10 sd" in text
    assert "The sampler did not reach its diagnostics in 1 scenario (mix halved)" in text
    assert "the draws of this run, weighed (k-hat 0.21)" in text
    assert "a fit of its own: the settings of missing_denominator are more than a prior" in text
    figure = next(f for f in evidence.document.figures if f.id == "figure-tornado")
    assert len(figure.table.data) == 21
    assert "2.10 posterior sd, by spread doubled" in figure.alt


def test_a_long_tornado_keeps_the_whole_and_what_moves_furthest(evidence: Evidence) -> None:
    index = pd.MultiIndex.from_tuples([(STEPS[0], f"o{i}") for i in range(30)] + [(STEPS[0], "all")])
    index.names = ["step", "offense"]
    shifts = pd.DataFrame({"a": [*np.arange(30.0), 0.0]}, index=index)
    kept = chosen(evidence.view, shifts)
    assert len(kept) == MOST
    assert (STEPS[0], "all") in kept.index
    assert set(kept["a"]) == {0.0, *np.arange(30.0 - MOST + 1, 30.0)}


def test_counts_by_offense_are_a_count_of_the_place_where_none_is_missing():
    axis = Axis("offense", (Node("all", "All", None), Node("a", "A", "all"), Node("b", "B", "all")))
    rows = pd.DataFrame(
        [
            ("a", "N", "2023", "arrest", "unknown", "cohort", 3.0, "x"),
            ("b", "N", "2023", "arrest", "unknown", "cohort", 4.0, "y"),
            ("a", "N", "2024", "arrest", "unknown", "cohort", 5.0, "x"),
            ("a", "S", "2023", "arrest", "unknown", "cohort", 6.0, "x"),
            ("b", "S", "2023", "arrest", "referred_only", "cohort", 7.0, "x"),
        ],
        columns=["offense", "jurisdiction", "period", "stage", "origin", "clock", "value", "source_id"],
    )
    found = added_up(rows, axis, ["jurisdiction", "period"])
    assert found[["jurisdiction", "period", "value", "source_id"]].to_numpy().tolist() == [
        ["N", "2023", 7.0, "x; y"]
    ]
