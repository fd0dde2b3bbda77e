"""Simulated twins of the plan ``public-evidence``: its own panel drawn from a known truth, fitted again.

Run by hand, from the folder of the checkout::

    python benchmarks/twins.py [--seeds 20] [--only 5 7 9]    draw and fit worlds, and say what they cover
    python benchmarks/twins.py --kept FILE                    say it of worlds that were kept

Worlds are kept as JSON lines below ``--out`` (default ``out/evidence``), with the identity of the run they came from: a
second call skips what is there and still true. ``--only`` names some of the worlds, for one process a core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attrition.data.errors import InputError
from attrition.data.names import ROOT
from attrition.estimation.binding import Bound, bind_plan, run_identity, stream
from attrition.estimation.calibration.coverage import clustered
from attrition.estimation.celldraws import draw_cells
from attrition.estimation.completion import complete
from attrition.estimation.contraction import cell_rates
from attrition.estimation.convergence import hyper_convergence
from attrition.estimation.engines import nuts
from attrition.estimation.estimates import estimates
from attrition.estimation.labels import NOT
from attrition.estimation.plan import read_plan, settled
from attrition.estimation.rows import CellDraws, evaluate, make_rows, published_steps, quantity_id
from attrition.estimation.silent import Shift
from attrition.estimation.store.lines import add_line, read_lines
from attrition.estimation.thinning import evenly, take
from attrition.models.blueprint import Blueprint, make_blueprint
from attrition.models.field import FieldDraws
from attrition.models.simulate import Twin, simulate_panel

PLAN = Path(__file__).resolve().parents[1] / "data" / "evidence" / "public_evidence_plan.toml"


def truths(blueprint: Blueprint, draws: FieldDraws, rng: np.random.Generator) -> dict[str, float]:
    """The published superpopulation rates of a truth (R = 1), weighted as those of any draw, by quantity."""
    rows, eta = make_rows(blueprint.panel, blueprint.layout), blueprint.predictor(draws)
    rates = cell_rates(rng, blueprint, eta, draws, observed=False)
    cells = CellDraws(rates, complete(rng, blueprint, eta, draws, rates))
    out: dict[str, float] = {}
    for quantity, step in published_steps(blueprint.panel.funnel):
        values = evaluate(rows.member, cells.step(step)).superpopulation[:, 0]
        for names, value in zip(rows.names, values, strict=True):
            out[quantity_id(quantity, step.name, list(names), "superpopulation")] = float(value)
    return out


def fitted(blueprint: Blueprint, field: FieldDraws, chains: int, bound: Bound, seed: int) -> pd.DataFrame:
    """The rows a run would publish of a field's draws, of those below the root on one axis at most."""
    draws = take(field, evenly(len(field.intercept), blueprint.layout.steps * blueprint.layout.size, chains))
    drawn = draw_cells(seed, blueprint, draws, Shift(0.0))
    answer = (bound.plan.answer.jurisdiction, bound.plan.answer.period)
    table = estimates(
        blueprint, draws, drawn.rates, drawn.counts, stream(seed, "reference"), answer, cells=False, crossed=1
    ).table
    wanted = (table["basis"] == "superpopulation") & table["quantity"].isin(["rate", "end_to_end"])
    return table[wanted & (table["label"] != NOT) & table["median"].notna()]


def held(table: pd.DataFrame, truth: Mapping[str, float]) -> dict[str, Any]:
    """How many published rows cover the truth with their 90 % interval: all, the front table, by axis and by label."""
    known = table["quantity_id"].map(truth)
    inside = (table["q05"] <= known) & (known <= table["q95"])
    at_root = {axis: table[axis] == ROOT for axis in ("offense", "jurisdiction", "period")}
    sets = {
        "all rows": pd.Series(True, table.index),
        "front table": at_root["jurisdiction"] & at_root["period"],
        "by place": ~at_root["jurisdiction"],
        "by year": ~at_root["period"],
    }
    sets |= {str(label): table["label"] == label for label in table["label"].unique()}
    counts = {name: [int(inside[which].sum()), int(which.sum())] for name, which in sets.items()}
    missed = table.loc[~inside, "quantity_id"].tolist()
    return {"sets": counts, "missed": missed, "above": int((known > table["q95"]).sum())}


