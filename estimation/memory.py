"""Memory that is free but still held by what hands it out."""

from __future__ import annotations

import ctypes
import os

import pyarrow as pa


def give_back() -> None:
    """Return to the system what Arrow and, where it is glibc, the C library hold without a use for it.

    Many arrays of a few megabytes come and go while rows are evaluated: a tenth of what a large run takes would be held
    for nothing from then on.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
