"""What holds where the truth is not as the model says: worlds W0 to W4, their coverage, and which check tells.

Run by hand, from the folder of the checkout::

    python benchmarks/worlds.py [WORLD …] [-n 200] [--workers 1]

Worlds are kept as JSON lines below ``--out`` (default ``out/calibration``): a second call goes on where one stopped.
``python benchmarks/calibration.py page`` writes what has been kept on the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.calibration.sbc import judged
from attrition.estimation.calibration.world import Case
from attrition.estimation.checks.contract import Seen
from attrition.estimation.checks.loo import Loo
from attrition.estimation.checks.pit import Pit
from attrition.estimation.checks.predictive import Predictive
from attrition.estimation.plan import read_plan
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import log_likelihood, moments, reports
from attrition.estimation.runners.catalogue import open_runner
from attrition.estimation.runners.contract import Where
from attrition.models.blueprint import Blueprint
from attrition.models.field import FieldDraws
from attrition.models.simulate import Twin, simulate_panel

PLANS = Path(__file__).resolve().parent / "calibration"
CHECKS = (Predictive(), Pit(), Loo())
WORLDS = 200
CLUSTERS = 0.9  # half the distance between the two, in sd of the jurisdictions
DRIFT = 0.25  # of the logit hazard from one year to the next; the model's prior has an sd of .05
SILENT = (
    -1.0,
    2.0,
)  # logit of the chance that a count is not reported, and its slope on the rate's rank score


def own(rng: np.random.Generator, blueprint: Blueprint, change: Callable[[FieldDraws], FieldDraws]) -> Twin:
    """A panel of a truth of the prior, changed."""
    return simulate_panel(rng, blueprint, change(blueprint.prior_draws(rng, 1)))


def heavy_tails(rng: np.random.Generator, blueprint: Blueprint) -> Twin:
    """Cell effects of Student's t with four degrees of freedom, of the same sd."""

    def change(draws: FieldDraws) -> FieldDraws:
        values = dict(draws.values)
        for block in blueprint.blocks:
            if block.cellwise:
                spread = draws.sd[block.name][..., None] / np.sqrt(2.0)
                values[block.name] = spread * rng.standard_t(4, values[block.name].shape)
        return replace(draws, values=values)

    return own(rng, blueprint, change)


def clusters(rng: np.random.Generator, blueprint: Blueprint) -> Twin:
    """Jurisdictions in two clusters that nobody told the model of, of the same sd."""

    def change(draws: FieldDraws) -> FieldDraws:
        values, shape = dict(draws.values), draws.values["jurisdiction"].shape
        side = np.where(np.arange(shape[-1]) % 2, CLUSTERS, -CLUSTERS)
        within = np.sqrt(1 - CLUSTERS**2) * rng.standard_normal(shape)
        values["jurisdiction"] = draws.sd["jurisdiction"][..., None] * (side + within)
        return replace(draws, values=values)

    return own(rng, blueprint, change)


def drift(rng: np.random.Generator, blueprint: Blueprint) -> Twin:
    """Outcomes that come sooner from one cohort to the next, by five times what the model expects."""
    step = DRIFT / blueprint.kind_settings["immature"].drift  # type: ignore[attr-defined]

    def change(draws: FieldDraws) -> FieldDraws:
        moved = np.full_like(draws.unknown["lag_drift"], step)
        return replace(draws, unknown={**draws.unknown, "lag_drift": moved})

    return own(rng, blueprint, change)


def silence(rng: np.random.Generator, blueprint: Blueprint) -> Twin:
    """Counts that are the less reported the higher the rate."""
    twin = simulate_panel(rng, blueprint)
    panel, first = twin.panel, twin.panel.funnel.stages[0]
    eta = np.log(twin.rates) - np.log1p(-twin.rates)
    score = (eta - eta.mean(axis=1, keepdims=True)) / eta.std(axis=1, keepdims=True)
    kept = []
    for statement in panel.statements:
        at = blueprint.layout.positions[panel.cells(statement)]
        step = max(panel.funnel.index(statement.stage) - 1, 0)
        chance = 1 / (1 + np.exp(-SILENT[0] - SILENT[1] * score[step, at].mean()))
        if statement.stage == first or rng.uniform() >= chance:
            kept.append(statement)
    return replace(twin, panel=replace(panel, statements=tuple(kept)))


def alarms(blueprint: Blueprint, draws: FieldDraws, eta: np.ndarray) -> list[str]:
    """Names of the checks of single runs that failed."""
    rng = np.random.default_rng(0)
    shown, drawn = reports(blueprint), moments(rng, blueprint, eta, draws)
    logs = log_likelihood(blueprint, eta, draws)
    seen = Seen(blueprint, None, None, shown, [Part.whole(shown, drawn, logs)], np.zeros(0))
    return [one.name for check in CHECKS for one in check.run(seen) if one.verdict == "failed"]


@dataclass(frozen=True)
class Kind:
    """A kind of world.

    ``says`` is its line on the page; ``plan`` what is fitted; ``made`` how its panels are; ``least`` and ``most`` what
    its 90 % intervals of cells ought to cover.
    """

    says: str
    plan: str
    made: Callable[[np.random.Generator, Blueprint], Twin]
    least: float
    most: float = 1.0


KINDS: Mapping[str, Kind] = {
    "W0": Kind("all as the model says", "worlds", simulate_panel, 0.88, 0.92),
    "W1": Kind("cell effects with heavy tails (t, 4 degrees of freedom)", "worlds", heavy_tails, 0.85),
    "W2": Kind("two clusters of jurisdictions", "worlds", clusters, 0.85),
    "W3": Kind("delays that shorten by .25 on the logit a year", "immature", drift, 0.85),
    "W4": Kind("the higher a rate, the less it is reported", "worlds", silence, 0.85),
}


def bound_of(name: str) -> Bound:
    """The plan of a kind of world, bound."""
    return bind_plan(read_plan(PLANS / f"{KINDS[name].plan}.toml"))


def file_of(name: str, out: Path) -> Path:
    """Where worlds of a kind are kept."""
    return out / "worlds" / f"{name}.jsonl"


def say(text: str) -> None:
    """A line of progress."""
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("worlds", nargs="*", metavar="WORLD", help=", ".join(KINDS))
    parser.add_argument("-n", type=int, default=WORLDS, help="of each")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/calibration"), help="where worlds are kept")
    given = parser.parse_args(arguments)
    with open_runner(Where(given.workers), say) as runner:
        for name in given.worlds or KINDS:
            case = Case(made=KINDS[name].made, alarms=alarms)
            found = judged(bound_of(name), given.n, runner, file_of(name, given.out), say, case)
            one = found.coverage["cells"]
            say(f"{name}: 90 % intervals of cells hold {one['cover90']:.3f} ± {one['error90']:.3f}")


if __name__ == "__main__":
    main()
