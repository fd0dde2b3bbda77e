"""What is known: which cells were observed, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from ..document import Section, attempt
from ..figures.known import draw
from ..numbers import count, number
from ..observed import EXPLAINED, STATES
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View

order = 60
title = "What is known"
TABLE = "known"


def build(view: View) -> Section:
    """A map of jurisdictions by periods, and its counts."""
    data = counted(view)
    show = {
        "stage": left("Stage", text),
        "state": left("State", text),
        "meaning": left("What it means", text),
        "cells": right("Jurisdiction-periods", count),
        "share": right("Share", lambda v: f"{number(v * 100, 1)} %"),
    }
    table = printed(TABLE, "How each jurisdiction and period was observed", data, show)
    figure = attempt("the map of what is known", lambda: draw(view, table))
    return Section("section-known", title, (*said(view, SENTENCES), *figure))


def counted(view: View) -> pd.DataFrame:
    """Jurisdiction-periods by stage and state."""
    rows = []
    for stage, name in enumerate(view.stages):
        tally = np.bincount(view.observed.states[stage].ravel(), minlength=len(STATES))
        rows += [
            {
                "stage": name,
                "state": state,
                "meaning": EXPLAINED[state],
                "cells": int(n),
                "share": n / tally.sum(),
            }
            for state, n in zip(STATES, tally, strict=True)
            if n
        ]
    return pd.DataFrame(rows)


def _coverage(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    states = view.observed.states
    for stage in range(1, len(states)):
        reported = np.isin(states[stage], [STATES.index(s) for s in STATES[:4]]).mean()
        exact = (states[stage] == 0).mean()
        if reported >= threshold:
            yield {
                "stage": view.stages[stage].replace("_", " "),
                "reported": number(reported * 100, 0),
                "exact": number(exact * 100, 0),
                "link": f"#{TABLE}",
            }


SENTENCES = (
    Sentence(
        "coverage",
        "{stage}: {reported} % of jurisdiction-periods say something, {exact} % count every offense exactly.",
        _coverage,
        0.0,
    ),
)
