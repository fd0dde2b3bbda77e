"""How long the no-assumption bounds of every published rate take.

``python benchmarks/bounds.py [--shape O J T STEPS] [--kinds exact,total,bounded] [--referrals MEAN] [--seed N]``
simulates a panel, binds its plan, and bounds the finite-population rate of every row and step; by default workload N
with a third of its jurisdiction-periods each exact, totals over offenses, and suppressed. ``--crossing`` tells instead,
of every period, both margins of the table of offenses and jurisdictions, which takes linear programs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from attrition.cli.simulated import parse_kinds, simulated
from attrition.estimation.binding import bind_plan
from attrition.estimation.bounds import Bounds
from attrition.estimation.plan import read_plan
from attrition.estimation.rows import make_rows, published_steps
from attrition.models.worlds import WorldSpec


def write(folder: Path, shape: Sequence[int], kinds: str, referrals: float, seed: int) -> Path:
    """The simulated panel's files; gives the plan."""
    offenses, places, periods, steps = shape
    spec = WorldSpec(
        offenses=offenses,
        jurisdictions=places,
        periods=periods,
        steps=steps,
        mean_referrals=referrals,
        kinds=parse_kinds(kinds),
        seed=seed,
    )
    for name, content in simulated(spec).files.items():
        (folder / name).write_bytes(content)
    return folder / "plan.toml"


def cross(folder: Path) -> None:
    """Replace the later counts of the cells by both margins of each period's table."""
    table = pd.read_csv(folder / "data.csv")
    first, *later = table.columns[3:]
    margins = [
        table.groupby(keys, as_index=False, sort=False)[later].sum()
        for keys in (["offense", "period"], ["jurisdiction", "period"])
    ]
    rows = pd.concat([table.drop(columns=later), *margins])[table.columns].astype(
        dict.fromkeys((first, *later), "Int64")
    )
    rows[["offense", "jurisdiction"]] = rows[["offense", "jurisdiction"]].fillna("all")
    rows.drop(columns=later[1:]).to_csv(folder / "data.csv", index=False)
    plan = folder / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    for stage in later[1:]:
        text = text.replace(f', "{stage}"', "")
    plan.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs=4, type=int, default=[8, 56, 40, 2])
    parser.add_argument("--kinds", default="exact,total,bounded")
    parser.add_argument("--crossing", action="store_true")
    parser.add_argument("--referrals", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = "exact" if chosen.crossing else chosen.kinds
        plan = write(folder, chosen.shape, kinds, chosen.referrals, chosen.seed)
        if chosen.crossing:
            cross(folder)
        clock, cpu = time.perf_counter(), time.process_time()
        blueprint = bind_plan(read_plan(plan)).blueprint
        print(
            f"binding {time.perf_counter() - clock:.1f} s, {time.process_time() - cpu:.1f} s of processor time"
        )
        rows = make_rows(blueprint.panel, blueprint.layout)
        entries = rows.member.tocoo()
        member = sp.csr_matrix(
            (entries.data, (entries.row, blueprint.layout.cells[entries.col])),
            shape=(len(rows), int(np.prod(blueprint.layout.shape))),
        )
        clock, cpu = time.perf_counter(), time.process_time()
        bounds = Bounds(blueprint.panel, blueprint.analysis)
        number = width = 0
        for _, step in published_steps(blueprint.panel.funnel):
            found = bounds.rates(step.source, step.target, member)
            number += int(np.isfinite(found).all(axis=1).sum())
            width += float(np.nansum(found[:, 1] - found[:, 0]))
        seconds, used = time.perf_counter() - clock, time.process_time() - cpu
        print(
            f"bounds of {number:,} rates, {width / number:.3f} wide on average: {seconds:.1f} s, "
            f"{used:.1f} s of processor time"
        )


if __name__ == "__main__":
    main()
