"""A table as text: what every reader returns, before any field has a meaning."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .errors import InputError, Problem

_LOOKED_AT = 200  # rows that tell a title from a header


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Parameters
    ----------
    name : str
        What messages call it.
    columns : tuple of str
    rows : list of list of str
        Each as long as ``columns``; an empty text is an empty field.
    numbers : list of int
        The row's number in the file, the header being 1.
    sha256 : str
        Of the file's bytes; of a query, of its result.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]
    sha256: str


def as_text(value: Any) -> str:
    """A typed value as the text a person would have written; nothing is rounded."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    if isinstance(value, Decimal):
        return str(int(value)) if value.is_finite() and value == int(value) else str(value)
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _title(name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Problem | None:
    """Is what stands first a title, in fewer fields than most rows have?"""
    wide = [sum(1 for cell in row if cell.strip()) for row in rows]
    most, beyond = statistics.multimode(n for n in wide if n), sum(n > len(columns) for n in wide)
    # A row or two that are too long have an unquoted separator in a text.
    if beyond <= max(len(wide) / 2, 2) or max(most) <= len(columns):
        return None
    return Problem(
        "the first row is no header",
        f"{name}, row 1",
        f"{len(columns)} {'field' if len(columns) == 1 else 'fields'}, where most rows have {max(most)}",
        "the names of the columns",
        "delete what stands above them, or name every column",
    )


def build_table(
    name: str, header: Sequence[str], records: Iterable[tuple[int, Sequence[str]]], sha256: str
) -> Table:
    """Check the shape of what was read and return it; rows without any text are left out.

    Raises
    ------
    InputError
        Empty file, header only, repeated or missing column names, ragged rows, NUL characters: all at once.
    """
    columns = [cell.strip() for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise InputError(Problem("empty file", name, do="it must hold a header and at least one row"))
    problems = _header_problems(name, columns)
    width, records = len(columns), list(records)
    if title := _title(name, columns, [record for _, record in records[:_LOOKED_AT]]):
        raise InputError(title)
    seen: dict[str, str] = {}  # most texts stand in many fields
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, record in records:
        cells = [seen.setdefault(cell, cell) for cell in record]
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{name}, row {number}"
        if len(cells) != width:
            problems.append(
                Problem(
                    "ragged row",
                    where,
                    f"{len(cells)} fields",
                    f"{width}, as in the header",
                    "a text that holds the separator must stand in double quotes",
                )
            )
            continue
        if any("\0" in cell for cell in cells):
            problems.append(Problem("NUL character", where, do="export the table again"))
            continue
        rows.append(cells)
        numbers.append(number)
    if not rows and not problems:
        problems.append(
            Problem("header only", name, "no row below the header", do="it must hold at least one row")
        )
    if problems:
        raise InputError(problems)
    return Table(name, tuple(columns), rows, numbers, sha256)


def _header_problems(name: str, columns: Sequence[str]) -> list[Problem]:
    problems = []
    where = f"{name}, row 1"
    for position, column in enumerate(columns, start=1):
        if not column:
            problems.append(
                Problem("column without a name", f"{where}, column {position}", do="name or delete it")
            )
        elif column in columns[: position - 1]:
            problems.append(
                Problem(
                    "column name repeated", f"{where}, column {position}", repr(column), do="keep one of them"
                )
            )
    return problems
