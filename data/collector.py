"""Python's collector of cycles, put off while many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No search for cycles inside.

    Numbers that are read become objects that stay and form no cycle, while the collector goes through all of them again
    whenever a quarter more have been made, a third of the time of reading. What nothing refers to is freed as ever.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
