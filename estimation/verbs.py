"""The verbs: one function each, the same that the commands call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..data import intake as intake_module
from ..data.errors import InputError, Problem
from ..data.intake import Intake
from ..data.panel import Panel
from ..models.compile import CompiledModel, compile_model
from ..models.simulate import simulate_panel
from .binding import Bound, bind_plan, run_identity, stream
from .kept import fit_of
from .many import fit_many
from .plan import Plan, read_plan, settled
from .runners.catalogue import open_runner
from .runners.contract import HERE, Where
from .sensitivity.asked import OPTION, RELEASED
from .sensitivity.claims import claim_changes, latest_periods
from .sensitivity.compare import Comparison, Varied, moved
from .sensitivity.differences import differences
from .sensitivity.revision import Revision, revise
from .sensitivity.reweight import Reweighted, Weighing
from .sensitivity.scenario import Bindings, Scenario, bind_scenarios
from .sensitivity.sweep import FORCED, Answer, keep, sweep
from .shown import fit_shown, say_nothing, say_on_stderr
from .store.beside import write_notes
from .store.find import find_run, finished, stored
from .store.layout import BETWEEN, runs_root
from .store.runs import Run
from .validation import Validation, refused, validated


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
    """Check a plan, its data and its scenarios without fitting; every problem at once."""
    try:
        return validated(_plan(plan))
    except InputError as error:
        return refused(error)


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
    twin = simulate_panel(stream(seed, "simulate"), bound.blueprint)
    layout, axes = bound.blueprint.layout, bound.panel.axes
    truth = [
        {
            "step": step.name,
            **dict(zip(("offense", "jurisdiction", "period"), axes.cell_names(int(cell)), strict=True)),
            "rate": float(twin.rates[step.source, column]),
        }
        for step in bound.panel.funnel.steps
        for column, cell in enumerate(layout.cells)
    ]
    return {"statements": [{"id": s.id, **s.record()} for s in twin.panel.statements], "truth": truth}


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
        ``nuts``, ``laplace`` or ``auto``, in place of the plan's.
    patches : mapping, optional
        Dotted keys and values that replace what the plan says.
    seed : int, optional
        In place of the plan's.
    draft : bool
        Few draws, for a first look, held to wider limits (``engines.contract.DRAFT``); the run says that it is one.
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
    plan = settled(_plan(plan, patches), engine, seed, draft)
    bound = bind_plan(plan)
    root = runs_root(plan.file or Path("plan.toml"), runs)
    run = None if again else stored(root, plan.name, run_identity(bound, plan))
    if run is None:
        run = Run(fit_shown(bound, plan, root, again, progress))
    write_notes(run.folder, [note.model_dump(mode="json") for note in plan.note])
    return run


def check(run: Run) -> list[dict[str, Any]]:
    """The verdicts stored with a run."""
    return list(run.checks)


def scenarios(
    plan: Plan | str | Path,
    names: Iterable[str] | None = None,
    *,
    draft: bool = False,
    release: bool = False,
) -> Bindings:
    """What ``vary`` would answer, bound to its data; nothing is fitted.

    Parameters
    ----------
    plan : Plan or path
    names : iterable of str, optional
        Of ``[[scenario]]`` entries, or of scenarios or families built in; default those of ``[vary]``, and without it
        all that the plan writes.
    draft : bool
        As for few draws.
    release : bool
        The names are those of ``[release]``; without any those that the plan writes,
        else five that are built in.

    Raises
    ------
    InputError
        Every fault of the plan and of every scenario that it writes.
    """
    return bind_scenarios(settled(_plan(plan), draft=draft), names, draft, RELEASED if release else OPTION)


def vary(
    plan: Plan | str | Path,
    scenarios: Iterable[str] | None = None,
    *,
    runs: Path | None = None,
    draft: bool = False,
    progress: bool = True,
    refit: bool = False,
    where: Where = HERE,
) -> Comparison:
    """Answer the scenarios of a plan, and say what each moved; what is stored is not fitted again.

    Parameters
    ----------
    plan : Plan or path
    scenarios : iterable of str, optional
        Names of ``[[scenario]]`` entries, or of scenarios or families built in; default those of ``[vary]``, and
        without it all that the plan writes.
    runs : Path, optional
        Folder of runs; default ``ATTRITION_RUNS`` or ``runs`` beside the plan.
    draft : bool
        Few draws, for a first look, in the plan's own run as in every scenario's.
    progress : bool
        Tell of every scenario, and show a progress bar, on standard error.
    refit : bool
        Fit every scenario that the draws of the plan's own run could answer by weights.
    where : Where
        Where they are fitted: in this process unless told. The workers of a scheduler have to see the folder of runs
        and that of the plan under the same paths.

    Returns
    -------
    Comparison
        Also kept beside the plan's own run, as ``scenarios.json`` and ``sensitivity.parquet``.

    Raises
    ------
    InputError
        Every fault of the plan and of every scenario, and nothing is fitted; or the workers are gone, and what has
        finished is kept.
    KeyboardInterrupt
        The user stopped it; scenarios that have finished are kept, and the next call goes on.
    """
    plan = settled(_plan(plan), draft=draft)
    found = bind_scenarios(plan, scenarios, draft)
    root = runs_root(plan.file or Path("plan.toml"), runs)
    say = say_on_stderr if progress else say_nothing
    say(f"{len(found.scenarios)} scenarios:")
    for sentence in found.sentences:
        say(f"  {sentence}")
    # A scheduler that is not there is no reason to fit anything first.
    with open_runner(where, say) as runner:
        base = finished(root, plan.name, found.identity) or estimate(plan, runs=runs, progress=progress)

        def answers() -> Answer:
            weighing = Weighing(base, found.base)

            def answer(one: Scenario) -> Reweighted | Run | str:
                if one.same:
                    known = fit_of(base, found.base.blueprint)
                    if isinstance(known, str):
                        return known
                    return Run(
                        fit_shown(bind_plan(one.plan, found.base), one.plan, root, False, progress, known)
                    )
                if refit:
                    return FORCED
                return weighing.answer(bind_plan(one.plan, found.base), one.identity)

            return answer

        fits = fit_many(estimate, root, runner, progress)
        varied = sweep(found.scenarios, base, root, answers, fits, say)
    return keep(base, varied, found.order)


def compare(
    one: Run | str | Path,
    two: Run | str | Path,
    *,
    runs: Path | None = None,
    split: bool = True,
    progress: bool = True,
) -> Comparison:
    """What the second of two stored runs has otherwise than the first: its claims, rates, plan and numbers, and why.

    Parameters
    ----------
    one, two : Run, path or str
        A run, its folder, the beginning of its identity, or a plan for its latest run.
    runs : Path, optional
        Folder of runs.
    split : bool
        Where a revision has several causes, fit the earlier plan to what lies between, to tell them apart. What is
        fitted is kept in ``between`` inside the folder of runs and not fitted again.
    progress : bool
        Show a progress bar on standard error.

    Raises
    ------
    InputError
        When a name is not that of one run, or both are the same.
    """
    first, second = (run if isinstance(run, Run) else find_run(run, runs) for run in (one, two))
    if first.folder.resolve() == second.folder.resolve():
        raise InputError(Problem("both are the same run", str(first.folder), do="name two runs"))
    other = Varied(second.identity, second.scenario or "", second.blueprint.get("patches", {}), second)

    return Comparison(
        first,
        (other,),
        moved(first, [(other.name, second)]),
        differences(first, second),
        claim_changes(first.claims, second.claims, latest_periods(first.blueprint, second.blueprint)),
        revised(first, second, second, progress) if split else revise(first, second, None),
    )


def revised(one: Run, two: Run, beside: Run, progress: bool = True) -> Revision:
    """Every published number's change between two runs, split along a stated sequence of runs between them.

    Parameters
    ----------
    one, two : Run
        The earlier and the later.
    beside : Run
        Beside whose folder of runs what is fitted is kept.
    progress : bool
        Show a progress bar on standard error.
    """
    root = beside.folder.parent.parent / BETWEEN

    def fit(bound: Bound) -> Run:
        found = finished(root, bound.plan.name, run_identity(bound, bound.plan))
        return found or Run(fit_shown(bound, bound.plan, root, False, progress))

    return revise(one, two, fit)


__all__ = [
    "Validation", "check", "compare", "compile", "estimate", "read_panel", "read_plan", "revised", "scenarios",
    "simulate", "validate", "vary",
]  # fmt: skip
