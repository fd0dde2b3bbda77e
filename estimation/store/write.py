"""Writing a run: beside its final name, every file forced to disk, then renamed when whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

from ...data.spreadsheet import harmless_table
from .draws import DrawsWriter
from .layout import COMPLETE, MANIFEST, run_folder, status_of
from .stale import ASIDE, TEMPORARY, hidden_name, tidy

if TYPE_CHECKING:
    import xarray as xr

_MANY = 50
_ROWS = 100_000  # of a table that are written at a time
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class RunWriter:
    """Context manager that writes one run folder, all or nothing.

    Leaving the block normally makes the run visible under its final name. Leaving it by an exception, or
    being killed at any moment, leaves nothing a reader would take for a run.

    Parameters
    ----------
    root : Path
        The folder of all runs.
    name : str
        The plan's name.
    identity : str
    again : bool
        Replace a complete run of the same identity; without it the first complete one stays and what was
        written here is discarded (two processes wrote the same run, and equal inputs give equal runs).

    Attributes
    ----------
    final : Path
        Where the run stands after the block.
    folder : Path
        Where it is written until it is whole.
    kept_existing : bool
        Another process had finished the same run first, and its run was kept.

    Examples
    --------
    >>> with RunWriter(root, "quarterly", "0123456789ab") as writer:  # doctest: +SKIP
    ...     writer.write_json("manifest.json", manifest)
    """

    def __init__(self, root: Path, name: str, identity: str, again: bool = False) -> None:
        self.final = run_folder(root, name, identity)
        self.identity = identity
        self.again = again
        self.kept_existing = False
        self.folder = self.final.parent / hidden_name(TEMPORARY, identity)

    def __enter__(self) -> RunWriter:
        self._made = [path for path in (self.final.parent, self.final.parent.parent) if not path.exists()]
        self.final.parent.mkdir(parents=True, exist_ok=True)
        tidy(self.final.parent)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            for made in self._made:
                with suppress(OSError):  # something stands in it
                    made.rmdir()

    def write_text(self, name: str, text: str) -> None:
        """Write a UTF-8 text file as it is given."""
        put_text(self.folder / name, text)

    def write_json(self, name: str, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write JSON for people and machines; NaN is refused, as readers do not agree on it."""
        put_json(self.folder / name, value)

    def write_table(self, name: str, table: pd.DataFrame, csv: bool = True) -> None:
        """Write a table, without its index, as ``<name>.parquet`` and (unless told otherwise) ``.csv``."""
        put_table(self.folder / name, table, csv)

    def write_draws(self, draws: xr.DataTree, many: bool = False) -> None:
        """Write the draws, as ``DrawsWriter``."""
        self.draws(many).put_tree(draws)

    def draws(self, many: bool) -> DrawsWriter:
        """What adds groups to the draws, of many cells as Zarr."""
        return DrawsWriter(self.folder, many)

    def _commit(self) -> None:
        if not (self.folder / MANIFEST).is_file():
            raise FileNotFoundError(
                f"a run without {MANIFEST} cannot be read: write it before leaving the block"
            )
        for path in self.folder.rglob("*"):
            _force(path)
        _force(self.folder)
        if self.final.exists():
            if not self.again and status_of(self.final) == COMPLETE:
                self.kept_existing = True
                return
            self._swap()
        else:
            try:
                os.rename(self.folder, self.final)
            except OSError:
                # Between the question and the answer another process put its run there.
                if not self.final.exists():
                    raise
                self._commit()
                return
        _force(self.final.parent)

    def _swap(self) -> None:
        aside = self.final.parent / hidden_name(ASIDE, self.identity)
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(self.final, aside)
        try:
            os.rename(self.folder, self.final)
        except OSError:
            with suppress(OSError):
                os.rename(aside, self.final)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def put_text(path: Path, text: str) -> None:
    """A UTF-8 text file, forced to disk."""
    path.write_bytes(text.encode())
    _force(path)


def put_json(path: Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    """JSON, forced to disk; NaN is refused. Long lists of records have a line for each, and are written one by one."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(_pieces(value))
        file.write("\n")
    _force(path)


def _pieces(value: Any, depth: int = 0) -> Iterator[str]:
    """Indented JSON, but for what lies in lists of many: the indenting encoder is tens of times slower."""
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, Mapping) and value:
        before = "{\n"
        for key, one in value.items():
            yield f"{before}{inner}{_JSON.encode(str(key))}: "
            yield from _pieces(one, depth + 1)
            before = ",\n"
        yield f"\n{outer}}}"
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        many = len(value) > _MANY
        before = "[\n"
        for one in value:
            yield before + inner
            yield from (_JSON.encode(one),) if many else _pieces(one, depth + 1)
            before = ",\n"
        yield f"\n{outer}]"
    else:
        yield _JSON.encode(value)


def put_table(stem: Path, table: pd.DataFrame, csv: bool = True) -> None:
    """A table without its index as ``<stem>.parquet`` and, unless told otherwise, ``.csv``, forced to disk.

    Text of the CSV that a spreadsheet would take for a formula has an apostrophe in front.
    """
    path = stem.with_name(f"{stem.name}.parquet")
    table.to_parquet(path, index=False)
    _force(path)
    if csv:
        path = path.with_suffix(".csv")
        _put_csv(path, table)
        _force(path)


def _put_csv(path: Path, table: pd.DataFrame) -> None:
    """A table as CSV, by Arrow, which takes a tenth of the time of pandas; ``True`` as pandas has it."""
    options = WriteOptions(include_header=False, quoting_style="needed")
    with path.open("wb") as file:
        file.write((",".join(map(str, table.columns)) + "\n").encode())
        # A few rows at a time: the harmless copy of them all would be the table once more.
        for start in range(0, len(table), _ROWS):
            some = harmless_table(table.iloc[start : start + _ROWS])
            flags = some.select_dtypes("bool").astype(str)
            write_csv(pa.Table.from_pandas(some.assign(**flags), preserve_index=False), file, options)


def _force(path: Path) -> None:
    """fsync a file, or a folder where the system allows it."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
