"""Places whose reporting depends on their rate: does the sweep over δ hold the truth where the plain fit loses it?

    python benchmarks/nonreporting.py [--maskings 100] [--leaning 2] [--seed 1] [--keep FILE]

One simulated world: 40 places, two years, one step. A place reports with a probability that rises with its own rate, so
that silent places have lower rates; the world is masked so many times and each masking fitted by laplace, intercept and
jurisdiction. Compared is the rate of the whole with its truth: the 90 % interval of the plain fit, and those of the
same draws with the silent places shifted by -2 to 2 sd between places. Maskings that a file keeps are not done again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.engines.laplace import fit as laplace
from attrition.estimation.plan import read_plan
from attrition.estimation.reporting import LEAST, reporting_share
from attrition.estimation.silent import Shift, shift_silent
from attrition.estimation.thinning import predictor
from attrition.models.rates import rates_of

PLACES, YEARS = 40, ("2023", "2024")
LEVEL, SPREAD, MEAN = -2.0, 0.8, 80.0
SWEEP = np.linspace(-2, 2, 9)
POINTS = 32  # of the one scale, a chain
PLAN = """name = "masked"
[funnel]
stages = ["referral", "investigation"]
[[input]]
file = "data.csv"
as_of = "2025-06-30"
[[effect]]
kind = "intercept"
[[effect]]
kind = "jurisdiction"
[estimate]
engine = "laplace"
draws = 250
"""


@dataclass(frozen=True)
class World:
    """Referrals and outcomes (places, years), rates (places,), and how each place stands to the others in sd."""

    referrals: np.ndarray
    outcomes: np.ndarray
    rates: np.ndarray
    standing: np.ndarray

    @property
    def truth(self) -> float:
        """The rate of the whole."""
        return float((self.referrals.sum(axis=1) * self.rates).sum() / self.referrals.sum())


def draw_world(rng: np.random.Generator) -> World:
    """A world with everything known."""
    standing = rng.standard_normal(PLACES)
    rates = 1 / (1 + np.exp(-(LEVEL + SPREAD * standing)))
    referrals = rng.poisson(MEAN * rng.lognormal(0.0, 0.5, PLACES)[:, None], (PLACES, len(YEARS)))
    return World(referrals, rng.binomial(referrals, rates[:, None]), rates, standing)


def masked(world: World, reports: np.ndarray, folder: Path) -> Bound:
    """The world as it is published when only some places report, bound to its plan."""
    rows = [
        (
            f"p{place:02d}",
            year,
            world.referrals[place, t],
            world.outcomes[place, t] if reports[place] else None,
        )
        for place in range(PLACES)
        for t, year in enumerate(YEARS)
    ]
    frame = pd.DataFrame(rows, columns=["jurisdiction", "period", "referral", "investigation"]).assign(
        offense="theft"
    )
    frame["investigation"] = frame["investigation"].astype("Int64")
    frame.to_csv(folder / "data.csv", index=False)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return bind_plan(read_plan(folder / "plan.toml"))


def swept(bound: Bound) -> np.ndarray:
    """5, 50 and 95 % points of the rate of the whole at every shift, (shifts, 3)."""
    blueprint = bound.blueprint
    settings = bound.plan.estimate.model_copy(update={"points": POINTS})
    draws = laplace.fit(blueprint, settings, lambda _: None).field
    eta = predictor(blueprint, draws)
    weight = blueprint.analysis.counts[0, blueprint.layout.cells]
    found = []
    for size in SWEEP:
        rates = rates_of(shift_silent(blueprint, draws, eta, Shift(float(size))), blueprint.ratio_steps)
        found.append(np.quantile(rates[:, 0] @ weight / weight.sum(), [0.05, 0.5, 0.95]))
    return np.array(found)


def main() -> None:
    """Mask, fit, sweep and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maskings", type=int, default=100)
    parser.add_argument(
        "--leaning", type=float, default=2.0, help="logit of reporting, a sd of the logit rate"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None)
    given = parser.parse_args()
    world = draw_world(np.random.default_rng(given.seed))
    kept = given.keep.read_text().splitlines() if given.keep and given.keep.exists() else []
    rows = [json.loads(line) for line in kept]
    for number in range(len(rows), given.maskings):
        rows.append(one_masking(world, given.leaning, given.seed, number))
        if given.keep:
            with given.keep.open("a") as out:
                out.write(json.dumps(rows[-1]) + "\n")
    tell(pd.DataFrame(rows), world.truth)


def one_masking(world: World, leaning: float, seed: int, number: int) -> dict[str, float]:
    """What the plain fit and the sweep say of the world masked in one way."""
    began, truth = time.process_time(), world.truth
    rng = np.random.default_rng([seed, number])
    reports = rng.random(PLACES) < 1 / (1 + np.exp(-leaning * world.standing))
    with tempfile.TemporaryDirectory() as folder:
        bound = masked(world, reports, Path(folder))
    ends = swept(bound)
    low, middle, high = ends[len(SWEEP) // 2].tolist()
    return {
        "share": reporting_share(bound.blueprint),
        "plain": float(low <= truth <= high),
        "above": float(low > truth),
        "error": middle / truth - 1,
        "intervals": float(ends[:, 0].min() <= truth <= ends[:, 2].max()),
        "medians": float(ends[:, 1].min() <= truth <= ends[:, 1].max()),
        "shift": float(np.interp(truth, ends[:, 1], SWEEP)),
        "seconds": time.process_time() - began,
    }


def tell(found: pd.DataFrame, truth: float) -> None:
    """Print the figures of all maskings."""
    size, missed, hit = len(found), found["plain"] == 0, found[["intervals", "medians"]].sum().astype(int)
    gated = found["share"] < LEAST
    held, above = size - missed.sum(), int(found["above"].sum())
    ways = f"its intervals hold it in {hit['intervals']}, its medians in {hit['medians']}"
    print(f"{size} maskings of {PLACES} places, true rate of the whole {truth:.4f}")
    print(f"cells that report hold {found['share'].min():.2f} to {found['share'].max():.2f} of the referrals")
    print(f"plain fit: its 90 % interval holds the truth in {held}, lies above it in {above}")
    print(f"plain median over the truth, typically: {found['error'].median():+.1%}")
    print(f"sweep of {SWEEP[0]:g} to {SWEEP[-1]:g} sd: {ways}")
    print(
        f"shift at which the median is the truth: {found['shift'].quantile([0.05, 0.5, 0.95]).round(2).tolist()}"
    )
    both = int((gated & missed).sum())
    print(f"share that reports below {LEAST:g}: {gated.sum()}, and {both} of the {missed.sum()} that miss")
    print(f"{found['seconds'].median():.1f} s of processor time a masking")


if __name__ == "__main__":
    main()
