"""Do finite-population rates stay inside what the data alone allow?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate


class InsideBounds(Check):
    """The intervals of finite-population rows lie inside their no-assumption bounds."""

    name: ClassVar[str] = "bounds"
    order: ClassVar[int] = 31
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """None may lie outside."""
        rows = seen.estimates[(seen.estimates["basis"] == "finite") & seen.estimates["median"].notna()]
        slack = 1e-6
        outside = (rows["q05"] < rows["bound_low"] - slack) | (rows["q95"] > rows["bound_high"] + slack)
        found = int(outside.sum())
        words = (
            f"All {len(rows):,} finite-population intervals lie inside what the data alone allow."
            if not found
            else f"{found:,} of {len(rows):,} finite-population intervals reach outside what the data allow."
        )
        return [gate(self.name, found, 0, found == 0, words)]
