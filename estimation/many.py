"""Many plans fitted, each run kept as soon as it is finished, by whatever runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ..data.errors import InputError
from .plan import Plan
from .runners.contract import Runner
from .store.runs import Run
from .store.shared import arrived, marked, require

Fit = Callable[..., Run]
Fits = Callable[[Sequence[Plan]], Iterator[tuple[int, Run | InputError]]]


def fit_many(fit: Fit, root: Path, runner: Runner, progress: bool = True) -> Fits:
    """Fits plans and gives their positions and runs as they are finished, or why one cannot be fitted.

    Parameters
    ----------
    fit : callable
        Of a plan, the folder of ``runs`` and whether to show ``progress``; another process finds it by its name.
    root : Path
        Folder of runs.
    runner : Runner
        Where its processes are others, they have to see the folder of runs and those of the plans under these paths.
    progress : bool
        Show it, where this process fits.
    """
    root = root.absolute()
    each = partial(fit, runs=root, progress=progress and runner.here)

    def fits(plans: Sequence[Plan]) -> Iterator[tuple[int, Run | InputError]]:
        if not plans:
            return
        if runner.here:
            yield from runner.finished(partial(_one, each, None), plans)
            return
        with marked(root) as mark:
            for number, run in runner.finished(partial(_one, each, mark), [_anywhere(p) for p in plans]):
                yield number, run if isinstance(run, InputError) else arrived(run)

    return fits


def _one(fit: Fit, mark: Path | None, plan: Plan) -> Run | InputError:
    if mark is not None:
        require(mark)
    try:
        return fit(plan)
    except InputError as error:
        return error


def _anywhere(plan: Plan) -> Plan:
    """A plan whose paths do not depend on where a process was started."""
    file = plan.file.absolute() if plan.file is not None else None
    return plan.model_copy(update={"folder": plan.folder.absolute(), "file": file})
