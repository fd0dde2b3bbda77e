"""The stated offense mix in words: what is assumed where referrals are not published by offense."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .companions import MIXED
from .numbers import number, plural
from .steps import words
from .view import View
from .wording import say


def stated(view: View) -> dict[str, Any] | None:
    """The blueprint's ``mix``; None where the run has none."""
    found = view.run.blueprint.get("mix")
    return found if isinstance(found, dict) else None


def mixed(rows: pd.DataFrame) -> pd.Series:
    """Which rows come through the stated mix."""
    return rows["bound_basis"] == MIXED


def factor(mix: dict[str, Any]) -> str:
    """The factor, with the digits it needs."""
    return f"{float(mix['factor']):g}"


def short(view: View) -> str:
    """The assumption in the few words that stand beside a row."""
    mix = stated(view)
    if mix is None:
        return "through the stated mix"
    shared = number(float(mix["shared"]) * 100, 0)
    return say(
        "through the stated mix: share within a factor of {factor}; {shared} % of that in common"
    ).format(factor=factor(mix), shared=shared)


def long(view: View) -> str:
    """The assumption as a sentence; empty where the run states no mix."""
    mix = stated(view)
    if mix is None:
        return ""
    sources = [str(s) for s in mix.get("sources", [])]
    periods = len(mix.get("shares") or {})
    where = view.label("jurisdiction", str(mix["jurisdiction"]))
    shared = number(float(mix["shared"]) * 100, 0)
    return say(
        "The stated mix. Where a place publishes its {stages}s for all offenses together, they are "
        "divided by the counts by offense of the stage {stage} at {where} ({periods}; {sources}). Each "
        "offense's share of a place's {stages}s is taken to lie within a factor of {factor} of that, "
        "either way (95 %); {shared} % of this uncertainty is common to all places and does not average "
        "out. This is an assumption, not a count: no source states it for the places in the table."
    ).format(
        stages=words(view.stages[0]),
        stage=words(str(mix["stage"])),
        where=where,
        periods=plural(periods, "period"),
        sources=", ".join(sources) or "no source named",
        factor=factor(mix),
        shared=shared,
    )
