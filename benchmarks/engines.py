"""Two engines, one blueprint: what laplace says beside what nuts says, and how long each took.

Run by hand, from the folder of the checkout::

    python benchmarks/engines.py agree [--shape 4 12 12 2] [--referrals 60] [--draws 3000] [--mean-steps 3]
    python benchmarks/engines.py time [--shape 8 56 40 2]

``agree`` simulates a world of exact counts, fits it with both engines and prints, over the published aggregates and
over the cells, how far the means lie apart in posterior standard deviations and the ratios of these. ``--mean-steps 0``
leaves out the variational steps from mode to mean. ``time`` runs the command line in a process of its own and prints
the seconds from its start to its end, and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from attrition.estimation.engines.laplace import fit as laplace
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import estimate

BIN = Path(sys.executable).with_name("attrition")
KEYS = ["quantity_id", "offense", "jurisdiction", "period", "mean", "sd"]


def simulate(folder: Path, shape: Sequence[int], referrals: float, seed: int) -> Path:
    """A world of exact counts."""
    options = ("--offenses", "--jurisdictions", "--periods", "--steps")
    command = [
        str(BIN),
        "init",
        "simulated",
        str(folder),
        "--mean-referrals",
        str(referrals),
        "--seed",
        str(seed),
    ]
    for option, size in zip(options, shape, strict=True):
        command += [option, str(size)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "plan.toml"


def compared(one: Run, two: Run) -> pd.DataFrame:
    """Superpopulation rates that both runs publish: shift in sd of the second, ratio of sd, a cell, a root row."""
    frames = []
    for run in (one, two):
        frame = run.estimates
        shown = (frame["basis"] == "superpopulation") & frame["quantity"].isin(["rate", "end_to_end"])
        frames.append(frame.loc[shown & frame["median"].notna(), KEYS])
    both = frames[0].merge(frames[1], on=KEYS[:4], validate="one_to_one", suffixes=("_1", "_2"))
    cell = (both[["offense", "jurisdiction"]] != "all").all(axis=1) & both["period"].str.contains("Q")
    shift = (both["mean_1"] - both["mean_2"]) / both["sd_2"]
    root = (both[["offense", "jurisdiction", "period"]] == "all").all(axis=1)
    return pd.DataFrame({"shift": shift, "ratio": both["sd_1"] / both["sd_2"], "cell": cell, "root": root})


def agree(shape: Sequence[int], referrals: float, draws: int, mean_steps: int, seed: int) -> None:
    """Fit one world with both engines and print how far they lie apart."""
    laplace.STEPS = mean_steps
    with tempfile.TemporaryDirectory() as folder:
        plan = simulate(Path(folder) / "world", shape, referrals, seed)
        patches = {"estimate.draws": draws}
        runs = {e: estimate(plan, engine=e, patches=patches, progress=False) for e in ("laplace", "nuts")}
        for name, run in runs.items():
            diagnostics = {k: round(v, 4) for k, v in run.manifest["diagnostics"].items()}
            print(f"{name}: {run.status}, {run.manifest['timings']}, {diagnostics}", flush=True)
        table = compared(runs["laplace"], runs["nuts"])
    for name, part in (("aggregates", table[~table["cell"]]), ("cells", table[table["cell"]])):
        print(
            f"{name}: {len(part):,} rows; |shift| at most {part['shift'].abs().max():.3f} sd (99 %: "
            f"{part['shift'].abs().quantile(0.99):.3f}), mean shift {part['shift'].mean():+.4f}; "
            f"sd ratio {part['ratio'].min():.3f} to {part['ratio'].max():.3f}"
        )
    print("root rows, shift in sd:", np.round(table.loc[table["root"], "shift"].to_numpy(), 3).tolist())


def clock(shape: Sequence[int], referrals: float, seed: int) -> None:
    """Seconds and peak memory of ``attrition estimate --engine laplace`` from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        plan = simulate(Path(folder) / "world", shape, referrals, seed)
        for name in ("first call", "again"):
            started = time.perf_counter()
            command = [str(BIN), "estimate", str(plan), "--engine", "laplace", "--again"]
            done = subprocess.run(command, capture_output=True, text=True)
            seconds = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{name}: exit {done.returncode}, {seconds:.1f} s, peak {peak:,.0f} MiB", flush=True)
            print("  " + " ".join(done.stdout.split())[:160])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    both, one = commands.add_parser("agree"), commands.add_parser("time")
    for command, shape in ((both, [4, 12, 12, 2]), (one, [8, 56, 40, 2])):
        command.add_argument("--shape", type=int, nargs=4, default=shape, metavar="SIZE")
        command.add_argument("--referrals", type=float, default=60.0)
        command.add_argument("--seed", type=int, default=1)
    both.add_argument("--draws", type=int, default=3000)
    both.add_argument("--mean-steps", type=int, default=laplace.STEPS)
    given = parser.parse_args(arguments)
    if given.command == "agree":
        agree(given.shape, given.referrals, given.draws, given.mean_steps, given.seed)
    else:
        clock(given.shape, given.referrals, given.seed)


if __name__ == "__main__":
    main()
