"""Negative binomial with a mean and a variance factor: the law of counts along a ratio step.

With mean μ and variance φ μ the size is μ / (φ - 1); sums of independent such counts with one φ keep the form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

# Sixty-four Gauss-Legendre nodes integrate the density over twelve standard deviations to about 1e-9.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
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

    Narrow ranges are summed. Wide ones integrate the density between ``low`` - ½ and ``high`` + ½, cut at twelve
    standard deviations from the mean or from the near end of the range, whichever is inside.
    """
    width = high - low
    if np.isfinite(width).all() and width.max() < _DIRECT:
        offsets = np.arange(int(width.max()) + 1)
        counts = low[:, None] + offsets
        logs = negbin_logp(counts, log_mean[:, None], factor[:, None])
        return pt.logsumexp(pt.where(counts <= high[:, None], logs, -np.inf), axis=1)
    mean = pt.exp(log_mean)
    sd = pt.sqrt(mean * factor)
    # The tail beyond an end far from the mean falls at least as fast as geometrically with ratio 1 - 1/φ.
    reach = 12 * sd + 40 * factor
    begin = pt.maximum(low - 0.5, pt.minimum(mean, high) - reach)
    begin = pt.maximum(begin, -0.5)
    finish = pt.minimum(np.where(np.isfinite(high), high, 1e300) + 0.5, pt.maximum(mean, low) + reach)
    half = (finish - begin) / 2
    at = begin[:, None] + half[:, None] * (1 + _NODES)
    logs = negbin_logp(at, log_mean[:, None], factor[:, None])
    return pt.logsumexp(logs + np.log(_WEIGHTS), axis=1) + pt.log(half)
