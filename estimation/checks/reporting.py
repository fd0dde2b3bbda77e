"""How much of the denominator reports at all?"""

from __future__ import annotations

from typing import ClassVar

from ..labels import NOT
from ..reporting import LEAST, reporting_share
from .contract import Check, Result, Seen


class Reporting(Check):
    """Share of the first stage's count in cells of which some later stage is known, by the last period."""

    name: ClassVar[str] = "reporting_share"
    order: ClassVar[int] = 40
    gate: ClassVar[bool] = False

    def run(self, seen: Seen) -> list[Result]:
        """At least 60 %, or no change over all jurisdictions is published."""
        share = reporting_share(seen.blueprint)
        axes, rows = seen.blueprint.panel.axes, seen.estimates
        if len(axes.period) < 2:
            words = f"Cells with some later count hold {share:.0%} of the first stage; there is no change to publish."
            return [Result(self.name, "informational", share, LEAST, words)]
        whole = [
            name for name, at in axes.jurisdiction.positions.items() if len(at) == len(axes.jurisdiction)
        ]
        national = rows[(rows["quantity"] == "change") & rows["jurisdiction"].isin(whole)]
        told = int((national["label"] != NOT).sum())
        words = f"In the last two periods cells with some later count hold at least {share:.0%} of the first stage"
        if share >= LEAST:
            words += "."
        else:
            words += f", less than the {LEAST:.0%} that a change over all jurisdictions asks for: "
            words += (
                f"{told:,} of {len(national):,} such changes are published all the same."
                if told
                else f"none of the {len(national):,} such changes is published."
            )
        good = share >= LEAST or not told
        return [Result(self.name, "passed" if good else "failed", share, LEAST, words)]
