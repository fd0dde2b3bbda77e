"""Paths: from the step rates to the chances of stopping before, between and after the stages spoken of.

Written once for two array libraries, PyTensor inside a model and NumPy on stored draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
from scipy.special import ndtr

from .batches import Batch


def _log1mexp(x: Any) -> Any:
    """log(1 - exp(x)) for x < 0, by the branch that keeps digits (Mächler 2012)."""
    with np.errstate(divide="ignore"):
        return np.where(x > -np.log(2), np.log(-np.expm1(x)), np.log1p(-np.exp(np.minimum(x, -0.1))))


@dataclass(frozen=True)
class Ops:
    """The few array functions a path needs."""

    where: Callable[..., Any]
    exp: Callable[..., Any]
    stack: Callable[..., Any]
    softplus: Callable[..., Any]
    log1mexp: Callable[..., Any]
    log: Callable[..., Any]
    minimum: Callable[..., Any]
    logsumexp: Callable[..., Any]
    phi: Callable[..., Any]
    put: Callable[..., Any]
    cumsum: Callable[..., Any]
    join: Callable[..., Any]


def _put(x: Any, at: Any, values: Any) -> Any:
    """A copy with some columns replaced."""
    out = np.array(x)
    out[..., at] = values
    return out


def _logsumexp(x: Any) -> Any:
    """Over the last axis, which is kept."""
    top = x.max(axis=-1, keepdims=True)
    return top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True))


TENSOR = Ops(
    where=pt.where,
    exp=pt.exp,
    stack=pt.stack,
    softplus=pt.softplus,
    log1mexp=pt.log1mexp,
    log=pt.log,
    minimum=pt.minimum,
    logsumexp=lambda x: pt.logsumexp(x, axis=-1, keepdims=True),
    phi=lambda x: 0.5 * pt.erfc(-x / math.sqrt(2)),
    put=lambda x, at, values: pt.set_subtensor(x[..., at], values),
    cumsum=lambda x: pt.cumsum(x, axis=-1),
    join=lambda xs: pt.concatenate(xs, axis=-1),
)
ARRAY = Ops(
    where=np.where,
    exp=np.exp,
    stack=np.stack,
    softplus=lambda x: np.logaddexp(0.0, x),
    log1mexp=_log1mexp,
    log=np.log,
    minimum=np.minimum,
    logsumexp=_logsumexp,
    phi=ndtr,
    put=_put,
    cumsum=lambda x: np.cumsum(x, axis=-1),
    join=lambda xs: np.concatenate(xs, axis=-1),
)


def single(eta: Any, ops: Ops) -> Any:
    """Log chances (stop, pass) of one probability step; eta (…, S, m, 1), result (…, S, m, 2)."""
    x = eta[..., 0]
    return ops.stack([-ops.softplus(x), -ops.softplus(-x)], axis=-1)


def categories(eta: Any, batch: Batch, ops: Ops) -> Any:
    """Log chances that a unit reaches exactly c of the D stages spoken of, given that it does not reach ``end``.

    Parameters
    ----------
    eta : (…, S, m, L)
        Logits of the steps on each path.
    batch : Batch
    ops : Ops

    Returns
    -------
    (…, S, m, D + 1)
        Rows sum to one. Where the path ends at a later known stage b the chances are those of the units that do
        not reach b: with p_a the rate to the stage and p_b on to b, the last is p_a (1 - p_b) / (1 - p_a p_b).
    """
    return stops(eta, batch.segment, batch.depth, batch.end, ops)


def stops(eta: Any, segment: Any, depth: int, end: bool, ops: Ops) -> Any:
    """The chances of ``categories`` from its arrays: segment (S, m, L), D stages, whether some path has an end."""
    log_rate = -ops.softplus(-eta)
    # One stretch of steps for each stage; a cell without `end` has an empty last stretch, of log rate 0.
    stretch = [ops.where(segment == d, log_rate, 0.0).sum(axis=-1) for d in range(depth + int(end))]
    reach = 0.0
    logs = []
    for d in range(depth):
        logs.append(reach + ops.log1mexp(stretch[d]))
        reach = reach + stretch[d]
    if not end:
        logs.append(reach)
        return ops.stack(logs, axis=-1)
    has_end = (segment == depth).any(axis=-1)
    # -1 keeps the branch that is not taken away from log(0), whose gradient would be NaN.
    tail = ops.where(has_end, stretch[depth], -1.0)
    logs.append(reach + ops.where(has_end, ops.log1mexp(tail), 0.0))
    whole = ops.where(has_end, reach + stretch[depth], -1.0)
    given = ops.where(has_end, ops.log1mexp(whole), 0.0)
    return ops.stack([log - given for log in logs], axis=-1)


def onward(factor: Any, rate: Any, phi: Any, is_ratio: Any, ops: Ops) -> Any:
    """Variance factor (variance over mean) of a count one step on.

    A probability step p turns a count with factor f into one with p f + 1 - p, a ratio step λ into one with λ f + φ.
    """
    return ops.where(is_ratio, rate * factor + phi, rate * factor + 1 - rate)


def ratio_mean(eta: Any, batch: Batch, ratio_steps: tuple[bool, ...], phi: Any, ops: Ops) -> tuple[Any, Any]:
    """Mean and variance of the count at the end of each cell's path when some step is a ratio.

    The units at the start are fixed, and steps follow one another as ``onward`` says. For one ratio step this is the
    negative binomial with mean n λ and factor φ; thinning keeps the form; for longer paths it matches moments.

    Parameters
    ----------
    eta : (…, S, m, L)
    batch : Batch
    ratio_steps : tuple of bool
    phi : (steps,) or (R, steps)
        1 for probability steps.

    Returns
    -------
    mean, variance : (…, S, m)
    """
    is_ratio = np.asarray(ratio_steps)[np.maximum(batch.step, 0)] & (batch.segment >= 0)
    padded = batch.segment < 0
    rate = ops.exp(ops.where(is_ratio, eta, -ops.softplus(-eta)))
    mean = batch.n
    factor = 0.0
    for step in range(batch.segment.shape[2]):
        one = rate[..., step]
        spread = phi[..., np.maximum(batch.step[..., step], 0)]
        moved = onward(factor, one, spread, is_ratio[..., step], ops)
        factor = ops.where(padded[..., step], factor, moved)
        mean = ops.where(padded[..., step], mean, mean * one)
    return mean, mean * factor


def ratio_law(eta: Any, batch: Batch, ratio_steps: tuple[bool, ...], phi: Any, ops: Ops) -> tuple[Any, Any]:
    """Law of the totals of a ratio path at each stage spoken of, given the total before.

    Returns
    -------
    log_mean : (…, S, D)
        Log of the expected total.
    factor : (…, S, D)
        Variance factor given the total at the stage before (or the counts at the start); as ``ratio_mean``.
    """
    is_ratio = np.asarray(ratio_steps)[np.maximum(batch.step, 0)] & (batch.segment >= 0)
    rate = ops.exp(ops.where(is_ratio, eta, -ops.softplus(-eta)))
    mean: Any = batch.n
    means, factors = [], []
    for d in range(batch.depth):
        factor: Any = 0.0
        for step in range(batch.segment.shape[2]):
            here = batch.segment[..., step] == d
            one = rate[..., step]
            spread = phi[..., np.maximum(batch.step[..., step], 0)]
            moved = onward(factor, one, spread, is_ratio[..., step], ops)
            factor = ops.where(here, moved, factor)
            mean = ops.where(here, mean * one, mean)
        total = mean.sum(axis=-1)
        means.append(ops.log(total))
        factors.append((mean * factor).sum(axis=-1) / total)
    return ops.stack(means, axis=-1), ops.stack(factors, axis=-1)
