"""Can a count that is held back be found out from what is told?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate


class Disclosure(Check):
    """An attacker with every number told and every equation can exclude no value of a sensitive count from 0 to k."""

    name: ClassVar[str] = "disclosure"
    order: ClassVar[int] = 45
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """No end of a sensitive count may be out of reach; nothing where the plan holds nothing back."""
        protection = seen.protection
        if protection is None:
            return []
        table, k = protection.counts.table, protection.spec.k
        many = int(table.held.sum())
        if protection.spec.method == "round":
            words = (
                f"Counts are told to the nearest multiple of {protection.spec.base} only; what margins tell beyond "
                "that is not searched for."
            )
            return [Result(self.name, "informational", None, None, words)]
        failures = protection.failures
        held = int(protection.suppressed.sum())
        # How many are held back for their own sake is itself not told.
        words = f"{held:,} of {many:,} counts are held back; "
        words += (
            f"from the others neither 0 nor {k} or more can be excluded for any that is 1 to {k - 1}."
            if not failures
            else f"an attacker can exclude 0, or {k} and more, {failures:,} times."
        )
        return [gate(self.name, failures, 0, failures == 0, words)]
