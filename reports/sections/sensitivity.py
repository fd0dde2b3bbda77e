"""Sensitivity: what each scenario of the plan moves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd

from ...data.names import REEVALUATED, REWEIGHTED
from ..document import Block, Section, Table, attempt
from ..figures.tornado import draw
from ..front import name_of
from ..numbers import NONE, count, known, number, plural
from ..printed import left, printed, right, text
from ..scenarios import by_row, compared, relabeled
from ..sentences import Sentence, said
from ..view import View

order = 95
title = "Sensitivity"
TABLE: Final = "sensitivity"


def build(view: View) -> Section | None:
    """The scenarios with their reasons, the tornado and the table behind it, and the labels that changed."""
    if not view.run.scenarios:
        return None
    blocks: list[Block] = [_scenarios(view), *said(view, SENTENCES)]
    table = _table(view)
    blocks += attempt("the tornado", lambda: draw(view, by_row(view), table) if len(by_row(view)) else None)
    blocks.append(table)
    changed = relabeled(view)
    if len(changed):
        show = {
            "scenario": left("Scenario", text),
            "step": left("Step", lambda s: view.step[s].title),
            "offense": left("Offense", lambda o: name_of(view, o)),
            "base_label": left("Label as published", text),
            "label": left("Label in the scenario", text),
        }
        blocks.append(printed("relabeled", "Labels that a scenario changes", changed, show, most=40))
    return Section("section-sensitivity", title, tuple(blocks))


def _scenarios(view: View) -> Table:
    data = pd.DataFrame(view.run.scenarios)
    rows = compared(view)
    rows = rows[rows["moved"].astype(bool)]
    far = rows["shift"].abs().groupby(rows["scenario"]).max()
    changed = relabeled(view)["scenario"].value_counts() if len(rows) else pd.Series(dtype=int)
    data["largest_shift"] = data["name"].map(far)
    data["labels_changed"] = data["name"].map(changed).fillna(0).astype(int)
    data["changes"] = [_set(changes) for changes in data["set"]]
    data["answered"] = [_route(entry) for entry in view.run.scenarios]
    data["flips"] = [len(entry.get("claims_changed", ())) for entry in view.run.scenarios]
    show = {
        "name": left("Scenario", text),
        "reason": left("Why it was tried", text),
        "changes": left("What it changes in the plan", text),
        "status": left("Fit", text),
        "answered": left("Answered by", text),
        "largest_shift": right("Largest shift, sd", lambda v: number(v, 2)),
        "labels_changed": right("Labels changed", count),
        "flips": right("Statements that flip", count),
    }
    hidden = ["set", "claims_changed", "route", "why", "khat", "ess"]
    return printed("scenarios", "Scenarios", data.drop(columns=hidden, errors="ignore"), show)


def _route(entry: Mapping[str, Any]) -> str:
    """How a scenario was answered."""
    if entry.get("route") == REWEIGHTED:
        return f"the draws of this run, weighed (k-hat {number(entry['khat'], 2)})"
    if entry.get("route") == REEVALUATED:
        return "the draws of this run, evaluated again"
    return "a fit of its own" + (f": {entry['why']}" if entry.get("why") else "")


def _set(changes: Mapping[str, Any]) -> str:
    return "; ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in changes.items())


def _table(view: View) -> Table:
    rows = compared(view)
    rows = rows[rows["moved"].astype(bool)].reset_index(drop=True)
    show = {
        "scenario": left("Scenario", text),
        "step": left("Step", lambda s: view.step[s].title),
        "offense": left("Offense", lambda o: name_of(view, o)),
        "base": right("As published", _figure),
        "value": right("In the scenario", _figure),
        "shift": right("Shift, sd", lambda v: number(v, 2, signed=True)),
        "label": left("Label", text),
    }
    notes = ("Medians; per cent steps as shares of one. Shift: on the logit, or the log of a ratio.",)
    return printed(TABLE, "Every shift of the first table", rows, show, notes, folded=True)


def _figure(value: float) -> str:
    return f"{value:.3g}" if known(value) else NONE


def _furthest(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """For each step of the whole, the scenario that moves it furthest."""
    wide = by_row(view)
    for (step, offense), row in wide.iterrows():
        if offense != view.answer["offense"] or row.abs().max() < threshold:
            continue
        name = row.abs().idxmax()
        yield {
            "step": view.step[str(step)].title,
            "name": str(name),
            "shift": number(row[name], 2, signed=True),
            "n": plural(int(row.notna().sum()), "scenario"),
            "link": f"#{TABLE}",
        }


def _stable(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    wide = by_row(view)
    if not len(wide):
        return
    far = wide.abs().max(axis=1)
    yield {
        "n": plural(len(far), "number"),
        "held": count(int((far <= threshold).sum())),
        "sd": number(threshold, 0),
        "most": number(float(far.max()), 1),
        "link": f"#{TABLE}",
    }


def _relabeled(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = relabeled(view)
    if len(rows) > threshold:
        yield {
            "n": plural(len(rows), "label"),
            "k": plural(rows["scenario"].nunique(), "scenario"),
            "link": "#relabeled",
        }


def _flips(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """How many published statements no scenario takes back, or which do."""
    published = {claim["key"] for claim in view.run.claims if claim["holds"]}
    taken = {
        change["key"]: entry["name"]
        for entry in view.run.scenarios
        for change in entry.get("claims_changed", ())
        if change["key"] in published
    }
    if published:
        yield {
            "n": plural(len(published), "statement"),
            "held": count(len(published - set(taken))),
            "names": f" ({', '.join(dict.fromkeys(taken.values()))})" if taken else "",
            "link": "#scenarios",
        }


def _unfit(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    bad = [s["name"] for s in view.run.scenarios if s.get("status") != "complete"]
    if len(bad) > threshold:
        yield {"n": plural(len(bad), "scenario"), "names": ", ".join(bad), "link": "#scenarios"}


SENTENCES = (
    Sentence(
        "held numbers",
        "Of the {n} of the first table {held} move by at most {sd} posterior sd in every scenario; the largest shift "
        "is {most} sd.",
        _stable,
        1.0,
        link_text="every shift",
    ),
    Sentence(
        "furthest scenario",
        "{step}, the whole: of {n}, “{name}” moves it furthest, by {shift} sd.",
        _furthest,
        0.05,
        link_text="every shift",
    ),
    Sentence(
        "changed labels",
        "{n} of the first table would be another in {k}.",
        _relabeled,
        link_text="the list",
    ),
    Sentence(
        "statements that hold",
        "Of the {n} of this report {held} hold in every scenario{names}.",
        _flips,
        link_text="the scenarios",
    ),
    Sentence(
        "scenarios not fit",
        "The sampler did not reach its diagnostics in {n} ({names}): no number of theirs is fit for use.",
        _unfit,
        link_text="the scenarios",
    ),
)