def same_shape(one: Blueprint, two: Blueprint) -> bool:
    """Do draws of one blueprint's field fit the other?"""
    return np.array_equal(one.layout.cells, two.layout.cells) and one.unknowns == two.unknowns


def one_world(bound: Bound, seed: int) -> dict[str, Any]:
    """Draw the plan's panel from a truth of its prior, fit it, and count the rows that cover the truth."""
    blueprint = bound.blueprint
    twin: Twin = simulate_panel(stream(seed, "twin"), blueprint)
    record: dict[str, Any] = {"seed": seed, "identity": run_identity(bound, bound.plan)}
    try:
        again = make_blueprint(
            bound.plan.name, twin.panel, blueprint.effects, blueprint.prior, blueprint.kind_settings
        )
    except InputError as error:
        return record | {"status": "refused", "problems": [str(problem) for problem in error.problems]}
    if not same_shape(blueprint, again):
        return record | {"status": "another shape"}
    started = time.perf_counter()
    settings = bound.plan.estimate.model_copy(update={"seed": seed})
    fit = nuts.fit_well(again, settings, lambda _: None)
    worst = hyper_convergence(fit.posterior)
    table = fitted(again, fit.field, fit.chains, bound, seed)
    return record | {
        "status": "fitted",
        "rhat": round(float(worst.rhat), 4),
        "ess": round(float(worst.ess), 1),
        "divergences": int(fit.sample_stats["diverging"].sum()),
        "attempts": int(fit.arguments.get("attempts", 1)),
        "seconds": round(time.perf_counter() - started, 1),
        **held(table, truths(again, twin.draws, stream(seed, "truth"))),
    }


def twins(out: Path, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Some worlds, a line each; those that are kept and still true are not done again."""
    bound = bind_plan(settled(read_plan(PLAN), draft=True))
    identity, file = run_identity(bound, bound.plan), out / "twin.jsonl"
    done = {record["seed"]: record for record in read_lines(file) if record["identity"] == identity}
    for seed in seeds:
        if seed not in done:
            done[seed] = one_world(bound, seed)
            add_line(file, done[seed])
        shown = {k: v for k, v in done[seed].items() if k not in ("identity", "missed")}
        print(json.dumps(shown, ensure_ascii=False), flush=True)
    return [done[seed] for seed in seeds]


def say_twins(records: Sequence[Mapping[str, Any]]) -> None:
    """Coverage of 90 % intervals over worlds, with worlds as clusters."""
    worlds = [record for record in records if record["status"] == "fitted"]
    print(f"{len(worlds)} of {len(records)} worlds fitted")
    for name in dict.fromkeys(name for world in worlds for name in world["sets"]):
        pairs = [world["sets"][name] for world in worlds if world["sets"].get(name, [0, 0])[1]]
        if not pairs:
            continue
        share, error = clustered(*zip(*pairs, strict=True))
        rows = sum(size for _, size in pairs)
        print(f"{name:<16} {share:.3f} ± {error:.3f}  ({rows:,} rows of {len(pairs)} worlds)")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20, help="worlds 1 to so many")
    parser.add_argument("--only", type=int, nargs="+", help="these worlds alone")
    parser.add_argument("--out", type=Path, default=Path("out/evidence"), help="where worlds are kept")
    parser.add_argument("--kept", type=Path, help="say what the worlds of this file cover, and fit none")
    given = parser.parse_args(arguments)
    say_twins(
        read_lines(given.kept) if given.kept else twins(given.out, given.only or range(1, given.seeds + 1))
    )


if __name__ == "__main__":
    main()
