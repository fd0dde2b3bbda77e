"""What is found out after a run: files written beside its own, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from .layout import NOTES, SCENARIOS, SENSITIVITY, read_json
from .stale import TEMPORARY, hidden_name, tidy
from .write import put_json, put_table


@contextmanager
def _apart(folder: Path, name: str) -> Iterator[Path]:
    """A hidden folder to write into, gone at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    tidy(folder)
    new = folder / hidden_name(TEMPORARY, name)
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_sensitivity(folder: Path, scenarios: Sequence[Mapping[str, Any]], table: pd.DataFrame) -> None:
    """Write ``scenarios.json`` and ``sensitivity.parquet``, ``.csv`` into a finished run's folder.

    The list of scenarios says that the table is there: it is taken away first and put back last, so that a process
    killed in between leaves a run that has not been varied, never a list and a table of different scenarios.

    Parameters
    ----------
    folder : Path
        Of the base run.
    scenarios : sequence of mapping
        name, reason, set, identity, status, seconds.
    table : DataFrame
        Columns of ``SENSITIVITY_COLUMNS``.
    """
    with _apart(folder, SENSITIVITY) as new:
        put_table(new / SENSITIVITY, table)
        put_json(new / SCENARIOS, list(scenarios))
        (folder / SCENARIOS).unlink(missing_ok=True)
        for name in (f"{SENSITIVITY}.csv", f"{SENSITIVITY}.parquet", SCENARIOS):
            os.replace(new / name, folder / name)


def write_notes(folder: Path, notes: Sequence[Mapping[str, Any]]) -> None:
    """Write ``notes.json``, the plan's notes, into a finished run's folder; nothing where it says the same already.

    They are no part of a run's identity: a note added to a plan reaches the run that is stored.

    Parameters
    ----------
    folder : Path
    notes : sequence of mapping
        text, source, date.
    """
    path = folder / NOTES
    if (read_json(path) if path.is_file() else []) == list(notes):
        return
    new = folder / hidden_name(TEMPORARY, NOTES)
    put_json(new, list(notes))
    os.replace(new, path)


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write ``<name>.parquet`` and ``.csv`` into a folder, each whole or not at all, over those that stand there."""
    with _apart(folder, name) as new:
        put_table(new / name, table)
        for path in sorted(new.iterdir()):
            os.replace(path, folder / path.name)
