"""From a table's header to the standard columns of its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from .errors import Problem, did_you_mean
from .faults import Faults
from .inputs import InputSpec
from .names import CLOSED_WITHOUT, LONG_COLUMNS, LONG_OPTIONAL, WIDE_KEYS, WIDE_OPTIONAL
from .table import Table

LONG_NEEDED = ("jurisdiction", "period_start", "period_end", "offense", "stage", "relation", "count")
SIMILAR = 0.75


@dataclass(frozen=True)
class Layout:
    """Where the standard columns stand.

    Parameters
    ----------
    at : mapping of str to int
        Position of each standard column that is there.
    theirs : mapping of str to str
        The name it has in the file.
    unread : mapping of str to int
        Other columns; filters may use them.
    """

    at: Mapping[str, int]
    theirs: Mapping[str, str]
    unread: Mapping[str, int]


def match_columns(
    table: Table, spec: InputSpec, stages: Sequence[str], alone: bool, faults: Faults
) -> Layout:
    """Find the standard columns of a table.

    Parameters
    ----------
    table : Table
    spec : InputSpec
        Its ``columns`` rename; ``values`` may name standard columns alone.
    stages : sequence of str
        Those of the funnel: columns of the wide form.
    alone : bool
        The plan has this input only, so that a wide table must hold every stage.
    faults : Faults
        Receives missing and ambiguous columns.
    """
    wide = spec.form == "wide"
    closed = tuple(CLOSED_WITHOUT + stage for stage in stages[1:])
    standard = (*WIDE_KEYS, *WIDE_OPTIONAL, *stages, *closed) if wide else (*LONG_COLUMNS, *LONG_OPTIONAL)
    at: dict[str, int] = {}
    theirs: dict[str, str] = {}
    for name, column in spec.columns.items():
        if name not in standard:
            faults.add(
                Problem(
                    f"columns names no standard column of the {spec.form} form",
                    f"plan, input {spec.name}",
                    repr(name),
                    do=did_you_mean(name, standard),
                )
            )
        elif column not in table.columns:
            faults.add(
                Problem(
                    f"missing column {column!r}, given for {name}",
                    table.name,
                    do=did_you_mean(column, table.columns),
                )
            )
            theirs[name] = column
        else:
            at[name], theirs[name] = table.columns.index(column), column
    for name in spec.values:
        if name not in standard:
            faults.add(
                Problem(
                    f"values names no standard column of the {spec.form} form",
                    f"plan, input {spec.name}",
                    repr(name),
                    do=did_you_mean(name, standard),
                )
            )
    taken = set(theirs.values())
    for name in standard:
        if name not in theirs and name in table.columns and name not in taken:
            at[name], theirs[name] = table.columns.index(name), name
    for name in spec.values:
        if name in standard and name not in theirs:
            faults.add(
                Problem(
                    "values for a column that is not there",
                    f"plan, input {spec.name}",
                    repr(name),
                    do=f"say in columns which one holds {name}, or remove values.{name}",
                )
            )
    unread = {
        column: position
        for position, column in enumerate(table.columns)
        if position not in at.values() and column not in standard
    }
    shadowed = [c for p, c in enumerate(table.columns) if p not in at.values() and c in standard]
    for column in shadowed:
        faults.add(
            Problem(
                f"two columns for {column}",
                table.name,
                f"{theirs[column]!r} and {column!r}",
                "one",
                "rename or delete one of them",
            )
        )
    _missing(table, spec, theirs, unread, stages, alone, faults)
    return Layout(at, theirs, unread)


def _missing(
    table: Table,
    spec: InputSpec,
    theirs: Mapping[str, str],
    unread: Mapping[str, int],
    stages: Sequence[str],
    alone: bool,
    faults: Faults,
) -> None:
    """Report needed columns that are absent, and optional ones that look misspelt."""
    if spec.form == "wide":
        present = [stage for stage in stages if stage in theirs]
        needed = {"period", *(stages if alone or not present else ())}
        standard: Sequence[str] = (*WIDE_KEYS, *WIDE_OPTIONAL, *stages)
        keep = "it may be empty where nothing is reported"
    else:
        needed = set(LONG_NEEDED)
        needed |= {name for name in ("origin", "clock") if getattr(spec, name) is None}
        standard = (*LONG_COLUMNS, *LONG_OPTIONAL)
        keep = ""
    for name in standard:
        if name in theirs:
            continue
        near = get_close_matches(name.casefold(), [c.casefold() for c in unread], n=1, cutoff=SIMILAR)
        actual = next((c for c in unread if near and c.casefold() == near[0]), None)
        if name not in needed and actual is None:
            continue
        if actual is not None:
            advice = f'did you mean {actual!r}? then set columns = {{{name} = "{actual}"}}'
        elif name in ("origin", "clock"):
            advice = f"add it, or set {name} for this input in the plan"
        else:
            advice = f'add it, or name yours: columns = {{{name} = "…"}}; {keep}'.rstrip("; ")
        faults.add(
            Problem(f"missing column {name!r}", table.name, "columns " + _listed(table.columns), do=advice)
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:15]) + (", …" if len(names) > 15 else "")
