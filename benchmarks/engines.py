"""Two engines, one blueprint: what laplace says beside what nuts says, and how long each took.

Run by hand, from the folder of the checkout::

    python benchmarks/engines.py agree [--shape 4 12 12 2] [--referrals 60] [--draws 3000] [--mean-steps 3 0]
    python benchmarks/engines.py time [--shape 8 56 40 2] [--times 2]
    python benchmarks/engines.py growth [--jurisdictions 16 156]
    python benchmarks/engines.py profile [--shape 8 56 40 2]

``agree`` simulates a world of exact counts, fits it with both engines and prints, over the published aggregates and
over the cells, how far the means lie apart in posterior standard deviations and the ratios of these. ``--mean-steps 0``
leaves out the variational steps from mode to mean; several numbers are compared with one run of nuts. ``time`` runs the
command line in a process of its own and prints the seconds from its start to its end, those of the processor, and the
peak memory; ``growth`` does so for 2 steps × 8 offenses × 40 quarters and ever more jurisdictions. ``profile`` prints
where the processor's time of one fit goes, all of it on one thread, so that every function is seen.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from attrition.estimation.engines.laplace import fit as laplace
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import estimate

ROOT = Path(__file__).resolve().parents[1]
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


def agree(shape: Sequence[int], referrals: float, draws: int, mean_steps: Sequence[int], seed: int) -> None:
    """Fit one world with both engines and print how far they lie apart."""
    with tempfile.TemporaryDirectory() as folder:
        plan = simulate(Path(folder) / "world", shape, referrals, seed)
        patches = {"estimate.draws": draws}
        runs = {"nuts": estimate(plan, engine="nuts", patches=patches, progress=False)}
        for steps in mean_steps:
            laplace.STEPS = steps
            run = estimate(plan, engine="laplace", patches=patches, progress=False, again=True)
            run.estimates, run.manifest  # noqa: B018 - read before the next run takes its place
            runs[f"laplace, {steps} mean steps"] = run
        for name, run in runs.items():
            diagnostics = {k: round(v, 4) for k, v in run.manifest["diagnostics"].items()}
            print(f"{name}: {run.status}, {run.manifest['timings']}, {diagnostics}", flush=True)
        nuts = runs.pop("nuts")
        for name, run in runs.items():
            print(name)
            say_agreement(compared(run, nuts))


def say_agreement(table: pd.DataFrame) -> None:
    """Print how far rows of ``compared`` lie apart."""
    for part, rows in (("aggregates", table[~table["cell"]]), ("cells", table[table["cell"]])):
        print(
            f"  {part}: {len(rows):,} rows; |shift| at most {rows['shift'].abs().max():.3f} sd (99 %: "
            f"{rows['shift'].abs().quantile(0.99):.3f}), mean shift {rows['shift'].mean():+.4f}; "
            f"sd ratio {rows['ratio'].min():.3f} to {rows['ratio'].max():.3f}"
        )
    root = np.round(table.loc[table["root"], "shift"].to_numpy(), 3).tolist()
    print(f"  root rows, shift in sd: {root}", flush=True)


def timed(command: Sequence[str], cache: Path | None = None) -> tuple[int, float, float, float, str]:
    """Run a command: its exit, seconds, processor seconds, peak memory in MiB, and what it said.

    Compiled code is looked for in the folder ``cache``, where one is given.
    """
    places = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    environment = os.environ | ({} if cache is None else dict.fromkeys(places, str(cache)))
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL, env=environment)
        _, status, used = os.wait4(child.pid, 0)
        said.seek(0)
        words = " ".join(said.read().split())
    seconds = time.perf_counter() - started
    return (
        os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, words,
    )  # fmt: skip


def clock(shape: Sequence[int], referrals: float, seed: int, times: int = 2) -> tuple[float, float]:
    """Time ``attrition estimate --engine laplace``, first with an empty cache of compiled code where more than once.

    Returns
    -------
    processor, peak : float
        Seconds and MiB, medians of the runs with a warm cache.
    """
    clocked: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        plan = simulate(Path(folder) / "world", shape, referrals, seed)
        cache = Path(folder) / "cache" if times > 1 else None
        for _ in range(times):
            command = [str(BIN), "estimate", str(plan), "--engine", "laplace", "--again"]
            code, seconds, processor, peak, said = timed(command, cache)
            clocked.append((seconds, processor, peak))
            print(
                f"{shape}: exit {code}, {seconds:.1f} s, {processor:.1f} s of the processor, peak {peak:,.0f} MiB, "
                f"load {os.getloadavg()[0]:.0f}",
                flush=True,
            )
            print("  " + said[:160])
            for manifest in plan.parent.glob("runs/*/*/manifest.json"):
                found = json.loads(manifest.read_text())["diagnostics"]
                print("  " + ", ".join(f"{name} {value:.3g}" for name, value in found.items()), flush=True)
    wall, *rest = np.median(clocked[1:] or clocked, axis=0).tolist()
    print(
        f"  median of {len(clocked[1:] or clocked)}: {wall:.1f} s, {rest[0]:.1f} of the processor, {rest[1]:,.0f} MiB"
    )
    return rest[0], rest[1]


def growth(jurisdictions: Sequence[int], referrals: float, seed: int) -> None:
    """Processor time and memory as jurisdictions alone grow, and the exponent of the time."""
    found = [(640 * j, *clock([8, j, 40, 2], referrals, seed, 1)) for j in jurisdictions]
    cells, seconds, _ = np.array(found).T
    print(f"exponent {np.polyfit(np.log(cells), np.log(seconds), 1)[0]:.2f}")


class OneThread(Executor):
    """Does what it is handed at once, where it stands: a profile then sees it."""

    def __init__(self, _: object = None) -> None: ...

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """The work done."""
        done: Future[Any] = Future()
        done.set_result(work(*given, **named))
        return done

    def map(self, work: Callable[..., Any], *given: Any, **_: Any) -> Iterator[Any]:
        """One after the other."""
        return map(work, *given)


def profile(shape: Sequence[int], referrals: float, seed: int) -> None:
    """Functions of this package by the processor's time in and below them, then all functions by their own."""
    for name, module in list(sys.modules.items()):
        if name.startswith("attrition.") and hasattr(module, "ThreadPoolExecutor"):
            module.ThreadPoolExecutor = OneThread  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        plan = simulate(Path(folder) / "world", shape, referrals, seed)
        seen = cProfile.Profile(time.process_time)
        run = seen.runcall(estimate, plan, engine="laplace", progress=False)
        print(run.status)
    stats = pstats.Stats(seen)
    for order, pattern, many in (("cumulative", r"^(estimation|models|data)/", 70), ("tottime", "", 40)):
        print_stats(stats, order, pattern, many)


