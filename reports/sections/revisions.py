"""How numbers like these were revised after their first release, beside this release's intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ..companions import withheld
from ..document import Section, Table
from ..front import name_of
from ..numbers import NONE, Scale, count, decimals, estimate, factor_of, interval, known, plural, share
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View

order = 7
title = "How such numbers were revised"
LIKE = ["quantity", "step", "basis"]
NOTES = (
    "Mean, mean absolute and root mean square revision, in percentage points, or outcomes per unit for a ratio: from "
    "the first release of a number to the latest, over every number of the same step that had an interval when it was "
    "first released and speaks of the same periods. Outside: the share whose latest value lies outside the 90 % "
    "interval first released; about .10 where intervals are worth what they say. Numbers share cells, so that one "
    "surprise shows in several of them.",
)


def build(view: View) -> Section | None:
    """Nothing before the second release."""
    if not view.run.release.get("statistics"):
        return None
    return Section("section-revised", title, (*said(view, SENTENCES), _table(view)))


def _table(view: View) -> Table:
    """The front table's rates and intervals, each with the revisions of numbers of its step."""
    now = view.rates("offense")
    rows = now.merge(pd.DataFrame(view.run.release["statistics"]), how="left", on=LIKE)
    scales = [view.step[step].scale for step in rows["step"]]
    printed_rows = [_shown(row, scale) for row, scale in zip(rows.to_dict("records"), scales, strict=True)]
    data = rows[["quantity_id", "step", "offense", "jurisdiction", "period", "median", "q05", "q95",
                 "numbers", "bias", "mean_absolute", "root_mean_square", "share_outside"]]  # fmt: skip
    data = data.assign(**pd.DataFrame(printed_rows, index=data.index))
    show = {
        "step": left("Step", lambda step: view.step[step].title),
        "offense": left("Offense", lambda offense: name_of(view, offense)),
        "now": right("Now", text),
        "interval": right("90 % interval", text),
        "numbers": right("Numbers revised", count),
        "mean": right("Mean", text),
        "absolute": right("Absolute", text),
        "square": right("Root mean square", text),
        "share_outside": right("Outside", share),
    }
    return printed(
        "revised", "This release's intervals beside the revisions of earlier ones", data, show, NOTES
    )


def _shown(row: Mapping[str, Any], scale: Scale) -> dict[str, str]:
    places = decimals([row["q05"], row["q95"]], factor_of(scale))
    hidden = withheld(row)
    difference: Scale = "points" if scale == "percent" else "each change"

    def moved(name: str) -> str:
        value = row[name]
        return estimate(value, difference, decimals([value], factor_of(scale))) if known(value) else NONE

    return {
        "now": NONE if hidden else estimate(row["median"], scale, places),
        "interval": NONE if hidden else interval(row["q05"], row["q95"], scale, places),
        "mean": moved("bias"),
        "absolute": moved("mean_absolute").lstrip("+"),
        "square": moved("root_mean_square").lstrip("+"),
    }


def _outside(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    found = pd.DataFrame(view.run.release["statistics"])
    found = found[(found["basis"] == "superpopulation") & (found["quantity"] != "change")]
    numbers = int(found["numbers"].sum())
    if numbers > threshold:
        yield {
            "numbers": plural(numbers, "rate"),
            "releases": plural(len(view.run.release["vintages"]), "release"),
            "first": view.run.release["vintages"][0],
            "share": share((found["share_outside"] * found["numbers"]).sum() / numbers),
            "link": "#revised",
        }


SENTENCES = (
    Sentence(
        "revisions of all releases",
        "Of {numbers} published more than once in {releases} since {first}, a share of {share} lies outside the 90 % "
        "interval first released, where .10 are meant to.",
        _outside,
        link_text="by step",
    ),
)
