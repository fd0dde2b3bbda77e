"""What the model expects of every report and how likely each was, a few reports at a time.

Of each report there are as many numbers as draws, several times over. Where that is much it is worked out for some
reports after the other, from the cells they speak of, and put aside in files: who goes through them a second time
reads what was found the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..models.batches import Batch
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.narrowed import narrowed
from .binding import stream
from .predictive import Moments, Report, log_likelihood, moments
from .silent import Shift, shift_silent
from .thinning import predictor

Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
_AT_ONCE: Final = 3_000_000  # numbers: reports times draws


@dataclass(frozen=True)
class Part:
    """Some of the reports, with all draws.

    Parameters
    ----------
    reports, groups : slice
        Which of all they are.
    shown : tuple of Report
    moments : Moments
        Its columns are those of these reports.
    likelihood : (R, groups)
        Log probability of every group; without groups where it was not evaluated.
    """

    reports: slice
    groups: slice
    shown: tuple[Report, ...]
    moments: Moments
    likelihood: Reals

    @classmethod
    def whole(cls, shown: Sequence[Report], moments: Moments, likelihood: Reals | None = None) -> Part:
        """All reports at once."""
        found = np.zeros((len(moments.mean), 0)) if likelihood is None else likelihood
        return cls(slice(0, len(shown)), slice(0, found.shape[1]), tuple(shown), moments, found)


class Predicted:
    """The parts of a run, in the order of its reports; gone through as often as one likes.

    Parameters
    ----------
    seed : int
        Of the run.
    blueprint : Blueprint
    draws : FieldDraws
        R of them.
    shift : Shift
        Of silent places.
    shown : sequence of Report
        As ``predictive.reports`` gives them.
    folder : Path
        Where parts are put aside; they are left there.
    """

    def __init__(
        self,
        seed: int,
        blueprint: Blueprint,
        draws: FieldDraws,
        shift: Shift,
        shown: Sequence[Report],
        folder: Path,
    ) -> None:
        self._seed, self._blueprint, self._draws, self._shift = seed, blueprint, draws, shift
        self._shown, self._folder = shown, folder
        self._blocks = self._split()
        self._kept: dict[int, Part] = {}

    def __iter__(self) -> Iterator[Part]:
        for number in range(len(self._blocks)):
            yield self._read(number) if number in self._kept else self._found(number)

    def _split(self) -> list[tuple[Batch, ...]]:
        """Batches, cut into pieces of so many reports that their numbers are few."""
        blueprint = self._blueprint
        most = max(_AT_ONCE // len(self._draws.intercept), 1)
        # An unsplit total needs the cells it is made of, and a shift of silent places knows places by all their cells.
        if len(self._shown) <= most or blueprint.mixture is not None or self._shift.size != 0:
            return [blueprint.batches]
        blocks: list[tuple[Batch, ...]] = []
        pieces: list[Batch] = []
        room = most
        for batch in blueprint.batches:
            size, each = len(batch.groups), batch.low.shape[1]
            start = 0
            while start < size:
                take = min(max(room // each, 1), size - start)
                pieces.append(batch.take(np.arange(start, start + take)))
                start, room = start + take, room - take * each
                if room < each:
                    blocks.append(tuple(pieces))
                    pieces, room = [], most
        return [*blocks, tuple(pieces)] if pieces else blocks

    def _found(self, number: int) -> Part:
        some, draws, alone = self._blueprint, self._draws, len(self._blocks) == 1
        if not alone:
            some, draws = narrowed(some, draws, self._blocks[number])
        eta = predictor(some, draws)
        if alone:
            eta = shift_silent(some, draws, eta, self._shift)
        rng = stream(self._seed, "predictive" if alone else f"predictive {number}")
        found, likelihood = moments(rng, some, eta, draws), log_likelihood(some, eta, draws)
        before = self._kept.get(number - 1)
        reports, groups = (0, 0) if before is None else (before.reports.stop, before.groups.stop)
        end = reports + found.mean.shape[1]
        part = Part(
            slice(reports, end),
            slice(groups, groups + likelihood.shape[1]),
            tuple(self._shown[reports:end]),
            found,
            likelihood,
        )
        self._keep(number, part)
        return part

    def _keep(self, number: int, part: Part) -> None:
        if len(self._blocks) == 1:
            self._kept[number] = part
            return
        found = part.moments
        # What a draw departs from the others is kept in single precision, not where it lies: shares of information are
        # made of differences of means that lie far from zero and close together.
        centre = found.mean.mean(axis=0, keepdims=True)
        arrays = [found.mean - centre, found.variance, found.replicate, part.likelihood]
        if found.crossed:
            arrays.append(found.given_others)
        for at, values in enumerate(arrays):
            np.save(self._file(number, at), values.astype(np.float32))
        none = np.zeros((0, 0))
        emptied = replace(found, mean=centre, variance=none, replicate=none)
        if found.crossed:
            # One number tells that there are more.
            emptied = replace(emptied, given_others=found.given_others[:1, :1].copy())
        self._kept[number] = replace(part, moments=emptied, likelihood=none)

    def _read(self, number: int) -> Part:
        part = self._kept[number]
        if len(self._blocks) == 1:
            return part
        files = range(5 if part.moments.crossed else 4)
        away, variance, replicate, likelihood, *others = (np.load(self._file(number, at)) for at in files)
        mean = part.moments.mean + away
        found = replace(part.moments, mean=mean, variance=variance, replicate=replicate)
        if others:
            found = replace(found, given_others=others[0])
        return replace(part, moments=found, likelihood=likelihood)

    def _file(self, number: int, at: int) -> Path:
        return self._folder / f"part-{number}-{at}.npy"
