"""One number explained: what was recorded, what the data alone say, what the model adds, who informed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ..data.errors import InputError, Problem, did_you_mean
from ..data.names import AXES, ROOT
from .console import columns
from .findings import basis_name, bounds, counted, interval, number, records

if TYPE_CHECKING:
    from ..estimation.store.runs import Run

SHOWN_STATEMENTS = 20


def parse_cell(text: str, run: Run) -> dict[str, str]:
    """``offense=…,jurisdiction=…,period=…`` as a node of each axis; an axis not named is ``all``.

    Raises
    ------
    InputError
        With every axis or node this run does not have, and every axis named twice.
    """
    cell = dict.fromkeys(AXES, ROOT)
    named: dict[str, str] = {}
    problems = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        axis, _, node = (piece.strip() for piece in part.partition("="))
        if axis not in AXES:
            problems.append(
                Problem("unknown axis", "--cell", repr(axis), ", ".join(AXES), did_you_mean(axis, AXES))
            )
            continue
        if axis in named:
            found = f"{axis}={named[axis]} and {axis}={node}"
            problems.append(Problem("an axis is named twice", "--cell", found, f"one {axis}", "name one"))
        named[axis] = node
        known = [entry["name"] for entry in run.blueprint["axes"][axis]]
        if node not in known:
            problems.append(Problem(f"unknown {axis}", "--cell", repr(node), "", did_you_mean(node, known)))
        cell[axis] = node
    if problems:
        raise InputError(problems)
    return cell


def explain(run: Run, text: str) -> dict[str, Any]:
    """Every rate of one cell or node with its statements and its informants, as plain values.

    Parameters
    ----------
    run : Run
    text : str
        ``offense=…,jurisdiction=…,period=…``.
    """
    cell = parse_cell(text, run)
    family = {axis: _family(run, axis, node) for axis, node in cell.items()}
    statements = [one for one in run.intake["statements"] if all(one[axis] in family[axis] for axis in AXES)]
    table = run.estimates
    rows = table[table["quantity"].isin(["rate", "end_to_end"])]
    for axis, node in cell.items():
        rows = rows[rows[axis] == node]
    # With two stages the only step is also the whole way: one row says it.
    rows = rows.drop_duplicates(["step", "basis"])
    rates = []
    for row in records(rows):
        shares = run.information[run.information["quantity_id"] == row["quantity_id"]]
        raw = _raw(row["step"], cell, statements) or _counted(row)
        rates.append({**row, "raw": raw, "informed_by": _informants(shares)})
    return {"run": run.identity, "cell": cell, "statements": statements, "rates": rates}


def explanation_text(explained: dict[str, Any]) -> str:
    """The explanation in words."""
    place = ", ".join(f"{axis} {node}" for axis, node in explained["cell"].items())
    lines = [f"{place} (run {explained['run']})", "", "Statements"]
    statements = explained["statements"]
    if statements:
        shown = [
            (one["stage"], _place(one), _value(one), one["source_id"], _where(one), one["status"])
            for one in statements[:SHOWN_STATEMENTS]
        ]
        header = ("stage", "of", "count", "source", "where", "status")
        lines += ["  " + line for line in columns(shown, header).splitlines()]
    else:
        lines.append("  none: no recorded number speaks of this cell or of a sum that holds it")
    if len(statements) > SHOWN_STATEMENTS:
        lines.append(f"  and {len(statements) - SHOWN_STATEMENTS} more")
    for row in explained["rates"]:
        lines += ["", f"{row['step']}: {basis_name(row['basis'])}{_clock(row)}", *_rate_lines(row)]
    if not explained["rates"]:
        lines += ["", "No rate of this node was computed: no published denominator speaks of it."]
    return "\n".join(lines)


def _rate_lines(row: dict[str, Any]) -> list[str]:
    middle, within = interval(row)
    own = row["contraction_own"]
    pairs = [
        ("raw", row["raw"] or "not known: no exact counts of both stages"),
        ("pooled", f"{middle}, 90 % interval {within}" if middle else "not published"),
        ("bounds", bounds(row) or "none"),
        ("label", str(row["label"])),
        ("weight on own data", f"{own:.0%}" if own is not None else ""),
        ("contraction", number(row["contraction"])),
        *((f"informed by {by}", shares) for by, shares in row["informed_by"].items()),
    ]
    return ["  " + line for line in columns([pair for pair in pairs if pair[1]]).splitlines()]


def _family(run: Run, axis: str, node: str) -> set[str]:
    """A node, every node above it and every node below it."""
    parents = {entry["name"]: entry["parent"] for entry in run.blueprint["axes"][axis]}

    def line(name: str) -> list[str]:
        return [name, *(line(parents[name]) if parents[name] is not None else [])]

    return {*line(node), *(name for name in parents if node in line(name))}


def _raw(step: str, cell: dict[str, str], statements: list[dict[str, Any]]) -> str:
    """Outcome over denominator where both are stated exactly for this very node."""
    exact = {
        one["stage"]: one["count"]
        for one in statements
        if one["relation"] == "exact"
        and one["status"] == "used"
        and all(one[axis] == cell[axis] for axis in AXES)
    }
    for source, below in exact.items():
        for target, above in exact.items():
            if f"{source}-{target}" == step and below:
                return f"{above:,.0f} of {below:,.0f} = {above / below:.4g}"
    return ""


def _counted(row: dict[str, Any]) -> str:
    """The same for a node all of whose cells are counted: the data leave one value."""
    rate, below = row["bound_low"], row.get("denominator_median")
    if rate is None or rate != row["bound_high"] or not below:
        return ""
    return f"{rate * below:,.0f} of {below:,.0f} = {rate:.4g}"


def _informants(shares: pd.DataFrame) -> dict[str, str]:
    """Who informed a number: shares by kind and by source, the largest first."""
    found = {}
    for by, group in shares.groupby("by"):
        largest = group.sort_values("share", ascending=False).head(6)
        named = zip(largest["name"], largest["share"], strict=True)
        found[str(by)] = ", ".join(f"{name} {share:.0%}" for name, share in named if share >= 0.005)
    return found


def _clock(row: dict[str, Any]) -> str:
    return " (same-period ratio)" if row["clock"] == "period" else ""


def _place(statement: dict[str, Any]) -> str:
    return " / ".join(str(statement[axis]) for axis in AXES)


def _where(statement: dict[str, Any]) -> str:
    return f"{statement['file']}, row {statement['row']}"


def _value(statement: dict[str, Any]) -> str:
    relation = "" if statement["relation"] == "exact" else statement["relation"].replace("_", " ") + " "
    return relation + counted(statement["count"], statement["low"], statement["high"])
