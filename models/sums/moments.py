"""Means and covariances of the totals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import ArrayLike, NDArray
from pytensor.tensor.variable import TensorVariable

Floats = NDArray[np.float64]


def mean_cov(log_pi: ArrayLike, n: ArrayLike, log_poisson: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Mean (S, D) and covariance (S, D, D) of the totals of units that reached stage d or further.

    Parameters
    ----------
    log_pi : (S, m, D + 1)
        Log probabilities; those of padded cells (``n`` = 0) are not read.
    n : (S, m)
    log_poisson : (S, D), optional
    """
    n = np.asarray(n, float)
    weight = np.where(n[..., None] > 0, np.exp(np.asarray(log_pi, float)), 0.0)
    reached = np.cumsum(weight[..., :0:-1], axis=-1)[..., ::-1]
    mean = np.einsum("sm,smd->sd", n, reached)
    # Who reached the later of two stages reached both.
    later = np.maximum.outer(np.arange(mean.shape[1]), np.arange(mean.shape[1]))
    cov = mean[:, later] - np.einsum("sm,smd,sme->sde", n, reached, reached)
    if log_poisson is not None:
        others = np.cumsum(np.exp(np.asarray(log_poisson, float))[:, ::-1], axis=1)[:, ::-1]
        mean = mean + others
        cov = cov + others[:, later]
    return mean, cov


def mean_cov_tensor(
    log_pi: Any, n: Any, log_poisson: Any | None = None
) -> tuple[TensorVariable, TensorVariable]:
    """The same as tensors; ``log_pi`` of padded cells must be finite here."""
    log_pi = pt.as_tensor(log_pi)
    n = pt.as_tensor(n)
    reached = pt.cumsum(pt.exp(log_pi)[:, :, :0:-1], axis=2)[:, :, ::-1]
    mean = (n[:, :, None] * reached).sum(axis=1)
    d = pt.arange(mean.shape[1])
    later = pt.maximum(d[:, None], d[None, :])
    cov = mean[:, later] - (n[:, :, None, None] * reached[:, :, :, None] * reached[:, :, None, :]).sum(axis=1)
    if log_poisson is not None:
        others = pt.cumsum(pt.exp(pt.as_tensor(log_poisson))[:, ::-1], axis=1)[:, ::-1]
        mean = mean + others
        cov = cov + others[:, later]
    return mean, cov
