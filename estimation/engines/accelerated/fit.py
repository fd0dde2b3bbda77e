"""The engine: NumPyro's No-U-Turn sampler, all chains side by side on one device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from numpyro.infer.hmc import hmc

from ....models.compile import CompiledModel
from ...sections import EstimateSpec
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
# Steps at the end of the warm-up that only find the length of a leapfrog; NumPyro's plan ends with 50 for it from so
# many on.
_SETTLE = 150
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
    points, stats, warmed = sample(
        density, data, graph.start, settings, seed, report, metric.field_of(compiled, graph)
    )
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
    field: metric.Field | None = None,
) -> tuple[Floats, dict[str, NDArray[Any]], float]:
    """Draw points (chain, draw, size) of a density and its data, as ``make_log_density`` makes them.

    The first steps of the warm-up only bring the chains to where the density lies; from there on they move in
    coordinates of unit curvature, where these can be had (``metric.Maps``).

    Returns
    -------
    points : (chain, draw, size) float
    stats : mapping of name to (chain, draw)
    warmed : float
        What ``time.perf_counter`` read when the warm-up had ended.
    """
    stream = np.random.default_rng(seed)
    keys = jax.random.split(jax.random.key(seed), settings.chains)
    maps = metric.Maps(density, data, field, seed)
    current = maps.first(start)
    # An arrow's metric is learnt between stretches alone, a smaller field's is refined by NumPyro after them.
    adapts = not isinstance(current.known, metric.Recentred)
    stretches = settings.tune // (2 * _APPROACH)
    stretches = (
        min(_STRETCHES, stretches) if adapts else max((settings.tune - _SETTLE) // _APPROACH, stretches)
    )
    done, total = stretches * _APPROACH, settings.tune + settings.draws
    points = current.known.points(stream.uniform(-1.0, 1.0, (settings.chains, current.size)))
    begin, advance = _program(density, current.move, settings, settings.tune - done, adapts)

    def pieces(steps: int) -> Iterator[tuple[Any, dict[str, Any]]]:
        given = current.arrays, data
        state = begin(current.known.coordinates(points), keys, given)
        for _ in range(0, steps, _PIECE):
            state, found = advance(state, given)
            yield found

    # Where the chains are after the first stretch is better than where they began, but not yet where they belong.
    for _ in range(stretches):
        seen = np.concatenate([np.asarray(found) for found, _ in pieces(_APPROACH)])
        points, current = seen[-1], maps.again(current, seen)

    warmed, drawn = time.perf_counter(), []
    stats: dict[str, list[Any]] = {name: [] for name in _STATS}
    for found, told in pieces(total - done):
        kept = slice(max(settings.tune - done, 0), total - done)
        done += _PIECE
        if kept.start < _PIECE:
            drawn.append(np.asarray(found[kept]))
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


def _program(
    density: Callable[..., Any], move: metric.Move, settings: EstimateSpec, tune: int, adapts: bool
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Two compiled functions for all chains: the state at given coordinates, and the points of a piece of steps.

    Warm-up and draws are one program, whatever the arrays of the map: NumPyro's own loop is compiled whenever it is
    entered.
    """
    moved = metric.moved_density(density, move)
    begin, step = hmc(potential_fn_gen=lambda data: lambda at: -moved(at, data), algo="NUTS")

    def begun(at: Any, key: Any, data: Any) -> Any:
        return begin(
            at,
            tune,
            adapt_mass_matrix=adapts,
            target_accept_prob=settings.target_accept,
            max_tree_depth=(_DEPTH_WARM, _DEPTH),
            model_args=(data,),
            rng_key=key,
        )

    def advance(state: Any, data: Any) -> tuple[Any, Any]:
        def once(state: Any, _: None) -> tuple[Any, Any]:
            state = jax.vmap(step, in_axes=(0, None))(state, (data,))
            return state, (
                jax.vmap(move, in_axes=(0, None))(state.z, data[0])[0],
                {name: getattr(state, theirs) for name, theirs in _STATS.items()},
            )

        return jax.lax.scan(once, state, None, length=_PIECE)

    return jax.jit(jax.vmap(begun, in_axes=(0, 0, None))), jax.jit(advance)


def _progress(settings: EstimateSpec, steps: int, stats: dict[str, list[Any]]) -> Progress:
    return Progress(
        done=settings.chains * steps,
        total=settings.chains * (settings.tune + settings.draws),
        divergences=int(sum(one.sum() for one in stats["diverging"])),
        steps=int(sum(one.sum() for one in stats["n_steps"])),
    )
