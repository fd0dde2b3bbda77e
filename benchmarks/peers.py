"""The engines beside what others would use on the same counts.

Run by hand, from the folder of the checkout::

    python benchmarks/peers.py glmmtmb [--shape 8 56 40 2]
    python benchmarks/peers.py gather [--shape 8 56 40 2] [--draws 100] [--tune 150]
    python benchmarks/peers.py bambi [--shape 8 56 40 1] [--draws 100] [--tune 150]
    python benchmarks/peers.py memory

``glmmtmb`` fits each step by maximum likelihood in R, with and without an effect of each cell, and the whole by laplace
beside it. ``gather`` samples the same effects (without those of cells) twice with nutpie and equal numbers of draws:
the model of this package, and one as it would first be written, with ``Binomial`` and rows gathered from the axes.
``bambi`` does so for one step with bambi's default sampler; periods are exchangeable there where ours walk. A peer
that is not installed is skipped. ``memory`` measures what a gradient moves against what memory can.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import xarray as xr
from engines import BIN, simulate, timed

from attrition.data.names import AXES
from attrition.estimation.binding import bind_plan
from attrition.estimation.convergence import rhat_and_ess
from attrition.estimation.engines import nuts
from attrition.estimation.engines.density import make_density
from attrition.estimation.plan import read_plan
from attrition.estimation.sections import EstimateSpec
from attrition.models.compile import compile_model

CHAINS = 2
R = """suppressMessages(library(glmmTMB))
d <- read.csv(commandArgs(TRUE)[1])
for (v in c("offense", "jurisdiction", "period")) d[[v]] <- factor(d[[v]])
f <- cbind(y, n - y) ~ 1 + (1|offense) + (1|jurisdiction) + (1|offense:jurisdiction) + (1|period) + (1|offense:period)
for (form in list(f, update(f, . ~ . + (1|offense:jurisdiction:period))))
  cat(sum(system.time(glmmTMB(form, data = d, family = binomial))[c("user.self", "sys.self")]), "")
"""


def steps(plan: Path) -> list[pd.DataFrame]:
    """Units and outcomes of each step, one row a cell that has units: the axes, ``n`` and ``y``."""
    table = pd.read_csv(plan.parent / "data.csv")
    stages = [column for column in table.columns if column not in AXES]
    found = []
    for source, target in itertools.pairwise(stages):
        frame = table[[*AXES]].assign(n=table[source], y=table[target])
        found.append(frame[frame["n"] > 0])
    return found


def glmmtmb(plan: Path) -> None:
    """Processor seconds of glmmTMB's fits, which other work on the machine does not change."""
    if shutil.which("Rscript") is None:
        print("skipped: no R here (Debian: r-cran-glmmtmb)")
        return
    whole = np.zeros(2)
    for number, frame in enumerate(steps(plan)):
        path = plan.parent / f"step{number}.csv"
        frame.to_csv(path, index=False)
        done = subprocess.run(["Rscript", "-e", R, str(path)], capture_output=True, text=True)
        if done.returncode:
            print(f"skipped: {done.stderr.strip().splitlines()[-1]}")
            return
        whole += np.array(done.stdout.split(), dtype=float)
        print(
            f"step {number + 1}: {done.stdout.strip()} s without and with an effect of each cell", flush=True
        )
    print(f"all steps: {whole[0]:.1f} and {whole[1]:.1f} s")
    for peer, words in ((whole[1], "with"), (whole[0], "without")):
        if words == "without":
            _without_cells(plan)
        command = [str(BIN), "estimate", str(plan), "--engine", "laplace", "--again"]
        # The first of two fills the cache of compiled code.
        (_, wall, processor, *_) = [timed(command) for _ in range(2)][1]
        print(
            f"laplace {words} an effect of each cell, from process to table: {wall:.1f} s, {processor:.1f} of the "
            f"processor, {processor / peer:.2f} times as much",
            flush=True,
        )


def _without_cells(plan: Path) -> None:
    plan.write_text(plan.read_text().replace('[[effect]]\nkind = "cell"\n', ""))


def least_ess(posterior: xr.Dataset) -> float:
    """Fewest effective draws of whatever varies in a posterior."""
    parts = [value.transpose("chain", "draw", ...).to_numpy() for value in posterior.data_vars.values()]
    values = np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2).astype(float)
    return float(rhat_and_ess(values[..., values.std(axis=(0, 1)) > 1e-12])[1].min())


