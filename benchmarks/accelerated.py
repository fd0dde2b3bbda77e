"""The density of many cells on an accelerator: how long a gradient takes, how long until 400 effective draws.

Run by hand, from the folder of the checkout; the machine with the accelerator needs ``attrition[gpu]``::

    python benchmarks/accelerated.py pack FILE [--jurisdictions 3125]
    python benchmarks/accelerated.py run FILE [--tune 300] [--draws 300] [--gradients]

``pack`` simulates 8 offenses × J jurisdictions × 40 quarters, one step, exact counts, without an effect of each cell,
reads the plan and keeps the density as the engine hands it to JAX: reading a million rows is work of one core, which
needs no accelerator. ``run`` samples that file by the engine ``numpyro`` (``--gradients``: only times gradients) and
prints seconds, divergences, leapfrog steps, and effective draws: of the scales and levels, of all coordinates, and of
the overall rate of the step.
"""

from __future__ import annotations

import argparse
import lzma
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytensor
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

from attrition.estimation.engines.accelerated.density import make_log_density, with_arrays
from attrition.estimation.engines.accelerated.fit import sample
from attrition.estimation.engines.accelerated.metric import field_of
from attrition.estimation.engines.contract import Progress
from attrition.estimation.sections import EstimateSpec

CELL = '[[effect]]\nkind = "cell"\n'


def pack(file: Path, jurisdictions: int, referrals: float, seed: int) -> None:
    """Simulate, read, and keep the density with its data."""
    from attrition.estimation.engines.density import join
    from attrition.estimation.verbs import compile as compile_plan

    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "world" / "plan.toml"
        sizes = ("--offenses", "8", "--jurisdictions", str(jurisdictions), "--periods", "40", "--steps", "1")
        more = ("--mean-referrals", str(referrals), "--seed", str(seed))
        command = [str(Path(sys.executable).with_name("attrition")), "init", "simulated", str(plan.parent)]
        subprocess.run([*command, *sizes, *more], check=True, capture_output=True)
        plan.write_text(plan.read_text().replace(CELL, ""))
        started = time.perf_counter()
        compiled = compile_plan(plan)
        print(f"read and bound in {time.perf_counter() - started:.0f} s", flush=True)
    joined = join(compiled)
    graph, arrays = with_arrays(joined)
    # Whole numbers in as few bytes as hold them.
    small = [array.astype(np.min_scalar_type(int(array.max()))) if array.dtype == np.int64 and array.min() >= 0
             else array for array in arrays]  # fmt: skip
    layout = compiled.blueprint.layout
    with lzma.open(file, "wb") as out:
        pickle.dump(
            {"graph": graph, "arrays": small, "types": [array.dtype.str for array in arrays],
             "field": field_of(compiled, joined), "start": joined.start, "names": joined.sizes,
             "cells": layout.size * layout.steps}, out,
        )  # fmt: skip
    print(f"{layout.size * layout.steps:,} cells, {len(joined.start):,} parameters, "
          f"{file.stat().st_size / 2**20:.0f} MiB")  # fmt: skip


def opened(file: Path) -> dict[str, Any]:
    """What ``pack`` kept."""
    with lzma.open(file, "rb") as source:
        kept = pickle.load(source)
    kept["arrays"] = [a.astype(t) for a, t in zip(kept["arrays"], kept.pop("types"), strict=True)]
    return dict(kept)


def gradients(kept: dict[str, Any], chains: int = 4, times: int = 20) -> None:
    """Milliseconds of a value with its gradient, of one chain and of several side by side."""
    density, data = make_log_density(kept["graph"], tuple(kept["arrays"]))
    both = jax.jit(jax.vmap(jax.value_and_grad(density), in_axes=(0, None)))
    for side in (1, chains):
        x = np.tile(kept["start"], (side, 1))
        started = time.perf_counter()
        jax.block_until_ready(both(x, data))
        compiled = time.perf_counter()
        for _ in range(times):
            found = jax.block_until_ready(both(x, data))
        seconds = (time.perf_counter() - compiled) / times
        print(f"{side} chains: {1e3 * seconds:.2f} ms a gradient, compiled in {compiled - started:.1f} s, "
              f"log density {float(found[0][0]):.6f}", flush=True)  # fmt: skip


def run(kept: dict[str, Any], tune: int, draws: int, accept: float, seed: int) -> None:
    """Sample and print what it took."""
    started = time.perf_counter()
    density, data = make_log_density(kept["graph"], tuple(kept["arrays"]))
    settings = EstimateSpec(chains=4, tune=tune, draws=draws, target_accept=accept)

    def report(progress: Progress) -> None:
        print(
            f"  {time.perf_counter() - started:.0f} s: {progress.done:,} of {progress.total:,}, "
            f"{progress.steps:,} leapfrogs after warm-up",
            flush=True,
        )

    points, stats, warmed = sample(density, data, kept["start"], settings, seed, report, kept["field"])
    ended = time.perf_counter()
    effective = np.asarray(effective_sample_size(points))
    ratio = np.asarray(split_gelman_rubin(points))
    print(
        f"{kept['cells']:,} cells, {points.shape[-1]:,} parameters, 4 × ({tune} + {draws}): {ended - started:.0f} s, "
        f"{warmed - started:.0f} of it compilation and warm-up; {int(stats['diverging'].sum())} divergences, "
        f"{stats['n_steps'].mean():.0f} leapfrogs a draw (at most {int(stats['n_steps'].max())})"
    )
    first = 0
    for name, size in kept["names"].items():
        at = slice(first, first + size)
        print(f"  {name} ({size:,}): effective draws {effective[at].min():.0f}, R-hat {ratio[at].max():.3f}")
        first += size


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one, two = commands.add_parser("pack"), commands.add_parser("run")
    for command in (one, two):
        command.add_argument("file", type=Path)
        command.add_argument("--seed", type=int, default=1)
    one.add_argument("--jurisdictions", type=int, default=3125)
    one.add_argument("--referrals", type=float, default=60.0)
    two.add_argument("--tune", type=int, default=300)
    two.add_argument("--draws", type=int, default=300)
    two.add_argument("--accept", type=float, default=0.8)
    two.add_argument("--gradients", action="store_true")
    given = parser.parse_args(arguments)
    if given.command == "pack":
        pack(given.file, given.jurisdictions, given.referrals, given.seed)
        return
    print(
        f"{jax.devices()[0].device_kind}, JAX {jax.__version__}, PyTensor {pytensor.__version__}", flush=True
    )
    kept = opened(given.file)
    gradients(kept)
    if not given.gradients:
        run(kept, given.tune, given.draws, given.accept, given.seed)


if __name__ == "__main__":
    main()
