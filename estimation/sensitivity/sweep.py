"""A sweep: every scenario answered by the draws of the plan's own run where they can, by a fit of its own else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...data.errors import InputError
from ...data.names import SENSITIVITY_COLUMNS
from ..many import Fits
from ..store.beside import write_sensitivity
from ..store.find import finished
from ..store.runs import Run
from .claims import claim_changes
from .compare import Comparison, Varied, moved
from .reweight import Reweighted
from .scenario import Scenario

Answer = Callable[[Scenario], Reweighted | Run | str]
Say = Callable[[str], None]
FORCED = "a fit was asked for"


def sweep(
    scenarios: Sequence[Scenario], base: Run, root: Path, answers: Callable[[], Answer], fits: Fits, say: Say
) -> tuple[Varied, ...]:
    """Answer scenarios: what is stored is read, what the plan's own draws can answer they do, and the rest is fitted.

    Parameters
    ----------
    scenarios : sequence of Scenario
    base : Run
        Of the plan itself.
    root : Path
        Folder of runs.
    answers : callable
        Makes what answers a scenario by the draws of the plan's own run, weighed or evaluated again, or says why they
        do not. What that has read is let go before anything is fitted.
    fits : callable
        As ``many.fit_many``.
    say : callable
        Told of every scenario when it begins and when it has finished.

    Raises
    ------
    InputError
        A scenario cannot be fitted, or what fits them is gone; scenarios that have finished are kept.
    KeyboardInterrupt
        The user stopped it; scenarios that have finished are kept.
    """
    answer = answers()
    answered: dict[str, Run | Reweighted] = {}
    why: dict[str, str] = {}
    heads = {
        one.name: f"Scenario {number} of {len(scenarios)}, {one.name}"
        for number, one in enumerate(scenarios, start=1)
    }
    for one in scenarios:
        for warning in one.warnings:
            say(f"{heads[one.name]}: {warning}")
        run = finished(root, one.plan.name, one.identity)
        if run is not None:
            say(f"{heads[one.name]}: stored{_mark(run)}")
            answered[one.name], why[one.name] = run, one.obstacle or "its own fit was there"
            continue
        found = one.obstacle or answer(one)
        if isinstance(found, str):
            why[one.name] = found
            continue
        answered[one.name] = found
        if isinstance(found, Reweighted):
            say(f"{heads[one.name]}: reweighted, k-hat {found.khat:.2f}, {found.seconds:.1f} s")
        else:
            say(f"{heads[one.name]}: evaluated again, {_seconds(found)}")
    del answer
    left = [one for one in scenarios if one.name not in answered]
    for one in left:
        say(f"{heads[one.name]}: to be fitted, {why[one.name]}")
    for number, fitted in fits([one.plan for one in left]):
        one = left[number]
        if isinstance(fitted, InputError):
            raise fitted
        say(f"{heads[one.name]}: {_seconds(fitted)}")
        answered[one.name] = fitted
    return tuple(
        Varied(
            one.name,
            one.reason,
            one.set,
            answered[one.name],
            why.get(one.name, ""),
            claim_changes(base.claims, answered[one.name].claims),
        )
        for one in scenarios
    )


def _seconds(run: Run) -> str:
    return f"{run.manifest.get('timings', {}).get('total', 0.0):.0f} s{_mark(run)}"


def _mark(run: Run) -> str:
    return ", unfit: the sampler did not reach its diagnostics" if run.unfit else ""


def keep(base: Run, varied: tuple[Varied, ...], order: Sequence[tuple[str, dict[str, Any]]]) -> Comparison:
    """Compare what was answered with the base and write the comparison beside it.

    Scenarios of the plan that an earlier sweep has written and this one left out are kept.

    Parameters
    ----------
    base : Run
    varied : tuple of Varied
    order : sequence of (name, set)
        Every scenario that the plan may have, in their order.
    """
    table = moved(base, [(one.name, one.run) for one in varied])
    entries: dict[str, dict[str, Any]] = {one.name: one.record() for one in varied}
    written = dict(order)
    earlier = [e for e in base.scenarios if e["name"] not in entries and e["set"] == written.get(e["name"])]
    frames = [table]
    if earlier and base.sensitivity is not None:
        entries |= {entry["name"]: entry for entry in earlier}
        frames.append(base.sensitivity[base.sensitivity["scenario"].isin([e["name"] for e in earlier])])
    places = {name: number for number, name in enumerate(written)}
    whole = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    whole = whole.sort_values("scenario", key=lambda names: names.map(places), kind="stable")
    write_sensitivity(
        base.folder,
        sorted(entries.values(), key=lambda entry: places[entry["name"]]),
        whole[list(SENSITIVITY_COLUMNS)].reset_index(drop=True),
    )
    return Comparison(Run(base.folder), varied, table)
