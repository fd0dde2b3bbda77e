"""The table of units: which class of unit a source's own word for what it counts names."""

from __future__ import annotations

from .errors import Problem, did_you_mean
from .faults import Faults
from .names import UNIT_WORDS
from .table import Table


def read_units(table: Table, faults: Faults) -> dict[str, str] | None:
    """Read a table with the columns unit and class; None where a column is missing.

    Faults: missing columns, a unit that is empty or listed twice, a class that is none.
    """
    missing = [column for column in ("unit", "class") if column not in table.columns]
    for column in missing:
        faults.add(Problem(f"missing column {column!r}", table.name, ", ".join(table.columns), "unit, class"))
    if missing:
        return None
    unit_at, class_at = table.columns.index("unit"), table.columns.index("class")
    found: dict[str, str] = {}
    for row, number in zip(table.rows, table.numbers, strict=True):
        unit, word = row[unit_at].strip(), row[class_at].strip()
        where = f"{table.name}, row {number}, column"
        if not unit or unit in found:
            what = "unit listed twice" if unit else "empty unit"
            faults.add(Problem(what, f"{where} unit", repr(unit)), table.name)
        elif word not in UNIT_WORDS:
            faults.add(
                Problem(
                    "unknown class of unit",
                    f"{where} class",
                    repr(word),
                    ", ".join(UNIT_WORDS),
                    did_you_mean(word, UNIT_WORDS) if word else "fill it in",
                ),
                table.name,
            )
            found[unit] = ""
        else:
            found[unit] = word
    return found
