"""What other processes are asked to run; they find it on the path that the tests give them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from attrition.data.errors import InputError, Problem


def dies_once(folder: Path, item: str) -> tuple[str, int]:
    """The item and the process; the process dies the first time that it is asked for "2"."""
    mark = folder / "died"
    if item == "2" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return item, os.getpid()


def dies(_item: str) -> None:
    """Kill the process that runs it."""
    os.kill(os.getpid(), signal.SIGKILL)


def refuses(item: str) -> str:
    """A fault of the data at one of the items."""
    if item == "2":
        raise InputError([Problem("one", "a"), Problem("two", "b", "c")])
    return item
