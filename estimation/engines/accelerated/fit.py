"""The engine: NumPyro's No-U-Turn sampler, all chains side by side on one device."""

from __future__ import annotations

import time
from collections.abc import Callable
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
from .density import lifted, make_log_density

NAME = "numpyro"
Floats = NDArray[np.float64]
# Between two pieces progress is told and Ctrl-C is heard; all have one length, so one program serves them.
_PIECE = 25
# Deep trees are for the last metric; before that they would take most of the time, a thousand steps each.
_DEPTH_WARM, _DEPTH = 7, 10
_SIGNS, _STEP = 32, 1e-4
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
    density, data = make_log_density(*lifted(graph))
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
    """Draw points (chain, draw, size) of a density and its data; see ``make_log_density``.

    Returns
    -------
    points : (chain, draw, size) float
    stats : mapping of name to (chain, draw)
    warmed : float
        What ``time.perf_counter`` read when the warm-up had ended.
    """
    size, total = len(start), settings.tune + settings.draws

    def model(data: Any) -> None:
        point = numpyro.sample("point", ImproperUniform(constraints.real_vector, (), (size,)))
        numpyro.factor("density", density(point, data))

    stream = np.random.default_rng(seed)
    starts = start + stream.uniform(-1.0, 1.0, (settings.chains, size))
    kernel = NUTS(
        model,
        target_accept_prob=settings.target_accept,
        max_tree_depth=(_DEPTH_WARM, _DEPTH),
        inverse_mass_matrix=_variances(density, data, start, seed),
    )
    keys = jax.random.split(jax.random.key(seed), settings.chains)
    state = kernel.init(keys, settings.tune, {"point": starts}, model_args=(data,), model_kwargs={})

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

    warmed = time.perf_counter()
    points: list[Floats] = []
    stats: dict[str, list[Any]] = {name: [] for name in _STATS}
    for done in range(0, total, _PIECE):
        state, (drawn, told) = advance(state, data)
        kept = slice(max(settings.tune - done, 0), total - done)
        if kept.start < _PIECE:
            points.append(np.asarray(drawn[kept]))
        else:
            warmed = time.perf_counter()
        for name in _STATS:
            stats[name].append(np.asarray(told[name][kept]))
        if report is not None:
            report(_progress(settings, min(done + _PIECE, total), stats))
    return (
        np.concatenate(points).swapaxes(0, 1),
        {name: np.concatenate(pieces).T for name, pieces in stats.items()},
        warmed,
    )


def _variances(density: Callable[..., Any], data: Any, start: Floats, seed: int) -> Any:
    """Where the metric begins: one over the curvature of each coordinate at the start, (size,).

    The diagonal of a matrix is the mean of v ⊙ Hv over random signs v (Bekas, Kokiopoulou and Saad 2007); Hv is a
    difference of gradients. In our coordinates the prior's own curvature is about one: less is noise.
    """
    slope = jax.vmap(jax.grad(density), in_axes=(0, None))

    @jax.jit
    def curvature(sign: Any, data: Any) -> Any:
        ends = jax.numpy.stack([start - _STEP * sign, start + _STEP * sign])
        low, high = slope(ends, data)
        return sign * (low - high) / (2 * _STEP)

    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (_SIGNS, len(start)))
    found = np.mean([np.asarray(curvature(sign, data)) for sign in signs], axis=0)
    return 1.0 / np.maximum(np.where(np.isfinite(found), found, 1.0), 1.0)


def _progress(settings: EstimateSpec, steps: int, stats: dict[str, list[Any]]) -> Progress:
    return Progress(
        done=settings.chains * steps,
        total=settings.chains * (settings.tune + settings.draws),
        divergences=int(sum(one.sum() for one in stats["diverging"])),
        steps=int(sum(one.sum() for one in stats["n_steps"])),
    )
