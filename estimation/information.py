"""Who a number came from: the share of its information that each kind and source contributed.

The prior's share is what is left of its variance on the link scale, 1 - contraction. The rest is divided among the
reports in proportion to their Fisher information about the number: with posterior covariance Σ of the linear
predictors and gradient c, the posterior variance of c'x splits into c'Σ(Q + Σ_g I_g)Σc, where I_g = J_g J_g'/v_g is the
information of report g, whose total has conditional mean m_g and variance v_g. Since Σc and J_g meet only in
cov(m_g, ψ), a report's weight is cov(m_g, ψ)² / v_g, read off the draws. Reports of one group share units: there m_g
and v_g are of what a total adds to those before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import erf

from ..data.names import AXES
from ..models.blueprint import Blueprint
from .estimates import Estimates
from .labels import COUNTED
from .predicted import Part
from .predictive import Moments, Report
from .rows import Reals, link, published_steps
from .together import one_by_one

Floats = NDArray[np.float64]
PRIOR, OTHERS = "prior", "others"
DIFFERENCES = ("change", "contrast")
_MOST = 200_000_000
_LEAST = 1e-4
_TOGETHER = 2000
_BY = ("kind", "source_id")
_COLUMNS = ["quantity_id", "quantity", "step", *AXES, "basis", "contraction", "label"]


def informed(
    blueprint: Blueprint,
    table: Estimates,
    rates: Reals,
    thin: NDArray[np.int64],
    shown: Sequence[Report],
    predicted: Iterable[Part],
) -> pd.DataFrame:
    """Shares of information of every row that is estimated: of aggregates from their draws, of cells from their rates.

    Finite rates of single cells have no draws of their own here and rest on what their superpopulation rate does. What
    was counted rests on the counts.

    Parameters
    ----------
    blueprint : Blueprint
    table : Estimates
    rates : (R', S, A)
        Of the draws that the moments were taken of.
    thin : (R',) int
        Which draws of the table these are.
    shown : sequence of Report
    predicted : iterable of Part
        What is expected of them.

    Returns
    -------
    DataFrame
        As ``information``.
    """
    frame, axes = table.table[_COLUMNS], blueprint.panel.axes
    steps = {step.name: step for _, step in published_steps(blueprint.panel.funnel)}
    wanted = frame[
        (frame["label"] != COUNTED)
        & frame["offense"].isin(list(axes.offense.by_name))  # others have no cells
    ].set_index("quantity_id")
    place = np.flatnonzero(wanted.index.get_indexer(table.aggregate_ids) >= 0)
    ids = [table.aggregate_ids[i] for i in place]
    cells = wanted.index[~wanted.index.isin(ids) & (wanted["basis"] == "superpopulation")]
    if len(cells) * len(shown) > _MOST:
        cells = cells[:0]
    wanted = wanted.loc[[*ids, *cells]]
    column = {axes.cell_names(cell): number for number, cell in enumerate(blueprint.layout.cells)}
    names = wanted.iloc[len(ids) :][list(AXES)].itertuples(index=False, name=None)
    where = np.array([*place, *(column[cell] for cell in names)], dtype=np.int64)
    differs = wanted["quantity"].isin(DIFFERENCES).to_numpy()  # of two rates: on no link scale
    of_step = wanted["step"].to_numpy()

    def columns(few: slice) -> Floats:
        values = np.empty((len(thin), len(where[few])))
        single = np.arange(len(where))[few] >= len(ids)
        values[:, ~single] = table.aggregates[thin, where[few][~single]]
        for name, step in steps.items():
            here = (of_step[few] == name) & ~differs[few]
            alone = where[few][here & single]
            values[:, here & single] = rates[:, step.source : step.target, alone].prod(axis=1)
            values[:, here] = link(values[:, here], step.kind == "ratio")
        return values

    held = wanted["contraction"].to_numpy(dtype=float)
    return information(shown, predicted, list(wanted.index), columns, held)


def information(
    shown: Sequence[Report],
    predicted: Iterable[Part],
    ids: Sequence[str],
    columns: Callable[[slice], Floats],
    contraction: Floats,
) -> pd.DataFrame:
    """Shares of information by kind and by source.

    Parameters
    ----------
    shown : sequence of Report
    predicted : iterable of Part
        What is expected of them under R draws.
    ids : sequence of str
        Quantity ids, Q of them.
    columns : callable
        Gives the same draws of some of the quantities on their link scale, (R, q): a few at a time are held.
    contraction : (Q,)
        1 - posterior variance / prior variance of each; NaN is read as 0.

    Returns
    -------
    DataFrame
        quantity_id, by (``kind`` or ``source_id``), name, share; shares sum to one for each quantity and ``by``. Those
        below 0.0001 stand together as ``others``.
    """
    held = np.nan_to_num(contraction)
    heard = _heard(shown, predicted)
    names = {by: sorted({key[at] for key in heard}) for at, by in enumerate(_BY)}
    gains = {by: np.zeros((len(names[by]), len(ids))) for by in _BY}
    for start in range(0, len(ids), _TOGETHER):
        few = slice(start, start + _TOGETHER)
        psi = columns(few)
        psi = psi - psi.mean(axis=0)
        for key, one in heard.items():
            gained = one.gain(psi)
            for by, name in zip(_BY, key, strict=True):
                gains[by][names[by].index(name), few] += gained
    frames = []
    for by, raw in gains.items():
        gain = np.maximum(raw, 0.0)
        weight = gain.sum(axis=0)
        told = np.where(weight > 0, held, 0.0)
        share = gain * told / np.where(weight > 0, weight, 1.0)
        full = np.vstack([share, 1 - told]).T
        # Many small shares are one: those of ten thousand offices still add up.
        full = np.column_stack(
            [np.where(full > _LEAST, full, 0), np.where(full > _LEAST, 0, full).sum(axis=1)]
        )
        row, column = np.nonzero(full > 0)
        frames.append(
            pd.DataFrame(
                {
                    "quantity_id": np.asarray(ids, dtype=object)[row],
                    "by": by,
                    "name": np.array([*names[by], PRIOR, OTHERS], dtype=object)[column],
                    "share": full[row, column],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _heard(shown: Sequence[Report], predicted: Iterable[Part]) -> dict[tuple[str, ...], _Heard]:
    """What the reports of each kind from each source say; of one kind, or from one source, they add up."""
    sizes = Counter(_key(report) for report in shown)
    found: dict[tuple[str, ...], _Heard] = {}
    for part in predicted:
        moments = part.moments
        mean, variance = one_by_one(moments.mean, moments.variance.mean(axis=0), moments.together)
        worth = _told(part.shown, moments) / variance
        place: dict[tuple[str, ...], list[int]] = {}
        for at, report in enumerate(part.shown):
            place.setdefault(_key(report), []).append(at)
        for key, mine in place.items():
            if key not in found:
                found[key] = _Heard(len(mean), sizes[key])
            found[key].add(mean, np.array(mine), worth)
    return found


def _key(report: Report) -> tuple[str, ...]:
    return tuple(getattr(report, by) for by in _BY)


class _Heard:
    """What some reports say, by their expected counts under each draw.

    Where reports outnumber draws the sum over them is one quadratic form in a quantity's draws: with ten thousands of
    reports and of quantities their covariances are not written down.

    Parameters
    ----------
    size : int
        Number of draws, R.
    reports : int
        How many there will be.
    """

    def __init__(self, size: int, reports: int) -> None:
        self._size = size
        self._form = None if reports < size else np.zeros((size, size))
        self._away: list[Reals] = []
        self._worth: list[Floats] = []
        # What chance adds to squared covariances of a quantity of variance one, times R.
        self._noise = 0.0

    def add(self, mean: Reals, which: NDArray[np.int64], worth: Floats) -> None:
        """More reports: some columns of the expected counts (R, N), and what each is worth (N,)."""
        for start in range(0, len(which), _TOGETHER):
            some = which[start : start + _TOGETHER]
            away = mean[:, some] - mean[:, some].mean(axis=0, dtype=np.float64)
            self._noise += float(worth[some] @ away.var(axis=0))
            if self._form is None:
                self._away.append(away)
                self._worth.append(worth[some])
            else:
                self._form += (away * worth[some]) @ away.T

    def gain(self, psi: Floats) -> Floats:
        """Information, Σ worth · covariance², about quantities of centred draws psi (R, q), (q,).

        By chance that of some reports is below zero: a sum of such shares is held there, not its parts.
        """
        size = self._size
        if self._form is not None:
            found = (self._form @ psi * psi).sum(axis=0)
        else:
            found = np.zeros(psi.shape[1])
            for away, worth in zip(self._away, self._worth, strict=True):
                found += worth @ (away.T @ psi) ** 2
        # Squared sample covariances are biased upwards by their own variance; take it off.
        return found / size**2 - self._noise * psi.var(axis=0) / size


def _told(shown: Sequence[Report], moments: Moments) -> Floats:
    """Share of an exact count's information that a range still carries: how far it narrows the total's variance.

    A normal total cut to the range; 1 for an exact count, 0 for a range that excludes nothing. The moments of a soft
    report are those of what it states: it carries all they say.
    """
    low = np.array([r.low for r in shown])
    high = np.array([r.high for r in shown])
    centre, sd = moments.mean.mean(axis=0), np.sqrt(np.maximum(moments.variance.mean(axis=0), 1e-12))
    a, b = (low - 0.5 - centre) / sd, (high + 0.5 - centre) / sd
    a, b = np.clip(a, -30, 30), np.clip(b, -30, 30)
    mass = np.maximum(0.5 * (erf(b / np.sqrt(2)) - erf(a / np.sqrt(2))), 1e-300)
    density = [np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) for x in (a, b)]
    # Far outside the range the formula overflows; such rows are taken as exact below.
    with np.errstate(over="ignore", invalid="ignore"):
        left = 1 + (a * density[0] - b * density[1]) / mass - ((density[0] - density[1]) / mass) ** 2
    told = np.where(mass > 1e-12, 1 - np.clip(left, 0, 1), 1.0)
    soft = np.array([r.centre is not None for r in shown])
    return np.where((low == high) | soft, 1.0, told)
