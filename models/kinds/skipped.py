"""A stage was skipped: arrests are known, investigations are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts, PathRates
from ..contract import Analysis, Group, PartKind
from ..path_op import chances


class Skipped(PartKind):
    """The rate from the last known stage is the product of the step rates between."""

    name: ClassVar[str] = "skipped"
    layer: ClassVar = "path"
    order: ClassVar[int] = 10
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "with the rate of the skipped step near 1 it is exact at the step that remains"
    example: ClassVar[str] = (
        "offense,jurisdiction,period,referral,investigation,arrest\n"
        "possession,North,2024,412,,31\n"
        "# 31 arrests out of 412 referrals; how many investigations lay between was not reported\n"
    )

    class Settings(terms.Settings):
        """No settings."""

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "A later stage is known and the stages between are not: the rate is the product of the steps between."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is the stage before this one not recorded for the same cells?"""
        stage = panel.funnel.index(statement.stage)
        if stage < 2:
            return False
        before = panel.funnel.stages[stage - 1]
        place = (statement.offense, statement.jurisdiction, statement.period)
        return not any(
            s.stage == before and (s.offense, s.jurisdiction, s.period) == place for s in panel.statements
        )

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Is there more than one step on some path, or a later known stage to condition on?"""
        if group.part >= 0:
            return False  # the part's predictor holds the whole path
        return max(group.stages) - min(group.start.tolist()) > 1 or max(group.end.tolist()) >= 0

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """Category chances along the path; for ratio paths mean and variance factor."""
        if batch.ratio:
            return parts
        return replace(parts, log_pi=chances(rates.eta, batch), eta=None)
