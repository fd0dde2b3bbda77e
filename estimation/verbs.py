"""The verbs: one function each, the same that the commands call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ..data import intake as intake_module
from ..data.errors import InputError, Problem
from ..data.intake import Intake
from ..data.panel import Panel
from ..models.compile import CompiledModel, compile_model
from ..models.simulate import simulate_panel
from .binding import Bound, bind_plan, run_identity, stream
from .contraction import touched
from .engines.contract import Progress
from .fitting import fit_plan
from .plan import Plan, read_plan
from .rows import make_rows
from .store.find import stored
from .store.layout import runs_root
from .store.runs import Run

_SHOWN = 400


@dataclass(frozen=True)
class Validation:
    """What validation found.

    Parameters
    ----------
    problems : list of Problem
        Empty when the plan can be fitted.
    intake, blueprint : dict
        As they would be stored; empty where a fault kept them from being made.
    sentences : list of str
        What was read and how.
    without_statement : list of str
        Published rows that no statement after the first stage touches.
    """

    problems: list[Problem]
    intake: dict[str, Any]
    sentences: list[str]
    blueprint: dict[str, Any]
    without_statement: list[str]


def _plan(plan: Plan | str | Path, patches: Mapping[str, Any] | None = None) -> Plan:
    if isinstance(plan, Plan):
        if patches:
            raise InputError(Problem("patches need the plan's file", do="pass the path, not a Plan"))
        return plan
    return read_plan(plan, patches)


def read_panel(plan: Plan | str | Path) -> tuple[Panel, Intake]:
    """Read the data of a plan.

    Raises
    ------
    InputError
        Every fault of the data.
    """
    plan = _plan(plan)
    return intake_module.read_panel(plan.panel_spec(), plan.folder)


def validate(plan: Plan | str | Path) -> Validation:
    """Check a plan and its data without fitting; every problem at once."""
    try:
        bound = bind_plan(_plan(plan))
    except InputError as error:
        return Validation(list(error.problems), {}, [], {}, [])
    blueprint, layout = bound.blueprint, bound.blueprint.layout
    counts = bound.intake.counts
    silent = np.flatnonzero(~touched(blueprint).any(axis=0))
    rows = make_rows(bound.panel, layout)
    heard = touched(blueprint).any(axis=0).astype(float)
    empty = rows.take(np.flatnonzero((rows.member @ heard == 0) & ~rows.leaf))
    o, j, t = layout.shape
    sentences = [
        f"Read {counts['read']:,} numbers: {counts['used']:,} used, {counts['unused']:,} unused, "
        f"{counts['excluded']:,} excluded, {counts['dropped']:,} dropped; {bound.intake.not_reported:,} not reported.",
        f"{o} offenses × {j} jurisdictions × {t} periods; {layout.size:,} of {o * j * t:,} cells in the model, "
        f"{len(silent):,} of them without any count after the first stage.",
        f"{len(blueprint.analysis.groups):,} groups of statements, each with one density.",
        *bound.intake.warnings,
        *bound.intake.suspects,
    ]
    without = [", ".join(map(str, names)) for names in empty.names[:_SHOWN]]
    return Validation([], bound.intake.to_dict(), sentences, bound.description, without)


def compile(plan: Plan | str | Path) -> CompiledModel:
    """The PyMC model of a plan, with the map of its variables; ``compile(plan).model`` is the ``pm.Model``.

    Raises
    ------
    InputError
        Every fault of the plan or the data.
    """
    return compile_model(bind_plan(_plan(plan)).blueprint)


def simulate(plan: Plan | str | Path, seed: int) -> dict[str, Any]:
    """The same funnel forward: statements of the plan's own shape from a known truth.

    Returns
    -------
    dict
        ``statements``: list of plain records; ``truth``: list of step, offense, jurisdiction, period, rate.
    """
    bound = bind_plan(_plan(plan))
    panel, _counts, rates = simulate_panel(stream(seed, "simulate"), bound.blueprint)
    layout, axes = bound.blueprint.layout, bound.panel.axes
    truth = [
        {
            "step": step.name,
            **dict(zip(("offense", "jurisdiction", "period"), axes.cell_names(int(cell)), strict=True)),
            "rate": float(rates[step.source, column]),
        }
        for step in bound.panel.funnel.steps
        for column, cell in enumerate(layout.cells)
    ]
    return {"statements": [{"id": s.id, **s.record()} for s in panel.statements], "truth": truth}


def estimate(
    plan: Plan | str | Path,
    *,
    engine: str | None = None,
    patches: Mapping[str, Any] | None = None,
    seed: int | None = None,
    draft: bool = False,
    again: bool = False,
    runs: Path | None = None,
    progress: bool = True,
) -> Run:
    """Fit a plan and keep the run; a stored run of the same inputs is returned at once.

    Parameters
    ----------
    plan : Plan or path
    engine : str, optional
        ``nuts``, the only one so far.
    patches : mapping, optional
        Dotted keys and values that replace what the plan says.
    seed : int, optional
        In place of the plan's.
    draft : bool
        Few draws, for a first look; the gates on effective sample size will not pass.
    again : bool
        Fit even if the run is stored.
    runs : Path, optional
        Folder of runs; default ``ATTRITION_RUNS`` or ``runs`` beside the plan.
    progress : bool
        Show a progress bar on standard error.

    Raises
    ------
    InputError
        Every fault of the plan or the data; nothing is written.
    """
    plan = _plan(plan, patches)
    settings = plan.estimate.model_copy(
        update={key: value for key, value in (("engine", engine), ("seed", seed)) if value is not None}
    )
    if settings.engine not in ("nuts", "auto"):
        raise InputError(Problem("no such engine", "--engine", repr(settings.engine), "nuts"))
    if draft:
        settings = settings.model_copy(update={"draws": 250, "tune": 400})
    plan = plan.model_copy(update={"estimate": settings})
    bound = bind_plan(plan)
    root = runs_root(plan.file or Path("plan.toml"), runs)
    if not again:
        found = stored(root, plan.name, run_identity(bound, plan))
        if found is not None:
            return found
    return Run(_fit(bound, plan, root, again, progress))


def _fit(bound: Bound, plan: Plan, root: Path, again: bool, progress: bool) -> Path:
    if not progress:
        return fit_plan(bound, plan, root, again, lambda _: None, None)
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("sampling", total=None)
        return fit_plan(bound, plan, root, again, console.print, _watch(bar, task))


def _watch(bar: Bar, task: Any) -> Callable[[Progress], None]:
    def show(state: Progress) -> None:
        words = "sampling" + (f", {state.divergences} divergences" if state.divergences else "")
        bar.update(task, total=state.total, completed=state.done, description=words)

    return show


def check(run: Run) -> list[dict[str, Any]]:
    """The verdicts stored with a run."""
    return list(run.checks)


__all__ = [
    "Validation", "check", "compile", "estimate", "read_panel", "read_plan", "simulate", "validate",
]  # fmt: skip
