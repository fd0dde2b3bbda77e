"""The front table: every offense of the tree by every step, with what may be said of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from ..data.names import AXES, CONFIDENTIAL, ESTIMATE_COLUMNS, ROOT
from .companions import (
    MIXED,
    PERIOD_RATIO,
    UNFIT,
    WITHHELD,
    anchor,
    bounds,
    labeled,
    withheld,
)
from .document import Cell, Column, Row, Table
from .mix import short, stated
from .numbers import decimals, estimate, factor_of, interval
from .steps import StepView, words
from .view import View
from .wording import say

FRONT: Final = "front"
UNKNOWN: Final = "not estimable from published data"
EMPTY: Final[dict[str, Any]] = {
    "basis": "superpopulation",
    "label": WITHHELD,
    "statements": 0,
    "bound_basis": "",
}


def offenses(view: View) -> dict[str, int]:
    """Every offense of the tree with its depth; those finer than the model's own tree last."""
    axis = view.axes["offense"]
    out = {name: axis.depth(name) for name in view.shown("offense")}
    return out | {name: 1 for name in finer(view) if name not in out}


def finer(view: View) -> list[str]:
    """Offenses finer than any published denominator."""
    return [str(name) for name in view.run.blueprint.get("finer") or []]


def name_of(view: View, offense: str) -> str:
    """An offense as people read it."""
    label = view.label("offense", offense)
    return (
        words(label).capitalize()
        if label == offense and offense not in view.axes["offense"].by_name
        else label
    )


def grid(view: View) -> pd.DataFrame:
    """The front rows: one for every offense and step, whether it is estimated or not.

    Columns of the estimates, with ``why`` (why it shows no number; empty when it does).
    """
    rows = view.rates("offense")
    names = offenses(view)
    index = pd.MultiIndex.from_product([names, view.step], names=["offense", "step"])
    full = rows.set_index(["offense", "step"]).reindex(index).reset_index()
    absent = full["quantity_id"].isna()
    for column, value in (EMPTY | {a: view.answer[a] for a in AXES[1:]}).items():
        full[column] = full[column].where(~absent, value)
    full["statements"] = full["statements"].astype(int)
    full["bound_low"] = full["bound_low"].astype(float).where(~absent, 0.0)
    beyond = [1.0 if view.step[s].kind == "probability" else float("inf") for s in full["step"]]
    full["bound_high"] = full["bound_high"].astype(float).where(~absent, pd.Series(beyond))
    for column in ("quantity_id", "quantity", "clock", "as_of"):
        full[column] = full[column].astype(object).where(~absent, "")
    full["why"] = [withheld(row) for row in full.to_dict("records")]
    return full


def front_table(view: View) -> Table:
    """The table, its CSV and its JSON."""
    rows = grid(view)
    by = {(row["offense"], row["step"]): row for row in rows.to_dict("records")}
    printed = []
    for offense, depth in offenses(view).items():
        mine = {step.name: by[offense, step.name] for step in view.steps}
        mixed = any(row["bound_basis"] == MIXED for row in mine.values())
        head = Cell(name_of(view, offense), more=(short(view),) if mixed else ())
        cells = [_cell(step, mine[step.name]) for step in view.steps]
        printed.append(Row((head, *joined(cells)), anchor(FRONT, "", offense), depth))
    columns = (Column("Offense"), *(Column(_heading(step)) for step in view.steps))
    data = rows[[*ESTIMATE_COLUMNS, "why"]]
    title = say("Of the {stages}s, how many lead on: {place}").format(
        stages=words(view.stages[0]), place=view.place
    )
    notes = ["* Bounds over the data and the stated mix of the unknown denominators."] if any(
        row["bound_basis"] == MIXED for row in by.values()
    ) else []  # fmt: skip
    if view.run.unfit:
        notes.append(UNFIT)
    return Table(
        FRONT, title, columns, tuple(printed), data, tuple(notes), form="matrix", nested=_nested(view, by)
    )


