"""Delays: how many periods a step takes, by discrete hazards, and what of a cohort has come through by then.

Of the units that pass a step within D periods a share f_d passes at lag d, f_d = h_d Π_{i<d} (1 - h_i) with h_D = 1, so
that the rate of the step is the chance to pass within D and the hazards say only when (the reference-date form of
epinowcast, with a denominator in place of an open-ended mean). Delays of successive steps add: their laws convolve.
Of those who do not pass a share g_d is closed at lag d, the rest is closed later or never: a mixture of competing ends
(Larson and Dinse 1985). Written once for two array libraries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batches import Batch
from .contract import Floats
from .paths import Ops

_TINY = 1e-300


def delay_law(logit: Any, ops: Ops) -> Any:
    """Shares f_0 … f_D of those who pass, (…, D + 1), from the logits of the hazards h_0 … h_{D-1}, (…, D)."""
    survived = ops.cumsum(-ops.softplus(logit))
    # log f_d = log S_d + log h_d - log(1 - h_d), and the last two differ by the logit.
    return ops.join([ops.exp(survived + logit), ops.exp(survived[..., -1:])])


def convolve(one: Any, other: Any, lengths: tuple[int, int]) -> Any:
    """Law of the sum of two independent delays, (…, A + B - 1), from their laws (…, A) and (…, B)."""
    a, b = lengths
    lag = np.add.outer(np.arange(a), np.arange(b)).ravel()
    sums = (lag[:, None] == np.arange(a + b - 1)).astype(float)
    pairs = one[..., :, None] * other[..., None, :]
    return (pairs.reshape((-1, a * b)) @ sums).reshape((*one.shape[:-1], a + b - 1))


def entry_weights(entered: NDArray[np.int64], size: int, publication: Floats) -> Floats:
    """Chance that a unit which reached a stage at lag 0 … size - 1 was first seen there within some lags.

    Parameters
    ----------
    entered : (S, m, 2) int
        First and last lag at which it was seen.
    size : int
    publication : (P,)
        Shares of events that are seen after 0, 1, … periods.

    Returns
    -------
    (S, m, size)
    """
    lag = np.arange(size)[:, None] + np.arange(len(publication))
    inside = (lag >= entered[..., :1, None]) & (lag <= entered[..., 1:, None])
    return (inside * publication).sum(axis=-1)


def closing_law(logit: Any, ops: Ops) -> Any:
    """Shares g_0 … g_D of those who do not pass, (…, D + 1), from the logits of their hazards; the rest stays open."""
    return delay_law(logit, ops)[..., :-1]


def seen_within(
    laws: list[Any],
    batch: Batch,
    horizon: int,
    publication: Floats,
    ops: Ops,
    closing: list[Any] | None = None,
    age: NDArray[np.int64] | None = None,
) -> Any:
    """Chance that a unit which passes its path is seen to do so within the lags of each total.

    Parameters
    ----------
    laws : list of (…, S, m, D + 1)
        Of the delay of each step of the funnel.
    batch : Batch
        With ``lag_start`` (S, m), ``lag_stage`` (S,), ``lag_entered`` (S, m, 2), ``lag_first`` and ``lag_last``
        (S, m, D).
    horizon : int
    publication : (P,)
        Shares of events that are seen after 0, 1, … periods; one entry for none.
    ops : Ops
    closing : list of (…, S, m, D + 1), optional
        Laws of the closing of units that do not pass each step: the chance is then that a unit which does not pass the
        last step of its path is seen to be closed.
    age : (S, m, D) int, optional
        In place of the lags of each total, all up to these.

    Returns
    -------
    (…, S, m, D)
    """
    start, stage = batch.data["lag_start"], batch.data["lag_stage"][:, None]
    start = start if closing is None else np.broadcast_to(stage - 1, start.shape)
    before, size = _sum_of(laws, [step < start for step in range(len(laws))], horizon, ops)
    if before is not None:
        weight = entry_weights(batch.data["lag_entered"], size, publication)
        if (weight < 1).any():
            weighted = before * weight
            before = weighted / (weighted.sum(axis=-1)[..., None] + _TINY)
    on = [(step >= start) & (step < stage) for step in range(len(laws))]
    path, more = _sum_of(laws if closing is None else closing, on, horizon, ops)
    if before is None:
        law, length = path, more
    elif path is None:
        law, length = before, size
    else:
        law, length = convolve(before, path, (size, more)), size + more - 1
    if len(publication) > 1:
        shape = np.zeros((*batch.mask.shape, 1)) + publication
        law, length = convolve(law, shape, (length, len(publication))), length + len(publication) - 1
    passed = ops.cumsum(law)
    index: NDArray[np.int64] = np.indices(batch.mask.shape)
    row, column = index[0][..., None], index[1][..., None]
    last, first = batch.data["lag_last"], batch.data["lag_first"]
    last, first = (last, first) if age is None else (age, np.zeros_like(age))
    upto = passed[..., row, column, np.minimum(np.maximum(last, 0), length - 1)]
    earlier = passed[..., row, column, np.minimum(np.maximum(first - 1, 0), length - 1)]
    return ops.where(last >= 0, upto, 0.0) - ops.where(first > 0, earlier, 0.0)


def _sum_of(laws: list[Any], used: list[Any], horizon: int, ops: Ops) -> tuple[Any, int]:
    """Law of the sum of the delays of each unit's own steps, and its size; None where there is none."""
    out, size = None, 1
    none = np.eye(1, horizon + 1)[0]
    for law, on in zip(laws, used, strict=True):
        if not on.any():
            continue
        one = law if on.all() else ops.where(on[..., None], law, none)
        out, size = (one, horizon + 1) if out is None else (
            convolve(out, one, (size, horizon + 1)), size + horizon
        )  # fmt: skip
    return out, size


def category_chances(reach: Any, ops: Ops) -> Any:
    """Log chances to be in none of the totals, in the first alone, …, in all of them.

    Parameters
    ----------
    reach : (…, S, m, D)
        Chance to be in each total; not rising.

    Returns
    -------
    (…, S, m, D + 1)
    """
    chance = ops.join([1 - reach[..., :1], reach[..., :-1] - reach[..., 1:], reach[..., -1:]])
    return ops.log(ops.where(chance > _TINY, chance, _TINY))
