"""What may be said: every claim about the rates, its probability, and whether that is enough."""

from __future__ import annotations

from typing import Final

import pandas as pd

from ..document import Paragraph, Section, Table
from ..numbers import count, plural, probability
from ..printed import left, printed, right, text
from ..view import View
from ..wording import say

order = 25
title = "What may be said"
TABLE: Final = "claims"
MOST: Final = 60
COLUMNS: Final = ["kind", "text", "probability", "threshold", "effect", "holds", "query", "key"]


def build(view: View) -> Section | None:
    """How many claims hold, and a table of all, those that hold first."""
    if not view.run.claims:
        return None
    data = pd.DataFrame(view.run.claims)[COLUMNS].sort_values("holds", ascending=False, kind="stable")
    held = int(data["holds"].sum())
    level, effect = float(data["threshold"].iloc[0]), float(data["effect"].iloc[0])
    told = say(
        "Of {data} that the draws were asked about, {held} are true with a probability of {level} or "
        "more and may be said. Rates whose ratio is below {ratio:g} count as alike."
    ).format(data=plural(len(data), "claim"), held=count(held), level=probability(level), ratio=1 + effect)
    return Section(
        "section-claims", title, (Paragraph(told, tone="said"), _table(data.reset_index(drop=True)))
    )


def _table(data: pd.DataFrame) -> Table:
    show = {
        "text": left("Claim", text),
        "probability": right("Probability", probability),
        "holds": left("May be said", lambda holds: "yes" if holds else "no"),
    }
    note = "Claims are made of rates that the data decide or assist; of the others nothing is claimed."
    return printed(TABLE, "Claims", data, show, (note,), most=MOST, folded=True)
