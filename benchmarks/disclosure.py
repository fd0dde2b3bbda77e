"""Attacks on random linked tables, and what protecting them loses.

``python benchmarks/disclosure.py [TABLES] [SEED] [FILE]`` draws tables of offense × jurisdiction × period × stage with
their margins, some of them trees of two levels, some with cells nobody reported, hides what ``suppress`` says and
attacks every sensitive count with integer programs. It prints how many attacks succeed, with only the sensitive counts
hidden too, and the loss against the optimum where that is found. Tables whose figures stand in FILE are not attacked
again.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attrition.estimation.disclosure.attacker import Attacker
from attrition.estimation.disclosure.counts import linked_counts
from attrition.estimation.disclosure.greedy import greedy
from attrition.estimation.disclosure.suppress import suppress
from attrition.estimation.disclosure.table import Bools, LinkedTable

K = 5
STAGES = ("referral", "investigation", "arrest")
AXES = ("offense", "jurisdiction", "period")


def tree(rng: np.random.Generator, axis: str, leaves: int) -> list[dict[str, Any]]:
    """Nodes of an axis: leaves under the root, or in two groups under it."""
    nodes: list[dict[str, Any]] = [{"name": "all", "label": "all", "parent": None}]
    grouped = leaves >= 3 and rng.random() < 0.5
    if grouped:
        nodes += [{"name": f"{axis} {g}", "label": g, "parent": "all"} for g in "AB"]
    for number in range(leaves if leaves > 1 else 0):
        parent = (
            f"{axis} {'AB'[min(number, 1) if number < 2 else int(rng.integers(2))]}" if grouped else "all"
        )
        nodes.append({"name": f"{axis} {number}", "label": str(number), "parent": parent})
    return nodes


def random_table(rng: np.random.Generator) -> LinkedTable:
    """Counts of skewed sizes on random trees, thinned from stage to stage; one cell in ten is not reported."""
    sizes = [int(rng.integers(1, 5)), int(rng.integers(1, 5)), int(rng.integers(1, 4))]
    stages = STAGES[: int(rng.integers(1, 4))]
    axes = {axis: tree(rng, axis, size) for axis, size in zip(AXES, sizes, strict=True)}
    leaves = [
        [n["name"] for n in nodes if n["name"] not in {m["parent"] for m in nodes}] for nodes in axes.values()
    ]
    shape = [len(names) for names in leaves]
    counts = rng.poisson(float(rng.choice([4, 12, 40])) * rng.gamma(0.7, 1 / 0.7, shape))
    lines = []
    silent = rng.random(shape) < 0.1 * rng.integers(0, 2)
    for stage in stages:
        for at in np.ndindex(*shape):
            names = {axis: leaves[i][at[i]] for i, axis in enumerate(AXES)}
            if not silent[at]:
                lines.append(_line(stage, names, int(counts[at])))
        if silent.any():
            lines.append(_line(stage, dict.fromkeys(AXES, "all"), int(counts.sum())))
        counts = rng.binomial(counts, rng.beta(1, 3, shape))
    steps = [{"kind": "probability"}] * (len(stages) - 1)
    return linked_counts({"axes": axes, "funnel": {"stages": stages}, "steps": steps}, lines, K).table


def _line(stage: str, names: dict[str, str], count: int) -> dict[str, Any]:
    return {
        "stage": stage, **names, "relation": "exact", "count": count, "low": None, "high": None, "role": "use",
        "origin": "referred_only", "clock": "cohort", "status": "used",
    }  # fmt: skip


def successes(table: LinkedTable, suppressed: Bools) -> tuple[int, int]:
    """Sensitive counts of which an attacker can exclude 0 or K, and those found exactly; by integer programs."""
    attacker = Attacker(table, suppressed)
    ends = [attacker.interval(int(c), K, entire=True) for c in np.flatnonzero(table.sensitive)]
    return sum(low > 0.5 or high < K - 0.5 for low, high in ends), sum(high - low < 0.5 for low, high in ends)


def attacked(seed: int, number: int) -> dict[str, Any]:
    """What attacks on one table find, and what protecting it loses."""
    started = time.process_time()
    table = random_table(np.random.default_rng([seed, number]))
    found = suppress(table, K)
    sets = [found.suppressed]
    ratio = None
    if table.sensitive.any() and found.optimal:
        sets.append(greedy(table, K))
        ratio = table.loss(sets[1]) / table.loss(sets[0])
    hits = [successes(table, one) for one in (*sets, table.primary)]
    return {
        "table": number, "counts": int(table.held.sum()), "sensitive": int(table.sensitive.sum()), "ratio": ratio,
        "successes": sum(hit for hit, _ in hits[:-1]), "exact": hits[0][1],
        "bare": hits[-1][0], "bare_exact": hits[-1][1], "seconds": time.process_time() - started,
    }  # fmt: skip


def main(tables: int, seed: int, kept: Path | None) -> None:
    """Attack the tables that are not kept, and print the figures of all."""
    lines = kept.read_text().splitlines() if kept is not None and kept.exists() else []
    done = {entry["table"]: entry for entry in map(json.loads, lines)}
    for number in range(tables):
        if number not in done:
            done[number] = attacked(seed, number)
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps(done[number]) + "\n")
    rows = pd.DataFrame([done[number] for number in range(tables)])
    total, ratios = rows.sum(), rows["ratio"].dropna().astype(float)
    print(
        f"{tables} tables of {rows['counts'].min()} to {rows['counts'].max()} counts "
        f"(median {rows['counts'].median():.0f}), {total['sensitive']:.0f} sensitive counts: "
        f"successes {total['successes']:.0f}, exact {total['exact']:.0f}; sensitive alone hidden "
        f"{total['bare']:.0f}, exact {total['bare_exact']:.0f}. One by one against the optimum in "
        f"{len(ratios)} tables: mean {ratios.mean():.3f}, largest {ratios.max():.3f}. "
        f"{total['seconds']:.0f} s of processor time",
        flush=True,
    )


if __name__ == "__main__":
    given = sys.argv[1:] + ["500", "1"][len(sys.argv) - 1 :]
    main(int(given[0]), int(given[1]), Path(given[2]) if len(given) > 2 else None)
