"""Labels of a scenario that weights answer, as ``estimates`` gives them to a fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...data.funnel import Funnel, Step
from ...models.field import FieldDraws
from ..binding import Bound, stream
from ..contraction import Reference
from ..differences import Pairs, pairs_of
from ..evidence import Behind, Evidence
from ..labels import label
from ..rows import Reals, Rows, make_rows, published_steps, quantity_id
from ..rowwise import medians
from ..store.runs import Run
from ..thinning import take
from .drawn import Drawn, Resampled
from .likeness import read_alike
from .scale import few_cells

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_REFERENCE: Final = 1000  # draws behind the variances that labels are read against


@dataclass(frozen=True)
class _Rates:
    """Published rates of one step.

    Parameters
    ----------
    step : Step
    among : (N,)
        Which of all rows.
    rows : Rows
        They themselves.
    place, at : (N,)
        Where they are in the table of the run, and where their draws are.
    along : (N, L)
        Where those of the steps on the way are, of single cells.
    """

    step: Step
    among: Ints
    rows: Rows
    place: Ints
    at: Ints
    along: Ints

    def drawn(self, draws: Resampled, which: Ints, leaf: bool) -> Reals:
        """Draws of some of them, all of which are single cells or none, (N', R')."""
        return draws.cells(self.along[which]) if leaf else draws.rows[self.at[which]]


@dataclass(frozen=True)
class _Differences:
    """Differences of single cells, or of other rates, with where they are in the table and where their draws are."""

    pairs: Pairs
    leaf: bool
    place: Ints
    at: Ints


@dataclass(frozen=True)
class _Known:
    """What statements say of the rates of one step and of their differences."""

    rates: _Rates
    behind: Behind
    differences: tuple[_Differences, ...]


class Relabeling:
    """Gives the rows of a run the labels of scenarios; what does not depend on a scenario is made once.

    Parameters
    ----------
    run : Run
        Whose draws are weighed.
    one : Bound
        Its plan.
    drawn : Drawn
        Its rows.
    """

    def __init__(self, run: Run, one: Bound, drawn: Drawn) -> None:
        self._one, self._drawn = one, drawn
        self._few = few_cells(run)
        self._weights = run.draws["cells"]["mean_count"].to_numpy().astype(float)

    @cached_property
    def _rows(self) -> Rows:
        return make_rows(self._one.blueprint.panel, self._one.blueprint.layout)

    @cached_property
    def _rates(self) -> list[_Rates]:
        return list(_rates(self._one.panel.funnel, self._rows, self._drawn))

    @cached_property
    def _known(self) -> list[_Known]:
        return self._look(self._one)

    def labeled(
        self, two: Bound, field: FieldDraws, draws: Resampled, seed: int
    ) -> tuple[NDArray[np.object_], Floats]:
        """Labels and medians of the rows of the table; those of the run where it has no draws of a row, and NaN.

        Parameters
        ----------
        two : Bound
            The scenario.
        field : FieldDraws
            All draws, as they are.
        draws : Resampled
        seed : int
        """
        alike = read_alike(self._one.blueprint, two.blueprint) and self._one.answer == two.answer
        some = np.linspace(0, len(draws.chosen) - 1, min(len(draws.chosen), _REFERENCE)).astype(int)
        field = take(field, draws.chosen[some])
        reference = Reference(stream(seed, "reference"), two.blueprint, field, self._weights)
        labels = self._drawn.table["label"].to_numpy(dtype=object, copy=True)
        middle = np.full(len(labels), np.nan)
        kept = self._drawn.at >= 0
        middle[kept] = medians(draws.rows)
        known = self._known if alike else self._look(two)
        told = np.flatnonzero(~self._rows.leaf | self._few)
        new_unit = np.full((len(known), len(self._rows)), np.nan)
        new_unit[:, told] = reference.new_unit(self._rows.take(told), *(one.rates.step for one in known))
        for one, variances in zip(known, new_unit, strict=True):
            self._label(one, reference, variances[one.rates.among], draws, labels, middle)
        return labels, middle

    def _label(
        self,
        known: _Known,
        reference: Reference,
        new_unit: Floats,
        draws: Resampled,
        labels: NDArray[np.object_],
        middle: Floats,
    ) -> None:
        rates = known.rates
        for leaf in (False, True) if self._few else (False,):
            which = np.flatnonzero(rates.rows.leaf == leaf)
            if not len(which):
                continue
            values, part = rates.drawn(draws, which, leaf), rates.rows.take(which)
            told = known.behind.take(which)
            against, own = reference.contractions(
                part.member, rates.step, values, new_unit[which], told.touched
            )
            labels[rates.place[which]] = label(against, own, told.margins_only, told.unread, told.few)
            if leaf:
                middle[rates.place[which]] = medians(values)
        for one in known.differences:
            second = rates.drawn(draws, one.pairs.second, one.leaf).astype(float)
            moved = draws.beside(one.at) if one.leaf else draws.rows[one.at]
            said = one.pairs.judged(rates.rows.member, rates.step, reference, second - moved, second)[1]
            labels[one.place] = said

    def _look(self, bound: Bound) -> list[_Known]:
        evidence, blueprint = Evidence(bound.blueprint), bound.blueprint
        found = []
        for rates in self._rates:
            behind = evidence.behind(rates.rows, rates.step)
            pairs = pairs_of(blueprint, rates.rows, behind, bound.answer)
            parts = (part for one in pairs for part in self._kept(rates, one))
            found.append(_Known(rates, behind, tuple(parts)))
        return found

    def _kept(self, rates: _Rates, pairs: Pairs) -> Iterator[_Differences]:
        """Those of which there are draws, single cells apart."""
        place = _places(pairs.quantity, rates.step, pairs.names, self._drawn)
        at = np.where(place >= 0, self._drawn.at[place], -1)
        for leaf in (False, True):
            some = np.flatnonzero((rates.rows.leaf[pairs.second] == leaf) & (at >= 0))
            if len(some):
                yield _Differences(pairs.take(some), leaf, place[some], at[some])


def _rates(funnel: Funnel, rows: Rows, drawn: Drawn) -> Iterator[_Rates]:
    for quantity, step in published_steps(funnel):
        place = _places(quantity, step, rows.names, drawn)
        some = np.flatnonzero(place >= 0)
        if not len(some):
            continue
        here, along = rows.take(some), funnel.steps[step.source : step.target]
        cells = np.full((len(here), len(along)), -1)
        for number in np.flatnonzero(here.leaf):
            name = tuple(map(str, here.names[number]))
            cells[number] = [drawn.cell[each.name, *name] for each in along]
        yield _Rates(step, some, here, place[some], drawn.at[place[some]], cells)


def _places(quantity: str, step: Step, names: NDArray[np.object_], drawn: Drawn) -> Ints:
    """Positions in the table of rows with some names, -1 where it has no such row."""
    ids = (quantity_id(quantity, step.name, list(row), "superpopulation") for row in names)
    return np.array([drawn.place.get(name, -1) for name in ids], dtype=np.int64)
