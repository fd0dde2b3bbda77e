"""The funnel as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..companions import anchor, companions, withheld
from ..document import Section, attempt
from ..figures.funnel import draw
from ..numbers import probability
from ..sentences import Sentence, said
from ..view import View
from ..wording import say

order = 30
title = "The funnel"
short = True


def build(view: View) -> Section:
    """Where cases are lost, for the whole."""
    table = companions(
        view,
        "funnel",
        say("The whole, step by step: {place}").format(place=view.place),
        "offense",
        [view.answer["offense"]],
    )
    return Section(
        "section-funnel",
        title,
        (*said(view, SENTENCES), *attempt("the funnel", lambda: draw(view, table))),
    )


def _narrowest(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """The probability step that loses the largest share, where that is likely enough."""
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.answer["offense"]]
    names = [s.name for s in view.steps if s.kind == "probability" and s.target - s.source == 1]
    rows = rows[rows["step"].isin(names) & (rows["clock"] != "period")]
    rows = rows[[not withheld(row) for row in rows.to_dict("records")]]
    if len(rows) < 2:
        return
    draws = view.draws_of(list(rows["quantity_id"]))
    if np.isnan(draws).any():
        return
    share = np.bincount(draws.argmin(axis=1), minlength=len(rows)) / len(draws)
    worst = int(share.argmax())
    if share[worst] >= threshold:
        row = rows.iloc[worst]
        yield {
            "step": view.step[row["step"]].title,
            "p": probability(share[worst]),
            "link": "#" + anchor("answer", row["step"], row["offense"]),
        }


SENTENCES = (
    Sentence(
        "narrowest step",
        "The step that loses the largest share of its cases is {step} (probability {p}).",
        _narrowest,
        0.9,
        link_text="its row",
    ),
)
