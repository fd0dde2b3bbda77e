"""What was read, and what became of it."""

from __future__ import annotations

import pandas as pd

from ..document import Block, Paragraph, Section
from ..numbers import count
from ..printed import left, printed, right, text
from ..view import View
from ..wording import say

order = 130
title = "What was read"
MEANING = {
    "read": "numbers read",
    "used": "fitted",
    "unused": "say nothing the others do not, or no estimate needs them",
    "excluded": "left out by the plan or by their role",
    "dropped": "repeat what another statement says",
}


def build(view: View) -> Section:
    """Counts by outcome, the inputs, suspects and warnings, and every statement that was not used."""
    intake = view.run.intake
    counts = pd.DataFrame(
        [{"outcome": k, "meaning": MEANING.get(k, ""), "statements": v} for k, v in intake["counts"].items()]
    )
    inputs = pd.DataFrame([{"unread": []} | entry for entry in intake["inputs"]])
    blocks: list[Block] = [
        printed(
            "intake-counts",
            "What became of each number",
            counts,
            {
                "outcome": left("Outcome", text),
                "meaning": left("", text),
                "statements": right("Numbers", count),
            },
        ),
        printed(
            "inputs",
            "Inputs",
            inputs,
            {
                "file": left("File", text),
                "form": left("Form", text),
                "rows": right("Rows", count),
                "statements": right("Numbers", count),
                "unread": left("Columns not read", lambda c: ", ".join(c) or "none"),
                "sha256": left("SHA-256", lambda s: text(s)[:16] + "…"),
            },
        ),
    ]
    blocks += [
        Paragraph(say("Suspect: {s}").format(s=s), tone="note") for s in intake.get("suspects", [])[:12]
    ]
    blocks += [
        Paragraph(say("Warning: {s}").format(s=s), tone="note") for s in intake.get("warnings", [])[:12]
    ]
    rows = view.statements
    rest = rows[rows["status"] != "used"] if len(rows) else rows
    if len(rest):
        names = ("stage", "offense", "jurisdiction", "period", "status", "reason")
        show = {name: left(name.capitalize(), text) for name in names}
        data = rest[["id", *names, "relation", "count", "low", "high", "source_id"]]
        blocks.append(
            printed("not-used", "Numbers that were not fitted", data.reset_index(drop=True), show, most=25)
        )
    return Section("section-intake", title, tuple(blocks))
