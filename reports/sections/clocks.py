"""Same-period ratios against cohort rates, and how far growing referrals set them apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from ..document import Block, Paragraph, Section
from ..front import FRONT
from ..growth import grain, growth
from ..numbers import count, number, plural
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..steps import words
from ..view import View
from ..wording import say

order = 14
title = "Same-period ratios and cohort rates"
TABLE: Final = "growth"
EXAMPLE: Final = 0.02


def build(view: View) -> Section | None:
    """What the two are, which numbers are which, and what a lag of one period would do; None without ratios."""
    rows = view.rates("offense")
    if not (rows["clock"] == "period").any():
        return None
    first, unit = words(view.stages[0]), grain(view)
    blocks: list[Block] = [
        Paragraph(
            say(
                "A cohort rate follows the {first}s of a period and asks how many of them led to an outcome, "
                "whenever it came. A same-period ratio divides the outcomes dated in a period by what came in "
                "during the same period. Where outcomes come late and {first}s grow, the ratio divides the "
                "outcomes of the fewer {first}s of before by the more numerous ones of now, and falls below the "
                "cohort rate; where they shrink, it rises above it."
            ).format(first=first)
        ),
        *said(view, SENTENCES),
    ]
    table = growth(view)
    if len(table):
        shown = table.assign(change=table["growth"] - 1)
        blocks.append(
            printed(
                TABLE,
                say("Growth of {first}s, same places in consecutive {unit}s").format(first=first, unit=unit),
                shown,
                {
                    "before": left("From", lambda p: view.label("period", p)),
                    "after": left("To", lambda p: view.label("period", p)),
                    "places": right("Places", count),
                    "count_before": right(say("{first}s before").format(first=first.capitalize()), count),
                    "count_after": right("and after", count),
                    "change": right("Growth", lambda v: f"{number(v * 100, 0, signed=True)} %"),
                    "ratio": right(
                        say("Ratio over cohort rate, at a lag of one {unit}").format(unit=unit),
                        lambda v: number(v, 2),
                    ),
                },
                (
                    say(
                        "Exact and approximate counts of all offenses together, as stated; a place inside another that "
                        "is counted too is left out. The last column: the same-period ratio divided by the cohort rate "
                        "if every outcome came one {unit} after its {first}, which is one over the growth."
                    ).format(unit=unit, first=first),
                ),
            )
        )
    blocks.append(_clocks(view))
    return Section("section-clocks", title, tuple(blocks))


def _clocks(view: View) -> Block:
    """How the statements used are dated."""
    used = view.used
    shifted = used["shifted"].astype("boolean").fillna(False).astype(bool)
    data = (
        pd.DataFrame(
            {"stage": used["stage"], "clock": used["clock"], "origin": used["origin"], "shifted": shifted}
        )
        .groupby(["stage", "clock", "origin"], sort=False)
        .agg(statements=("shifted", "size"), shifted=("shifted", "sum"))
        .reset_index()
    )
    place = {stage: i for i, stage in enumerate(view.stages)}
    data["place"] = data["stage"].map(place).fillna(-1)
    data = data.sort_values(["place", "clock", "origin"], kind="stable").drop(columns="place")
    show = {
        "stage": left("Stage", lambda s: words(str(s))),
        "clock": left("Dated by", lambda c: DATED.get(str(c), str(c))),
        "origin": left("Origin", lambda o: words(str(o))),
        "statements": right("Statements", count),
        "shifted": right("Of them not of a calendar year", count),
    }
    return printed("clocks", "How the counts are dated", data.reset_index(drop=True), show)


DATED: Final = {
    "cohort": "cohort: outcomes of these referrals",
    "period": "period: outcomes dated in it",
    "unknown": "unknown, read as period",
}


def _which(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    rows = rows[rows["median"].notna()]
    same = int((rows["clock"] == "period").sum())
    if same > threshold:
        yield {"n": plural(len(rows), "number"), "same": count(same), "link": f"#{FRONT}"}


def _lag(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """The growth over all consecutive periods together, and the ratio at a lag of one."""
    table = growth(view)
    if not len(table):
        return
    before, after = table["count_before"].sum(), table["count_after"].sum()
    if before <= 0 or abs(after / before - 1) <= threshold:
        return
    factor = after / before
    yield {
        "stage": words(view.stages[0]),
        "unit": grain(view),
        "verb": "grew" if factor > 1 else "shrank",
        "change": number(abs(factor - 1) * 100, 0),
        "pairs": plural(len(table), "pair"),
        "places": plural(int(table["places"].max()), "place"),
        "ratio": number(1 / factor, 2),
        "rate": number(EXAMPLE * 100, 0),
        "shown": number(EXAMPLE / factor * 100, 2),
        "link": f"#{TABLE}",
    }


def _widest(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    table = growth(view)
    if len(table) <= threshold:
        return
    row = table.loc[(table["ratio"] - 1).abs().idxmax()]
    yield {
        "before": view.label("period", str(row["before"])),
        "after": view.label("period", str(row["after"])),
        "n": plural(int(row["places"]), "place"),
        "from": text(count(row["count_before"])),
        "to": text(count(row["count_after"])),
        "ratio": number(row["ratio"], 2),
        "link": f"#{TABLE}",
    }


SENTENCES = (
    Sentence(
        "which numbers",
        "Of the {n} shown in the first table {same} are same-period ratios.",
        _which,
        link_text="the table",
    ),
    Sentence(
        "a lag of one period",
        "The {stage}s of places that published two {unit}s running {verb} by {change} % from one to the next ({pairs} "
        "of {unit}s, up to {places}). If every outcome came one {unit} after its {stage}, a same-period ratio would "
        "be {ratio} of the cohort rate: a cohort rate of {rate} % would show as {shown} %.",
        _lag,
        0.0,
        link_text="the growth by period",
    ),
    Sentence(
        "the largest distance",
        "The distance is largest from {before} to {after}: {from} to {to} in {n}, a ratio of {ratio} of the cohort "
        "rate.",
        _widest,
        1,
        link_text="the growth by period",
    ),
)
