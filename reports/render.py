"""Writing a report beside the run it tells of."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..data.errors import InputError, Problem, did_you_mean
from ..estimation.store.layout import RELEASE, REPORT
from ..estimation.store.runs import Run
from .files import write_document
from .pack import contents, write_pack
from .plan import build_document
from .released import released
from .view import View
from .wording import read_words, speaking

FORMATS: Final = ("html", "pdf")


def write_report(
    run: Run,
    formats: Sequence[str] = ("html",),
    folder: Path | None = None,
    pack: bool = False,
    workers: int | None = None,
    words: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Path]:
    """Write the report of a stored run; nothing is fitted and nothing but the run is read.

    Parameters
    ----------
    run : Run
    formats : sequence of str
        Any of ``html`` and ``pdf``. Figures (SVG) and tables (CSV, and one workbook) are always written.
    folder : Path or None
        Where to write; None for ``report`` inside the run's folder, which is then written anew.
    pack : bool
        Also write one short report a jurisdiction, in ``places``.
    workers : int or None
        Processes that make the pack; None for one a core.
    words : Path or None
        A translation (``wording.read_words``); None for English.
    told : callable
        Told of every short report that is finished.

    Returns
    -------
    dict of str to Path
        As ``write_document`` says; and ``places``, the folder of the pack.

    Raises
    ------
    InputError
        For an unknown format; or the run is that of a release, whose report is written once.
    """
    if folder is None and (run.folder / RELEASE).is_file():
        raise InputError(
            Problem(
                "a release is written once, with its report",
                str(run.folder),
                do=f"report the run it was made of: attrition report {run.release['run']}",
            )
        )
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(
            Problem(
                "unknown format", "--format", repr(unknown[0]), "html, pdf", did_you_mean(unknown[0], FORMATS)
            )
        )
    language = None if words is None else read_words(words)
    view = View(released(run))
    with speaking(language):
        document = build_document(view)
        if pack:
            document = replace(document, sections=(*document.sections, contents(view)))
    if folder is None:
        folder = run.folder / REPORT
        shutil.rmtree(folder, ignore_errors=True)
    with speaking(language):
        written = write_document(document, formats, folder)
    if pack:
        written["places"] = write_pack(run, formats, folder, workers, language, told)
    return written
