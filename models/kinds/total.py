"""A total over several cells: all offenses, a year, a nation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts, PathRates
from ..contract import Analysis, Group, PartKind


class Total(PartKind):
    """The count is a sum of independent parts, one for each cell."""

    name: ClassVar[str] = "total"
    layer: ClassVar = "parts"
    order: ClassVar[int] = 30
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "a total over one cell is exact"
    example: ClassVar[str] = (
        "offense,jurisdiction,period,referral,investigation\n"
        "possession,North,2024,412,\n"
        "enticement,North,2024,57,\n"
        "all,North,2024,,118\n"
        "# 118 investigations out of both offenses together\n"
    )

    class Settings(terms.Settings):
        """No settings."""

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "Only the sum over several cells is known: a sum of independent parts, each with its own rate."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Does the statement speak of more than one cell?"""
        return len(panel.cells(statement)) > 1

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Is there more than one cell?"""
        return len(group.cells) > 1 and group.part < 0

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """The cells stay separate parts; the shortest formula no longer applies."""
        return replace(parts, eta=None)
