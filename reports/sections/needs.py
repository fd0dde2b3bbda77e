"""What would have to be published for the table to be filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..document import Paragraph, Section
from ..front import grid, name_of
from ..needs import NEEDS, grouped, missing
from ..numbers import count, plural
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..steps import words
from ..view import View
from ..wording import say

order = 44
title = "What would have to be published"
TABLE: Final = "needs"
EVERY: Final = "needs-rows"


def build(view: View) -> Section | None:
    """Counts of what is missing, the gaps in groups, and the whole list as a file."""
    rows = missing(view)
    if not len(rows):
        return None
    groups = grouped(view)
    table = printed(
        TABLE,
        "Missing statements, alike together",
        groups,
        {
            "step": left("Step", lambda s: view.step[s].title),
            "missing": left("What is missing", text),
            "cells": right("Numbers", count),
            "not_published": right("Of them not published", count),
            "offenses": left("Offenses", lambda names: _names(view, names)),
        },
        ("Read off the statements used inside the place and the periods of the first table.",),
    )
    each = printed(
        EVERY,
        "Every number that the data do not decide",
        rows,
        {
            "offense": left("Offense", lambda o: name_of(view, o)),
            "step": left("Step", lambda s: view.step[s].title),
            "label": left("Basis", text),
            "statements": right("Statements", count),
            **{name: left(heading, _mark) for name, heading in HEADINGS.items()},
        },
        folded=True,
    )
    lead = Paragraph(
        "A number of the first table would rest on data if one source, or several together, gave for the same "
        "places and periods what is listed here."
    )
    return Section("section-needs", title, (lead, *said(view, SENTENCES), table, each))


HEADINGS: Final = {
    "denominator": "No denominator by offense",
    "outcome": "No outcome by offense",
    "pair": "Never in one place and period",
    "origin": "Origin not told apart",
    "cohort": "No cohort counts",
}


def _mark(value: object) -> str:
    return "missing" if value else ""


def _names(view: View, names: list[str]) -> str:
    return ", ".join(name_of(view, name) for name in names)


def _counts(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows, every = missing(view), grid(view)
    if len(rows) <= threshold:
        return
    phrases = {
        "denominator": "a denominator by offense",
        "outcome": "an outcome by offense",
        "pair": "both of one place and period",
        "origin": say("an outcome counted for {stages}s alone").format(stages=words(view.stages[0])),
        "cohort": "an outcome counted for the same cohort",
        "more": "only more of the same",
    }
    parts = [
        say("{sum} lack {what}").format(sum=count(int(rows[name].sum())), what=say(phrases[name]))
        for name in NEEDS[:5]
        if rows[name].any()
    ]
    if rows["more"].any():
        parts.append(
            say("{sum} lack {what}").format(sum=count(int(rows["more"].sum())), what=say(phrases["more"]))
        )
    yield {
        "n": plural(len(every), "number"),
        "k": count(len(rows)),
        "parts": ", ".join(parts),
        "link": f"#{TABLE}",
    }


def _ladder(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """How many numbers each kind of publication, alone, would leave with nothing missing."""
    rows = missing(view)
    for name, phrase in (
        ("cohort", "outcomes were published for the cohort they belong to"),
        ("outcome", "outcomes were published by offense, with their origin and cohort"),
    ):
        covered = {"outcome", "origin", "cohort"} if name == "outcome" else {name}
        filled = sum(set(needs) <= covered for needs in rows["needs"])
        if filled > threshold:
            yield {"phrase": phrase, "filled": plural(filled, "number"), "link": f"#{TABLE}"}


SENTENCES = (
    Sentence(
        "what is missing",
        "Of the {n} of the first table the data do not decide {k}: {parts}.",
        _counts,
        link_text="the groups",
    ),
    Sentence(
        "what would help",
        "If {phrase}, and nothing else changed, {filled} more would have all that is needed.",
        _ladder,
        link_text="the groups",
    ),
)
