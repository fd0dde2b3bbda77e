"""A statement on its way: read and understood, not yet placed on the axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .calendar import Span
from .statement import Statement


@dataclass(frozen=True, slots=True)
class Draft:
    """One number of one row.

    Parameters
    ----------
    statement : Statement
        Its ``period`` is the label of the span.
    span : Span or None
        None is the root.
    fields : mapping of str to str
        The row by standard name, other columns by their own: what filters look at. Shared within a row.
    column : str
        Where the number stands, under the file's own name.
    theirs : mapping of str to str
        Standard column to the file's own name.
    part_of : str
    """

    statement: Statement
    span: Span | None
    fields: Mapping[str, str]
    column: str
    theirs: Mapping[str, str]
    part_of: str = ""

    def where(self, name: str) -> str:
        """File, row and the file's name of a standard column, for messages."""
        return f"{self.statement.where}, column {self.theirs.get(name, name)}"

    def place(self, name: str) -> str:
        """File and the file's name of a standard column: where repeats of a fault are counted."""
        return f"{self.statement.file}, column {self.theirs.get(name, name)}"


@dataclass(frozen=True, slots=True)
class Drafts:
    """What one table gave: statements, and fields that are blank or do not apply."""

    drafts: list[Draft] = field(default_factory=list)
    not_reported: int = 0
    not_applicable: int = 0
