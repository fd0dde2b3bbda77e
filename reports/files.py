"""A document as files: the page, the typeset report, figures, tables and the workbook."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from .document import Document, reason
from .page import page
from .tables import csv_text, json_text, workbook
from .typeset import typeset
from .wording import say, spoken

WORKBOOK: Final = "tables.xlsx"
INCOMPLETE: Final = "incomplete.txt"


def write_document(document: Document, formats: Sequence[str], folder: Path) -> dict[str, Path]:
    """Write a document.

    Parameters
    ----------
    document : Document
    formats : sequence of str
        Any of ``html`` and ``pdf``. Figures (SVG) and tables (CSV, and one workbook) are always written.
    folder : Path
        Made where it does not exist.

    Returns
    -------
    dict of str to Path
        ``html``, ``pdf`` as asked and produced, ``figures``, ``tables``, ``xlsx``; and ``incomplete``, a text
        file that lists what could not be produced, where there is such a thing. The page says the same.
    """
    document = spoken(document)
    figures, tables = folder / "figures", folder / "tables"
    for place in (figures, tables):
        place.mkdir(parents=True, exist_ok=True)
    for figure in document.figures:
        _write(figures / f"{figure.id}.svg", figure.svg.encode())
    for table in document.tables:
        _write(tables / f"{table.id}.csv", csv_text(table).encode())
        if table.nested is not None:
            _write(tables / f"{table.id}.json", json_text(table).encode())
    written = {"figures": figures, "tables": tables}
    document = _attempt(
        document, "the workbook of tables", lambda: _book(document), folder / WORKBOOK, "xlsx", written
    )
    if "pdf" in formats:
        made = document
        document = _attempt(document, "the PDF", lambda: typeset(made), folder / "report.pdf", "pdf", written)
    if "html" in formats:
        _write(folder / "index.html", page(document).encode())
        written["html"] = folder / "index.html"
    if document.incomplete:
        _write(folder / INCOMPLETE, ("\n".join(document.incomplete) + "\n").encode())
        written["incomplete"] = folder / INCOMPLETE
    return written


def _attempt(
    document: Document, what: str, make: Callable[[], bytes], path: Path, name: str, written: dict[str, Path]
) -> Document:
    """Write what is made; a document that says so where it could not be."""
    try:
        made = make()
    except Exception as error:
        return replace(
            document,
            incomplete=(*document.incomplete, f"{say(what)} {say('could not be produced:')} {reason(error)}"),
        )
    _write(path, made)
    written[name] = path
    return document


def _book(document: Document) -> bytes:
    """The workbook, without the times that the ZIP format and its writer put into it."""
    raw, out = io.BytesIO(), io.BytesIO()
    workbook(document.tables, document.title).save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)
