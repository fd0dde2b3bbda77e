"""The section ``[disclosure]`` of a plan."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...data.section import Section


class DisclosureSpec(Section):
    """``[disclosure]``: which counts may not leave the run's folder; absent, nothing is held back.

    Parameters
    ----------
    k : int
        Counts of 1 to k - 1 are sensitive.
    method : {"suppress", "round"}
        Leave out sensitive counts, and as many others as it takes that nobody can work them out; or tell every count
        to the nearest multiple of ``base``.
    base : int
    """

    k: int = Field(5, ge=2)
    method: Literal["suppress", "round"] = "suppress"
    base: int = Field(5, ge=2)
