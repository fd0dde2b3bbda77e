"""A document as a typeset PDF: handed to Typst as data, so that no text can act as markup."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import typst

from .document import Block, Document, Figure, Missing, Paragraph, Row, Table
from .page import header_groups
from .templates.reading import read_template
from .wording import say

TEMPLATE: Final = "report.typ"
STANDARD: Final = "ua-1"
LONGEST: Final = 200
SHORTEST: Final = 9
# In ems of the smaller print: a character, what is free on both sides of a cell, and what numbers may take of a line.
EM, INSET, ROOM = 0.5, 1.0, 38.0


def typeset(document: Document) -> bytes:
    """The PDF (PDF/UA-1, tagged, with alternative texts), the same bytes for the same document.

    Raises
    ------
    typst.TypstError
        When Typst refuses the document.
    """
    # The figures' own font comes with Matplotlib; system fonts would make the bytes depend on the machine.
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[Path(mpl.get_data_path()) / "fonts" / "ttf"])
    made = typst.compile(
        read_template(TEMPLATE).encode(),
        font_paths=fonts,
        format="pdf",
        sys_inputs={"document": json.dumps(as_data(document), ensure_ascii=False)},
        pdf_standards=STANDARD,
        timestamp=0,
    )
    if not isinstance(made, bytes):
        raise TypeError(f"Typst returned {type(made).__name__} instead of one PDF")
    return made


def as_data(document: Document) -> dict[str, Any]:
    """The document as plain values."""
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "facts": [list(fact) for fact in document.facts],
        "warnings": [_block(b) for b in document.warnings],
        "incomplete": list(document.incomplete),
        "words": {
            "language": say("en"),
            "incomplete": say("This report is incomplete."),
            "missing": say("could not be produced:"),
            "behind": say("The table behind this figure"),
        },
        "sections": [{"title": s.title, "blocks": [_block(b) for b in s.blocks]} for s in document.sections],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph():
            return {"kind": "Paragraph", "text": block.text, "tone": block.tone}
        case Missing():
            return {"kind": "Missing", "what": block.what, "reason": block.reason}
        case Figure():
            return {
                "kind": "Figure",
                "title": block.title,
                "alt": block.alt,
                "svg": block.svg,
                "width": block.width,
                "caption": block.caption,
                "table": block.table.id,
            }
        case Table():
            return _table(block)


def _table(table: Table) -> dict[str, Any]:
    notes = list(table.notes)
    if len(table.rows) > LONGEST:
        notes.insert(
            0,
            say("The first {shown} of {data} rows; tables/{id}.csv holds them all.").format(
                shown=LONGEST, data=len(table.rows), id=table.id
            ),
        )
    return {
        "kind": "Table",
        "title": table.title,
        "columns": [
            {"title": column.title, "right": column.align == "right", "share": share, "width": width}
            for column, (share, width) in zip(table.columns, _room(table), strict=True)
        ],
        "groups": [{"title": g.title, "span": g.span, "right": g.right} for g in header_groups(table)],
        "rows": [_row(row, table) for row in table.rows[:LONGEST]],
        "notes": notes,
    }


def _room(table: Table) -> list[tuple[float, float]]:
    """What each column needs: of the room that words share, by the root of its longest text; and in ems, for numbers.

    A text that spans several columns asks for none of them: Typst would make room for it in the last. Numbers take as
    much as they are long, but where too little would be left for words they break at their blanks.
    """
    longest = [_header(column.title) for column in table.columns]
    words = list(longest)
    for row in (row for row in table.rows[:LONGEST] if not row.head):
        at = 0
        for cell in row.cells:
            if cell.span == 1:
                texts = (cell.text, *cell.more)
                longest[at] = max(longest[at], *map(len, texts))
                words[at] = max([words[at], *(len(word) for text in texts for word in text.split())])
            at += cell.span
    whole, least = ([EM * n + INSET for n in each] for each in (longest, words))
    numbers = [k for k, column in enumerate(table.columns) if column.align == "right"]
    more = sum(whole[k] - least[k] for k in numbers)
    left = ROOM - sum(least[k] for k in numbers) if len(numbers) < len(longest) else more
    part = min(1.0, max(left, 0.0) / more) if more else 1.0
    widths = [low + part * (high - low) for low, high in zip(least, whole, strict=True)]
    return [(max(n, SHORTEST) ** 0.5, width) for n, width in zip(longest, widths, strict=True)]


def _header(title: str) -> int:
    """Characters of the longest line of a title in as many lines as it needs, three at most where words allow."""
    return max(-(-len(title) // 3), *map(len, title.split()), 0)


def _row(row: Row, table: Table) -> dict[str, Any]:
    cells, at = [], 0
    for cell in row.cells:
        cells.append(
            asdict(cell) | {"right": table.columns[min(at, len(table.columns) - 1)].align == "right"}
        )
        at += cell.span
    return {"cells": cells, "depth": row.depth, "head": row.head}
