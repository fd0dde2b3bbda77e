"""A report of a run that holds counts back: nothing in any export gives one away; without protection it does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from attrition.data.errors import InputError
from attrition.data.names import AXES
from attrition.estimation.disclosure.protection import Protection
from attrition.estimation.disclosure.spec import DisclosureSpec
from attrition.estimation.store.layout import DISCLOSURE
from attrition.estimation.store.runs import Run
from attrition.reports.plan import build_document
from attrition.reports.released import Released, released
from attrition.reports.render import write_report
from attrition.reports.view import View

from .protected_world import hold_back
from .shape import STEPS
from .world import World, write_world

K = 20
VALUES = ("median", "mean", "q05", "q25", "q75", "q95", "raw")
WORLD = World(offenses=3, jurisdictions=5, periods=4)


@dataclass(frozen=True)
class Case:
    """A run as it is, the same with counts held back, and the folder of the report of each."""

    plain: Run
    run: Run
    protection: Protection
    open: Path
    closed: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return _case(tmp_path_factory.mktemp("held back"), WORLD)


def _case(root: Path, world: World) -> Case:
    plain = Run(write_world(root / "plain", world))
    folder = write_world(root / "runs", world)
    protection = hold_back(folder, DisclosureSpec(k=K))
    run = Run(folder)
    write_report(plain, ("html",), root / "open")
    write_report(run, ("html",), root / "closed")
    return Case(plain, run, protection, root / "open", root / "closed")


def held(case: Case) -> dict[tuple[str, ...], float]:
    """True counts that are held back, by stage and nodes."""
    at = np.flatnonzero(case.protection.suppressed)
    names = [case.protection.counts.name(int(i)) for i in at]
    values = case.protection.counts.table.values[at]
    return {(n["stage"], *(n[axis] for axis in AXES)): v for n, v in zip(names, values, strict=True)}


def read_off(
    table: pd.DataFrame, hidden: dict[tuple[str, ...], float], sizes: dict[tuple[str, ...], float]
) -> int:
    """How many values of a table, times the denominator of their row, are a count held back or an end closer than k."""
    found = 0
    for row in table.to_dict("records"):
        source, target = row["step"].split("-")
        node = tuple(row[axis] for axis in AXES)
        if (target, *node) in hidden and (source, *node) in sizes:
            size, count = sizes[(source, *node)], hidden[(target, *node)]
            found += sum(abs(row[v] * size - count) < 0.5 for v in VALUES if v in row and row[v] == row[v])
            low, high = row["bound_low"] * size, row["bound_high"] * size
            sensitive = 1 <= count < K
            found += bool(low > 1e-6 or high < K - 1e-6) if sensitive and low == low else 0
    return found


def _sizes(case: Case) -> dict[tuple[str, ...], float]:
    """Every exact count there is: more than any reader has."""
    counts = case.protection.counts
    at = np.flatnonzero(counts.table.held)
    names = [counts.name(int(i)) for i in at]
    return {
        (n["stage"], *(n[axis] for axis in AXES)): v
        for n, v in zip(names, counts.table.values[at], strict=True)
    }


def test_rates_do_not_give_counts_away_and_did_before(case):
    hidden, sizes = held(case), _sizes(case)
    assert sum(1 <= v < K for v in hidden.values()) >= 3
    rates = ["rate", "end_to_end"]
    before, after = (
        run.estimates[run.estimates["quantity"].isin(rates)] for run in (case.run, Released(case.run))
    )
    assert read_off(before, hidden, sizes) > len(hidden)
    assert read_off(after, hidden, sizes) == 0


def exported(folder: Path) -> dict[str, pd.DataFrame]:
    """Rates of the tables of a report, by name."""
    out = {}
    for path in sorted((folder / "tables").glob("*.csv")):
        table = pd.read_csv(path)
        if {"step", *AXES, "bound_low"} <= set(table.columns):
            rows = table[table["quantity"].isin(["rate", "end_to_end"])] if "quantity" in table else table
            out[path.name] = rows[~rows["period"].str.contains("→")]
    return out


def test_no_exported_table_gives_counts_away_and_they_did_before(tmp_path_factory):
    """A report on one place and quarter, whose tables show single cells: those held back among them."""
    case = _case(tmp_path_factory.mktemp("one place"), replace(WORLD, place="J00", period="2024Q1"))
    hidden, sizes = held(case), _sizes(case)
    before, after = exported(case.open), exported(case.closed)
    assert before.keys() == after.keys()
    found = {name: read_off(rows, hidden, sizes) for name, rows in before.items()}
    assert sum(found.values()) > 10
    assert sum(count > 0 for count in found.values()) >= 2
    assert {name: read_off(rows, hidden, sizes) for name, rows in after.items()} == dict.fromkeys(after, 0)
    # The rows are there, without their numbers.
    shown = pd.concat(after.values())
    assert (shown.get("label") == "confidential").sum() >= 3


def test_statements_keep_their_place_and_lose_their_number(case):
    told = Released(case.run).intake["statements"]
    plain = {line["id"]: line for line in case.plain.intake["statements"]}
    hidden = held(case)
    assert [line["id"] for line in told] == list(plain)
    lost = 0
    for line in told:
        whole = plain[line["id"]]
        key = (line["stage"], *(line[axis] for axis in AXES))
        if key in hidden or line["status"] != "used":
            lost += 1
            assert line["count"] is None
            assert line["low"] is None
        elif whole["relation"] == "exact":
            assert line["count"] == whole["count"]
    assert lost >= len([k for k in hidden if "all" not in k])


def test_numbers_not_fitted_are_listed_without_counts(case):
    before, after = (pd.read_csv(folder / "tables" / "not-used.csv") for folder in (case.open, case.closed))
    assert before["count"].notna().any()
    assert after["count"].isna().all()
    assert list(before["id"]) == list(after["id"])


def test_totals_of_what_is_told_are_all_the_predictive_checks_see(case):
    kept = Released(case.run).draws["observed_data"].to_dataset()
    every = case.run.draws["observed_data"].to_dataset()
    assert 0 < kept.sizes["statement_id"] < every.sizes["statement_id"]
    hidden = held(case)
    for row in zip(*(kept[n].values for n in ("stage", *AXES)), strict=True):
        assert tuple(map(str, row)) not in hidden


def test_confidential_rows_have_no_draws_and_no_information(case):
    run = Released(case.run)
    names = set(run.estimates.loc[run.estimates["label"] == "confidential", "quantity_id"])
    assert names
    assert not names & set(run.draws["quantities"].to_dataset()["quantity_id"].values)
    assert not names & set(run.information["quantity_id"])
    assert names & set(case.run.information["quantity_id"])


def test_bounds_follow_from_what_is_told(case):
    """Those of a sensitive outcome over a denominator that is told hold everything from 0 to k."""
    rows = Released(case.run).estimates
    rows = rows[(rows["label"] == "confidential") & rows["bound_low"].notna()]
    sizes, hidden = _sizes(case), held(case)
    checked = 0
    for row in rows.to_dict("records"):
        source, target = row["step"].split("-")
        node = tuple(row[axis] for axis in AXES)
        count = hidden.get((target, *node))
        if count is not None and 1 <= count < K:
            checked += 1
            assert row["bound_low"] == 0
            assert row["bound_high"] * sizes[(source, *node)] >= K - 1e-6
    assert checked


def test_digests_are_not_told(case):
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in case.closed.rglob("*")
        if path.suffix in (".html", ".csv", ".json")
    )
    name = re.compile(rf"(?<![\d.]){case.run.identity}(?!\d)")
    assert not name.search(text)
    assert "0" * 64 not in text
    assert name.search((case.open / "index.html").read_text(encoding="utf-8"))


def test_the_page_says_what_is_held_back_and_why(case):
    document = build_document(View(released(case.run)))
    assert not document.incomplete
    section = next(s for s in document.sections if s.id == "section-held-back")
    assert f"Counts of 1 to {K - 1} are not told" in section.blocks[0].text
    assert "section-held-back" not in {s.id for s in build_document(View(released(case.plain))).sections}


def test_the_workbook_holds_what_the_tables_hold(case):
    book = openpyxl.load_workbook(case.closed / "tables.xlsx")
    sheet = book["not-used"]
    column = [cell.value for cell in sheet[1]].index("count")
    assert [row[column] for row in sheet.iter_rows(min_row=2, values_only=True)] == [None] * (
        sheet.max_row - 1
    )


def test_without_the_section_the_run_is_read_as_it_is(case):
    assert released(case.plain) is case.plain


def test_a_run_that_does_not_say_what_it_holds_back_is_refused(tmp_path):
    folder = write_world(tmp_path, World(offenses=1, jurisdictions=2, periods=1))
    hold_back(folder, DisclosureSpec(k=3))
    (folder / DISCLOSURE).unlink()
    with pytest.raises(InputError, match="holds counts back"):
        write_report(Run(folder))


def test_rounded_counts_and_rates_of_rounded_counts(tmp_path):
    folder = write_world(tmp_path, WORLD)
    hold_back(folder, DisclosureSpec(k=K, method="round", base=5))
    run = Released(Run(folder))
    told = [line["count"] for line in run.intake["statements"] if line["count"] is not None]
    assert told
    assert all(count % 5 == 0 for count in told)
    plain = {line["id"]: line["count"] for line in Run(folder).intake["statements"]}
    exact = [line for line in run.intake["statements"] if line["count"] is not None]
    assert all(abs(line["count"] - plain[line["id"]]) <= 2.5 for line in exact)
    rows = run.estimates
    counted = rows[(rows["label"] == "counted") & rows["denominator_median"].notna()]
    counts = counted["median"] * counted["denominator_median"] / 5
    assert len(counts)
    assert np.allclose(counts, counts.round(), atol=1e-9)
    assert (rows.loc[rows["bound_low"] > 0, "bound_low"]).empty
    write_report(Run(folder))
    assert json.loads((folder / DISCLOSURE).read_text())["method"] == "round"
    assert STEPS[0] in set(rows["step"])
