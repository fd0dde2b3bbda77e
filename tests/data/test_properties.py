"""Properties over random tables: nothing is lost, nothing is invented, nothing crashes."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from attrition.data.errors import InputError
from attrition.data.inputs import PanelSpec
from attrition.data.intake import Intake, read_panel
from attrition.data.panel import Panel

from .conftest import STAGES, TODAY

KEYS = ("offense", "jurisdiction", "period")
Cell = tuple[str, str, str]
cells = st.tuples(
    st.sampled_from(["csam", "enticement", "trafficking"]),
    st.sampled_from(["US-NE", "US-IA", "GB"]),
    st.sampled_from(["2023Q1", "2023Q4", "2024Q2"]),
)


@st.composite
def counts(draw: st.DrawFn) -> list[int | None]:
    """Counts of one cell that never rise along the funnel; None is not reported."""
    most = 10**6
    out: list[int | None] = []
    for _ in STAGES:
        most = draw(st.integers(0, most))
        out.append(draw(st.sampled_from([most, most, None])))
    return out


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[*KEYS, *STAGES], *rows])
    return text.getvalue().encode()


def read(data: bytes, **sections: object) -> tuple[Panel, Intake]:
    base = {"funnel": {"stages": STAGES}, "inputs": [{"file": "data.csv"}]}
    spec = PanelSpec.model_validate(base | sections)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data.csv").write_bytes(data)
        return read_panel(spec, Path(folder), TODAY)


tables = st.dictionaries(cells, counts(), min_size=1, max_size=8).filter(
    lambda table: any(count is not None for row in table.values() for count in row)
)


@settings(max_examples=40, deadline=None)
@given(tables)
def test_a_wide_table_comes_back_as_it_was(table: dict[Cell, list[int | None]]) -> None:
    rows = [[*cell, *("" if c is None else str(c) for c in row)] for cell, row in table.items()]
    panel, intake = read(as_csv(rows))
    back: dict[Cell, list[float | None]] = {cell: [None] * len(STAGES) for cell in table}
    for s in panel.statements:
        back[s.offense, s.jurisdiction, s.period][STAGES.index(s.stage)] = s.count
    assert back == table
    assert intake.not_reported == sum(count is None for row in table.values() for count in row)


@settings(max_examples=40, deadline=None)
@given(tables, st.sampled_from(STAGES), st.sampled_from(["year", "quarter"]))
def test_counts_reconcile(table: dict[Cell, list[int | None]], stage: str, grain: str) -> None:
    rows = [[*cell, *("" if c is None else str(c) for c in row)] for cell, row in table.items()]
    rows.append(["csam", "US-NE", "2022", "7", "7", "7"])
    panel, intake = read(
        as_csv(rows), axes={"period": grain}, excludes=[{"stage": stage, "offense": "csam", "reason": "x"}]
    )
    found = intake.counts
    assert found["read"] == found["used"] + found["unused"] + found["excluded"] + found["dropped"]
    assert found["read"] + intake.not_reported == len(rows) * len(STAGES)
    assert found["used"] == len(panel.statements)
    assert found["read"] == len({record.statement.id for record in intake.records})
    assert all(record.reason for record in intake.records if record.status != "used")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.text(max_size=6), min_size=6, max_size=6), min_size=1, max_size=3))
def test_any_text_in_any_field_is_read_or_refused(rows: list[list[str]]) -> None:
    try:
        panel, _ = read(as_csv(rows))
    except (InputError, UnicodeEncodeError):
        return
    assert panel.statements


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=8), st.sampled_from([*KEYS, *STAGES]))
def test_any_text_in_one_field_is_read_or_refused_there(text: str, column: str) -> None:
    fields = dict(zip((*KEYS, *STAGES), ("csam", "US-NE", "2024", "9", "5", "1"), strict=True)) | {
        column: text
    }
    try:
        data = as_csv([list(fields.values())])
    except UnicodeEncodeError:
        return
    try:
        read(data)
    except InputError as error:
        lines = str(error)
        structural = ("CSV", "NUL", "ragged", "above", "spelt in several ways")
        assert f"column {column}" in lines or any(word in lines for word in structural)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        panel, _ = read(data)
    except InputError:
        return
    assert panel.statements
