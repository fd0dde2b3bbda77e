"""The plan ``public-evidence`` held against what is known: places left out, sums by hand.

Run by hand, from the folder of the checkout::

    python benchmarks/evidence.py places [--draft]     each place with referrals and their outcomes left out in turn
    python benchmarks/evidence.py hand RUN             three places beside a two-line calculation

Places are kept as JSON lines below ``--out`` (default ``out/evidence``), with the identity of the run they came from:
a second call skips what is there and still true. `twins.py` fits the plan's own panel drawn from a known truth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from attrition.data.names import ROOT
from attrition.estimation.binding import bind_plan, run_identity, stream
from attrition.estimation.plan import read_plan, settled
from attrition.estimation.rows import quantity_id
from attrition.estimation.store.lines import add_line, read_lines
from attrition.estimation.store.runs import Run
from attrition.estimation.thinning import KEPT, by_chain, evenly
from attrition.estimation.verbs import estimate
from attrition.models.blueprint import Blueprint

Floats = NDArray[np.float64]
PLAN = Path(__file__).resolve().parents[1] / "data" / "evidence" / "public_evidence_plan.toml"
REPLICATES = 25  # counts drawn from each kept draw of the rates
# (place, year, earlier stage, later stage, their counts): cohorts of one source, of referrals only.
BY_HAND = (
    ("US-AL", "2018", "referral", "investigation", 2549, 255),
    ("US-AL", "2018", "investigation", "arrest", 255, 75),
    ("NO:Agder police district", "2022", "referral", "investigation", 129, 3),
    ("NO:Oslo police district", "2022", "referral", "investigation", 262, 102),
)


# ---- Pure parts ----


def path_law(n: float, rates: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """Mean and variance factor of the count at the end of a path of ratio steps, rates and phi (R, L); both (R,).

    Each step turns a count of factor f into one of factor λ f + φ; the units at the start are fixed.
    """
    factor = np.zeros(len(rates))
    for step in range(rates.shape[1]):
        factor = rates[:, step] * factor + phi[:, step]
    return n * rates.prod(axis=1), factor


def predicted(rng: np.random.Generator, mean: Floats, factor: Floats, copies: int) -> Floats:
    """Negative binomial counts, ``copies`` for each draw of mean and variance factor (R,); (R × copies,)."""
    mean, excess = np.repeat(mean, copies), np.maximum(np.repeat(factor, copies) - 1, 1e-9)
    return rng.poisson(rng.gamma(np.maximum(mean / excess, 1e-300), excess)).astype(float)


def judged(draws: Floats, count: float) -> dict[str, Any]:
    """The 90 % interval of predicted counts, whether it covers a count, and where the count stands among them."""
    low, median, high = np.quantile(draws, [0.05, 0.5, 0.95], method="inverted_cdf")
    place = float((draws < count).mean() + (draws == count).mean() / 2)
    return {
        "median": float(median),
        "low": float(low),
        "high": float(high),
        "covered": bool(low <= count <= high),
        "quantile": round(place, 4),
    }


def ratio_by_hand(count: float, n: float, factor: float = 1.0) -> Floats:
    """5, 50 and 95 % of the rate behind a count of n units: Gamma(y / φ + 1/2, n / φ), for φ = 1 a Poisson count's."""
    return stats.gamma(count / factor + 0.5, scale=factor / n).ppf([0.05, 0.5, 0.95])


def share_by_hand(count: float, n: float) -> Floats:
    """5, 50 and 95 % of the chance behind y of n: Beta(y + 1/2, n - y + 1/2)."""
    return stats.beta(count + 0.5, n - count + 0.5).ppf([0.05, 0.5, 0.95])


# ---- Places left out ----


@dataclass(frozen=True)
class Outcome:
    """A count of referred cases out of a known number of earlier ones, of one cell.

    ``names`` are the cell's on the axes, ``steps`` the consecutive steps of the path.
    """

    place: str
    names: tuple[str, str, str]
    steps: tuple[str, ...]
    n: float
    count: float


