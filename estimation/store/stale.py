"""What killed processes left behind: temporary folders removed, runs set aside put back."""

from __future__ import annotations

import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp-"
ASIDE: Final = ".old-"
ABANDONED_AFTER: Final = 7 * 24 * 3600.0


def hidden_name(kind: str, identity: str) -> str:
    """Name of a hidden folder of this process: ``.tmp-<identity>-<pid>-<host>``."""
    return f"{kind}{identity}-{os.getpid()}-{_host()}"


def tidy(parent: Path) -> None:
    """Remove the temporary folders of dead processes; restore a run whose replacement never came.

    A process killed between setting an old run aside and moving the new one in leaves the old one whole under
    a hidden name; it is moved back when nothing stands in its place. Folders written on another machine count
    as abandoned after a week without a change.

    Parameters
    ----------
    parent : Path
        The folder that holds the runs of one plan; need not exist.
    """
    if not parent.is_dir():
        return
    for folder in parent.iterdir():
        kind = next((k for k in (TEMPORARY, ASIDE) if folder.name.startswith(k)), None)
        if kind is None or not _abandoned(folder, kind):
            continue
        final = parent / folder.name[len(kind) :].rsplit("-", 2)[0]
        if kind == ASIDE and not final.exists():
            with suppress(OSError):  # another process restored it in between
                os.rename(folder, final)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path, kind: str) -> bool:
    parts = folder.name[len(kind) :].rsplit("-", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2] == _host():
        return not _alive(int(parts[1]))
    try:
        return time.time() - folder.stat().st_mtime > ABANDONED_AFTER
    except FileNotFoundError:
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _host() -> str:
    return "".join(c if c.isalnum() else "_" for c in socket.gethostname()) or "local"
