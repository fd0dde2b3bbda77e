"""Results go to stdout, progress to stderr, and ``--json`` turns a result into one JSON value."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence


def progress(text: str) -> None:
    """A line of progress, or of complaint."""
    print(text, file=sys.stderr, flush=True)


def emit(text: str, value: object, as_json: bool) -> None:
    """The result of a command: words for people, or the same facts as JSON.

    Parameters
    ----------
    text : str
    value : JSON-able
        NaN is not allowed in it: what is absent is None.
    as_json : bool
    """
    print(json.dumps(value, ensure_ascii=False, allow_nan=False) if as_json else text, flush=True)


def columns(rows: Iterable[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Rows as aligned plain text.

    Parameters
    ----------
    rows : iterable of sequences of str
        All of one length; the last column is not padded.
    header : sequence of str
        Written above, and underlined, when given.
    """
    body = [list(row) for row in rows]
    if header:
        body = [list(header), *body]
    if not body:
        return ""
    widths = [max(len(row[i]) for row in body) for i in range(len(body[0]))]
    if header:
        body.insert(1, ["-" * width for width in widths])
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in body)
    return "\n".join(line.rstrip() for line in lines)
