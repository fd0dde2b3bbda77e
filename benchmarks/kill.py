"""Kill a release, or a sweep of scenarios, at random moments; say what is left, and whether going on ends the same.

Run by hand, from the folder of the checkout::

    python benchmarks/kill.py release [--kills 30] [--seed 1]
    python benchmarks/kill.py vary [--kills 30] [--seed 1]

A small simulated world is released (or varied) once undisturbed, and then again and again from empty folders, each time
killed (SIGKILL, with everything it started) up to five times at moments drawn evenly over the time one takes.
After every kill each run that can be seen must be complete and readable, no run that stood before may be gone, and a
release must be whole or absent. Then the command runs to its end, and its numbers must have the bytes of the
undisturbed ones. Prints a line for every round, and ends with 1 where anything was otherwise.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from engines import BIN, simulate

from attrition.estimation.store.find import list_runs
from attrition.estimation.store.runs import Run

DAY = "2026-06-30"
KILLS = 5  # at most, before a round runs to its end
SETTINGS = """
[estimate]
engine = "laplace"
draws = 600

[[scenario]]
name = "priors"
reason = "wider"
set = {"prior.spread" = 1.5}

[[scenario]]
name = "first periods"
reason = "without the last"
set = {"exclude.+" = {period = "2015Q4", reason = "young"}}

[release]
scenarios = ["priors", "first periods"]
accept = {ess = "few draws will do to see what a kill leaves", ess_cells = "the same"}
"""
SAME = {"release": ("estimates.csv", "sensitivity.csv", "claims.json", "withheld.json"),
        "vary": ("estimates.csv", "sensitivity.csv", "claims.json")}  # fmt: skip


def world(folder: Path) -> Path:
    """A plan of few cells, all known before the day of the release."""
    plan = simulate(folder / "world", [3, 8, 4, 1], 400, 1)
    data = pd.read_csv(plan.with_name("data.csv"))
    data["as_of"] = "2026-01-31"
    data.to_csv(plan.with_name("data.csv"), index=False)
    text = plan.read_text()
    assert "[estimate]" not in text
    for effect in ("time", "offense_jurisdiction", "offense_time"):
        text = text.replace(f'[[effect]]\nkind = "{effect}"\n', "")
    plan.write_text(f"{text}\n{SETTINGS}")
    return plan


def commanded(what: str, plan: Path, folder: Path) -> list[str]:
    """The command, with folders of its own."""
    roots = ["--runs", str(folder / "runs")]
    if what == "vary":
        return [str(BIN), "vary", str(plan), *roots]
    return [str(BIN), "release", str(plan), "--as-of", DAY, "--releases", str(folder / "releases"), *roots]


def finish(command: Sequence[str]) -> tuple[int, float]:
    """Run to the end: exit code and seconds. A failed check (4) or a run unfit (3) is an end like any other."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3, 4):
        print(done.stdout, done.stderr, file=sys.stderr)
    return done.returncode, time.perf_counter() - started


def kill(command: Sequence[str], after: float) -> bool:
    """Kill the command and all that it started after some seconds; False where it had ended by itself."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        time.sleep(after)
        alive = process.poll() is None
        if alive:
            os.killpg(process.pid, signal.SIGKILL)
    return alive


def faults(folder: Path, before: set[str]) -> tuple[list[str], set[str]]:
    """What is wrong with what can be seen, and the runs that stand."""
    found, stand = [], set()
    for run in list_runs(folder / "runs"):
        stand.add(run.identity)
        if run.status not in ("complete", "unfit") or run.estimates.empty or not run.checks:
            found.append(f"run {run.identity} is {run.status}")
        if run.scenarios and (run.sensitivity is None or len(run.sensitivity) == 0):
            found.append(f"run {run.identity} has scenarios without a table")
        run.draws.close()
    found += [f"run {gone} is lost" for gone in before - stand]
    for released in (folder / "releases").glob("*/[!.]*"):
        one = Run(released)
        if one.release is None or one.estimates.empty or not (released / "report" / "index.html").is_file():
            found.append(f"release {released.name} is not whole")
    return found, stand


def result(what: str, folder: Path) -> Path:
    """Where the numbers stand."""
    if what == "release":
        (one,) = (folder / "releases").glob("*/[!.]*")
        return one
    (base,) = (run.folder for run in list_runs(folder / "runs") if run.scenarios)
    return base


def hidden(folder: Path) -> list[str]:
    """Temporary names that are left."""
    return [path.name for path in folder.rglob(".*")]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["release", "vary"])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(asked.seed)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        plan = world(root)
        finish(commanded(asked.what, plan, root / "first"))  # fills the cache of compiled functions
        code, whole = finish(commanded(asked.what, plan, root / "undisturbed"))
        reference = result(asked.what, root / "undisturbed")
        print(f"undisturbed: exit {code}, {whole:.1f} s", flush=True)
        killed, round_ = 0, 0
        differing: set[str] = set()
        while killed < asked.kills:
            round_ += 1
            folder = root / f"round {round_}"
            command = commanded(asked.what, plan, folder)
            stand: set[str] = set()
            moments = []
            for _ in range(min(KILLS, asked.kills - killed)):
                after = float(rng.uniform(0.1, 1.0)) * whole
                if not kill(command, after):
                    whole = min(whole, after)  # the machine has become less busy
                    break
                killed += 1
                found, stand = faults(folder, stand)
                moments.append(f"{after:.1f} s ({len(stand)} runs)")
                wrong += [f"round {round_}: {one}" for one in found]
            ended, seconds = (code, 0.0) if _ended(asked.what, folder) else finish(command)
            made = result(asked.what, folder)
            for file in SAME[asked.what]:
                if (made / file).read_bytes() != (reference / file).read_bytes():
                    wrong.append(f"round {round_}: {file} is another")
            if ended != code:
                wrong.append(f"round {round_}: exit {ended}")
            wrong += [f"round {round_}: {left} is left" for left in hidden(folder)]
            differing |= _others(made, reference)
            print(f"round {round_}: killed after {', '.join(moments)}; then {seconds:.1f} s", flush=True)
            shutil.rmtree(folder)
        print(f"{killed} kills in {round_} rounds; files with other bytes: {sorted(differing) or 'none'}")
    print("\n".join(wrong) or "nothing lost, nothing half-written, the same numbers")
    return bool(wrong)


def _ended(what: str, folder: Path) -> bool:
    """A release that stands is not made again; a sweep reads what is stored."""
    return what == "release" and any((folder / "releases").glob("*/[!.]*"))


def _others(one: Path, two: Path) -> set[str]:
    """Files of two folders that have other bytes."""
    files = [{p.relative_to(f).as_posix(): p for p in f.rglob("*") if p.is_file()} for f in (one, two)]
    names = files[0].keys() | files[1].keys()
    return {
        name
        for name in names
        if not all(name in each for each in files)
        or files[0][name].read_bytes() != files[1][name].read_bytes()
    }


if __name__ == "__main__":
    sys.exit(main())
