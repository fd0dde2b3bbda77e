"""A report before it is set: ordered sections of paragraphs, tables, figures, and what could not be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd


@dataclass(frozen=True)
class Paragraph:
    """Plain text, optionally followed by a link to where its numbers stand with their companions.

    Parameters
    ----------
    text : str
        Never markup; every format escapes it.
    link, link_text : str
        Where the number stands: ``"#<anchor>"``, and the words that lead there.
    tone : {"text", "note", "warning", "caveat", "code", "said"}
    """

    text: str
    link: str = ""
    link_text: str = "see the table"
    tone: Literal["text", "note", "warning", "caveat", "code", "said"] = "text"


@dataclass(frozen=True)
class Column:
    """A column of a printed table; columns that share a ``group`` stand under one heading."""

    title: str
    align: Literal["left", "right"] = "left"
    group: str = ""


@dataclass(frozen=True)
class Cell:
    """One printed cell.

    Parameters
    ----------
    text : str
    href : str
        Where the text leads; empty for nowhere.
    tone : {"", "strong", "muted"}
    span : int
        Columns from here on.
    more : tuple of str
        Smaller lines below the text.
    badge : str
        A label set apart below them.
    """

    text: str = ""
    href: str = ""
    tone: Literal["", "strong", "muted"] = ""
    span: int = 1
    more: tuple[str, ...] = ()
    badge: str = ""


@dataclass(frozen=True)
class Row:
    """A printed row; ``head`` rows name the rows that follow; ``depth`` indents the first cell."""

    cells: tuple[Cell, ...]
    anchor: str = ""
    depth: int = 0
    head: bool = False


@dataclass(frozen=True)
class Variant:
    """The rows of a table under another judgement, which a page shows on request.

    Parameters
    ----------
    name, reason : str
    rows : tuple of Row
        In the columns of the table; without anchors.
    """

    name: str
    reason: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table as printed, and the data behind it.

    Parameters
    ----------
    id : str
        Anchor and file name.
    title : str
    columns : tuple of Column
    rows : tuple of Row
    data : DataFrame
        Unrounded values, written as ``tables/<id>.csv``.
    notes : tuple of str
        Printed below.
    folded : bool
        A page shows the title only, until it is opened; print shows the rows.
    form : {"list", "matrix"}
        A matrix crosses two lists: every cell stands for itself.
    nested : mapping or None
        The same as nested values, written as ``tables/<id>.json``; None for no such file.
    variants : tuple of Variant
        What a page offers to show in place of ``rows``; what they say is also told elsewhere.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    data: pd.DataFrame = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()
    folded: bool = False
    form: Literal["list", "matrix"] = "list"
    nested: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure, its words for those who do not see it, and the table behind it.

    Parameters
    ----------
    id : str
        Anchor and file name.
    title : str
    alt : str
        What the figure shows, in words.
    svg : str
        A whole SVG document.
    width : float
        Natural width in CSS pixels.
    table : Table
    caption : str
        How to read it.
    """

    id: str
    title: str
    alt: str
    svg: str = field(repr=False)
    width: float
    table: Table
    caption: str = ""


@dataclass(frozen=True)
class Missing:
    """Something that was to stand here and could not be produced."""

    what: str
    reason: str


Block = Paragraph | Table | Figure | Missing


@dataclass(frozen=True)
class Section:
    """A titled part of the report."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Parameters
    ----------
    title, subtitle : str
    facts : tuple of (str, str)
        Name and value pairs of the masthead.
    sections : tuple of Section
    warnings : tuple of Paragraph
        Banners: an unfit run, failed checks.
    incomplete : tuple of str
        What could not be produced, and why; empty for a whole report.
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    warnings: tuple[Paragraph, ...] = ()
    incomplete: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure, in order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Figure))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, those behind figures included, in order and once each."""
        found: dict[str, Table] = {}
        for section in self.sections:
            for block in section.blocks:
                table = block.table if isinstance(block, Figure) else block
                if isinstance(table, Table):
                    found.setdefault(table.id, table)
        return tuple(found.values())


def attempt(what: str, make: Callable[[], Block | None]) -> tuple[Block, ...]:
    """The block, nothing where it has nothing to show, or a visible statement of why it could not be made."""
    try:
        block = make()
    except Exception as error:
        return (Missing(what, reason(error)),)
    return () if block is None else (block,)


def reason(error: BaseException) -> str:
    """One line for a reader: the kind of error and its message."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
