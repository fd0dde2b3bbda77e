"""Reading an xlsx sheet: stored values only; formulas and merged cells are refused."""

from __future__ import annotations

import io
import warnings
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook

from .errors import InputError, Problem, did_you_mean
from .table import Table, as_text, build_table


def read_workbook(file: str, data: bytes, sha256: str, sheet: str | None = None) -> Table:
    """Read one sheet.

    Parameters
    ----------
    file : str
        For messages.
    data : bytes
    sha256 : str
    sheet : str or None
        Needed when more than one sheet holds anything.

    Raises
    ------
    InputError
        Not a workbook, sheet unknown or not named, formulas, merged cells, every fault of ``build_table``.
    """
    book = _open(file, data)
    page = _sheet(file, book, sheet)
    problems = [
        Problem("merged cells", f"{file}, cells {area}", do="unmerge them and fill every cell")
        for area in page.merged_cells.ranges
    ]
    records: list[tuple[int, list[str]]] = []
    for number, row in enumerate(page.iter_rows(), start=1):
        cells = []
        for cell in row:
            if cell.data_type == "f":
                problems.append(
                    Problem("formula", f"{file}, cell {cell.coordinate}", do="paste the values in its place")
                )
            cells.append(as_text(cell.value))
        records.append((number, cells))
    if problems:
        raise InputError(problems)
    while records and not any(cell.strip() for cell in records[0][1]):
        records.pop(0)
    return build_table(file, records[0][1] if records else [], records[1:], sha256)


def _open(file: str, data: bytes) -> Workbook:
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions it drops; none of them holds a value.
            warnings.simplefilter("ignore")
            return load_workbook(io.BytesIO(data), data_only=False)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, OSError, ParseError) as error:
        raise InputError(
            Problem("not a readable workbook", file, str(error), do="save it as .xlsx again")
        ) from error


def _sheet(file: str, book: Workbook, sheet: str | None) -> Any:
    pages = {page.title: page for page in book.worksheets}
    if sheet is not None:
        if sheet not in pages:
            raise InputError(Problem("unknown sheet", file, repr(sheet), do=did_you_mean(sheet, pages)))
        return pages[sheet]
    filled = [
        page for page in pages.values() if any(c.value is not None for row in page.iter_rows() for c in row)
    ]
    if len(filled) > 1:
        names = ", ".join(repr(page.title) for page in filled)
        raise InputError(
            Problem(
                "several sheets", file, names, do='say which: sheet = "…" in the plan, --sheet of init table'
            )
        )
    if not filled:
        raise InputError(Problem("empty file", file, do="it must hold a header and at least one row"))
    return filled[0]
