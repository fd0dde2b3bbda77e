"""Negative binomial with a mean and a variance factor: the law of counts along a ratio step.

With mean μ and variance φ μ the size is μ / (φ - 1); sums of independent such counts with one φ keep the form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
# Counts added one by one at each end of a range; only what lies between is smooth enough to integrate.
_DIRECT = 48


def negbin_logp(count: Any, log_mean: TensorVariable, factor: TensorVariable) -> TensorVariable:
    """Log probability of counts (real arguments allowed, through the gamma function)."""
    size = pt.exp(log_mean) / (factor - 1)
    return (
        pt.gammaln(count + size)
        - pt.gammaln(size)
        - pt.gammaln(count + 1.0)
        - size * pt.log(factor)
        + count * pt.log1p(-1 / factor)
    )


def negbin_range(
    low: NDArray[np.float64], high: NDArray[np.float64], log_mean: TensorVariable, factor: TensorVariable
) -> TensorVariable:
    """Log probability that the count lies in ``low``..``high`` inclusive, (S,).

    Narrow ranges are summed. Of wide ones the counts nearest to either end are summed; between them the density is
    integrated, cut at twelve standard deviations from the mean or from the near end, whichever is inside. The error
    is below 2e-4.
    """
    last = np.where(np.isfinite(high), high, low)  # stands in for an end that is not there
    offsets = np.arange(min(_DIRECT, int((high - low).max()) + 1 if np.isfinite(high).all() else _DIRECT))
    up, down = low[:, None] + offsets, last[:, None] - offsets
    counts, use = up, up <= high[:, None]
    wide = high - low >= _DIRECT
    if wide.any():
        counts = np.concatenate([counts, np.maximum(down, 0.0)], axis=1)
        use = np.concatenate([use, np.isfinite(high)[:, None] & (down >= low[:, None] + _DIRECT)], axis=1)
    logs = pt.where(use, negbin_logp(counts, log_mean[:, None], factor[:, None]), -np.inf)
    if not wide.any():
        return pt.logsumexp(logs, axis=1)
    # Where no count lies between, an interval of no weight stands in, so that slopes stay finite.
    first, end = low + _DIRECT - 0.5, np.where(np.isfinite(high), high - _DIRECT + 0.5, 1e300)
    between = end > first
    end = np.where(between, end, first + 1)
    mean = pt.exp(log_mean)
    # The tail beyond an end far from the mean falls at least as fast as geometrically with ratio 1 - 1/φ.
    reach = 12 * pt.sqrt(mean * factor) + 40 * factor
    begin = pt.maximum(first, pt.minimum(mean, end) - reach)
    finish = pt.minimum(end, pt.maximum(mean, begin) + reach)
    half = (finish - begin) / 2
    at = begin[:, None] + half[:, None] * (1 + _NODES)
    inner = negbin_logp(at, log_mean[:, None], factor[:, None]) + np.log(_WEIGHTS) + pt.log(half)[:, None]
    inner = pt.where(between[:, None], inner, -np.inf)
    return pt.logsumexp(pt.concatenate([logs, inner], axis=1), axis=1)
