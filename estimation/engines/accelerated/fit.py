"""The engine: NumPyro's No-U-Turn sampler, all chains side by side on one device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import numpyro
import xarray as xr
from numpy.typing import NDArray
from numpyro.distributions import ImproperUniform, constraints
from numpyro.infer import NUTS

from ....models.compile import CompiledModel
from ...plan import EstimateSpec
from ..contract import Fit, Progress, Report
from ..density import join, make_expander
from ..drawn import finished, variables
from . import metric
from .density import make_log_density, with_arrays

NAME = "numpyro"
Floats = NDArray[np.float64]
# Between two pieces progress is told and Ctrl-C is heard; all have one length, so one program serves them.
_PIECE = 25
# Deep trees are for the last metric; before that they would take most of the time, a thousand steps each.
_DEPTH_WARM, _DEPTH = 7, 10
# Steps of the warm-up before the curvature is taken, and how often.
_APPROACH, _STRETCHES = 50, 2
_STATS = {"diverging": "diverging", "energy": "energy", "n_steps": "num_steps", "accept": "accept_prob"}


def fit(
    compiled: CompiledModel,
    settings: EstimateSpec,
    seed: int,
    report: Report | None = None,
    say: Callable[[str], None] | None = None,
) -> Fit:
    """Sample a compiled model in double precision; see ``nuts.fit``.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it between two pieces; nothing is returned.
    """
    started = time.perf_counter()
    graph = join(compiled)
    density, data = make_log_density(*with_arrays(graph))
    if say is not None:
        device = jax.devices()[0].device_kind
        say(f"{len(graph.start):,} parameters on {device}, {settings.chains} chains side by side.")
    points, stats, warmed = sample(density, data, graph.start, settings, seed, report)
    named = make_expander(graph, variables(compiled))(points.reshape(-1, points.shape[-1]))
    kept = {name: (("chain", "draw"), values) for name, values in stats.items()}
    seconds = {"compile and warm up": warmed - started, "sample": time.perf_counter() - warmed}
    return finished(compiled, named, xr.Dataset(kept), settings, seconds, NAME)


def sample(
    density: Callable[..., Any],
    data: Any,
    start: Floats,
    settings: EstimateSpec,
    seed: int,
    report: Report | None = None,
) -> tuple[Floats, dict[str, NDArray[Any]], float]:
    """Draw points (chain, draw, size) of a density and its data, as ``make_log_density`` makes them.

    The first steps of the warm-up only bring the chains to where the density lies. From there on they move in
    coordinates of unit curvature, where they are a few thousand at most.

    Returns
    -------
    points : (chain, draw, size) float
    stats : mapping of name to (chain, draw)
    warmed : float
        What ``time.perf_counter`` read when the warm-up had ended.
    """
    stream = np.random.default_rng(seed)
    points = start + stream.uniform(-1.0, 1.0, (settings.chains, len(start)))
    keys = jax.random.split(jax.random.key(seed), settings.chains)
    variances = metric.variances(density, data, start, seed)
    inner, given, approach = density, data, 0
    back: Callable[[Floats], Floats] = np.asarray
    # Where the chains are after the first stretch is better than where they began, but not yet where they belong.
    for _ in range(min(_STRETCHES, settings.tune // (2 * _APPROACH))):
        *_, (found, _) = _pieces(inner, given, points, variances, keys, settings, _APPROACH, _APPROACH)
        approach, points = approach + _APPROACH, back(np.asarray(found[-1]))
        whitening = metric.whitening_of(density, data, points[0])
        if whitening is None:
            break
        points, variances = whitening.coordinates(points), np.ones(len(start))
        inner, given, back = (
            metric.density_of(density),
            (whitening.centre, whitening.root, data),
            whitening.points,
        )

    warmed, done, drawn = time.perf_counter(), approach, []
    tune, total = settings.tune, settings.tune + settings.draws
    stats: dict[str, list[Any]] = {name: [] for name in _STATS}
    for found, told in _pieces(inner, given, points, variances, keys, settings, tune - done, total - done):
        kept = slice(max(tune - done, 0), total - done)
        done += _PIECE
        if kept.start < _PIECE:
            drawn.append(back(np.asarray(found[kept])))
        else:
            warmed = time.perf_counter()
        for name in _STATS:
            stats[name].append(np.asarray(told[name][kept]))
        if report is not None:
            report(_progress(settings, min(done, total), stats))
    return (
        np.concatenate(drawn).swapaxes(0, 1),
        {name: np.concatenate(pieces).T for name, pieces in stats.items()},
        warmed,
    )


def _pieces(
    density: Callable[..., Any],
    data: Any,
    starts: Any,
    variances: Floats,
    keys: Any,
    settings: EstimateSpec,
    tune: int,
    total: int,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Steps of all chains, a piece at a time: points (step, chain, size), and what is told of each step."""

    def model(data: Any) -> None:
        shape = (starts.shape[1],)
        point = numpyro.sample("point", ImproperUniform(constraints.real_vector, (), shape))
        numpyro.factor("density", density(point, data))

    kernel = NUTS(
        model,
        target_accept_prob=settings.target_accept,
        max_tree_depth=(_DEPTH_WARM, _DEPTH),
        inverse_mass_matrix=jax.numpy.asarray(variances),
    )
    state = kernel.init(keys, tune, {"point": starts}, model_args=(data,), model_kwargs={})

    # One program for warm-up and draws: NumPyro's own loop is compiled again whenever it is entered.
    @jax.jit
    def advance(state: Any, data: Any) -> tuple[Any, Any]:
        def once(state: Any, _: None) -> tuple[Any, Any]:
            state = kernel.sample(state, (data,), {})
            return state, (
                state.z["point"],
                {name: getattr(state, theirs) for name, theirs in _STATS.items()},
            )

        return jax.lax.scan(once, state, None, length=_PIECE)

    for _ in range(0, total, _PIECE):
        state, found = advance(state, data)
        yield found


def _progress(settings: EstimateSpec, steps: int, stats: dict[str, list[Any]]) -> Progress:
    return Progress(
        done=settings.chains * steps,
        total=settings.chains * (settings.tune + settings.draws),
        divergences=int(sum(one.sum() for one in stats["diverging"])),
        steps=int(sum(one.sum() for one in stats["n_steps"])),
    )