def outcomes(blueprint: Blueprint) -> list[Outcome]:
    """Counts of referred cases, of the places that give one out of their referrals."""
    panel, found = blueprint.panel, []
    whole = [
        group
        for group in blueprint.analysis.groups
        if group.origin == "referred" and group.part < 0 and len(group.cells) == 1
    ]
    place_of = {id(group): panel.by_id[group.statements[0][0]].jurisdiction for group in whole}
    places = {place_of[id(group)] for group in whole if group.start[0] == 0}
    for group in whole:
        if place_of[id(group)] in places and (group.low == group.high).all():
            start, stop = int(group.start[0]), group.stages[0]
            names = panel.axes.cell_names(int(group.cells[0]))
            steps = tuple(step.name for step in panel.funnel.steps[start:stop])
            found.append(Outcome(place_of[id(group)], names, steps, float(group.n[0]), float(group.low[0])))
    return found


def without(place: str, stages: Sequence[str]) -> dict[str, Any]:
    """The patch that leaves out everything a place says after its referrals."""
    gone = {"jurisdiction": place, "stage": list(stages[1:]), "reason": "held out: outcomes of this place"}
    return {"exclude.+": gone}


def predict(run: Run, wanted: Iterable[Outcome], seed: int) -> list[dict[str, Any]]:
    """Each count beside what a run that does not know it predicts: fresh place and cell effects, and the step's φ."""
    cells, posterior = run.draws["cells"].to_dataset(), run.draws["posterior"].to_dataset()
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    kept = evenly(chains * length, cells.sizes["step_cell"], chains)
    kept = kept[by_chain(len(kept), chains, KEPT)]
    rates = cells["rate"].to_numpy().reshape(-1, cells.sizes["step_cell"]).astype(float)
    assert len(rates) == len(kept)
    coordinates = [cells[name].to_numpy() for name in ("step", "offense", "jurisdiction", "period")]
    at = {key: place for place, key in enumerate(zip(*coordinates, strict=True))}
    out = []
    for number, one in enumerate(wanted):
        along = rates[:, [at[step, *one.names] for step in one.steps]]
        phi = posterior["phi"].sel(step=list(one.steps)).to_numpy().reshape(-1, len(one.steps))[kept]
        rng = stream(seed, f"held out {one.place} {number}")
        draws = predicted(rng, *path_law(one.n, along, phi), REPLICATES)
        path = f"{one.steps[0].split('-')[0]}-{one.steps[-1].split('-')[-1]}"
        out.append(
            {"place": one.place, "period": one.names[2], "path": path, "n": one.n, "count": one.count}
            | judged(draws, one.count)
        )
    return out


def places(out: Path, draft: bool) -> pd.DataFrame:
    """Leave out the outcomes of each place, refit, predict; what is kept and still true is not done again."""
    base = bind_plan(read_plan(PLAN))
    stages, wanted = base.panel.funnel.stages, outcomes(base.blueprint)
    file = out / "places.jsonl"
    rows: list[dict[str, Any]] = []
    for place in dict.fromkeys(one.place for one in wanted):
        patch = without(place, stages)
        plan = settled(read_plan(PLAN, patch), draft=draft)
        identity = run_identity(bind_plan(plan), plan)
        record = next((r for r in read_lines(file) if (r["place"], r["identity"]) == (place, identity)), None)
        if record is None:
            started = time.perf_counter()
            run = estimate(PLAN, patches=patch, draft=draft, runs=out / "runs", progress=False)
            record = {
                "place": place,
                "identity": run.identity,
                "draft": draft,
                "status": run.status,
                "rhat": run.manifest["diagnostics"]["rhat_max"],
                "seconds": round(time.perf_counter() - started, 1),
                "rows": predict(run, [one for one in wanted if one.place == place], plan.estimate.seed),
            }
            add_line(file, record)
        print(f"{place}: {record['status']}, {record['seconds']} s, run {record['identity']}", flush=True)
        rows += record["rows"]
    return pd.DataFrame(rows)


def say_places(table: pd.DataFrame) -> None:
    """The table, the coverage by statement and by place, and the misses by name."""
    print(table.to_string(index=False))
    by_place = table.groupby("place", sort=False)["covered"].mean()
    hit = int(table["covered"].sum())
    print(f"90 % intervals cover {hit} of {len(table)} counts ({hit / len(table):.3f})")
    print(f"by place, every place counting the same: {by_place.mean():.3f} of {len(by_place)} places")
    for _, row in table[~table["covered"]].iterrows():
        where = "above" if row["count"] > row["high"] else "below"
        print(
            f"missed: {row['place']} {row['period']} {row['path']}: {row['count']:,.0f} of {row['n']:,.0f}, {where}"
        )


