"""Accuracy and speed of the kernel for totals over independent parts.

``python benchmarks/sums.py`` prints three tables: errors against brute-force convolution, milliseconds an
evaluation with gradient (best and median of 30), and seconds to compile value and gradient with an empty and a
filled cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from attrition.models.sums.draw import draw_parts_many
from attrition.models.sums.op import value_and_gradient

Floats = NDArray[np.float64]

UNITS = [40, 60, 80, 100, 30, 20, 50, 60]
RATES = [0.01, 0.02, 0.05, 0.03, 0.1, 0.04, 0.02, 0.01]
ONE_STAGE: dict[str, tuple[list[int], list[float], float]] = {
    "small rates": (UNITS, RATES, 0.0),
    "few units, mixed rates": ([3, 4, 5, 2, 6, 3, 2, 4], [0.05, 0.9, 0.3, 0.6, 0.2, 0.5, 0.95, 0.1], 0.0),
    "moderate": ([50, 80, 20, 100, 60, 40, 90, 70], [0.05, 0.6, 0.3, 0.2, 0.8, 0.5, 0.1, 0.3], 0.0),
    "sparse": ([5, 8, 10, 3, 2, 6, 12, 4], [0.02] * 8, 0.0),
    "other origins": (UNITS, RATES, 20.0),
}
MORE_STAGES: dict[str, tuple[int, int, list[float], tuple[float, ...] | None]] = {
    "two stages, moderate": (8, 16, [8, 1, 1], None),
    "two stages, few cells": (3, 30, [2, 1, 1], None),
    "two stages, extreme rates": (4, 14, [0.3, 0.3, 0.3], None),
    "two stages, other origins": (4, 14, [4, 1, 1], (4.0, 2.0)),
    "three stages, few units": (4, 9, [3, 1, 1, 1], None),
}
COMPILE = """
import time
start = time.perf_counter()
import numpy as np, pytensor, pytensor.tensor as pt
from attrition.models.sums.op import sum_logp
loaded = time.perf_counter()
x, n, t = pt.dtensor3(), pt.dmatrix(), pt.dmatrix()
logp = sum_logp(x, n, t, t)
f = pytensor.function([x, n, t], [logp, pytensor.grad(logp.sum(), x)], mode="NUMBA")
f(np.log(np.full((2, 3, 2), .5)), np.full((2, 3), 9.), np.full((2, 1), 9.))
print(time.perf_counter() - loaded)
"""


def part_pmf(units: int, weights: Floats, shape: tuple[int, ...]) -> Floats:
    """Multinomial probabilities of one cell on a grid of category counts."""
    pmf = np.zeros(shape)
    for z in product(*(range(min(units + 1, s)) for s in shape)):
        count = np.array([units - sum(z), *z])
        if count[0] >= 0:
            pmf[z] = np.exp(gammaln(units + 1) - gammaln(count + 1).sum() + (count * np.log(weights)).sum())
    return pmf


def totals_pmf(
    pi: Floats, n: list[int], shape: tuple[int, ...], means: tuple[float, ...] | None = None
) -> Floats:
    """Probabilities of the category totals by direct convolution."""
    parts = [part_pmf(units, row, shape) for units, row in zip(n, pi, strict=True)]
    for stage, mean in enumerate(means or ()):
        y = np.arange(shape[stage])
        line = np.zeros(shape)
        line[tuple(y if j == stage else 0 for j in range(len(shape)))] = np.exp(
            y * np.log(mean) - mean - gammaln(y + 1)
        )
        parts.append(line)
    result = parts[0]
    for part in parts[1:]:
        following = np.zeros(shape)
        for z in zip(*np.nonzero(part), strict=True):
            ahead = tuple(slice(int(a), None) for a in z)
            source = tuple(slice(0, s - int(a)) for a, s in zip(z, shape, strict=True))
            following[ahead] += part[z] * result[source]
        result = following
    return result


def errors(
    pi: Floats, n: list[int], shape: tuple[int, ...], means: tuple[float, ...] | None
) -> tuple[float, float]:
    """Largest error of log f over the central 99.8 %, and its mean under f."""
    pmf = totals_pmf(pi, n, shape, means)
    order = np.argsort(-pmf.ravel())
    kept = order[: np.searchsorted(np.cumsum(pmf.ravel()[order]), 0.998 * pmf.sum()) + 1]
    categories = np.stack(np.unravel_index(kept, shape), axis=1)
    totals = np.cumsum(categories[:, ::-1], axis=1)[:, ::-1].astype(float)
    k = len(totals)
    others = None if means is None else np.tile(np.log(means), (k, 1))
    log_pi, units = np.tile(np.log(pi), (k, 1, 1)), np.tile(np.asarray(n, float), (k, 1))
    value, _, _ = value_and_gradient(log_pi, units, totals, totals, others)
    f = pmf.ravel()[kept]
    error = np.abs(value - np.log(f))
    return float(error.max()), float((f * error).sum() / f.sum())


def accuracy() -> None:
    """Print errors against brute force."""
    print(f"{'error of log f, central 99.8 %':34s} {'largest':>9s} {'mean':>9s}")
    for name, (n, p, mean) in ONE_STAGE.items():
        pi = np.stack([1 - np.array(p), p], axis=1)
        largest, usual = errors(pi, n, (min(sum(n), 300) + 1,), (mean,) if mean else None)
        print(f"{name:34s} {largest:9.1e} {usual:9.1e}")
    rng = np.random.default_rng(4)
    for name, (cells, units, concentration, means) in MORE_STAGES.items():
        pi = rng.dirichlet(concentration, cells)
        depth = len(concentration) - 1
        top = min(cells * units, 60 if depth == 2 else 18)
        largest, usual = errors(pi, [units] * cells, (top + 1,) * depth, means)
        print(f"{name:34s} {largest:9.1e} {usual:9.1e}")


def clock(name: str, log_pi: Floats, n: Floats, low: Floats, high: Floats) -> None:
    """Print milliseconds of one evaluation with gradient."""
    value_and_gradient(log_pi, n, low, high)
    taken = []
    for _ in range(30):
        start = time.perf_counter()
        value_and_gradient(log_pi, n, low, high)
        taken.append(1e3 * (time.perf_counter() - start))
    print(f"{name:46s} {min(taken):9.2f} {np.median(taken):9.2f}")


def speed() -> None:
    """Print times for 2,240 statements of 8 cells."""
    rng = np.random.default_rng(0)
    s, m = 2240, 8
    print(f"\n{'2,240 statements x 8 cells, ms':46s} {'best':>9s} {'median':>9s}")
    p = 1 / (1 + np.exp(-rng.normal(-2.2, 0.8, (s, m))))
    log_pi = np.log(np.stack([1 - p, p], axis=-1))
    for name, mean in (("saddlepoint (mean 59)", 60), ("mostly exact (mean 4.8)", 5)):
        n = rng.poisson(mean, (s, m))
        total = rng.binomial(n, p).sum(axis=1)[:, None].astype(float)
        clock(f"one stage, {name}", log_pi, n.astype(float), total, total)
        clock(f"one stage, {name}, ranges of 5", log_pi, n.astype(float), np.maximum(total - 2, 0), total + 2)
        clock(f"one stage, {name}, at least", log_pi, n.astype(float), total, total + np.inf)
    pi = rng.dirichlet([5, 1, 0.5], (s, m))
    for name, mean in (("saddlepoint", 60), ("mostly exact", 3)):
        n = rng.poisson(mean, (s, m))
        z = np.array(
            [[rng.multinomial(k, w) for k, w in zip(*x, strict=True)] for x in zip(n, pi, strict=True)]
        )
        totals = np.stack([z[..., 1:].sum(axis=(1, 2)), z[..., 2].sum(axis=1)], axis=1).astype(float)
        clock(f"two stages, {name}", np.log(pi), n.astype(float), totals, totals)

    log_pi = np.log(rng.dirichlet([3, 1], (4000, 8)))
    start = time.perf_counter()
    draw_parts_many(0, log_pi[:1], [60] * 8, [120], [120])
    loaded = time.perf_counter()
    draw_parts_many(0, log_pi, [60] * 8, [120], [120])
    print(f"{'4,000 draws of 8 cells given their total':46s} {1e3 * (time.perf_counter() - loaded):9.2f}")
    print(f"{'(compiling or loading the draws took, s)':46s} {loaded - start:9.2f}")


def compilation() -> None:
    """Print seconds to compile value and gradient in a new process, cache empty and filled."""
    print(f"\n{'compile value and gradient, s':46s}")
    with tempfile.TemporaryDirectory() as folder:
        flags = ",".join(filter(None, (os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={folder}")))
        for name in ("empty cache", "second process"):
            found = subprocess.run(
                [sys.executable, "-c", COMPILE],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTENSOR_FLAGS": flags},
            )
            print(f"{name:46s} {float(found.stdout):9.2f}")


if __name__ == "__main__":
    accuracy()
    speed()
    compilation()
