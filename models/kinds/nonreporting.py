"""A place did not report: it binds nothing, and may differ from the places that did."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..contract import Addition, Analysis, Group, PartKind
from ..silence import places_of, silent_cells, silent_places


class NonReporting(PartKind):
    """A pattern mixture: silent places differ by δ from what the model says of those that report.

    No likelihood knows δ, so that it is a transform of draws (``[assume] silent_shift``), unless a total holds silent
    places: then the rates of all of them carry one δ a step, with a prior, and the total informs it.

    Notes
    -----
    Little (1993), Pattern-mixture models for multivariate incomplete data; Daniels and Hogan (2008), Missing data in
    longitudinal studies, chapter 8.
    """

    name: ClassVar[str] = "nonreporting"
    layer: ClassVar = "parts"
    order: ClassVar[int] = 25
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = (
        "with a spread of 0 silent places are as the others, and a total over them is a total"
    )
    example: ClassVar[str] = (
        "# plan.toml: what the silent places have in common, on the logit\n[kind.nonreporting]\nspread = 0.5\n\n"
        "# data.csv\n"
        "offense,jurisdiction,period,referral,investigation\n"
        "possession,North,2024,412,118\n"
        "possession,South,2024,365,97\n"
        "possession,East,2024,290,\n"
        "possession,West,2024,131,\n"
        "possession,all,2024,,301\n"
        "# East and West did not report; the total over all four says what the two hold together\n"
    )

    class Settings(terms.Settings):
        """Settings of what is assumed of silent places.

        ``spread``: prior sd of δ, the difference of silent places from the others, by step, on the logit (the log for
        ratio steps); 0, the default, leaves them as the others. A total that holds silent places informs it; without
        one it stays as wide as its prior. ``periods``: a period without any count of a place that reports in others
        counts as silent too.
        """

        spread: float = Field(0.0, ge=0, allow_inf_nan=False)
        periods: bool = False

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return (
            "A place did not report: its counts bind nothing, and its rate may differ by a shift from what the places "
            "that report say of it; a total that holds it informs the shift."
        )

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is it a total over several places, of which some published no such count of their own?"""
        if statement.stage == panel.funnel.stages[0] or statement.share_of is not None or statement.closed:
            return False
        own = {
            place
            for s in panel.statements
            if (s.stage, s.period, s.closed) == (statement.stage, statement.period, False)
            and len(places := places_of(panel.cells(s), panel)) == 1
            for place in places
        }
        together = places_of(panel.cells(statement), panel)
        return len(together) > 1 and bool(together - own)

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Does the total hold places that did not report their own?"""
        return bool(silent_places(group, panel))

    def additions(self, panel: Panel, analysis: Analysis, settings: Any) -> tuple[Addition, ...]:
        """One δ a step in the rates of silent places."""
        if not settings.spread:
            return ()
        silent = silent_cells(panel, analysis.groups, settings.periods)
        return (Addition(self.name, np.where(silent, settings.spread, 0.0)),)
