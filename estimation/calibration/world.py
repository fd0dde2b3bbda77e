"""One world: a panel drawn from the prior, fitted as any other, and where its truth stands among the draws."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.errors import InputError
from ...models.blueprint import Blueprint, make_blueprint
from ...models.field import FieldDraws
from ...models.simulate import Twin, simulate_panel
from ..binding import Bound, stream
from ..completion import complete
from ..contraction import cell_rates
from ..convergence import hyper_convergence
from ..engines.choose import fit_blueprint
from ..rows import CellDraws
from ..shown import say_nothing
from ..thinning import KEPT, by_chain, evenly, predictor, take
from .coverage import covered
from .quantities import quantities
from .uniformity import LEVELS

Floats = NDArray[np.float64]
FITTED, REFUSED, OTHER = "fitted", "refused", "another shape"


def as_it_is(blueprint: Blueprint) -> Blueprint:
    """The blueprint."""
    return blueprint


def no_alarms(blueprint: Blueprint, draws: FieldDraws, eta: Floats) -> list[str]:
    """None."""
    return []


@dataclass(frozen=True)
class Case:
    """What may be other than the model says, to see whether it is told.

    Parameters
    ----------
    made : callable
        From a stream and a blueprint to a panel with its truth.
    fitted : callable
        From the world's own blueprint to the one that is fitted in its place.
    alarms : callable
        From a world's own blueprint, some draws of a fit and their linear predictors to what it raised of alarms.
    """

    made: Callable[[np.random.Generator, Blueprint], Twin] = simulate_panel
    fitted: Callable[[Blueprint], Blueprint] = as_it_is
    alarms: Callable[[Blueprint, FieldDraws, Floats], list[str]] = no_alarms


AS_IT_IS = Case()


def one_world(bound: Bound, seed: int, case: Case = AS_IT_IS) -> dict[str, Any]:
    """Draw a plan's panel from a truth of its prior, fit it, and rank the truth among the draws.

    Denominators are the plan's. A panel that the program refuses, or that has other cells than the plan's, is not
    fitted: both are functions of the data alone, so that ranks over the other worlds stay uniform.

    Parameters
    ----------
    bound : Bound
    seed : int
        Of the world and of its fit.
    case : Case

    Returns
    -------
    dict
        ``seed``, ``status``; where fitted ``engine``, ``ranks`` by quantity, ``coverage`` by stratum, ``alarms``,
        ``rhat``, ``ess`` (the worst of the hyperparameters), ``divergences``, ``attempts`` and ``seconds``.
    """
    blueprint = bound.blueprint
    twin = case.made(stream(seed, "world"), blueprint)
    try:
        again = make_blueprint(
            blueprint.name, twin.panel, blueprint.effects, blueprint.prior, blueprint.kind_settings
        )
    except InputError as error:
        return {"seed": seed, "status": REFUSED, "why": error.problems[0].line()}
    if not _same_cells(blueprint, again):
        return {"seed": seed, "status": OTHER}
    started = time.perf_counter()
    fit = fit_blueprint(
        case.fitted(again), bound.plan.estimate.model_copy(update={"seed": seed}), say_nothing
    )
    worst = hyper_convergence(fit.posterior)
    field = take(
        fit.field, evenly(len(fit.field.intercept), again.layout.steps * again.layout.size, fit.chains)
    )
    few = np.linspace(0, len(field.intercept) - 1, LEVELS - 1).astype(int)
    thin = by_chain(len(field.intercept), fit.chains, KEPT)
    drawn, known = _Evaluated(again, field, seed, "draws"), _Evaluated(again, twin.draws, seed, "truth")
    return {
        "seed": seed,
        "status": FITTED,
        "engine": fit.engine,
        "ranks": ranks(stream(seed, "ties"), drawn.quantities(few), known.quantities(np.arange(1))),
        "coverage": covered(stream(seed, "reference"), again, field, drawn.cells, known.cells),
        "alarms": case.alarms(again, take(field, thin), drawn.eta[thin]),
        "rhat": round(float(worst.rhat), 4),
        "ess": round(float(worst.ess), 1),
        "divergences": int(fit.sample_stats["diverging"].sum()) if "diverging" in fit.sample_stats else 0,
        "attempts": int(fit.arguments.get("attempts", 1)),
        "seconds": round(time.perf_counter() - started, 2),
    }


def ranks(rng: np.random.Generator, drawn: dict[str, Floats], known: dict[str, Floats]) -> dict[str, int]:
    """How many draws of each quantity lie below its truth, ties told apart by chance."""
    out = {}
    for name, values in drawn.items():
        truth = known[name][0]
        below, same = int((values < truth).sum()), int((values == truth).sum())
        out[name] = below + int(rng.integers(0, same + 1))
    return out


class _Evaluated:
    """Draws, or the truth, with all that follows from them given the data."""

    def __init__(self, blueprint: Blueprint, draws: FieldDraws, seed: int, name: str) -> None:
        self._blueprint, self._draws = blueprint, draws
        self.eta = predictor(blueprint, draws)
        # What the parameters leave open is drawn given the data, of the truth as of the draws.
        self._rates = cell_rates(
            stream(seed, f"rates of the {name}"), blueprint, self.eta, draws, observed=True
        )
        self._counts = complete(
            stream(seed, f"counts of the {name}"), blueprint, self.eta, draws, self._rates
        )
        self.cells = CellDraws(self._rates, self._counts)

    def quantities(self, few: NDArray[np.int64]) -> dict[str, Floats]:
        """The test quantities of some of the draws."""
        return quantities(
            self._blueprint, take(self._draws, few), self.eta[few], self._rates[few], self._counts[few]
        )


def _same_cells(one: Blueprint, two: Blueprint) -> bool:
    """Do draws of one blueprint's field fit the other?"""
    return (
        np.array_equal(one.layout.cells, two.layout.cells)
        and np.array_equal(one.layout.unit, two.layout.unit)
        and one.unknowns == two.unknowns
    )
