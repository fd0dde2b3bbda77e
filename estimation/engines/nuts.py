"""The reference engine: the PyMC model sampled by nutpie's No-U-Turn sampler."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lazy_loader
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ...models.blueprint import Blueprint
from ...models.compile import CompiledModel, compile_model
from ..convergence import hyper_convergence
from ..sections import EstimateSpec
from .contract import DRAFT, FULL, WHOLE, Aim, Fit, Progress, Report
from .density import Density, copy_point, make_density
from .drawn import finished, scales, variables
from .recentred import carried, low_scales, recentred
from .whitened import MOST, Whitening, through, whiten

if TYPE_CHECKING:
    import nutpie
else:
    # A fit by laplace never uses it, and it loads all of ArviZ.
    nutpie = lazy_loader.load("nutpie")

NAME = "nuts"
Floats = NDArray[np.float64]
# Steps of a chain that only looks, of them kept, how deep its trees may be and those of the others, and of how many
# parameters at least there is one.
_APPROACH, _SEEN, _SHALLOW, _DEEP, _FEWEST = 100, 25, 6, 10, 200
Sampler = Callable[
    [CompiledModel, EstimateSpec, int, Report | None, Callable[[str], None] | None],
    Fit,
]


def aim(settings: EstimateSpec) -> Aim:
    """The gates of design, or of a draft, which is recognised by draws that could never pass them."""
    return DRAFT if settings.draws * settings.chains < WHOLE else FULL


def fit_well(
    blueprint: Blueprint,
    settings: EstimateSpec,
    say: Callable[[str], None],
    report: Report | None = None,
    sample: Sampler | None = None,
) -> Fit:
    """Fit, and where the diagnostics ask for it fit again with what the first attempt has shown.

    A later attempt centres each coefficient with the scales of the one before, takes smaller steps, and draws more
    where the effective draws were less than twice those asked for: smaller steps may halve them. The last attempt
    is returned whatever its diagnostics say. ``sample`` is another sampler than nutpie's, called as ``fit`` is.
    """
    goal, sample = aim(settings), sample or fit
    done = sample(compile_model(blueprint), settings, settings.seed, report, say)
    for attempt in (2, 3):
        worst = hyper_convergence(done.posterior)
        diverged = int(done.sample_stats["diverging"].sum())
        if worst.rhat < goal.rhat and worst.ess >= goal.ess and not diverged:
            break
        say(
            f"Attempt {attempt - 1}: {diverged} divergences, R-hat {worst.rhat:.3f}, {worst.ess:,.0f} effective draws; "
            "fitting again with the scales it found …"
        )
        found = low_scales(done.field.sd)
        more = min(max(2.0 * goal.ess / max(worst.ess, 1.0), 1.0), 4.0)
        settings = settings.model_copy(
            update={
                "target_accept": max(settings.target_accept, 0.98 if attempt == 2 else 0.99),
                "draws": int(settings.draws * more),
            }
        )
        seconds = done.seconds
        done = sample(compile_model(blueprint, found), settings, settings.seed + attempt, report, None)
        together = {name: value + seconds[name] for name, value in done.seconds.items()}
        done = replace(done, seconds=together, arguments={**done.arguments, "attempts": attempt})
    return done


def fit(
    compiled: CompiledModel,
    settings: EstimateSpec,
    seed: int,
    report: Report | None = None,
    say: Callable[[str], None] | None = None,
) -> Fit:
    """Sample a compiled model.

    Parameters
    ----------
    compiled : CompiledModel
    settings : EstimateSpec
        Draws, warm-up, chains and target acceptance.
    seed : int
    report : callable, optional
        Called several times a second with the progress.
    say : callable, optional
        Told, before sampling, how long it may take.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it; the sampler has been cancelled and nothing is returned.
    """
    started = time.perf_counter()
    density = make_density(compiled, variables(compiled))
    density.value_and_gradient(density.start)
    built = time.perf_counter()
    if say is not None:
        say(_forecast(density, settings))
    whitening = None
    if _worth_a_look(compiled, density):
        if say is not None:
            say("A short chain shows how far the effects differ, and how they lean on one another …")
        compiled, density, whitening = _looked(compiled, density, settings, seed)
    tree = _sample(density, whitening, settings, seed, report)
    points = tree["posterior"]["point"].to_numpy().reshape(-1, density.size)
    draws = density.expand(points if whitening is None else whitening.points(points))
    seconds = {"compile": built - started, "sample": time.perf_counter() - built}
    return finished(compiled, draws, tree["sample_stats"].to_dataset(), settings, seconds, NAME)


def _worth_a_look(compiled: CompiledModel, density: Density) -> bool:
    """May a short chain tell how to sample the effects better?

    Small models are sampled sooner than looked at. Effects that are departures from what single counts say of them are
    not centred, and do not lean on one another.
    """
    conditioned = any(compiled.blueprint.ratio_steps) or len(compiled.anchors)
    may = density.size >= _FEWEST and "z" in density.places and not conditioned
    return may and (compiled.cautious or _may_lean(compiled, density))


def _may_lean(compiled: CompiledModel, density: Density) -> bool:
    """Are the effects few enough to ask how they lean on one another?

    Effects of single cells lean on little, and there are so many of them that the map would cost what it gains.
    """
    return density.size <= MOST and not any(block.cellwise for block in compiled.blueprint.blocks)


def _looked(
    compiled: CompiledModel, density: Density, settings: EstimateSpec, seed: int
) -> tuple[CompiledModel, Density, Whitening | None]:
    """The model centred as a short chain shows its scales, and coordinates of unit curvature where that chain ended."""
    short = settings.model_copy(update={"chains": 1, "tune": min(settings.tune, _APPROACH), "draws": _SEEN})
    points = _sample(density, None, short, seed, None, _SHALLOW)["posterior"]["point"].to_numpy()[0]
    point = points[-1].copy()
    if compiled.cautious:
        sd = scales(compiled, density.expand(points))
        before, compiled = compiled, recentred(compiled, sd)
        density = make_density(compiled, variables(compiled))
        last = {name: values[-1] for name, values in sd.items()}
        point[density.places["z"]] = carried(point[density.places["z"]], before, compiled, last)
    lean = _may_lean(compiled, density)
    return compiled, density, whiten(density.value_and_gradient, point) if lean else None


def _sample(
    density: Density,
    whitening: Whitening | None,
    settings: EstimateSpec,
    seed: int,
    report: Report | None,
    depth: int = _DEEP,
) -> xr.DataTree:
    """Nutpie's draws of the points, or of their coordinates."""
    with threadpool_limits(limits=1):
        sampler = nutpie.sample(
            _program(density, whitening, seed),
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=None,
            seed=seed,
            save_warmup=False,
            progress_bar=False,
            progress_callback=_forward(report) if report is not None else None,
            blocking=False,
            target_accept=settings.target_accept,
            maxdepth=depth,
        )
        try:
            return sampler.wait()
        except KeyboardInterrupt:
            sampler.cancel()
            raise


