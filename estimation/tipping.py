"""The tipping curve: what a run says, against how far the places that did not report differ from the others.

Silent places that no statement informs never touch the likelihood, so that every point of the curve is the same draws
with the rates of those places moved: the pattern mixture as a transform, without a refit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count, repeat
from typing import Final

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import SHIFT_UNITS, SILENT_COLUMNS, TIPPING_COLUMNS, ShiftUnit
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.rates import rates_of
from .claims.contract import Claim, Told
from .differences import parts_of, successive
from .rows import Bools, CellDraws, Floats, Reals, link, make_rows, published_steps, quantity_id
from .silent import Shift, between, uninformed

_FAR: Final = np.linspace(-4, 4, 33)
_RATES: Final = np.array([0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5])
GRID: Final[Mapping[ShiftUnit, NDArray[np.float64]]] = {
    "sd": _FAR,
    "logit": _FAR,
    "rate": np.concatenate([-_RATES[::-1], [0.0], _RATES]),
}
_NUMBERS: Final = 100_000_000  # silent step-cells × draws × points of the grid
_LEAST: Final = 400


@dataclass(frozen=True)
class Tipping:
    """What silent places could change.

    Parameters
    ----------
    claims : DataFrame
        Columns of ``TIPPING_COLUMNS``: the probability of each claim of the front table that holds, by shift.
    rates : DataFrame
        Columns of ``SILENT_COLUMNS``: the rates of the front table and their differences, by shift.
    """

    claims: pd.DataFrame
    rates: pd.DataFrame


def tipping(
    blueprint: Blueprint,
    draws: FieldDraws,
    rates: Reals,
    counts: Floats,
    told: Told,
    claims: list[Claim],
) -> Tipping | None:
    """Follow the rates and claims of the front table along the shift; None where every place reports.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
        R draws.
    rates : (R, S, A)
        Of the cells, without any shift.
    counts : (R, S + 1, A)
        Complete counts of the same draws.
    told : Told
    claims : list of Claim
        Made of ``told``.
    """
    silent = uninformed(blueprint) & (np.nan_to_num(counts[0, :-1]) > 0)
    if not silent.any():
        return None
    most = max(_LEAST, _NUMBERS // (int(silent.sum()) * sum(map(len, GRID.values()))))
    few = np.unique(np.linspace(0, len(rates) - 1, min(most, len(rates))).astype(int))
    front = _Front(blueprint, rates[few], counts[few], between(blueprint, draws)[few], silent, told.answer)
    told = replace(told, table=told.table[told.table["quantity_id"].isin(front.ids)], ids=front.ids)
    published = told.table[told.table["median"].notna()].set_index("quantity_id")
    at = [number for number, name in enumerate(front.ids) if name in published.index]
    ids = [front.ids[number] for number in at]
    rows = list(published.loc[ids, ["quantity", "step", "offense", "period"]].itertuples(name=None))
    held = [claim for claim in claims if claim.holds]
    curves, moved = [], []
    for shift in (Shift(float(size), unit) for unit in SHIFT_UNITS for size in GRID[unit]):
        under = replace(told, draws=front.draws(shift))
        for claim in held:
            if (true := claim.asked(under)) is not None:
                curves.append((claim.key, shift.unit, shift.size, float(true.mean())))
        middle = np.quantile(under.draws[:, at], [0.5, 0.05, 0.95], axis=0).T
        moved += [(*row, shift.unit, shift.size, *ends) for row, ends in zip(rows, middle, strict=True)]
    return Tipping(
        pd.DataFrame(curves, columns=list(TIPPING_COLUMNS)), pd.DataFrame(moved, columns=list(SILENT_COLUMNS))
    )


# Of a difference: quantity, names, and the rows of the rate compared with and of the rate itself.
type _Pair = tuple[str, tuple[str, str, str], int, int]


class _Front:
    """Rates at the answer, at the periods a change compares, and their differences, as functions of the shift."""

    def __init__(
        self,
        blueprint: Blueprint,
        rates: Reals,
        counts: Floats,
        sd: Floats,
        silent: Bools,
        answer: Mapping[str, str],
    ) -> None:
        self._ratio, self._sd = blueprint.ratio_steps, sd
        self._steps = published_steps(blueprint.panel.funnel)
        rows = make_rows(blueprint.panel, blueprint.layout)
        ends = blueprint.panel.axes.period.leaves[-2:]
        near = (rows.names[:, 1] == answer["jurisdiction"]) & np.isin(
            rows.names[:, 2], [answer["period"], *ends]
        )
        self._rows = rows = rows.take(near)
        before, after, changes = successive(blueprint, rows)
        whole, part = parts_of(blueprint, rows, (answer["jurisdiction"], answer["period"]))
        siblings = sp.csr_matrix(rows.member[whole] - rows.member[part])
        siblings.eliminate_zeros()
        self._pairs: list[_Pair] = [
            *zip(repeat("change"), map(tuple, changes), before, after),
            *zip(repeat("contrast"), map(tuple, rows.names[part]), count(len(rows)), part),
        ]
        # Cells that no shift moves are summed once.
        moving = silent.any(axis=0)
        self._silent = silent[:, moving]
        self._rates, self._counts = rates[:, :, moving], np.nan_to_num(counts[:, :, moving])
        known = blueprint.analysis.counts[:, blueprint.layout.cells]
        self._known = np.isfinite(known[:, moving])
        still = CellDraws(rates[:, :, ~moving], counts[:, :, ~moving])
        # Behind the cells of the rows those of the siblings of each contrast.
        member = sp.csr_matrix(sp.vstack([rows.member, siblings]))
        self._member = member[:, np.flatnonzero(moving)]
        rest = member[:, np.flatnonzero(~moving)]
        self._size = np.maximum(np.asarray(member.sum(axis=1)), 1)
        self._still = []
        for _, step in self._steps:
            at = still.step(step)
            path = at.rates.prod(axis=0, dtype=float)
            self._still.append((rest @ at.weight, rest @ (at.weight * path), rest @ path))
        names = [tuple(name) for name in rows.names]
        self.ids = [quantity_id(q, s.name, n, "superpopulation") for q, s in self._steps for n in names]
        self.ids += [
            quantity_id(kind, step.name, name, "superpopulation")
            for _, step in self._steps
            for kind, name, _, _ in self._pairs
        ]

    def draws(self, shift: Shift) -> Floats:
        """Draws of the rates and of the differences under a shift, (R, Q)."""
        rates = self._rates.copy()
        for step, silent in enumerate(self._silent):
            ratio = self._ratio[step]
            moved = shift.moved(link(rates[:, step, silent], ratio), self._sd[:, step], ratio)
            rates[:, step, silent] = rates_of(moved[:, None], (ratio,))[:, 0]
        weights = self._weights(rates)
        found = [
            self._row_rates(step, still, rates, weights)
            for (_, step), still in zip(self._steps, self._still, strict=True)
        ]
        size = len(self._rows)
        values = [block[:size] for block in found]
        values += [
            np.stack([block[two] - block[one] for _, _, one, two in self._pairs])
            for block in found
            if self._pairs
        ]
        return np.concatenate(values).T

    def _weights(self, rates: Reals) -> Floats:
        """Counts of the silent cells: where drawn, scaled as their expectation changes, (R, S + 1, C)."""
        factor = np.ones_like(self._counts)
        for step in range(rates.shape[1]):
            grown = factor[:, step] * rates[:, step] / np.maximum(self._rates[:, step], 1e-300)
            factor[:, step + 1] = np.where(self._known[step + 1], 1.0, grown)
        return self._counts * factor

    def _row_rates(
        self, step: Step, still: tuple[Floats, Floats, Floats], rates: Reals, weights: Floats
    ) -> Floats:
        """Rates of the rows at one step, (N, R); plain means of the cells' where nobody is counted at its source."""
        weight, path = weights[:, step.source].T, rates[:, step.source : step.target].prod(axis=1).T
        below = still[0] + self._member @ weight
        with np.errstate(invalid="ignore", divide="ignore"):
            out = (still[1] + self._member @ (weight * path)) / below
        hollow = below <= 0
        if hollow.any():
            out = np.where(hollow, (still[2] + self._member @ path) / self._size, out)
        return np.asarray(out)
