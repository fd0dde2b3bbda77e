"""How long the report of a stored run takes, and a pack of one short report a jurisdiction.

Run by hand, from the folder of the checkout::

    python benchmarks/report.py [--run RUN_FOLDER] [--shape 8 56 40 2] [--workers 2]

Without ``--run`` a world of exact counts is simulated and fitted by laplace first (minutes); the same run may be given
again. Each command is a process of its own, from its start to its end, as its user waits for it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from engines import BIN, simulate, timed

from attrition.estimation.verbs import estimate


def main() -> None:
    """Measure both."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--run", type=Path)
    options.add_argument("--shape", type=int, nargs=4, default=[8, 56, 40, 2])
    options.add_argument("--workers", type=int, default=2)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = asked.run
        if folder is None:
            plan = simulate(Path(name) / "world", asked.shape, 60.0, 1)
            folder = estimate(plan, engine="laplace", progress=False).folder
        for what in ([], ["--pack", "--workers", str(asked.workers)]):
            code, seconds, processor, peak, _ = timed([str(BIN), "report", str(folder), *what])
            told = " ".join(["report", *what])
            print(
                f"{told}: exit {code}, {seconds:.1f} s, {processor:.1f} s of the processor, peak {peak:,.0f} MiB, "
                f"load {os.getloadavg()[0]:.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
