"""What a check sees and says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...models.blueprint import Blueprint
from ..claims.contract import Told
from ..diagnostics import Diagnostics
from ..disclosure.protection import Protection
from ..engines.contract import Aim
from ..leaving import LeftOut, left_out
from ..margins import Margins
from ..predictive import Moments, Report

Floats = NDArray[np.float64]
Verdict = Literal["passed", "failed", "informational"]


@dataclass(frozen=True)
class Result:
    """One verdict.

    Parameters
    ----------
    name : str
    verdict : {"passed", "failed", "informational"}
    value, threshold : float or None
        What was looked at, and where it begins to fail.
    sentence : str
    affects : tuple of mapping
        Where the published numbers stand that a failure touches: nodes by axis, and ``stage``. Empty for everywhere.
    """

    name: str
    verdict: Verdict
    value: float | None
    threshold: float | None
    sentence: str
    affects: tuple[Mapping[str, str], ...] = ()

    def record(self) -> dict[str, Any]:
        """Plain values for ``checks.json``."""
        out = asdict(self) | {"affects": [dict(place) for place in self.affects]}
        for key in ("value", "threshold"):
            if out[key] is not None and not np.isfinite(out[key]):
                out[key] = None
        return out


@dataclass(frozen=True)
class Seen:
    """Everything a check that needs no refit may look at.

    Parameters
    ----------
    blueprint : Blueprint
    diagnostics : Diagnostics
    estimates : DataFrame
    reports : tuple of Report
    moments : Moments
        Of the thinned draws.
    counts : (R, S + 1, A)
        Complete counts drawn.
    runs : Path or None
        Folder of runs, which also holds what is known of models by other means than this run.
    likelihood : (R, groups)
        Log probability of every group of reports given each thinned draw; empty where it was not evaluated.
    protection : Protection or None
        What the run holds back; None where its plan has no ``[disclosure]``.
    engine : str
        What drew the draws.
    told : Told or None
        The rows with joint draws; None where they were not evaluated.
    log_prior : (R,)
        Log prior density of the parameters, at those draws.
    thin : (K,)
        Positions of the thinned draws among them.
    margins : Margins or None
        Sums over several offenses with replicates in new places; None where there is none.
    """

    blueprint: Blueprint
    diagnostics: Diagnostics
    estimates: pd.DataFrame
    reports: tuple[Report, ...]
    moments: Moments
    counts: Floats
    runs: Path | None = None
    likelihood: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    protection: Protection | None = None
    engine: str = "nuts"
    told: Told | None = None
    log_prior: Floats = field(default_factory=lambda: np.zeros(0))
    thin: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    margins: Margins | None = None

    @cached_property
    def left_out(self) -> LeftOut:
        """Each report as predicted by all the others."""
        return left_out(self.reports, self.moments, self.likelihood)


@runtime_checkable
class Check(Protocol):
    """A check: one file in ``estimation/checks``, found by scanning the folder."""

    name: ClassVar[str]
    order: ClassVar[int]
    gate: ClassVar[bool]
    verdicts: ClassVar[tuple[str, ...]] = ()
    """Names of its verdicts, where they are others than its own alone."""

    def run(self, seen: Seen) -> list[Result]:
        """Its verdicts."""
        ...


def limit_of(aim: Aim) -> str:
    """What a sentence adds where the limit is that of a draft."""
    return " This is a draft, and held to the limit of a draft." if aim.draft else ""


def gate(name: str, value: float, threshold: float, good: bool, sentence: str) -> Result:
    """A two-valued verdict."""
    return Result(name, "passed" if good else "failed", float(value), float(threshold), sentence)
