"""A backtest: a plan replayed on past dates, what it said first held against what is known now; one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...estimation import verbs
from ...estimation.binding import bind_plan, run_identity
from ...estimation.many import fit_many
from ...estimation.plan import Plan, settled
from ...estimation.runners.catalogue import open_runner
from ...estimation.runners.contract import Where
from ...estimation.sensitivity.replay import Replay, chosen, known_dates, replay
from ...estimation.store import layout
from ...estimation.store.beside import write_table
from ...estimation.store.find import finished
from ...estimation.store.runs import Run
from ..exits import DONE, UNFIT
from ..findings import records

Say = Callable[[str], None]


def backtest(
    open_at: Callable[[str | None], Plan],
    *,
    since: str | None,
    every: int,
    runs: Path | None,
    draft: bool,
    say: Say,
    where: Where,
) -> dict[str, Any]:
    """Replay a plan.

    Parameters
    ----------
    open_at : callable
        The plan with ``intake.as_of`` on a date; with None, as it is written.
    since : str or None
        The first date; None for the first on which a number became known.
    every : int
        Replay every so many dates, the last always.
    runs : Path or None
        Folder of runs; None for the one beside the plan.
    draft : bool
        Few draws, for a first look.
    say : callable
        Told of every date.
    where : Where
        Where the dates are fitted.

    Returns
    -------
    dict
        Dates with their runs, dates skipped and why, the statistics of the revisions and the absolute ``folder`` of the
        table. Runs are looked for among those of the plan and otherwise kept apart from them, in ``backtest``.

    Raises
    ------
    InputError
        Every fault of plan and data; fewer than two dates.
    KeyboardInterrupt
        The user stopped it; runs that have finished are kept.
    """
    plan = settled(open_at(None), draft=draft)
    dates = chosen(known_dates(plan), since, every)
    root = layout.runs_root(plan.file or Path(layout.PLAN), runs)
    apart = root / layout.BACKTEST

    def find(wanted: Plan) -> Run | None:
        identity = run_identity(bind_plan(wanted), wanted)
        places = (finished(place, wanted.name, identity) for place in (root, apart))
        return next(filter(None, places), None)

    plans = [(day, settled(open_at(day), draft=draft)) for day in dates]
    with open_runner(where, say) as runner:
        found = replay(plans, find, fit_many(verbs.estimate, apart, runner), say)
    folder = layout.run_folder(apart, plan.name, layout.BACKTEST).parent
    write_table(folder, layout.BACKTEST, found.table)
    return {"folder": str(folder.resolve()), "exit": UNFIT if found.unfit else DONE, **_value(found)}


def _value(found: Replay) -> dict[str, Any]:
    dates = [{"as_of": day, "run": run.identity, "status": run.status} for day, run in found.runs]
    return {
        "dates": dates,
        "skipped": [{"as_of": day, "reason": why} for day, why in found.skipped],
        "numbers": len(found.table),
        "statistics": records(found.statistics),
    }
