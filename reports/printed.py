"""Printing a data frame as a table, a format for each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from .document import Cell, Column, Row, Table
from .wording import say

Form = Callable[[Any], str | Cell]


@dataclass(frozen=True)
class Shown:
    """How a column is printed: its heading, the form of its values, its alignment."""

    title: str
    form: Form
    align: Literal["left", "right"]


def left(title: str, form: Form) -> Shown:
    """A column of words."""
    return Shown(title, form, "left")


def right(title: str, form: Form) -> Shown:
    """A column of numbers."""
    return Shown(title, form, "right")


def printed(
    id: str,
    title: str,
    data: pd.DataFrame,
    show: Mapping[str, Shown],
    notes: tuple[str, ...] = (),
    most: int | None = None,
    folded: bool = False,
) -> Table:
    """A table of the columns named in ``show``, in that order.

    Parameters
    ----------
    id, title : str
    data : DataFrame
        Written whole as CSV.
    show : mapping of str to Shown
    notes : tuple of str
    most : int or None
        Print at most so many rows and say how many more the CSV holds.
    folded : bool
        Show the title only, until it is opened.
    """
    shown = data if most is None else data.head(most)
    columns = tuple(Column(one.title, one.align) for one in show.values())
    formatted = [[_cell(one.form(v)) for v in shown[name]] for name, one in show.items()]
    rows = tuple(Row(cells) for cells in zip(*formatted, strict=True))
    if len(shown) < len(data):
        notes = (
            *notes,
            say("The first {shown} of {data} rows; tables/{id}.csv holds them all.").format(
                shown=len(shown), data=len(data), id=id
            ),
        )
    return Table(id, title, columns, rows, data, notes, folded)


def text(value: Any) -> str:
    """Text as it is; nothing for a missing value."""
    return "" if value is None or value is pd.NA or value != value else str(value)


def _cell(value: str | Cell) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)
