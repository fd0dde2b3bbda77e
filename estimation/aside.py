"""Draws of many rows, put aside in a file: what is read of them later is a few rows at a time."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]


class Aside:
    """Draws (R, Q) in single precision, read as an array is: ``draws[:, columns]``.

    Those of one row lie side by side in a file without a name, which is gone when nobody holds it any more.

    Parameters
    ----------
    size : int
        Number of draws, R.
    folder : Path, optional
        Where the file lies; default the system's folder for such.
    """

    def __init__(self, size: int, folder: Path | None = None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as the object
        weakref.finalize(self, self._file.close)
        self._of: Aside | None = None
        self._size, self._rows = size, 0
        self._which: NDArray[np.int64] | None = None

    def add(self, values: NDArray[np.floating[Any]]) -> None:
        """More rows, (N, R), or (N, 1) where all draws agree."""
        rows = np.broadcast_to(values, (len(values), self._size)).astype(np.float32)
        self._file.write(np.ascontiguousarray(rows).data)
        # What is mapped is read past the file's own buffer.
        self._file.flush()
        self._rows += len(rows)

    def some(self, columns: NDArray[np.int64]) -> Aside:
        """A view of some of the rows, in any order."""
        out = object.__new__(Aside)
        # The file lasts as long as what it was made for.
        out._of, out._file, out._size = self._of or self, self._file, self._size
        out._which = columns if self._which is None else self._which[columns]
        out._rows = len(out._which)
        return out

    @property
    def shape(self) -> tuple[int, int]:
        """Draws and rows, (R, Q)."""
        return self._size, self._rows

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, key: tuple[Any, Any]) -> Singles:
        draws, columns = key
        if not self._rows:
            return np.zeros((self._size, 0), dtype=np.float32)[draws]
        which = columns if self._which is None else self._which[columns]
        # Mapped for this one reading: pages that were read are not kept among the process's own.
        whole = np.memmap(self._file, dtype=np.float32, mode="r").reshape(-1, self._size)
        return np.array(whole[which]).T[draws]


class Filed(Mapping[str, NDArray[Any]]):
    """Arrays by name, some of them in files, which are mapped anew whenever one is asked for.

    Pages that were read go with the array that they were read by.
    """

    def __init__(self, held: Mapping[str, NDArray[Any]], files: Mapping[str, Path]) -> None:
        self._held, self._files = held, files

    def __getitem__(self, name: str) -> NDArray[Any]:
        return np.load(self._files[name], mmap_mode="r") if name in self._files else self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._held, *self._files))

    def __len__(self) -> int:
        return len(self._held) + len(self._files)


def put_aside[T: np.generic](values: NDArray[T], file: Path) -> NDArray[T]:
    """An array in a file, from which it is read as it is used."""
    np.save(file, values)
    found: NDArray[T] = np.load(file, mmap_mode="r")
    return found
