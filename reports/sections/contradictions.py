"""Contradictions between sources, and how each was settled; what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..document import Block, Cell, Section
from ..front import name_of
from ..numbers import NONE, count, number, plural
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..settled import beaten, left_out, repeats
from ..steps import words
from ..view import View
from ..wording import say
from .sources import address

order = 42
title = "Contradictions, and what was left out"
TABLE: Final = "contradictions"
MOST: Final = 40


def build(view: View) -> Section | None:
    """Each number that gave way to another; numbers excluded and unused, by reason; None where there are none."""
    rows = beaten(view)
    excluded, unused = left_out(view, "excluded"), left_out(view, "unused")
    if not len(rows) and not len(excluded) and not len(unused):
        return None
    blocks: list[Block] = [*said(view, SENTENCES)]
    if len(rows):
        known = {s["source_id"]: s for s in view.run.intake.get("sources", [])}

        def source(name: object) -> Cell:
            return Cell(text(name), address(known.get(name, {}).get("url")))

        blocks.append(
            printed(
                TABLE,
                "Numbers that gave way to another",
                rows,
                {
                    "jurisdiction": left("Place", lambda j: view.label("jurisdiction", j)),
                    "period": left("Period", lambda p: view.label("period", p)),
                    "stage": left("Stage", lambda s: words(str(s))),
                    "offense": left("Offense", lambda o: name_of(view, o)),
                    "count": right("Set aside", count),
                    "source_id": left("by", source),
                    "kept_count": right("Kept", count),
                    "kept_source": left("by", source),
                    "difference": right("Set aside − kept", _difference),
                    "reason": left("How it was settled", text),
                },
                most=MOST,
            )
        )
    for name, frame, heading in (
        ("excluded", excluded, "Excluded by the plan, by reason"),
        ("unused", unused, "Not used, by reason"),
    ):
        if len(frame):
            show = {
                "reason": left("Reason", text),
                "numbers": right("Numbers", count),
                "sources": right("Sources", count),
                "places": right("Places", count),
            }
            blocks.append(printed(f"{name}-reasons", heading, frame, show, most=MOST))
    return Section("section-contradictions", title, tuple(blocks))


def _difference(value: float) -> str:
    return f"{number(value * 100, 0, signed=True)} %" if value == value else NONE


def _settled(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = beaten(view)
    if len(rows) <= threshold:
        return
    gap = rows["difference"].abs().dropna()
    far = int((gap > 0.1 + 1e-9).sum())
    yield {
        "n": plural(len(rows), "number gave", "numbers gave"),
        "far": say("in {far} of them the two differ by more than 10 %").format(far=count(far))
        if far
        else "none differs by more than 10 %",
        "link": f"#{TABLE}",
    }


def _repeats(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    n = repeats(view)
    if n > threshold:
        yield {"n": plural(n, "number repeats", "numbers repeat"), "link": "#section-intake"}


def _left(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    counts = view.run.intake["counts"]
    if counts.get("excluded", 0) > threshold:
        reasons = plural(len(left_out(view, "excluded")), "reason")
        yield {"n": plural(counts["excluded"], "number is", "numbers are"), "reasons": reasons,
               "link": "#excluded-reasons"}  # fmt: skip


SENTENCES = (
    Sentence(
        "settled",
        "{n} way to another of the same place and period; {far}.",
        _settled,
        otherwise="No two sources contradict each other.",
    ),
    Sentence("repeats", "{n} what another row says, to the unit.", _repeats, link_text="the intake"),
    Sentence("excluded", "{n} excluded by the plan, for {reasons}.", _left),
)
