"""Brute-force distributions of totals: the second route to every number of the kernel."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.special import gammaln

Distribution = Callable[..., np.ndarray]


def one_stage(p: Sequence[float], n: Sequence[int], mean: float = 0.0) -> np.ndarray:
    """P(T = 0, 1, …) of a sum of binomials and a Poisson, in extended precision."""
    result = np.array([1.0], dtype=np.longdouble)
    for rate, units in zip(p, n, strict=True):
        y = np.arange(int(units) + 1, dtype=np.longdouble)
        choose = (
            gammaln(float(units) + 1)
            - gammaln((y + 1).astype(float))
            - gammaln((units - y + 1).astype(float))
        )
        log_odds = np.log(np.longdouble(rate)) - np.log1p(-np.longdouble(rate))
        result = np.convolve(result, np.exp(choose + y * log_odds + units * np.log1p(-np.longdouble(rate))))
    if mean > 0:
        y = np.arange(int(mean + 15 * np.sqrt(mean) + 40))
        result = np.convolve(result, np.exp((y * np.log(mean) - mean - gammaln(y + 1)).astype(np.longdouble)))
    return result


def many_stages(
    pi: np.ndarray, n: Sequence[int], top: Sequence[int], means: Sequence[float] | None = None
) -> np.ndarray:
    """P of the category totals (Z_1, …, Z_D) up to ``top``, by direct convolution."""
    shape = tuple(t + 1 for t in top)
    parts = []
    for row, units in zip(pi, n, strict=True):
        part = np.zeros(shape)
        for z in itertools.product(*[range(min(int(units), t) + 1) for t in top]):
            left = int(units) - sum(z)
            if left >= 0:
                count = np.array([left, *z])
                part[z] = np.exp(gammaln(units + 1) - gammaln(count + 1).sum() + (count * np.log(row)).sum())
        parts.append(part)
    for stage, mean in enumerate(means or []):
        if mean > 0:
            y = np.arange(shape[stage])
            line = np.exp(y * np.log(mean) - mean - gammaln(y + 1))
            part = np.zeros(shape)
            part[tuple(y if j == stage else 0 for j in range(len(shape)))] = line
            parts.append(part)
    result = np.zeros(shape)
    result[(0,) * len(shape)] = 1.0
    for part in parts:
        following = np.zeros(shape)
        for z in zip(*np.nonzero(part), strict=True):
            ahead = tuple(slice(int(a), None) for a in z)
            source = tuple(slice(0, s - int(a)) for a, s in zip(z, shape, strict=True))
            following[ahead] += part[z] * result[source]
        result = following
    return result


@pytest.fixture(scope="session")
def one_stage_pmf() -> Distribution:
    return one_stage


@pytest.fixture(scope="session")
def many_stages_pmf() -> Distribution:
    return many_stages
