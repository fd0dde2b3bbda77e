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
from numpyro.infer import MCMC, NUTS

from ....models.compile import CompiledModel
from ...plan import EstimateSpec
from ..contract import Fit, Progress, Report
from ..density import join, make_expander
from ..drawn import finished, variables
from .density import make_log_density

NAME = "numpyro"
Floats = NDArray[np.float64]
# Between two pieces progress is told and Ctrl-C is heard; all have one length, so one program serves them.
_PIECES = 20
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
    density, data = make_log_density(graph)
    size = len(graph.start)
    if say is not None:
        say(f"{size:,} parameters on {jax.devices()[0].device_kind}, {settings.chains} chains side by side.")

    def model(data: Any) -> None:
        point = numpyro.sample("point", ImproperUniform(constraints.real_vector, (), (size,)))
        numpyro.factor("density", density(point, data))

    stream = np.random.default_rng(seed)
    starts = graph.start + stream.uniform(-1.0, 1.0, (settings.chains, size))
    piece = -(-settings.draws // _PIECES)
    sampler = MCMC(
        NUTS(model, target_accept_prob=settings.target_accept),
        num_warmup=settings.tune,
        num_samples=piece,
        num_chains=settings.chains,
        chain_method="vectorized",
        progress_bar=False,
        jit_model_args=True,
    )
    fields = tuple(name for name in _STATS.values() if name != "diverging")
    sampler.warmup(jax.random.key(seed), data, extra_fields=fields, init_params={"point": starts})
    state = sampler.post_warmup_state
    warmed = time.perf_counter()
    points: list[Floats] = []
    stats: dict[str, list[Any]] = {name: [] for name in _STATS}
    while len(points) * piece < settings.draws:
        sampler.post_warmup_state = state
        sampler.run(state.rng_key, data, extra_fields=fields)
        state = sampler.last_state
        points.append(np.asarray(sampler.get_samples(group_by_chain=True)["point"]))
        found = sampler.get_extra_fields(group_by_chain=True)
        for name, theirs in _STATS.items():
            stats[name].append(np.asarray(found[theirs]))
        if report is not None:
            report(_progress(settings, len(points) * piece, stats))
    draws = np.concatenate(points, axis=1)[:, : settings.draws]
    named = make_expander(graph, variables(compiled))(draws.reshape(-1, size))
    kept = {
        name: (("chain", "draw"), np.concatenate(pieces, axis=1)[:, : settings.draws])
        for name, pieces in stats.items()
    }
    seconds = {"compile and warm up": warmed - started, "sample": time.perf_counter() - warmed}
    return finished(compiled, named, xr.Dataset(kept), settings, seconds, NAME)


def _progress(settings: EstimateSpec, drawn: int, stats: dict[str, list[Any]]) -> Progress:
    return Progress(
        done=settings.chains * (settings.tune + min(drawn, settings.draws)),
        total=settings.chains * (settings.tune + settings.draws),
        divergences=int(sum(one.sum() for one in stats["diverging"])),
        steps=int(sum(one.sum() for one in stats["n_steps"])),
    )