# ---- By hand ----


def hand(run: Run) -> pd.DataFrame:
    """A run's rows of three places beside Gamma and Beta intervals of their own counts alone."""
    table = run.estimates.set_index("quantity_id")
    phi = run.draws["posterior"].to_dataset()["phi"].median(["chain", "draw"])
    said = {(s["stage"], s["offense"], s["jurisdiction"], s["period"]): s for s in run.intake["statements"]}
    out = []
    for place, period, before, after, n, count in BY_HAND:
        for stage, value in ((before, n), (after, count)):
            assert said[stage, ROOT, place, period]["count"] == value, (
                f"{place}: {stage} is no longer {value}"
            )
        step = f"{before}-{after}"
        factor = float(phi.sel(step=step))
        row = table.loc[quantity_id("rate", step, [ROOT, place, period], "superpopulation")]
        intervals = {
            "gamma": ratio_by_hand(count, n),
            "gamma_phi": ratio_by_hand(count, n, factor),
            "beta": share_by_hand(count, n),
            "run": row[["q05", "median", "q95"]].to_numpy(dtype=float),
        }
        out.append(
            {"place": place, "period": period, "step": step, "n": n, "count": count, "phi": factor}
            | {f"{name}_{q}": value for name, v in intervals.items() for q, value in zip(_Q, v, strict=True)}
            | {"own": float(row["contraction_own"]), "label": row["label"]}
        )
    return pd.DataFrame(out)


_Q = ("low", "median", "high")


def apart(row: Mapping[str, Any]) -> str:
    """In words, how far a run's row lies from the two lines, and why."""
    width = {name: np.log(row[f"{name}_high"] / row[f"{name}_low"]) for name in ("gamma", "gamma_phi", "run")}
    sd = width["gamma_phi"] / (2 * stats.norm.ppf(0.95))
    shift = np.log(row["run_median"] / row["gamma_phi_median"]) / sd
    side = "above" if shift > 0 else "below"
    return (
        f"The run's median lies {abs(shift):.2f} sd {side} the count's own. Its interval is "
        f"{width['run'] / width['gamma']:.1f} times as wide (on the log) as that of a Poisson count, whose "
        f"variance the step multiplies by φ = {row['phi']:.2f}, and {width['run'] / width['gamma_phi']:.2f} times as "
        f"wide as with φ. The place's own data weigh {row['own']:.2f}; the rest is what other places say."
    )


def say_hand(table: pd.DataFrame) -> None:
    """Each place as four intervals, in outcomes per hundred units, and a sentence."""
    lines = (
        ("gamma", "Gamma(y + 1/2, n)"),
        ("gamma_phi", "Gamma(y/φ + 1/2, n/φ)"),
        ("beta", "Beta(y + 1/2, n - y + 1/2)"),
        ("run", "the run"),
    )
    for row in table.to_dict("records"):
        print(
            f"\n{row['place']} {row['period']}, {row['step']}: {row['count']:,} of {row['n']:,} ({row['label']})"
        )
        for name, label in lines:
            low, median, high = (100 * row[f"{name}_{q}"] for q in _Q)
            print(f"  {label:<28}{median:8.3g}  ({low:.3g} to {high:.3g}) per hundred")
        print("  " + apart(row))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    left_out = commands.add_parser("places", help="leave one place out at a time")
    left_out.add_argument("--draft", action="store_true", help="few draws")
    by_hand = commands.add_parser("hand", help="three places beside a two-line calculation")
    by_hand.add_argument("run", type=Path, help="folder of a finished run of the plan")
    left_out.add_argument("--out", type=Path, default=Path("out/evidence"), help="where results are kept")
    given = parser.parse_args(arguments)
    if given.command == "places":
        say_places(places(given.out, given.draft))
    else:
        say_hand(hand(Run(given.run)))


if __name__ == "__main__":
    main()
