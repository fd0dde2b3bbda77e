"""What is held back, and what a reader may still conclude."""

from __future__ import annotations

import pandas as pd

from ..document import Paragraph, Section
from ..numbers import count
from ..printed import left, printed, right
from ..released import Released
from ..steps import words
from ..view import View
from ..wording import say

order = 105
title = "What is held back"
short = True


def build(view: View) -> Section | None:
    """The rule, what it took, and how many counts of each stage it took; None for a run that holds nothing back."""
    run = view.run
    if not isinstance(run, Released):
        return None
    rule = run.disclosure
    k, base = rule["k"], rule["base"]
    if rule["method"] == "round":
        text = say(
            "Every count is told to the nearest multiple of {base}. Rates of which a count of 1 to {k} is a "
            "part are confidential. Rounded parts need not add up to rounded totals."
        ).format(base=base, k=k - 1)
        return Section("section-held-back", title, (Paragraph(text),))
    text = say(
        "Counts of 1 to {k} are not told, and others with them, so that nobody can work them out from "
        "totals or from other stages: for all that is told, each of them can be 0, and can be {k2} or "
        "more. Rates from which a count held back could be read are marked confidential; their bounds "
        "follow from the numbers told alone. Numbers that were not fitted are listed without their "
        "counts."
    ).format(k=k - 1, k2=k)
    held = pd.Series([entry["stage"] for entry in rule["held"]], dtype=object).value_counts()
    data = pd.DataFrame([{"stage": stage, "held": int(held.get(stage, 0))} for stage in view.stages])
    show = {
        "stage": left("Stage", lambda s: words(str(s))),
        "held": right("Counts and totals held back", count),
    }
    return Section(
        "section-held-back", title, (Paragraph(text), printed("held-back", "Counts held back", data, show))
    )
