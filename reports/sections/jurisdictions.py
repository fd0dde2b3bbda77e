"""By jurisdiction: raw against pooled, in tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import pandas as pd

from ..companions import companions, withheld
from ..document import Block, Section, Table, attempt
from ..figures.jurisdictions import TIERS, draw, tiers
from ..numbers import NONE, Scale, count, decimals, estimate, factor_of, interval
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import StepView, View

order = 40
title = "By jurisdiction"
TABLE = "jurisdictions"


def build(view: View) -> Section | None:
    """Tiers, a dumbbell figure a step, and every jurisdiction with its companions."""
    inside = [n for n in view.axes["jurisdiction"].by_name if n not in _outside(view)]
    if not inside:
        return None
    blocks: list[Block] = list(said(view, SENTENCES))
    for step in view.steps:
        rows = compared(view, step)
        if len(rows):
            blocks += attempt(
                f"the figure of {step.title} by jurisdiction", partial(_figure, view, step, rows)
            )
    heading = f"By jurisdiction: {view.label('offense', view.answer['offense'])}"
    blocks.append(companions(view, TABLE, heading, "jurisdiction", inside))
    return Section("section-jurisdictions", title, tuple(blocks))


def compared(view: View, step: StepView) -> pd.DataFrame:
    """Rows of one step with raw counts and tier; empty where the whole is not published."""
    rows = view.rates("jurisdiction")
    rows = rows[rows["step"] == step.name]
    whole = rows[rows["jurisdiction"] == view.answer["jurisdiction"]]
    rows = rows[~rows["jurisdiction"].isin(_outside(view))]
    if not len(whole) or withheld(whole.iloc[0].to_dict()):
        return rows.head(0).assign(numerator=[], denominator=[], raw=[], tier=[], place=[])
    raw = view.observed.raw(step.source, step.target, "jurisdiction").set_index("node")
    rows = rows.join(raw, on="jurisdiction")
    place = [view.label("jurisdiction", name) for name in rows["jurisdiction"]]
    return rows.assign(tier=tiers(rows, float(whole["median"].iloc[0])), place=place)


def _outside(view: View) -> set[str]:
    answer = view.answer["jurisdiction"]
    axis = view.axes["jurisdiction"]
    below = {n for n in axis.by_name if answer in axis.ancestors(n)}
    return set(axis.by_name) - below


def _figure(view: View, step: StepView, rows: pd.DataFrame) -> Block | None:
    if not (rows["tier"] != TIERS[3]).any():
        return None
    every = view.rates("jurisdiction")
    whole = every[(every["step"] == step.name) & (every["jurisdiction"] == view.answer["jurisdiction"])]
    return draw(view, step, rows, whole.iloc[0].to_dict(), _table(step, rows))


def _table(step: StepView, rows: pd.DataFrame) -> Table:
    data = rows[
        ["place", "tier", "numerator", "denominator", "raw", "median", "q05", "q95", "label", "jurisdiction"]
    ].sort_values(["tier", "place"], key=lambda c: c.map(TIERS.index) if c.name == "tier" else c)
    data = data.assign(interval=_intervals(data, step.scale))

    def rate(value: float) -> str:
        return estimate(value, step.scale, decimals([value, value], factor_of(step.scale)))

    return printed(
        f"raw-{step.name}",
        f"{step.title}: raw and pooled",
        data,
        {
            "place": left("Jurisdiction", text),
            "tier": left("Tier", text),
            "numerator": right("Outcomes", count),
            "denominator": right("Of", count),
            "raw": right("Raw", rate),
            "median": right("Pooled", rate),
            "interval": right("90 % interval", text),
            "label": left("Basis", text),
        },
        (f"Bounds, contraction and sources: table “{TABLE}”.",),
    )


def _intervals(rows: pd.DataFrame, scale: Scale) -> list[str]:
    return [
        interval(a, b, scale, decimals([a, b], factor_of(scale))) if pd.notna(a) else NONE
        for a, b in zip(rows["q05"], rows["q95"], strict=True)
    ]


def _tiers(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    for step in view.steps:
        rows = compared(view, step)
        if len(rows) <= threshold:
            continue
        counts = rows["tier"].value_counts()
        words = [f"{count(counts[tier])} {tier}" for tier in TIERS if counts.get(tier, 0)]
        yield {"step": step.title, "n": count(len(rows)), "said": ", ".join(words), "link": f"#{TABLE}"}


def _shrinkage(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    for step in view.steps:
        rows = compared(view, step)
        rows = rows[rows["raw"].notna() & rows["median"].notna()]
        if len(rows) < threshold or step.scale != "percent":
            continue
        ends = [
            interval(rows[c].min(), rows[c].max(), "percent", decimals([rows[c].min(), rows[c].max()], 100))
            for c in ("raw", "median")
        ]
        yield {
            "step": step.title,
            "raw": ends[0],
            "pooled": ends[1],
            "n": count(len(rows)),
            "link": f"#{TABLE}",
        }


SENTENCES = (
    Sentence("tiers", "{step}: of {n} jurisdictions, {said}.", _tiers, 1),
    Sentence(
        "shrinkage",
        "{step}: in the {n} jurisdictions with raw rates these run from {raw}; the pooled medians from "
        "{pooled}.",
        _shrinkage,
        3,
    ),
)
