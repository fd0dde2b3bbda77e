"""This release: its verdict, what is withheld, and how the numbers of the last one were revised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from ...data.names import REVISION_PARTS
from ..document import Block, Paragraph, Section, Table
from ..front import name_of
from ..numbers import NONE, Scale, count, decimals, estimate, factor_of, known, plural
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View
from ..wording import say

order = 5
title = "This release"
REVISIONS: Final = "revisions"
TITLES: Final = {
    "corrected": "Corrected",
    "matured": "Matured",
    "arrived": "Arrived",
    "model": "Model",
}


def build(view: View) -> Section | None:
    """Nothing outside releases."""
    if not view.run.release:
        return None
    blocks: list[Block] = list(said(view, SENTENCES))
    for one in view.run.release["accepted"]:
        blocks.append(
            Paragraph(
                say("Published although the check {name} failed: {reason}").format(
                    name=one["name"], reason=one["reason"]
                ),
                tone="warning",
            )
        )
    if view.run.release["claims_changed"]:
        changed = pd.DataFrame(view.run.release["claims_changed"])
        show = {"change": left("Change", text), "before": left("Before", text), "after": left("Now", text)}
        blocks.append(printed("claims-changed", "Claims that changed", changed, show, most=40))
    table = _revisions(view)
    return Section("section-release", title, (*blocks, *([table] if table is not None else [])))


def _revisions(view: View) -> Table | None:
    """Revisions of the rates in the front table, with their parts."""
    every = view.run.revisions
    if every is None:
        return None
    rows = every[every["quantity_id"].isin(view.rates("offense")["quantity_id"])].reset_index(drop=True)
    scales = [view.step[step].scale for step in rows["step"]]
    for name in ("revision", *REVISION_PARTS):
        rows[f"{name}_shown"] = [
            _points(value, scale == "percent") for value, scale in zip(rows[name], scales, strict=True)
        ]
    for name in ("old", "new"):
        rows[f"{name}_shown"] = [
            estimate(value, scale, decimals([value], factor_of(scale)))
            for value, scale in zip(rows[name], scales, strict=True)
        ]
    show = {
        "step": left("Step", lambda step: view.step[step].title),
        "offense": left("Offense", lambda offense: name_of(view, offense)),
        "old_shown": right("Before", text),
        "new_shown": right("Now", text),
        "revision_shown": right("Revision", text),
        **{f"{part}_shown": right(TITLES[part], text) for part in REVISION_PARTS},
        "outside": left("Outside its 90 % interval", lambda hit: "yes" if hit is True else ""),
    }
    rows["outside"] = rows["outside"].astype(object).where(rows["outside"].notna(), None)
    note = (
        "Revision: percentage points, or outcomes per unit for a ratio. Corrected: numbers corrected or withdrawn. "
        "Matured: outcomes of the same cohorts counted later. Arrived: numbers not known before. Model: the plan or "
        "the program. In the order of the sentence above; another order would give other parts.",
    )
    return printed(REVISIONS, "Revisions since the last release", rows, show, note)


def _points(value: float, percent: bool) -> str:
    scale: Scale = "points" if percent else "each change"
    return estimate(value, scale, decimals([value], factor_of(scale))) if known(value) else NONE


def _verdict(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    found = view.run.release
    yield {
        "as_of": found["as_of"],
        "published": plural(found["published"], "number"),
        "withheld": count(found["withheld"]),
        "claims": plural(found["claims"], "claim"),
    }


def _withheld(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    found = view.run.release
    if found["withheld"] > threshold:
        names = ", ".join(one["name"] for one in found["failed"])
        yield {
            "n": plural(found["withheld"], "number is", "numbers are"),
            "names": names,
            "link": "#section-diagnostics",
        }


def _since(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    found, before = view.run.release["revisions"], view.run.release["previous"]
    if found is None:
        return
    order = "; then ".join(link["sentence"] for link in found["links"])
    how = say("in this order: {order}").format(order=order) if order else say("none: nothing was news")
    if found["unsplit"]:
        how = say("not told apart: {unsplit}").format(unsplit=found["unsplit"])
    yield {
        "before": before,
        "n": plural(found["numbers"], "number"),
        "had": count(found["with_interval"]),
        "outside": count(found["outside"]),
        "how": how,
        "link": f"#{REVISIONS}",
    }


SENTENCES = (
    Sentence(
        "verdict",
        "Known on {as_of}: {published} published, {withheld} withheld, {claims} that may be said.",
        _verdict,
    ),
    Sentence(
        "withheld numbers",
        "{n} withheld because these checks failed: {names}. Their bounds stay.",
        _withheld,
        link_text="the checks",
    ),
    Sentence(
        "revisions",
        "Since the release of {before}: {n} published in both; of the {had} that had a 90 % interval {outside} lie "
        "outside it. Causes, {how}.",
        _since,
        link_text="the revisions",
    ),
)
