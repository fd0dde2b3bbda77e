"""Tables as files: CSV, JSON and one workbook, with text that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from ..data.spreadsheet import harmless
from .document import Table

SHEET_LENGTH: Final = 31
WIDEST: Final = 48


def csv_text(table: Table) -> str:
    """Unrounded values; empty for missing; text that begins like a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([harmless(str(name)) for name in table.data.columns])
    for values in zip(*(_plain(table.data[c]) for c in table.data.columns), strict=True):
        writer.writerow(["" if v is None else v for v in values])
    return out.getvalue()


def json_text(table: Table) -> str:
    """The nested values; what is no finite number is null.

    Raises
    ------
    TypeError
        For a table without nested values.
    """
    if table.nested is None:
        raise TypeError(f"table {table.id!r} has no nested values")
    return json.dumps(_finite(table.nested), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def workbook(tables: tuple[Table, ...], title: str) -> Workbook:
    """One sheet a table, with frozen headings, and a first sheet that lists them."""
    book = Workbook()
    book.properties.title = title
    book.properties.creator = "attrition"
    contents = book.active
    assert contents is not None
    contents.title = "Contents"
    contents.append(["Sheet", "Table"])
    names: set[str] = {"contents"}
    for table in tables:
        name = _sheet_name(table.id, names)
        contents.append([name, harmless(table.title)])
        sheet = book.create_sheet(name)
        sheet.append([harmless(str(c)) for c in table.data.columns])
        for values in zip(*(_plain(table.data[c]) for c in table.data.columns), strict=True):
            sheet.append([_legal(v) for v in values])
        sheet.freeze_panes = "B2"
        for i, column in enumerate(table.data.columns, 1):
            longest = max([len(str(column)), *(len(str(v)) for v in table.data[column].head(50))])
            sheet.column_dimensions[get_column_letter(i)].width = min(longest + 2, WIDEST)
    for sheet in book.worksheets:
        for cell in sheet[1]:
            cell.font = Font(bold=True)
    contents.column_dimensions["A"].width = SHEET_LENGTH
    contents.column_dimensions["B"].width = WIDEST
    return book


def _legal(value: Any) -> Any:
    """Without the control characters that a workbook cannot hold."""
    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", value) if isinstance(value, str) else value


def _sheet_name(id: str, taken: set[str]) -> str:
    name, n = id[:SHEET_LENGTH], 2
    while name.lower() in taken:
        name = f"{id[: SHEET_LENGTH - 3]}~{n}"
        n += 1
    taken.add(name.lower())
    return name


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)) else value


def _plain(column: pd.Series) -> list[Any]:
    return [_value(v) for v in column.tolist()]


def _value(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"  # no limit, which is not the same as no value
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, list | tuple | dict):
        value = "; ".join(map(str, value))
    return harmless(value) if isinstance(value, str) else value
