"""By jurisdiction: the strongest evidence, raw against pooled, in tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import pandas as pd

from ..companions import WITHHELD, companions, labeled, withheld
from ..document import Block, Section, Table, attempt
from ..figures.jurisdictions import TIERS, draw, tiers
from ..nodes import made
from ..numbers import NONE, Scale, count, decimals, estimate, factor_of, interval
from ..pairs import CLOCKS, ORIGINS
from ..printed import left, printed, right, text
from ..ranks import ordered, ranking, ranks_table, width
from ..sentences import Sentence, said
from ..steps import StepView
from ..view import View
from ..wording import say

order = 40
title = "By jurisdiction"
TABLE = "jurisdictions"
EVIDENCE = "evidence"
MOST = 30


def build(view: View) -> Section | None:
    """Tiers, a dumbbell figure a step, and every jurisdiction with its companions."""
    inside = [n for n in view.axes["jurisdiction"].by_name if n not in _outside(view)]
    if not inside:
        return None
    blocks: list[Block] = [
        *said(view, SENTENCES),
        *attempt("the strongest evidence", lambda: _evidence(view)),
    ]
    for step in view.steps:
        rows = compared(view, step)
        if rows["raw"].notna().any():
            blocks += attempt(
                say("the figure of {title} by jurisdiction").format(title=step.title),
                partial(_figure, view, step, rows),
            )
    for step in view.steps:
        order_of = ranking(view, step)
        if ordered(order_of):
            blocks.append(ranks_table(step, order_of))
    heading = say("By jurisdiction: {label}").format(label=view.label("offense", view.answer["offense"]))
    blocks.append(companions(view, TABLE, heading, "jurisdiction", inside))
    return Section("section-jurisdictions", title, tuple(blocks))


def compared(view: View, step: StepView) -> pd.DataFrame:
    """Rows of one step with raw counts and tier; empty where the whole is not published."""
    rows = view.rates("jurisdiction")
    rows = rows[rows["step"] == step.name]
    whole = rows[rows["jurisdiction"] == view.answer["jurisdiction"]]
    rows = rows[~rows["jurisdiction"].isin(_outside(view))]
    if not len(whole) or withheld(whole.iloc[0].to_dict()):
        absent = ("numerator", "denominator", "raw", "origin", "clock", "tier", "place")
        return rows.head(0).assign(**{name: [] for name in absent})
    raw = view.observed.raw(step.source, step.target, "jurisdiction").set_index("node")
    pairs = view.raw_pairs
    pairs = pairs[pairs["step"] == step.name].groupby("jurisdiction", sort=False)
    # Places with parts are no leaves of the tree: their own statements speak for them.
    columns = ["numerator", "denominator", "raw"]
    raw = raw[columns].combine_first(pairs[columns].first())
    rows = rows.join(raw, on="jurisdiction")
    for name in ("origin", "clock"):
        told = pairs[name].agg(lambda values: ", ".join(dict.fromkeys(values)))
        rows[name] = [told.get(place, "") for place in rows["jurisdiction"]]
    place = [view.label("jurisdiction", name) for name in rows["jurisdiction"]]
    return rows.assign(tier=tiers(rows, float(whole["median"].iloc[0])), place=place)


def _outside(view: View) -> set[str]:
    answer = view.answer["jurisdiction"]
    axis = view.axes["jurisdiction"]
    below = {n for n in axis.by_name if answer in axis.ancestors(n)}
    return set(axis.by_name) - {name for name in below if not made(name)}


def strongest(view: View) -> pd.DataFrame:
    """Raw ratios beside the pooled ones, places with the strongest evidence first.

    Columns of ``raw_pairs`` with place, median, q05, q95, label, contraction, contraction_own and ``evidence``: the
    smaller of the two contractions, which orders the rows. Remainders are no places and have no row.
    """
    pairs = view.raw_pairs
    pairs = pairs[~pairs["jurisdiction"].map(made).astype(bool)]
    rows = view.rates("jurisdiction")
    shown = [not withheld(row) for row in rows.to_dict("records")]
    rows = rows.assign(label=rows["label"].where(shown, WITHHELD))
    kept = ["median", "q05", "q95", "label", "contraction", "contraction_own"]
    joined = pairs.merge(rows[["step", "jurisdiction", *kept]], how="inner", on=["step", "jurisdiction"])
    evidence = joined[["contraction", "contraction_own"]].min(axis=1).fillna(0.0)
    joined = joined.assign(
        evidence=evidence, place=[view.label("jurisdiction", j) for j in joined["jurisdiction"]]
    )
    order = ["evidence", "denominator", "place"]
    return joined.sort_values(order, ascending=[False, False, True], kind="stable").reset_index(drop=True)


def _evidence(view: View) -> Table | None:
    """The places with the strongest evidence: raw ratios of the pairs of stages they publish, beside pooled."""
    rows = strongest(view)
    rows = rows[~rows["jurisdiction"].isin(_outside(view))].reset_index(drop=True)
    if not len(rows):
        return None
    scales = {step.name: step.scale for step in view.steps}
    rows = rows.assign(
        interval=[
            _interval(row["q05"], row["q95"], scales[row["step"]]) if row["label"] != WITHHELD else NONE
            for row in rows.to_dict("records")
        ],
        shown=[_rate(r, scales[s]) for r, s in zip(rows["raw"], rows["step"], strict=True)],
        pooled=[_rate(m, scales[s]) for m, s in zip(rows["median"], rows["step"], strict=True)],
    )
    show = {
        "place": left("Jurisdiction", text),
        "step": left("Pair of stages", lambda s: view.step[s].title),
        "origin": left("Outcomes from", lambda o: _told(o, ORIGINS)),
        "clock": left("Clock", lambda c: _told(c, CLOCKS)),
        "numerator": right("Outcomes", count),
        "denominator": right("Of", count),
        "periods": right("Periods", count),
        "shown": right("Raw", text),
        "pooled": right("Pooled", text),
        "interval": right("90 % interval", text),
        "label": left("Basis", labeled),
    }
    note = (
        "Ordered by how far the data narrowed the place's own number. Raw: outcomes divided by what came in, of the "
        "same periods, as stated; all sources: the outcomes also hold cases that began otherwise, so the raw ratio "
        "overstates what referrals led to. Pooled: the referrals' own rate, as estimated.",
    )
    return printed(EVIDENCE, "The places with the strongest evidence", rows, show, note, most=MOST)


def _figure(view: View, step: StepView, rows: pd.DataFrame) -> Block | None:
    if not (rows["tier"] != TIERS[3]).any():
        return None
    every = view.rates("jurisdiction")
    whole = every[(every["step"] == step.name) & (every["jurisdiction"] == view.answer["jurisdiction"])]
    return draw(view, step, rows, whole.iloc[0].to_dict(), _table(step, rows))


def _table(step: StepView, rows: pd.DataFrame) -> Table:
    data = rows[
        [
            "place",
            "tier",
            "numerator",
            "denominator",
            "raw",
            "origin",
            "clock",
            "median",
            "q05",
            "q95",
            "label",
            "jurisdiction",
        ]
    ].sort_values(["tier", "place"], key=lambda c: c.map(TIERS.index) if c.name == "tier" else c)
    ends = zip(data["q05"], data["q95"], strict=True)
    data = data.assign(interval=[_interval(a, b, step.scale) for a, b in ends])
    rate = partial(_rate, scale=step.scale)

    return printed(
        f"raw-{step.name}",
        say("{title}: raw and pooled").format(title=step.title),
        data,
        {
            "place": left("Jurisdiction", text),
            "tier": left("Tier", text),
            "numerator": right("Outcomes", count),
            "denominator": right("Of", count),
            "raw": right("Raw", rate),
            "origin": left("Outcomes from", lambda o: _told(o, ORIGINS)),
            "clock": left("Clock", lambda c: _told(c, CLOCKS)),
            "median": right("Pooled", rate),
            "interval": right("90 % interval", text),
            "label": left("Basis", text),
        },
        (say("Bounds, contraction and sources: table “{id}”.").format(id=TABLE),),
    )


def _interval(low: float, high: float, scale: Scale) -> str:
    return interval(low, high, scale, decimals([low, high], factor_of(scale))) if pd.notna(low) else NONE


def _rate(value: float, scale: Scale) -> str:
    return estimate(value, scale, decimals([value, value], factor_of(scale)))


def _told(names: str, known: Mapping[str, str]) -> str:
    return ", ".join(known.get(name, name) for name in names.split(", "))


def _tiers(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    for step in view.steps:
        rows = compared(view, step)
        if len(rows) <= threshold:
            continue
        counts = rows["tier"].value_counts()
        words = [f"{count(counts[tier])} {say(tier)}" for tier in TIERS if counts.get(tier, 0)]
        yield {"step": step.title, "n": count(len(rows)), "said": ", ".join(words), "link": f"#{TABLE}"}


def _ranks(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """Whether the draws know the order of the places."""
    for step in view.steps:
        rows = ranking(view, step)
        if not len(rows):
            continue
        verdict = (
            "that is a third or fewer, so their order is printed"
            if ordered(rows)
            else "that is more than a third, so there are tiers and no order"
        )
        link = f"#ranks-{step.name}" if ordered(rows) else f"#{TABLE}"
        yield {
            "step": step.title,
            "width": count(width(rows)),
            "n": count(len(rows)),
            "verdict": verdict,
            "link": link,
        }


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
        "ranks",
        "{step}: the 90 % interval of a place's rank holds {width} of {n} ranks (median over places); {verdict}.",
        _ranks,
    ),
    Sentence(
        "shrinkage",
        "{step}: in the {n} jurisdictions with raw rates these run from {raw}; the pooled medians from "
        "{pooled}.",
        _shrinkage,
        3,
    ),
)
