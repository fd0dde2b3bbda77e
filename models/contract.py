"""The contracts of the model: groups, and the kinds that make them and give them a density.

A *group* is a set of statements that share unobserved counts, and has one density. Inside a group every cell k
contributes an independent multinomial: of ``n[k]`` units known at an earlier stage, so many stop before the first
stage spoken of, so many reach it and stop before the second, and so on. The statements fix, or bound, the totals
over the cells of "reached stage d". ``models/sums`` holds the one probability kernel for such totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from pytensor.tensor.variable import TensorVariable

from ..data.errors import Problem
from ..data.panel import Panel
from ..data.statement import Statement
from .batches import Batch, Parts, PathRates
from .decisions import Decision as Decision
from .decisions import Known as Known
from .lags import Lags
from .unknowns import Addition as Addition
from .unknowns import Unknown as Unknown
from .unsplit import Layer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
type Rough = tuple[int, int, Layer]  # a stage, a cell and a layer
GroupOrigin = Literal["referred", "all_sources", "unknown", "between"]


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that share unobserved counts, reduced to one density.

    Parameters
    ----------
    cells : (m,) int
        Flat cell numbers, those with ``n`` = 0 already left out.
    start : (m,) int
        For each cell the stage (position in the funnel) at which its count is known: the nearest earlier one.
    n : (m,) float
        Those counts, less the count at ``end`` where that is known.
    end : (m,) int
        For each cell the nearest *later* stage whose count is known (the density conditions on it), -1 for none.
    stages : tuple of int, length D
        The stages spoken of, ascending, all after every ``start`` and before every ``end``.
    low, high : (D,) float
        Inclusive range of the total over the cells at each stage, less the counts known at ``end``; equal where
        the total is exact.
    statements : tuple of tuple of str
        Ids of the statements behind each stage's range (the kept ones).
    origin : {"referred", "all_sources", "unknown", "between"}
        What the counts hold: cases that began as referrals; of every source, or of unknown origin, out of a count
        of referrals; of every source at both ends.
    part : int
        The cell of the unsplit total of which ``cells`` are a part, -1 for none. ``start`` and ``n`` (one entry)
        are then the total's.
    apart : tuple of int
        Cells of that total whose counts at this stage are known and taken off ``n``.
    lags : Lags or None
        The totals are what had become of cohorts within certain lags: ``stages`` then repeats their stage, and a cell
        stands in ``cells`` once for each known number of its units. Where ``start`` is that stage itself, ``n`` is
        the complete count.
    members : (D, m) bool or None
        Which of the cells each total is over, where the totals cross: neither contains the other. ``stages`` then
        repeats their one stage.
    """

    cells: Ints
    start: Ints
    n: Floats
    end: Ints
    stages: tuple[int, ...]
    low: Floats
    high: Floats
    statements: tuple[tuple[str, ...], ...]
    origin: GroupOrigin = "referred"
    part: int = -1
    apart: tuple[int, ...] = ()
    lags: Lags | None = None
    members: Bools | None = None

    @property
    def sets(self) -> tuple[Ints, ...]:
        """The cells of each total."""
        rows: Any = (slice(None),) * len(self.stages) if self.members is None else self.members
        return tuple(self.cells[row] for row in rows)

    @property
    def spoken(self) -> tuple[int, ...]:
        """The stages along a path: one where totals of it cross."""
        return self.stages if self.members is None else self.stages[:1]


@dataclass(frozen=True)
class Analysis:
    """A panel cut into groups.

    counts : (stages, cells) float
        Counts known exactly, NaN elsewhere; after the first stage only those that began as referrals.
    loose : mapping of (stage, cell, layer) to (low, high)
        Counts that stand for a narrow range and are conditioned on at its middle. A count of the first stage is of the
        funnel's own layer: all share it.
    slack : mapping of statement to (float, float)
        How far below and above its count each statement allows whose count is the middle of a range.
    weights : (stages, cells) float or None
        Counts of any origin, NaN elsewhere: what weights a cell whose own counts are not known at any stage.
    """

    counts: Floats
    known: Sequence[Known]
    groups: Sequence[Group]
    decisions: Sequence[Decision]
    loose: Mapping[Rough, tuple[float, float]] = field(default_factory=dict)
    weights: Floats | None = None
    slack: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @cached_property
    def _unusual(self) -> tuple[Group, ...]:
        # To go through all groups takes as long as to make them.
        return tuple(group for group in self.groups if group.lags is not None or group.part >= 0)

    @property
    def lagged(self) -> tuple[Group, ...]:
        """Groups of cohorts that are watched as they develop."""
        return tuple(group for group in self._unusual if group.lags is not None)

    @property
    def parted(self) -> tuple[Group, ...]:
        """Groups of a part of the cells of an unsplit total."""
        return tuple(group for group in self._unusual if group.part >= 0)


