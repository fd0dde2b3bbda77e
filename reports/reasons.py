"""Why numbers of the front table are missing or weak, in sentences read off the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from .companions import WITHHELD
from .front import FRONT, finer, grid, name_of, offenses
from .mix import long, mixed
from .needs import Published
from .numbers import count, plural, share
from .sentences import Sentence
from .steps import words
from .view import View
from .wording import say

NAMED: Final = 8
ASSISTED: Final = 0.3  # a contraction below it makes a number prior-driven, as in estimation/labels.py


def why(view: View) -> pd.Series:
    """The first reason that applies to each row of the grid; empty for numbers the data decide or assist."""
    rows = grid(view)
    weak = rows["label"].isin([WITHHELD, "prior-driven"])
    out = pd.Series("", index=rows.index)
    failed = rows["failed"].fillna("") != "" if "failed" in rows else pd.Series(False, index=rows.index)
    for name, hit in (
        ("little", weak),
        ("borrowed", weak & _held_by_own(rows)),
        ("outcome", weak & (rows["contraction_own"] == 0)),
        ("mix", weak & mixed(rows)),
        ("nothing", weak & (rows["statements"] == 0)),
        ("finer", weak & rows["offense"].isin(finer(view))),
        ("failed", weak & failed),
    ):
        out = out.mask(hit, name)
    return out


def _held_by_own(rows: pd.DataFrame) -> pd.Series:
    """Is it the contraction against a new unit alone that keeps the label low?"""
    return (rows["contraction_own"] < ASSISTED) & (rows["contraction"] >= ASSISTED)


def _listed(view: View, names: list[str]) -> str:
    more = say(" and {names} more").format(names=count(len(names) - NAMED)) if len(names) > NAMED else ""
    return ", ".join(name_of(view, name) for name in names[:NAMED]) + more


def _empty(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows, reason = grid(view), why(view)
    weak = rows["label"].isin([WITHHELD, "prior-driven"])
    if weak.sum() <= threshold:
        return
    counts = reason[weak].value_counts()
    parts = [
        say("{counts} because {because}").format(counts=count(counts[name]), because=say(because))
        for name, because in BECAUSE.items()
        if name in counts
    ]
    none = int((rows["label"] == WITHHELD).sum())
    yield {
        "n": plural(len(rows), "number"),
        "none": count(none),
        "weak": count(int(weak.sum()) - none),
        "parts": "; ".join(parts),
        "link": f"#{FRONT}",
    }


BECAUSE: Final = {
    "failed": "a check failed",
    "finer": "the offense is finer than any published denominator",
    "nothing": "nothing is published about their cells",
    "mix": "they are known only as parts of totals over offenses, divided by the stated mix",
    "outcome": "no outcome is published for their cells",
    "borrowed": "what is published of other places, offenses or periods says most of it",
    "little": "what is published narrows the prior too little",
}


def _undivided(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """Which offenses have a denominator of their own at the first stage."""
    published = Published(view)
    own = [n for n in offenses(view) if published.cells(view.stages[0], n)]
    none = [n for n in offenses(view) if n not in own]
    if own and len(none) > threshold:
        yield {
            "stage": words(view.stages[0]),
            "own": _listed(view, own),
            "n": plural(len(none), "offense"),
            "none": _listed(view, none),
            "link": "#section-needs",
        }


def _finer(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    names = finer(view)
    if len(names) > threshold:
        yield {"names": _listed(view, names), "n": plural(len(names), "offense"), "link": "#section-needs"}


def _mixed(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = grid(view)
    rows = rows[mixed(rows)]
    text = long(view)
    if text and len(rows) > threshold:
        yield {"text": text, "n": plural(rows["offense"].nunique(), "offense"), "link": f"#{FRONT}"}


def _prior_driven(view: View) -> pd.DataFrame:
    rows = grid(view)
    return rows[(rows["label"] == "prior-driven") & rows["contraction"].notna()]


def _unmoved(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = _prior_driven(view)
    rows = rows[rows["contraction"] < ASSISTED]
    if len(rows) > threshold:
        yield {
            "n": plural(len(rows), "number is", "numbers are"),
            "range": _range(rows["contraction"]),
            "link": f"#{FRONT}",
        }


def _borrowed(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = _prior_driven(view)
    rows = rows[_held_by_own(rows)]
    if len(rows) > threshold:
        yield {
            "n": plural(len(rows), "number is", "numbers are"),
            "prior": _range(rows["contraction"]),
            "own": _range(rows["contraction_own"]),
            "link": f"#{FRONT}",
        }


def _range(values: pd.Series) -> str:
    low, high = share(max(values.min(), 0.0)), share(max(values.max(), 0.0))
    return low if low == high else say("{low} to {high}").format(low=low, high=high)


SENTENCES = (
    Sentence(
        "empty cells",
        "Of the {n} of the table {none} are not published and {weak} are prior-driven: {parts}.",
        _empty,
        link_text="the table",
    ),
    Sentence(
        "undivided denominators",
        "Counts of the stage {stage} are published for {own}. For {n} no source publishes a denominator: {none}.",
        _undivided,
        link_text="what is missing",
    ),
    Sentence(
        "finer offenses",
        "{names}: no denominator as fine as these is published anywhere, not even world-wide, so nothing can be "
        "said of them ({n}).",
        _finer,
        link_text="what is missing",
    ),
    Sentence("the stated mix", "{text} It stands behind the rows of {n}.", _mixed, link_text="the table"),
    Sentence(
        "prior-driven",
        "{n} prior-driven: the data narrowed what was assumed by {range} only (0 not at all, 1 completely).",
        _unmoved,
        link_text="the table",
    ),
    Sentence(
        "borrowed",
        "{n} prior-driven: mostly what other places, offenses or periods say. The data narrowed what was assumed by "
        "{prior}, but what those others leave open by {own} only (0 not at all, 1 completely).",
        _borrowed,
        link_text="the table",
    ),
)