def joined(cells: list[Cell]) -> list[Cell]:
    """One cell over all steps where they say the same, as where nothing is estimable."""
    return [replace(cells[0], span=len(cells))] if len(cells) > 1 and len(set(cells)) == 1 else cells


def row_link(offense: str) -> str:
    """Link to an offense's row of the table."""
    return "#" + anchor(FRONT, "", offense)


def _heading(step: StepView) -> str:
    return (
        say("{title} (end to end)").format(title=step.title)
        if step.whole and step.target - step.source > 1
        else step.title
    )


def _named(step: StepView, row: Mapping[str, Any]) -> str:
    """What a number of this row is called."""
    unit = say(" per {unit}").format(unit=step.unit) if step.scale == "each" else ""
    if row["clock"] == "period":
        return say(PERIOD_RATIO) + ("," if unit else "") + unit
    return say("rate") if step.scale == "percent" else say("outcomes") + unit


def _cell(step: StepView, row: Mapping[str, Any]) -> Cell:
    badge = labeled(str(row["label"]))
    limits = say("data alone: {row}").format(row=bounds(row, step.scale))
    if row["why"]:
        # What is held back is known, and why it is not said has its own words.
        held = row["label"] == CONFIDENTIAL or bool(_failed(row))
        hidden = row["why"] if held else UNKNOWN
        return Cell(hidden, tone="muted", more=(limits,), badge=badge)
    places = decimals([row["q05"], row["q95"]], factor_of(step.scale))
    more = [f"90 %: {interval(row['q05'], row['q95'], step.scale, places)}", _named(step, row)]
    weak = row["label"] == "prior-driven"
    if weak:
        more.append(limits)
    value = estimate(row["median"], step.scale, places)
    return Cell(value, tone="muted" if weak else "strong", more=tuple(more), badge=badge)


def _failed(row: Mapping[str, Any]) -> str:
    """Names of the failed checks that withhold a number."""
    failed = row.get("failed")
    return failed if isinstance(failed, str) else ""


def _nested(view: View, by: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, Any]:
    axis = view.axes["offense"]
    values = (
        "median",
        "q05",
        "q25",
        "q75",
        "q95",
        "contraction",
        "contraction_own",
        "bound_low",
        "bound_high",
    )
    out = []
    for offense, depth in offenses(view).items():
        cells = []
        for step in view.steps:
            row = by[offense, step.name]
            number = {name: row[name] for name in values}
            if row["why"]:
                number |= dict.fromkeys(values[:5])
            cells.append(
                {
                    "step": step.name,
                    "quantity_id": row["quantity_id"] or None,
                    "estimable": not row["why"],
                    "why_not": row["why"],
                    "name": _named(step, row),
                    "clock": row["clock"],
                    "label": row["label"],
                    **number,
                    "no_upper_limit": row["bound_high"] == float("inf"),
                    "bound_basis": row["bound_basis"],
                    "statements": row["statements"],
                }
            )
        node = axis.by_name.get(offense)
        parent = node.parent if node else ROOT
        line = {"offense": offense, "label": name_of(view, offense), "parent": parent, "depth": depth}
        out.append(line | {"finer_than_any_denominator": offense in finer(view), "cells": cells})
    steps = [
        {"name": s.name, "title": s.title, "kind": s.kind, "per": s.unit, "end_to_end": s.whole}
        for s in view.steps
    ]
    mix = stated(view)
    kept = {k: mix.get(k) for k in ("stage", "jurisdiction", "factor", "shared", "sources")} if mix else None
    return {
        "format": 1,
        "run": view.run.identity,
        "name": view.run.name,
        "status": view.run.status,
        "answer": {axis: view.answer[axis] for axis in AXES[1:]},
        "interval": "q05 to q95 hold 90 %",
        "steps": steps,
        "mix": kept,
        "rows": out,
    }