def place(file: str) -> str:
    """Where a function is, from this repository or the package it belongs to."""
    path = Path(file)
    own = path.is_relative_to(ROOT) and "site-packages" not in path.parts
    return str(path.relative_to(ROOT)) if own else "/".join(path.parts[-3:])


def print_stats(stats: pstats.Stats, order: str, pattern: str, many: int) -> None:
    """Seconds in a function and in it and below, calls, and where it is: a line each, nothing of this machine."""
    key = {"tottime": 2, "cumulative": 3}[order]
    # What is built in has no file.
    lines = [
        f"{place(file)}:{line} {name}" if line else name
        for file, line, name in stats.stats  # type: ignore[attr-defined]
    ]
    found = sorted(
        ((entry[key], entry, text) for text, entry in zip(lines, stats.stats.values(), strict=True)),  # type: ignore[attr-defined]
        key=lambda each: -each[0],
    )
    print(f"\n{'own s':>8} {'with all below':>14} {'calls':>9}  by {order}")
    shown = [each for each in found if re.search(pattern, each[2])]
    for _, (_, calls, own, below, _), text in shown[:many]:
        print(f"{own:8.2f} {below:14.2f} {calls:9,}  {text}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    both, more = commands.add_parser("agree"), commands.add_parser("growth")
    one, look = commands.add_parser("time"), commands.add_parser("profile")
    for command, shape in (
        (both, [4, 12, 12, 2]),
        (one, [8, 56, 40, 2]),
        (look, [8, 56, 40, 2]),
        (more, None),
    ):
        if shape is not None:
            command.add_argument("--shape", type=int, nargs=4, default=shape, metavar="SIZE")
        command.add_argument("--referrals", type=float, default=60.0)
        command.add_argument("--seed", type=int, default=1)
    one.add_argument("--times", type=int, default=2)
    both.add_argument("--draws", type=int, default=3000)
    both.add_argument("--mean-steps", type=int, nargs="+", default=[laplace.STEPS])
    more.add_argument("--jurisdictions", type=int, nargs="+", default=[16, 156])
    given = parser.parse_args(arguments)
    if given.command == "agree":
        agree(given.shape, given.referrals, given.draws, given.mean_steps, given.seed)
    elif given.command == "growth":
        growth(given.jurisdictions, given.referrals, given.seed)
    elif given.command == "profile":
        profile(given.shape, given.referrals, given.seed)
    else:
        clock(given.shape, given.referrals, given.seed, given.times)


if __name__ == "__main__":
    main()
