"""What ``attrition init`` puts into a folder: a plan and its data; an existing file is never overwritten."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..data import evidence
from ..data.errors import InputError, Problem
from ..data.read import SEPARATORS, read_file
from ..data.table import Table
from .guess import guess_table
from .tableplan import plan_text

PLAN = "plan.toml"


@dataclass(frozen=True)
class Start:
    """Files by name, the plan among them, and what to say about them."""

    files: Mapping[str, bytes]
    said: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def first_table() -> Start:
    """The bundled table: published jurisdiction-years with a referral count and a later one."""
    return _bundled(
        "first_table_plan.toml", "first_table.csv", "first_table_sources.csv", "first_table_jurisdictions.csv"
    )


def public_evidence() -> Start:
    """Every published count, with its sources, the trees of offenses and places, and the classes of units."""
    return _bundled(
        "public_evidence_plan.toml",
        "public_counts.csv",
        "sources.csv",
        "offenses.csv",
        "jurisdictions.csv",
        "units.csv",
    )


def routing() -> Start:
    """What becomes of a report at NCMEC: located, and passed on as a referral."""
    return _bundled("routing_plan.toml", "routing.csv", "sources.csv")


def _bundled(plan: str, *names: str) -> Start:
    folder = files(evidence)
    found = {name: (folder / name).read_bytes() for name in names}
    return Start({**found, PLAN: (folder / plan).read_bytes()})


def own_table(path: Path, sheet: str | None = None) -> Start:
    """A plan for a user's own table; ``sheet`` names one of a workbook that has several.

    Raises
    ------
    InputError
        When the table cannot be read, or holds no counts of two stages.
    """
    if sheet is not None and path.suffix.lower() != ".xlsx":
        raise InputError(
            Problem("no workbook has this sheet", path.name, repr(sheet), do="leave out --sheet")
        )
    table = read_file(path.name, path.parent, sheet)
    guess = guess_table(table)
    if len(guess.roles.stages) < 2:
        raise InputError(
            Problem(
                "no funnel in this table",
                path.name,
                f"{len(guess.roles.stages)} column(s) of counts among {', '.join(table.columns)}",
                "one row a place and period, one column of counts for each of two or more stages",
                'for a long table write a plan with form = "long"',
            )
        )
    data, name = path.read_bytes(), path.name
    if name == PLAN or (guess.needs_query and path.suffix.lower() != ".csv"):
        data, name = _as_csv(table), f"{path.stem}.csv"
    first = data.decode("utf-8-sig").lstrip("\r\n").split("\n", 1)[0] if name.lower().endswith(".csv") else ""
    separator = max(SEPARATORS, key=lambda mark: (first.count(mark), -SEPARATORS.index(mark)))
    text = plan_text(guess, table, path.name, name, separator, date.today(), sheet)
    return Start({name: data, PLAN: text.encode()}, tuple(guess.said), tuple(guess.unsure))


def write_start(start: Start, folder: Path) -> dict[str, Any]:
    """Write a start, the plan last, and return {"plan", "files", "guessed", "unsure"}.

    Raises
    ------
    InputError
        When any of the files exists already; nothing is written then.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(Problem("not a folder", str(folder), do="name a folder that is new or empty"))
    problems = [
        Problem("already there", str(folder / name), do="choose another folder, or move it away")
        for name in start.files
        if (folder / name).exists() and (folder / name).read_bytes() != start.files[name]
    ]
    if (folder / PLAN).exists() and not problems:
        problems = [Problem("already there", str(folder / PLAN), do="use it, or choose another folder")]
    if problems:
        raise InputError(problems)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sorted(start.files.items(), key=lambda item: item[0] == PLAN):
        (folder / name).write_bytes(content)
    written = [str(folder / name) for name in start.files]
    plan = str(folder / PLAN)
    return {"plan": plan, "files": written, "guessed": list(start.said), "unsure": list(start.unsure)}


def start_text(written: dict[str, Any]) -> str:
    """What was written, guessed and left open, and what to do next."""
    lines = [f"Wrote {', '.join(written['files'])}"]
    lines += [f"  guessed: {sentence}" for sentence in written["guessed"]]
    lines += [f"  unsure: {sentence}" for sentence in written["unsure"]]
    return "\n".join([*lines, f"Next: read {written['plan']}, then attrition validate {written['plan']}"])


def _as_csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue().encode()
