"""The words of a report: English as the code has it, or those of a translation, which is one file."""

from __future__ import annotations

import html
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ..data.errors import InputError, Problem, did_you_mean
from .document import Block, Cell, Column, Document, Figure, Missing, Paragraph, Row, Section, Table
from .templates.reading import read_template, template_path

ENGLISH: Final = "english.toml"
LANGUAGE: Final = "en"  # its own key in the catalogue: what a browser and a screen reader are told

_WORDS: ContextVar[Mapping[str, str]] = ContextVar("words")


def say(text: str) -> str:
    """A text in the language of the report, its ``{names}`` still to be filled in; as it is where none has it."""
    return _WORDS.get({}).get(text, text)


@contextmanager
def speaking(words: Mapping[str, str] | None) -> Iterator[None]:
    """Within it reports are made in these words; None for English."""
    before = _WORDS.set(words or {})
    try:
        yield
    finally:
        _WORDS.reset(before)


@cache
def english() -> Mapping[str, str]:
    """The catalogue: every text a reader meets, as the code has it, led to itself."""
    return _flat(tomllib.loads(read_template(ENGLISH)))


def read_words(path: Path) -> Mapping[str, str]:
    """Read a translation: the catalogue with other words on the right-hand side.

    Raises
    ------
    InputError
        Every fault: a text the catalogue does not have, a ``{name}`` that is lost or new.
    """
    try:
        words = _flat(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(Problem("no such file", str(path), do=f"copy {template_path(ENGLISH)}")) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(Problem(f"is no catalogue of words: {error}", str(path))) from None
    problems = []
    for text, said in words.items():
        if text not in english():
            known = did_you_mean(text, list(english()))
            problems.append(Problem("a text that no report has", str(path), repr(text), do=known))
        elif not isinstance(said, str) or _names(said) != _names(text):
            wanted = ", ".join(sorted(_names(text))) or "no name in braces"
            problems.append(Problem("other names in braces than the text", str(path), repr(said), wanted))
    if problems:
        raise InputError(problems)
    return words


def spoken(document: Document) -> Document:
    """The document with its fixed texts in the language of the report; what was composed already is."""
    return replace(
        document,
        facts=tuple((say(name), value) for name, value in document.facts),
        sections=tuple(_section(section) for section in document.sections),
        warnings=tuple(_paragraph(block) for block in document.warnings),
        incomplete=tuple(map(say, document.incomplete)),
    )


def _section(section: Section) -> Section:
    return replace(section, title=say(section.title), blocks=tuple(map(_block, section.blocks)))


def _block(block: Block) -> Block:
    match block:
        case Paragraph():
            return _paragraph(block)
        case Table():
            return _table(block)
        case Figure():
            return _figure(block)
        case Missing():
            return replace(block, what=say(block.what))


def _paragraph(block: Paragraph) -> Paragraph:
    return replace(block, text=say(block.text), link_text=say(block.link_text))


def _table(table: Table) -> Table:
    return replace(
        table,
        title=say(table.title),
        columns=tuple(Column(say(c.title), c.align, say(c.group)) for c in table.columns),
        rows=tuple(map(_row, table.rows)),
        notes=tuple(map(say, table.notes)),
        variants=tuple(replace(v, rows=tuple(map(_row, v.rows))) for v in table.variants),
    )


def _row(row: Row) -> Row:
    return replace(row, cells=tuple(map(_cell, row.cells)))


def _cell(cell: Cell) -> Cell:
    return replace(cell, text=say(cell.text), more=tuple(map(say, cell.more)))


def _figure(figure: Figure) -> Figure:
    def label(found: re.Match[str]) -> str:
        text = html.unescape(found.group(1))
        bare = text.strip()
        return f">{html.escape(text.replace(bare, say(bare)), quote=False)}</text>"

    title, alt = say(figure.title), say(figure.alt)
    svg = re.sub(r">([^<>]*[^<>\s][^<>]*)</text>", label, figure.svg)
    svg = svg.replace(f"<title>{html.escape(figure.title)}<", f"<title>{html.escape(title)}<", 1)
    svg = svg.replace(f"<desc>{html.escape(figure.alt)}<", f"<desc>{html.escape(alt)}<", 1)
    return replace(
        figure, title=title, alt=alt, svg=svg, caption=say(figure.caption), table=_table(figure.table)
    )


def _names(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        return {text}


def _flat(catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Texts of all groups; a group is a heading for whoever translates."""
    out: dict[str, Any] = {}
    for key, value in catalogue.items():
        out |= value if isinstance(value, dict) else {key: value}
    return out
