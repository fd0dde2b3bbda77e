"""``attrition init``: the plans and tables that come with the package."""

from __future__ import annotations

from ..console import emit
from ..options import FolderArgument, JsonOption


def first_table(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Start from the bundled table of published counts."""
    from .. import starts

    written = starts.write_start(starts.first_table(), folder)
    emit(starts.start_text(written), written, as_json)


def public_evidence(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Start from all published counts, the evidence of the report."""
    from .. import starts

    written = starts.write_start(starts.public_evidence(), folder)
    emit(starts.start_text(written), written, as_json)


def routing(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Start from what becomes of a report before any police sees it."""
    from .. import starts

    written = starts.write_start(starts.routing(), folder)
    emit(starts.start_text(written), written, as_json)
