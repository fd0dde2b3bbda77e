"""What ``attrition sbc`` says: a line a test quantity, coverage by stratum, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.errors import AttritionError
from .console import columns
from .exits import INTERRUPTED

if TYPE_CHECKING:
    from ..estimation.calibration.sbc import Calibration

_QUANTITY = ("", "quantity", "bands", "chi-square", "coverage", "in 50 %", "in 90 %", "mean rank", "Holm")
_STRATUM = ("rows", "in 50 %", "in 90 %", "of them")


class Stopped(AttritionError):
    """The user stopped a calibration."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("stopped; finished worlds are kept, and the same command goes on from there")


def calibration_value(found: Calibration) -> dict[str, Any]:
    """A calibration as plain values."""
    return {
        "plan": found.plan,
        "passed": found.passed,
        **found.account(),
        "quantities": [one.record() for one in found.verdicts],
    }


def calibration_text(found: Calibration) -> str:
    """Probabilities of ranks as far from uniform as these, failures first; then coverage."""
    rows = [
        (
            "failed" if one.failed else "uniform",
            one.quantity,
            *(f"{p:.3f}" for p in (one.bands, one.chi_square, one.coverage)),
            *(f"{share:.3f}" for share in (one.cover50, one.cover90, one.mean, one.adjusted)),
        )
        for one in sorted(found.verdicts, key=lambda one: not one.failed)
    ]
    strata = [
        (
            name,
            *(f"{one[f'cover{mass}']:.3f} ± {one[f'error{mass}']:.3f}" for mass in (50, 90)),
            f"{one['rows']:,.0f}",
        )
        for name, one in found.coverage.items()
    ]
    return f"{columns(rows, _QUANTITY)}\n\n{columns(strata, _STRATUM)}\n\n{_tally(found)}"


def _tally(found: Calibration) -> str:
    account = found.account()
    failed = sum(one.failed for one in found.verdicts)
    left = "".join(f", {number} {status}" for status, number in found.left_out.items())
    words = f"{len(found.worlds)} simulated panels of {found.plan!r} fitted{left}; "
    words += f"{account['diverged']} had divergences."
    result = (
        f"The ranks of all {len(found.verdicts)} quantities are uniform."
        if found.passed
        else f"The ranks of {failed} of {len(found.verdicts)} quantities are not uniform."
    )
    return f"{words}\n{result}"
