"""What a check sees and says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from ..predicted import Part
from ..predictive import Report

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
    predicted : iterable of Part
        What the thinned draws expect of the reports, and how likely each was: some reports at a time, as often as one
        goes through them.
    counts : (R, S + 1, A)
        Complete counts drawn.
    runs : Path or None
        Folder of runs, which also holds what is known of models by other means than this run.
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
    predicted: Iterable[Part]
    counts: Floats
    runs: Path | None = None
    protection: Protection | None = None
    engine: str = "nuts"
    told: Told | None = None
    log_prior: Floats = field(default_factory=lambda: np.zeros(0))
    thin: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    margins: Margins | None = None

    @cached_property
    def left_out(self) -> LeftOut:
        """Each report as predicted by all the others."""
        return left_out(self.reports, self.predicted)

    @cached_property
    def log_likelihood(self) -> Floats:
        """Log probability of all reports given each thinned draw, (R,)."""
        return np.sum([part.likelihood.sum(axis=1, dtype=float) for part in self.predicted], axis=0)


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
