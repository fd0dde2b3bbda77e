"""Reading tables: CSV, Parquet, xlsx, or a DuckDB query; every field as text, every fault with its row.

CSV goes through Python's own parser, which numbers every faulty row instead of stopping at the first; Parquet
and queries through DuckDB, so that a folder larger than memory is aggregated before it gets here.
"""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import duckdb

from .digest import digest
from .errors import InputError, Problem, did_you_mean
from .inputs import InputSpec
from .table import Table, as_text, build_table
from .workbook import read_workbook

SUFFIXES = (".csv", ".parquet", ".xlsx")
FIELD_LIMIT = 10_000_000
SEPARATORS = (",", ";", "\t")


def read_input(spec: InputSpec, folder: Path) -> Table:
    """Read the table of one ``[[input]]``.

    Parameters
    ----------
    spec : InputSpec
    folder : Path
        The plan's; paths are relative to it.

    Raises
    ------
    InputError
        The file is absent, unreadable, empty or ragged.
    """
    if spec.query is not None:
        return read_query(spec.query, folder, spec.name)
    return read_file(spec.file or "", folder, spec.sheet)


def read_file(file: str, folder: Path, sheet: str | None = None) -> Table:
    """Read one file by its suffix; see ``read_input``."""
    path = folder / file
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            Problem(
                "kind of file not read", file, repr(suffix), ", ".join(SUFFIXES), "save it as CSV (UTF-8)"
            )
        )
    if not path.is_file():
        near = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        raise InputError(
            Problem("file not found", file, do=f"looked in {path.parent}; {did_you_mean(path.name, near)}")
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(Problem("file cannot be read", file, str(error.strerror))) from error
    sha256 = hashlib.sha256(data).hexdigest()
    if suffix == ".csv":
        return _read_csv(file, data, sha256)
    if suffix == ".xlsx":
        return read_workbook(file, data, sha256, sheet)
    header, rows = _duckdb("SELECT * FROM read_parquet(?)", folder, file, [str(path)])
    return build_table(file, header, enumerate(rows, start=2), sha256)


def read_query(query: str, folder: Path, name: str = "query") -> Table:
    """Read the result of one SELECT, its rows sorted: the order of an aggregation is not reproducible."""
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise InputError(Problem("query cannot be read", name, _first_line(error))) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError(Problem("not one SELECT", name, allowed="a single SELECT statement"))
    header, rows = _duckdb(query, folder, name, None)
    rows.sort()
    return build_table(name, header, enumerate(rows, start=2), digest([header, rows]))


def _duckdb(
    query: str, folder: Path, name: str, parameters: list[str] | None
) -> tuple[list[str], list[list[str]]]:
    try:
        with duckdb.connect() as connection:
            connection.execute("SET file_search_path = '" + str(folder).replace("'", "''") + "'")
            cursor = connection.execute(query, parameters)
            header = [column[0] for column in cursor.description or ()]
            return header, [[as_text(value) for value in row] for row in cursor.fetchall()]
    except duckdb.Error as error:
        raise InputError(Problem("DuckDB cannot read it", name, _first_line(error))) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _read_csv(file: str, data: bytes, sha256: str) -> Table:
    text = _decode(file, data)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(SEPARATORS, key=lambda mark: (first.count(mark), -SEPARATORS.index(mark)))
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[tuple[int, list[str]]] = []
    try:
        records.extend(enumerate(reader, start=1))
    except csv.Error as error:
        raise InputError(
            Problem(
                "not readable as CSV",
                f"{file}, row {len(records) + 1}",
                str(error),
                do="a double quote inside a quoted text is written twice",
            )
        ) from error
    while records and not any(cell.strip() for cell in records[0][1]):
        records.pop(0)
    header = records[0][1] if records else []
    return build_table(file, header, records[1:], sha256)


def _decode(file: str, data: bytes) -> str:
    """UTF-8 text, with or without a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(Problem("encoding not read", file, "UTF-16", "UTF-8", "save it as CSV UTF-8"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            Problem(
                "encoding not read",
                f"{file}, row {row}",
                f"the byte 0x{data[error.start]:02x}",
                "UTF-8",
                "save it as CSV UTF-8 (the letters of Latin-1 and Windows-1252 cannot be told apart)",
            )
        ) from error
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            Problem(
                "NUL character",
                f"{file}, row {row}",
                do="it is no text file, or UTF-16: save it as CSV UTF-8",
            )
        )
    return text
