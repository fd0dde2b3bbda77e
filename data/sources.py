"""Sources, and when each was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .calendar import parse_date
from .errors import Problem
from .faults import Faults
from .table import Table


@dataclass(frozen=True)
class Sources:
    """The rows of a sources file by source_id, and their publication dates (ISO, end of month or year)."""

    rows: Mapping[str, Mapping[str, str]]
    published: Mapping[str, str]


NO_SOURCES = Sources({}, {})


def read_sources(table: Table, faults: Faults) -> Sources:
    """Read a sources file: source_id and, optional, title, publisher, published, url and more.

    Faults: no source_id column, an empty or repeated source_id, a publication date that is none.
    """
    if "source_id" not in table.columns:
        faults.add(Problem("missing column 'source_id'", table.name, ", ".join(table.columns)))
        return NO_SOURCES
    rows: dict[str, dict[str, str]] = {}
    published: dict[str, str] = {}
    for cells, number in zip(table.rows, table.numbers, strict=True):
        row = {column: cell.strip() for column, cell in zip(table.columns, cells, strict=True)}
        source, where = row["source_id"], f"{table.name}, row {number}"
        if not source or source in rows:
            what = "source_id repeated" if source else "empty source_id"
            faults.add(Problem(what, f"{where}, column source_id", repr(source)), table.name)
            continue
        rows[source] = row
        if row.get("published"):
            try:
                published[source] = parse_date(row["published"], end=True).isoformat()
            except ValueError as error:
                place = f"{where}, column published"
                faults.add(
                    Problem(
                        "not a date", place, repr(row["published"]), "2024, 2024-03 or 2024-03-31", str(error)
                    ),
                    table.name,
                )
    return Sources(rows, published)
