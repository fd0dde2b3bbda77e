"""What a sweep costs against one fit of its plan, in one run.

Run by hand, from the folder of the checkout::

    python benchmarks/vary.py [--shape 8 16 40 2] [--referrals 60] [--engine laplace] [--draws 1500] [--workers N]

Simulates a world of exact counts whose periods come from four sources in turn, fits it, and then answers fifteen
scenarios: five priors of the spread, each source left out, four jurisdictions left out, and two of another structure,
which are always fitted. Prints each with its route and its seconds, and the sweep's seconds over those of the fit.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd
from engines import simulate

from attrition.estimation.runners.contract import Where
from attrition.estimation.verbs import estimate, vary

SPREADS = (0.5, 0.75, 1.5, 2.0, 3.0)
SOURCES, PLACES = 4, 4
ENTRIES = f"""
[[scenario]]
name = "priors"
reason = "five scales"
set = {{"prior.spread" = {list(SPREADS)}, "prior.allow_extreme" = "measured"}}
"""


def world(
    folder: Path, shape: list[int], referrals: float, engine: str, draws: int
) -> tuple[Path, list[str]]:
    """The plan with its sources, and the names of the scenarios."""
    plan = simulate(folder / "world", shape, referrals, 1)
    path = plan.with_name("data.csv")
    data = pd.read_csv(path)
    data["source_id"] = "s" + (data["period"].astype("category").cat.codes % SOURCES).astype(str)
    data.to_csv(path, index=False)
    settings = f'[estimate]\nengine = "{engine}"\ndraws = {draws}\n'
    text = plan.read_text()
    assert "[estimate]" not in text
    plan.write_text(f"{text}\n{settings}{ENTRIES}")
    places = list(dict.fromkeys(data["jurisdiction"]))[:PLACES]
    out = [f"without jurisdiction {place}" for place in places]
    return plan, ["priors", "sources", *out, "overdispersion", "time form"]


def main() -> None:
    """Measure one sweep."""
    options = argparse.ArgumentParser()
    options.add_argument("--shape", type=int, nargs=4, default=[8, 16, 40, 2])
    options.add_argument("--referrals", type=float, default=60.0)
    options.add_argument("--engine", default="laplace")
    options.add_argument("--draws", type=int, default=1500)
    options.add_argument("--workers", type=int, help="processes that fit scenarios side by side")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan, names = world(Path(folder), asked.shape, asked.referrals, asked.engine, asked.draws)
        started = time.perf_counter()
        estimate(plan, progress=False)
        one = time.perf_counter() - started
        started = time.perf_counter()
        found = vary(plan, names, progress=False, where=Where(asked.workers))
        whole = time.perf_counter() - started
        for entry in (each.record() for each in found.varied):
            weights = f"k-hat {entry['khat']:.2f}" if entry["khat"] is not None else entry["why"]
            print(f"{entry['name']:36} {entry['route']:10} {entry['seconds']:8.1f} s  {weights}")
    weighed = sum(each.weighed is not None for each in found.varied)
    print(f"one fit {one:.1f} s; {len(found.varied)} scenarios {whole:.1f} s, {weighed} of them reweighted")
    print(f"sweep over fit: {whole / one:.2f}; with the fit itself: {1 + whole / one:.2f}")


if __name__ == "__main__":
    main()
