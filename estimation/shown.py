"""A fit shown while it runs: lines and a progress bar on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .binding import Bound
from .engines.contract import Fit, Progress
from .fitting import fit_plan
from .plan import Plan


def say_on_stderr(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def say_nothing(_text: str) -> None:
    """No line at all."""


def fit_shown(
    bound: Bound, plan: Plan, root: Path, again: bool, progress: bool, known: Fit | None = None
) -> Path:
    """Fit a bound plan, unless its fit is known, and write its run; with a progress bar on standard error if asked."""
    if not progress:
        return fit_plan(bound, plan, root, again, say_nothing, None, known)
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("sampling", total=None)
        return fit_plan(bound, plan, root, again, console.print, _watch(bar, task), known)


def _watch(bar: Bar, task: Any) -> Callable[[Progress], None]:
    def show(state: Progress) -> None:
        words = "sampling" + (f", {state.divergences} divergences" if state.divergences else "")
        bar.update(task, total=state.total, completed=state.done, description=words)

    return show
