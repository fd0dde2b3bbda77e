"""A pack: one short report for each jurisdiction, made side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import pandas as pd

from ..estimation.store.runs import Run
from .companions import anchor
from .document import Block, Cell, Column, Document, Paragraph, Row, Section, Table
from .files import write_document
from .plan import build_document
from .released import Released, released
from .view import View
from .wording import speaking

PLACES: Final = "places"
NATIONAL: Final = "../../index.html"


def places_of(view: View) -> list[str]:
    """Jurisdictions below the report's own that people know, in the order of the tree."""
    axis = view.axes["jurisdiction"]
    return [
        name for name in view.shown("jurisdiction") if view.answer["jurisdiction"] in axis.ancestors(name)
    ]


def folder_of(place: str) -> str:
    """Name of a jurisdiction's folder: safe in a path and a link, different for different places."""
    return anchor("place", "", place).removeprefix("place-_2e")


def contents(view: View) -> Section:
    """The list of the pack, for the report it goes with."""
    names = places_of(view)
    labels = [view.label("jurisdiction", name) for name in names]
    links = [f"{PLACES}/{folder_of(name)}/index.html" for name in names]
    depth = [view.axes["jurisdiction"].depth(name) - 1 for name in names]
    rows = tuple(
        Row((Cell(label, href=link),), depth=level)
        for label, link, level in zip(labels, links, depth, strict=True)
    )
    data = pd.DataFrame({"jurisdiction": names, "label": labels, "report": links})
    table = Table("pack", "Reports of single jurisdictions", (Column("Jurisdiction"),), rows, data)
    return Section("section-pack", "By jurisdiction, one report each", (table,))


def write_pack(
    run: Run,
    formats: Sequence[str],
    folder: Path,
    workers: int | None,
    words: Mapping[str, str] | None,
    told: Callable[[str], None],
) -> Path:
    """Write the short reports of every jurisdiction into ``folder/places``.

    Parameters
    ----------
    run : Run
    formats : sequence of str
    folder : Path
        Of the report that they go with.
    workers : int or None
        Processes; None for one a core.
    words : mapping or None
        Of a translation; None for English.
    told : callable
        Told of every report that is finished.

    Returns
    -------
    Path
        ``folder/places``.
    """
    places = places_of(View(released(run)))
    out = {place: folder / PLACES / folder_of(place) for place in places}
    several = max(min(workers or os.cpu_count() or 1, len(places)), 1)
    with ProcessPoolExecutor(several, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(write_place, run.folder, tuple(formats), words, *item) for item in out.items()]
        for done, finished in enumerate(as_completed(waiting), 1):
            told(f"{done} of {len(places)}: {finished.result()}")
    return folder / PLACES


def write_place(
    run: Path, formats: Sequence[str], words: Mapping[str, str] | None, place: str, folder: Path
) -> str:
    """Write one report; returns its title."""
    with speaking(words):
        document = place_document(View(_opened(run), place))
        write_document(document, formats, folder)
    return document.title


def place_document(view: View) -> Document:
    """The short report of the view's place; what it does not hold is linked where the whole report has it."""
    document = build_document(view)
    inside = {section.id for section in document.sections} | {figure.id for figure in document.figures}
    for table in document.tables:
        inside |= {table.id, *(row.anchor for row in table.rows)}

    def lead(link: str) -> str:
        return NATIONAL + link if link.startswith("#") and link[1:] not in inside else link

    def led(block: Block) -> Block:
        if isinstance(block, Paragraph):
            return replace(block, link=lead(block.link))
        if isinstance(block, Table):
            rows = tuple(
                replace(row, cells=tuple(replace(cell, href=lead(cell.href)) for cell in row.cells))
                for row in block.rows
            )
            return replace(block, rows=rows)
        return block

    sections = tuple(replace(s, blocks=tuple(map(led, s.blocks))) for s in document.sections)
    whole = Paragraph(f"One place of {view.run.name}.", f"{NATIONAL}#main", "The whole report", "note")
    first = replace(sections[0], blocks=(whole, *sections[0].blocks))
    warnings = tuple(replace(w, link=lead(w.link)) for w in document.warnings)
    return replace(document, sections=(first, *sections[1:]), warnings=warnings)


@lru_cache(maxsize=1)
def _opened(folder: Path) -> Run | Released:
    """One run a process, read once."""
    return released(Run(folder))
