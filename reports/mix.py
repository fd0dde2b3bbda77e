"""The stated offense mix in words: what is assumed where referrals are not published by offense."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .companions import MIXED
from .numbers import number, plural
from .steps import words
from .view import View


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
    return f"through the stated mix: share within a factor of {factor(mix)}; {shared} % of that in common"


def long(view: View) -> str:
    """The assumption as a sentence; empty where the run states no mix."""
    mix = stated(view)
    if mix is None:
        return ""
    sources = [str(s) for s in mix.get("sources", [])]
    periods = len(mix.get("shares") or {})
    where = view.label("jurisdiction", str(mix["jurisdiction"]))
    shared = number(float(mix["shared"]) * 100, 0)
    return (
        f"The stated mix. Where a place publishes its {words(view.stages[0])}s for all offenses together, they "
        f"are divided by the counts by offense of the stage {words(str(mix['stage']))} at {where} "
        f"({plural(periods, 'period')}; {', '.join(sources) or 'no source named'}). Each offense's share of a "
        f"place's {words(view.stages[0])}s is taken to lie within a factor of {factor(mix)} of that, either way "
        f"(95 %); {shared} % of this uncertainty is common to all places and does not average out. This is an "
        "assumption, not a count: no source states it for the places in the table."
    )
