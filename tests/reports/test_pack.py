"""A pack: one short report a jurisdiction, with the numbers the whole report gives it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from attrition.estimation.store.runs import Run
from attrition.reports.pack import NATIONAL, folder_of, place_document, places_of
from attrition.reports.page import page
from attrition.reports.render import write_report
from attrition.reports.view import View

from .conftest import Evidence, Written
from .reading import read_page
from .world import World, write_world


def test_a_place_s_front_table_holds_its_own_rows(written: Written) -> None:
    view = View(written.run, "J01")
    document = place_document(view)
    assert document.title == "Place 01: made-up"
    assert document.incomplete == ()
    front = next(table for table in document.tables if table.id == "front").data
    assert set(front["jurisdiction"]) == {"J01"}
    rows = written.run.estimates.set_index("quantity_id").loc[front["quantity_id"]]
    assert front["median"].to_numpy() == pytest.approx(rows["median"].to_numpy(), nan_ok=True)


def test_it_is_short_and_its_links_lead_somewhere(written: Written) -> None:
    text = page(place_document(View(written.run, "J01")))
    short = read_page(text)
    assert len(text) < len(written.html) / 2
    inner = [link for link in short.links if link.startswith("#")]
    outer = [link for link in short.links if link.startswith(NATIONAL)]
    assert inner
    assert outer
    assert {link[1:] for link in inner} <= set(short.ids)
    assert {link.removeprefix(NATIONAL)[1:] for link in outer} <= set(written.page.ids)


def test_it_names_no_other_place(evidence: Evidence) -> None:
    document = place_document(View(evidence.run, "NO"))
    changes = [table for table in document.tables if table.id.startswith("change-jurisdiction")]
    assert all(set(table.data["jurisdiction"]) <= {"NO-Oslo"} for table in changes)
    assert places_of(evidence.view) == ["US", "US-CA", "US-TX", "CZ", "NO", "NO-Oslo"]


def test_folders_are_safe_and_differ(evidence: Evidence) -> None:
    names = ["US", "US-CA", "US_CA", "a/b", "..", "é"]
    folders = [folder_of(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all(folder.isascii() and not set(folder) & set("/.\\") for folder in folders)


def test_the_pack_is_written_beside_the_whole_report(tmp_path: Path) -> None:
    run = Run(write_world(tmp_path, World(jurisdictions=2, periods=2, draws=40)))
    told: list[str] = []
    written = write_report(run, pack=True, workers=1, told=told.append)
    listed = pd.read_csv(written["tables"] / "pack.csv")
    assert list(listed["jurisdiction"]) == ["J00", "J01"]
    whole = read_page(written["html"].read_text(encoding="utf-8"))
    for link in listed["report"]:
        assert link in whole.links
        made = written["html"].parent / link
        expected = page(place_document(View(run, listed.set_index("report").loc[link, "jurisdiction"])))
        assert made.read_text(encoding="utf-8") == expected
        assert (made.parent / "tables" / "front.csv").exists()
    assert [line.partition(":")[0] for line in told] == ["1 of 2", "2 of 2"]
