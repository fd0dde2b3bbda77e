"""A folder that processes on other machines are to see: a mark in it says whether they do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from ...data.errors import InputError, Problem
from .layout import MANIFEST
from .runs import Run

_DELAY: Final = 60.0  # seconds that a network's file system may take to show what another machine wrote


@contextmanager
def marked(root: Path) -> Iterator[Path]:
    """A file in a folder, for as long as the block lasts.

    Parameters
    ----------
    root : Path
        The folder, made where it is not there.
    """
    root.mkdir(parents=True, exist_ok=True)
    mark = root.absolute() / f".seen-{uuid4().hex}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def require(mark: Path) -> None:
    """Refuse to work where the marked folder is not seen.

    Raises
    ------
    InputError
        The mark is not there.
    """
    if not mark.is_file():
        raise InputError(
            Problem(
                "a worker does not see the folder of runs",
                str(mark.parent),
                f"not that of this process, on {socket.gethostname()}",
                do="let every worker see it, and the plan's folder, under the same path",
            )
        )


def arrived(run: Run) -> Run:
    """A run that another process says it has written, once this one sees it.

    Raises
    ------
    InputError
        It does not come.
    """
    until = time.monotonic() + _DELAY
    while not (run.folder / MANIFEST).is_file():
        if time.monotonic() > until:
            raise InputError(
                Problem(
                    "a worker's run is not seen here",
                    str(run.folder),
                    do="let every worker see the folder of runs under the same path",
                )
            )
        time.sleep(0.2)
    return run
