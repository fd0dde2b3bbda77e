"""JSON lines: one a finished piece of work, so that a stopped process loses nothing that it had finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The records of a file, in order; a line that a stopped process left unfinished does not count."""
    if not file.is_file():
        return []
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def add_line(file: Path, record: Mapping[str, Any]) -> None:
    """Append one record; NaN is refused."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as lines:
        lines.seek(0, 2)
        if lines.tell():
            lines.seek(-1, 2)
            if lines.read(1) != b"\n":
                lines.write(b"\n")  # an unfinished line ends here
        lines.write(text.encode() + b"\n")
