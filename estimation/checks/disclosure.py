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
        many, small = int(table.held.sum()), int(table.sensitive.sum())
        if protection.spec.method == "round":
            words = (
                f"{small:,} of {many:,} counts are 1 to {k - 1}; all are told to the nearest multiple of "
                f"{protection.spec.base} only, which margins may narrow: this is not searched for attacks."
            )
            return [Result(self.name, "informational", None, None, words)]
        failures = protection.failures
        held = int(protection.suppressed.sum())
        words = f"{held:,} of {many:,} counts are held back, {small:,} of them because they are 1 to {k - 1}; "
        words += (
            f"from the others no value of theirs from 0 to {k} can be excluded."
            if not failures
            else f"an attacker can exclude 0, or {k} and more, {failures:,} times."
        )
        return [gate(self.name, failures, 0, failures == 0, words)]
