"""Has this model been calibrated: are its intervals known to hold the truth as often as they say?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..calibration.certificate import form_of, standing
from .contract import Check, Result, Seen, gate


class Certificate(Check):
    """A certificate of ``attrition sbc`` for this model, these kinds, this engine and these sources."""

    name: ClassVar[str] = "sbc_certificate"
    order: ClassVar[int] = 50
    gate: ClassVar[bool] = False

    def run(self, seen: Seen) -> list[Result]:
        """No quantity's ranks may have failed; without a valid certificate nothing is said for or against."""
        found = standing(form_of(seen.blueprint, seen.engine), seen.runs)
        if found.state == "missing" or found.found is None:
            words = f"No calibration certificate: {found.reason}. Make one with attrition sbc."
            return [Result(self.name, "informational", None, None, words)]
        told = _told(found.found)
        if found.state == "stale":
            words = f"The calibration certificate is stale, for {found.reason}. {told} Renew it with attrition sbc."
            return [Result(self.name, "informational", None, None, words)]
        failed = sum(bool(one["failed"]) for one in found.found["quantities"])
        return [gate(self.name, failed, 0, failed == 0, told)]


def _told(certificate: Mapping[str, Any]) -> str:
    """What a certificate says, in a sentence."""
    failed = [one["quantity"] for one in certificate["quantities"] if one["failed"]]
    worlds, tested = certificate["fitted"], len(certificate["quantities"])
    head = (
        f"On {worlds:,} simulated panels of plan {certificate['plan']}, fitted {certificate['made'][:10]}, "
    )
    if not failed:
        return head + f"the ranks of all {tested} test quantities were uniform."
    return (
        head
        + f"the ranks of {len(failed)} of {tested} test quantities were not uniform: {', '.join(failed)}."
    )