@runtime_checkable
class Kind(Protocol):
    """A way of being partly observed: one file in ``models/kinds``, found by scanning the folder.

    Exactly one *report* kind claims a statement and says what was seen of the total; any number of *path* and
    *parts* kinds apply to its group and say what the total is a sum of.
    """

    name: ClassVar[str]
    layer: ClassVar[Literal["path", "parts", "report"]]
    order: ClassVar[int]
    soft: ClassVar[bool]
    limit: ClassVar[str]
    origins: ClassVar[tuple[str, ...]] = ()
    Settings: ClassVar[type[BaseModel]]
    example: ClassVar[str]

    def sentence(self) -> str:
        """What is known, in one sentence."""
        ...

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is this statement (also) of this kind?"""
        ...

    def dated(self, settings: Any) -> bool:
        """Does it matter to this kind when a count was known?"""
        return False


@runtime_checkable
class ReportKind(Kind, Protocol):
    """What was seen of a total."""

    def problems(self, statements: Sequence[Statement], panel: Panel) -> list[Problem]:
        """Faults of the claimed statements that only this kind can see."""
        ...

    def range(self, statement: Statement, settings: Any) -> tuple[float, float]:
        """The inclusive range of whole numbers that a hard report leaves open; the high end may be infinite."""
        ...

    def group(
        self, statement: Statement, panel: Panel, analysis: Analysis, settings: Any
    ) -> Group | Decision:
        """For a soft report, the group it informs by itself, or why it informs none."""
        return Decision(statement.id, "unused", "a hard report: the analyser makes its group")

    def logp(self, parts: Parts, batch: Batch, settings: Any) -> TensorVariable:
        """Log probability of each group's report, (S,)."""
        ...

    def replicate(
        self, rng: np.random.Generator, count: float, statement: Statement, settings: Any
    ) -> Statement:
        """For a hard report, the statement that the same reporting rule would have made of another count."""
        raise TypeError(f"a report of kind {self.name} is of no count")

    def centre(self, batch: Batch, settings: Any) -> Floats | None:
        """For a soft report, the middle of what each states, as a count, (S,)."""
        return None

    def published(
        self, rng: np.random.Generator, expected: Floats, batch: Batch, settings: Any
    ) -> tuple[Floats, Floats]:
        """For a soft report, variance and replicates of that middle; all (R, S), as ``expected`` counts."""
        raise TypeError(f"a report of kind {self.name} is no soft one")

    def restated(self, statement: Statement, middle: float, batch: Batch, settings: Any) -> Statement:
        """For a soft report, the statement with another middle, as a count; ``batch`` holds its group alone."""
        raise TypeError(f"a report of kind {self.name} is no soft one")


@runtime_checkable
class PartKind(Kind, Protocol):
    """What a total is a sum of."""

    def aside(self, panel: Panel, ranges: Mapping[str, tuple[float, float]], settings: Any) -> frozenset[str]:
        """Hard statements, of those in ``ranges``, that the kind reads by itself: the analyser does not see them."""
        return frozenset()

    def groups(
        self, panel: Panel, analysis: Analysis, ranges: Mapping[str, tuple[float, float]], settings: Any
    ) -> tuple[list[Group], list[Decision]]:
        """What it makes of the statements it set aside, beside the analysis of the others; ``ranges`` are of all.

        Raises
        ------
        InputError
            Some of them cannot be true.
        """
        return [], []

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Does this kind shape the parts of a group?"""
        ...

    def unknowns(self, panel: Panel, analysis: Analysis) -> tuple[Unknown, ...]:
        """What the kind does not know, for all groups together."""
        return ()

    def additions(self, panel: Panel, analysis: Analysis, settings: Any) -> tuple[Addition, ...]:
        """What it adds to the rates themselves, whoever asks for them."""
        return ()

    def reweigh(self, unknown: Mapping[str, Floats], old: Any, new: Any) -> Floats | None:
        """Log ratio (R,) of new to old priors of what it does not know; None where the settings differ in more."""
        return None

    def bind(self, batch: Batch, groups: Sequence[Group], panel: Panel, analysis: Analysis) -> Batch:
        """The batch with whatever data the kind needs."""
        return batch

    def recount(
        self,
        rng: np.random.Generator,
        panel: Panel,
        counts: Floats,
        rates: Floats,
        settings: Any,
        unknown: Mapping[str, Floats],
    ) -> Mapping[str, float]:
        """By statement, the count it would have given of others, where that is not the whole count.

        ``counts`` (stages, cells) are complete counts of the funnel's own cases, ``rates`` (steps, cells) those they
        were drawn at, NaN where unknown.
        """
        return {}

    def shift(self, eta: Any, batch: Batch, settings: Any, unknown: Mapping[str, Any], ops: Any) -> Any:
        """Linear predictors along the paths, (…, S, m, L), changed by what this kind does not know."""
        return eta

    def chances(
        self, log_pi: Any, eta: Any, batch: Batch, settings: Any, unknown: Mapping[str, Any], ops: Any
    ) -> Any:
        """Log chances of the categories of a unit, (…, S, m, D + 1), changed by what this kind knows of them."""
        return log_pi

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """The parts, changed by what this kind knows."""
        return parts
