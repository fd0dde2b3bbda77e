"""A document as one self-contained HTML page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from .document import Block, Cell, Column, Document, Figure, Row, Table
from .numbers import plural
from .templates.reading import read_template
from .wording import say

LARGEST: Final = 1.3
WORDS: Final = {
    "sort": "Sort by this column",
    "filter": "Filter by {column}, or any word of a row:",
    "shown": "{n} of {all} rows",
    "scenario": "Show the table under the scenario:",
    "published": "none: as published",
}


@dataclass(frozen=True)
class _Group:
    title: str
    column: str
    span: int
    right: bool
    at: int


def page(document: Document) -> str:
    """The page: styles and figures inside, nothing loaded from anywhere."""
    environment = Environment(
        loader=FunctionLoader(read_template), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    environment.globals.update(
        header_groups=header_groups,
        laid_out=_laid_out,
        inline_svg=_inline,
        kind_of=_kind_of,
        printed=_printed(document),
        say=say,
        plural=plural,
    )
    template = environment.get_template("page.html.j2")
    inside = {"css": Markup(read_template("page.css")), "script": Markup(read_template("page.js"))}
    return (
        template.render(doc=document, words={name: say(text) for name, text in WORDS.items()}, **inside)
        + "\n"
    )


def _printed(document: Document) -> set[str]:
    return {b.id for s in document.sections for b in s.blocks if isinstance(b, Table)}


def _kind_of(block: Block) -> str:
    return type(block).__name__


def header_groups(table: Table) -> list[_Group]:
    """Headings over neighbouring columns of one group; empty where no column has one."""
    if not any(column.group for column in table.columns):
        return []
    out: list[_Group] = []
    for at, column in enumerate(table.columns):
        right = column.align == "right"
        if column.group and out and out[-1].title == column.group:
            out[-1] = _Group(column.group, "", out[-1].span + 1, right, out[-1].at)
        else:
            out.append(_Group(column.group, column.title, 1, right, at))
    return out


def _laid_out(table: Table, row: Row) -> Iterator[tuple[Cell, Column, str]]:
    """Cells with the column they begin in, and the words that name them where the header is out of sight."""
    at = 0
    for cell in row.cells:
        column = table.columns[at]
        if cell.span > 1:
            label = column.group or ("" if table.form == "matrix" else column.title)
        else:
            label = f"{column.group}: {column.title}" if column.group else column.title
        yield cell, column, label
        at += cell.span


def _inline(figure: Figure) -> Markup:
    """The SVG for use inside the page: sized by the page, named for those who do not see it."""
    text = re.sub(r"<title>.*?</title><desc>.*?</desc>", "", figure.svg, count=1, flags=re.S)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    label = html.escape(figure.alt, quote=True)
    style = f'style="max-width:{figure.width * LARGEST:.0f}px"'
    return Markup(re.sub(r"<svg", lambda _: f'<svg role="img" aria-label="{label}" {style}', text, count=1))