def _forecast(density: Density, settings: EstimateSpec) -> str:
    """How long sampling may take, from a few gradients: a trajectory has 15 to 127 steps in most models."""
    started = time.perf_counter()
    for _ in range(20):
        density.value_and_gradient(density.start)
    each = (time.perf_counter() - started) / 20
    trajectories = (
        settings.chains * (settings.draws + settings.tune) / min(settings.chains, os.cpu_count() or 1)
    )
    low, high = (each * trajectories * steps for steps in (15, 127))
    memory = settings.chains * settings.draws * density.size * 8 / 2**20
    return (
        f"{density.size:,} parameters, {1e3 * each:.2f} ms a gradient: sampling may take {low:.0f} to {high:.0f} s, "
        f"its draws {memory:,.0f} MiB."
    )


def _program(
    density: Density, whitening: Whitening | None, seed: int
) -> nutpie.compile_pymc.CompiledPyMCModel:
    """The density as nutpie takes it: one variable, the unconstrained point or its coordinates, and two C functions.

    Built field by field: nutpie's own way there compiles the PyMC model anew in every process.
    """

    def start(chain_seed: int) -> Floats:
        # The stream belongs to the chain, not to whichever thread asks first.
        stream = np.random.default_rng([seed, chain_seed])
        if whitening is not None:
            return stream.standard_normal(density.size)
        return density.start + stream.uniform(-1.0, 1.0, density.size)

    callback = density.callback if whitening is None else through(density.callback, whitening)
    return nutpie.compile_pymc.CompiledPyMCModel(
        dims={},
        compiled_logp_func=callback,
        compiled_expand_func=copy_point(),
        initial_point_func=start,
        shared_data={},
        shared_var_keys={},
        user_data=callback.table,
        n_expanded=density.size,
        shape_info=(["point"], [slice(0, density.size)], [(density.size,)]),
        logp_func=None,
        expand_func=None,
        _n_dim=density.size,
        _shapes={"point": (density.size,)},
        _coords={},
    )


def _forward(report: Report) -> Any:
    """Nutpie's list of chains as one record."""

    def callback(chains: list[Any]) -> None:
        report(
            Progress(
                done=sum(chain.finished_draws for chain in chains),
                total=sum(chain.total_draws for chain in chains),
                divergences=sum(chain.divergences for chain in chains),
                steps=sum(chain.total_num_steps for chain in chains),
            )
        )

    return callback
