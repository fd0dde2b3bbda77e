"""``attrition kinds``: the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import emit, progress
from ..options import JsonOption


def kinds(
    pages: Annotated[
        Path | None, typer.Option("--pages", metavar="DIR", help="Also write a page a kind there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List every kind: a way of being partly observed."""
    from ...models import catalogue
    from ..findings import catalogue_text, catalogue_value
    from ..kindpages import write_pages

    found = catalogue_value("kind", catalogue.kinds())
    if pages is not None:
        progress(f"{len(write_pages(catalogue.kinds(), pages))} pages written to {pages}")
    emit(catalogue_text("kind", found), found, as_json)
