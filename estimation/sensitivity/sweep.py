"""A sweep: the scenarios of a plan fitted one after another, each kept as soon as it is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...data.names import SENSITIVITY_COLUMNS
from ..plan import Plan
from ..store.beside import write_sensitivity
from ..store.find import finished
from ..store.runs import Run
from .compare import Comparison, Varied, moved
from .scenario import Scenario

Fit = Callable[[Plan], Run]
Say = Callable[[str], None]


def sweep(scenarios: Sequence[Scenario], root: Path, fit: Fit, say: Say) -> tuple[Varied, ...]:
    """Fit the scenarios that are not stored.

    Parameters
    ----------
    scenarios : sequence of Scenario
    root : Path
        Folder of runs.
    fit : callable
        Fits a plan and keeps its run.
    say : callable
        Told of every scenario when it begins and when it has finished.

    Raises
    ------
    KeyboardInterrupt
        The user stopped it; scenarios that have finished are kept.
    """
    done = []
    for number, one in enumerate(scenarios, start=1):
        head = f"Scenario {number} of {len(scenarios)}, {one.name}"
        for warning in one.warnings:
            say(f"{head}: {warning}")
        run = finished(root, one.plan.name, one.identity)
        if run is not None:
            say(f"{head}: stored{_mark(run)}")
        else:
            say(f"{head}: fitting …")
            run = fit(one.plan)
            say(f"{head}: {run.manifest.get('timings', {}).get('total', 0.0):.0f} s{_mark(run)}")
        done.append(Varied(one.name, one.reason, one.set, run))
    return tuple(done)


def _mark(run: Run) -> str:
    return ", unfit: the sampler did not reach its diagnostics" if run.unfit else ""


def keep(base: Run, varied: tuple[Varied, ...], plan: Plan) -> Comparison:
    """Compare what was fitted with the base and write the comparison beside it.

    Scenarios of the plan that an earlier sweep has written and this one left out are kept.

    Parameters
    ----------
    base : Run
    varied : tuple of Varied
    plan : Plan
        Of the base; gives the order.
    """
    table = moved(base, [(one.name, one.run) for one in varied])
    entries: dict[str, dict[str, Any]] = {one.name: one.record() for one in varied}
    written = {spec.name: spec.set for spec in plan.scenario}
    earlier = [e for e in base.scenarios if e["name"] not in entries and e["set"] == written.get(e["name"])]
    frames = [table]
    if earlier and base.sensitivity is not None:
        entries |= {entry["name"]: entry for entry in earlier}
        frames.append(base.sensitivity[base.sensitivity["scenario"].isin([e["name"] for e in earlier])])
    order = {name: number for number, name in enumerate(written)}
    whole = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    whole = whole.sort_values("scenario", key=lambda names: names.map(order), kind="stable")
    write_sensitivity(
        base.folder,
        sorted(entries.values(), key=lambda entry: order[entry["name"]]),
        whole[list(SENSITIVITY_COLUMNS)].reset_index(drop=True),
    )
    return Comparison(Run(base.folder), varied, table)