def gathered(plan: Path) -> pm.Model:
    """The same effects as they would first be written."""
    with pm.Model(check_bounds=False) as model:
        for s, frame in enumerate(steps(plan)):
            at = [pd.factorize(frame[axis], sort=True)[0] for axis in AXES]
            size = [int(one.max()) + 1 for one in at]
            (o, j, t), (offenses, places, periods) = at, size
            sd = [pm.HalfNormal(f"sd{s}_{k}", 1.0) for k in range(5)]
            offense = pm.ZeroSumNormal(f"offense{s}", sigma=sd[0], shape=offenses)
            place = pm.ZeroSumNormal(f"place{s}", sigma=sd[1], shape=places)
            both = pm.ZeroSumNormal(f"both{s}", shape=(offenses, places), n_zerosum_axes=2) * sd[2]
            walk = pm.math.cumsum(pm.Normal(f"walk{s}", shape=periods)) * sd[3]
            walks = pm.ZeroSumNormal(f"walks{s}", shape=(periods, offenses)).cumsum(axis=0) * sd[4]
            eta = pm.Normal(f"level{s}", -2, 1.5) + offense[o] + place[j] + both[o, j]
            eta += (walk - walk.mean())[t] + (walks - walks.mean(axis=0))[t, o]
            pm.Binomial(f"y{s}", n=frame["n"].to_numpy(), logit_p=eta, observed=frame["y"].to_numpy())
    return model


def ours(plan: Path, draws: int, tune: int) -> float:
    """Fewest effective draws per second of warm-up and sampling of this package, without effects of cells."""
    _without_cells(plan)
    bound = bind_plan(read_plan(plan))
    settings = EstimateSpec(draws=draws, tune=tune, chains=CHAINS)
    done = nuts.fit(compile_model(bound.blueprint), settings, 1)
    found = least_ess(done.posterior)
    rate = found / done.seconds["sample"]
    print(f"nuts: {done.seconds}, least ESS {found:.0f}, {rate:.2f} per s", flush=True)
    return rate


def gather(plan: Path, draws: int, tune: int) -> None:
    """This package beside rows gathered."""
    rate = ours(plan, draws, tune)
    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(gathered(plan))
    built = time.perf_counter()
    tree = nutpie.sample(compiled, draws=draws, tune=tune, chains=CHAINS, seed=1, progress_bar=False)
    seconds = time.perf_counter() - built
    ess = least_ess(tree["posterior"].to_dataset())
    print(
        f"rows gathered: compiled {built - started:.0f} s, sampled {seconds:.0f} s, least ESS {ess:.0f}, "
        f"{ess / seconds:.2f} per s; ratio {rate * seconds / ess:.1f}"
    )


def bambi(plan: Path, draws: int, tune: int) -> None:
    """This package beside bambi, on the first step."""
    if importlib.util.find_spec("bambi") is None:
        print("skipped: bambi is not installed")
        return
    import bambi as bmb

    terms = ["offense", "jurisdiction", "offense:jurisdiction", "period", "offense:period"]
    formula = "p(y, n) ~ 1 + " + " + ".join(f"(1|{term})" for term in terms)
    model = bmb.Model(formula, steps(plan)[0], family="binomial")
    rate = ours(plan, draws, tune)
    started = time.perf_counter()
    tree = model.fit(draws=draws, tune=tune, chains=CHAINS, random_seed=1, progressbar=False)
    seconds = time.perf_counter() - started
    ess = least_ess(tree["posterior"].to_dataset())
    print(
        f"bambi {bmb.__version__}: {seconds:.0f} s with compilation, least ESS {ess:.0f}, {ess / seconds:.2f} per s; "
        f"ratio {rate * seconds / ess:.1f}"
    )


def memory(plan: Path) -> None:
    """What a gradient reads and writes at least, against a plain loop over memory."""
    density = make_density(compile_model(bind_plan(read_plan(plan)).blueprint), ("intercept", "spread", "z"))
    calls = _fastest(lambda: density.value_and_gradient(density.start))
    frames = steps(plan)
    # Of each cell y, n and the predictor are read and the slope written; the coefficients are read, and their slopes.
    moved = 8 * (4 * sum(len(frame) for frame in frames) + 2 * density.size)
    one, two = np.ones(20_000_000), np.ones(20_000_000)
    bandwidth = 3 * one.nbytes / _fastest(lambda: np.add(one, two, out=two))
    print(
        f"gradient {1e3 * calls:.2f} ms, {moved / 1e6:.2f} MB at least: {moved / calls / 1e9:.2f} GB/s of "
        f"{bandwidth / 1e9:.1f} GB/s from memory"
    )


def _fastest(call: object, times: int = 15) -> float:
    """Least processor seconds of this thread."""
    found = []
    for _ in range(times):
        started = time.thread_time()
        call()  # type: ignore[operator]
        found.append(time.thread_time() - started)
    return min(found)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("glmmtmb", "gather", "bambi", "memory"):
        command = commands.add_parser(name)
        shape = [8, 56, 40, 1 if name == "bambi" else 2]
        command.add_argument("--shape", type=int, nargs=4, default=shape, metavar="SIZE")
        if name in ("gather", "bambi"):
            command.add_argument("--draws", type=int, default=100)
            command.add_argument("--tune", type=int, default=150)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        plan = simulate(Path(folder) / "world", given.shape, 60.0, 1)
        if given.command in ("gather", "bambi"):
            {"gather": gather, "bambi": bambi}[given.command](plan, given.draws, given.tune)
        else:
            {"glmmtmb": glmmtmb, "memory": memory}[given.command](plan)


if __name__ == "__main__":
    main()
